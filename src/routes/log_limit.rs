//! How often the log says the same thing: whoever sends bad requests must not be able to fill a disk with it.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Lines about one cause in a minute. The metrics count all.
const LINES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// A limit per cause; causes are words of this program, so there are few.
#[derive(Debug)]
pub struct LogLimit {
    lines: DefaultKeyedRateLimiter<&'static str>,
    left_out: Mutex<HashMap<&'static str, u64>>,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self {
            lines: RateLimiter::keyed(Quota::per_minute(LINES_PER_MINUTE)),
            left_out: Mutex::default(),
        }
    }
}

impl LogLimit {
    /// `Some`: a line about this cause may be written, and so many before it were left out.
    pub(super) fn admit(&self, cause: &'static str) -> Option<u64> {
        let is_admitted = self.lines.check_key(&cause).is_ok();
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if is_admitted {
            return Some(left_out.remove(cause).unwrap_or(0));
        }
        *left_out.entry(cause).or_default() += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_cause_leaves_few_lines_and_hides_no_other_cause() {
        let log = LogLimit::default();
        let lines = (0..1_000).filter(|_| log.admit("secret").is_some()).count();
        // The quota may give one back while the loop runs.
        assert!((10..=11).contains(&lines), "{lines}");
        assert_eq!(log.admit("time"), Some(0));
        let left_out = log.left_out.lock().unwrap().get("secret").copied();
        assert!(left_out.is_some_and(|left_out| left_out > 980));
    }
}
