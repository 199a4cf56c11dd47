//! Times of many requests.

use std::time::Duration;

/// The time within which this part (0 to 1) of them were done.
pub(crate) fn percentile(times: &mut [Duration], part: f64) -> Duration {
    assert!(!times.is_empty(), "nothing was timed");
    times.sort_unstable();
    let last = u32::try_from(times.len() - 1).unwrap();
    let wanted = f64::from(last) * part;
    let index = (0..=last).find(|index| f64::from(*index) >= wanted);
    times[usize::try_from(index.unwrap()).unwrap()]
}
