//! Vonage users made ahead, so that a new visitor does not wait for Vonage.
//!
//! They are kept in the store, which gives each to one visitor, whichever process asks. A visitor who finds none gets a
//! user made on the spot, and then comes first: nothing is made ahead meanwhile.

use std::{fmt, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Notify, watch};

use super::{
    provider::{Provider, ProviderError},
    sessions::{self, SessionError},
    store::{Store, StoreError},
    visitor::VonageUser,
};

/// How long a user may wait for its visitor. It lives so much longer at Vonage.
const MAX_WAIT: TimeDelta = TimeDelta::days(1);
/// The first pause after Vonage or the store has failed; it doubles with every failure.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest.
const MAX_PAUSE: Duration = Duration::from_mins(5);
/// Stale users that are dropped at a time.
const STALE: u32 = 100;

/// The pool, as one process sees it.
pub struct ReadyPool {
    size: u32,
    /// Where its users live: see [`VonageUser::home`].
    home: String,
    /// Visitors of this process for whom a user is being made at this moment.
    waiting: watch::Sender<usize>,
    taken: Notify,
}

/// Users that had waited too long.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stale {
    /// Dropped from the pool.
    pub dropped: usize,
    /// Deleted at Vonage, of those.
    pub deleted: u32,
}

/// A visitor for whom a user is being made. Ends with its value.
pub(super) struct Waiting<'a>(&'a ReadyPool);

impl ReadyPool {
    /// A pool that is kept at this many users of this home; 0: there is none.
    pub fn new(size: u32, home: String) -> Self {
        Self {
            size,
            home,
            waiting: watch::Sender::new(0),
            taken: Notify::new(),
        }
    }

    /// A user that lasts until `lasting` at least, for one visitor.
    pub(super) async fn take(
        &self,
        store: &dyn Store,
        lasting: DateTime<Utc>,
    ) -> Result<Option<VonageUser>, StoreError> {
        if self.size == 0 {
            return Ok(None);
        }
        let user = store.take_ready_user(&self.home, lasting).await?;
        self.taken.notify_one();
        Ok(user)
    }

    /// A visitor has found none.
    pub(super) fn visitor_waits(&self) -> Waiting<'_> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Waiting(self)
    }

    /// How many users are kept ready; 0: none, the pool is off.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Makes one user if some are missing, as soon as no visitor waits for theirs. `false`: the pool is full.
    ///
    /// # Errors
    /// When the store or Vonage fails.
    pub async fn top_up(
        &self,
        store: &dyn Store,
        provider: &dyn Provider,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<bool, SessionError> {
        if self.size == 0 || self.count(store, token_ttl, now).await? >= self.size {
            return Ok(false);
        }
        // The sender lives as long as the pool.
        let _ = self
            .waiting
            .subscribe()
            .wait_for(|waiting| *waiting == 0)
            .await;
        let life = sessions::user_life(token_ttl) + MAX_WAIT;
        let user = sessions::make_user(provider, &self.home, life, now).await?;
        store.insert_ready_user(&user).await?;
        Ok(true)
    }

    /// How many users wait that can still be given to somebody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count(
        &self,
        store: &dyn Store,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<u32, StoreError> {
        let lasting = now + sessions::user_life(token_ttl);
        store.count_ready_users(&self.home, lasting).await
    }

    /// Drops users that have waited too long, here and at Vonage.
    ///
    /// # Errors
    /// When the store fails. A user that Vonage does not let go is logged and left to its own `ttl` there, and so is one
    /// that lives elsewhere, or that comes after one for which Vonage was away.
    pub async fn drop_stale(
        &self,
        store: &dyn Store,
        provider: &dyn Provider,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Stale, StoreError> {
        let ending = now + sessions::user_life(token_ttl);
        // Out of the store first: nobody is to be given a user that is being deleted.
        let users = store.drop_ready_users(ending, STALE).await?;
        let mut stale = Stale {
            dropped: users.len(),
            deleted: 0,
        };
        for user in users {
            let Some(id) = user.id.filter(|_| user.home == self.home) else {
                continue;
            };
            match provider.delete_user(&id).await {
                Ok(()) => stale.deleted += 1,
                Err(error @ ProviderError::Unavailable { .. }) => {
                    tracing::warn!(%error, "could not delete users that nobody needed");
                    break;
                }
                Err(error) => tracing::warn!(%error, "could not delete a user that nobody needed"),
            }
        }
        Ok(stale)
    }

    /// Waits until somebody has asked for a user.
    pub async fn asked(&self) {
        self.taken.notified().await;
    }
}

/// How long to make none ahead after so many failures in a row, of which `error` is the last.
pub fn pause(error: &SessionError, failures: u32) -> Duration {
    let backoff = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let asked = match error {
        SessionError::Provider(ProviderError::Unavailable { retry_after, .. }) => *retry_after,
        SessionError::Provider(_) | SessionError::Store(_) | SessionError::Random => None,
    };
    backoff.max(asked.unwrap_or_default()).min(MAX_PAUSE)
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

impl fmt::Debug for ReadyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyPool")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_heed_vonage() {
        let unavailable = |retry_after| {
            SessionError::Provider(ProviderError::Unavailable {
                reason: "answers 503".to_owned(),
                retry_after,
            })
        };
        let seconds = |failures| pause(&unavailable(None), failures).as_secs();
        assert_eq!([1, 2, 3, 8, 9, 40].map(seconds), [2, 4, 8, 256, 300, 300]);
        let minute = Some(Duration::from_mins(1));
        assert_eq!(pause(&unavailable(minute), 1), Duration::from_mins(1));
    }
}
