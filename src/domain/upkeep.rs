//! Work that nobody waits for: hanging up what is due, forgetting what is old. What closes calls is in [`super::closing`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ids::CallId,
    live::LiveCalls,
    provider::{Provider, ProviderError},
    store::{DueHangup, Store, StoreError, SweepBefore},
};

/// Time for one hang-up, wherever its call has to be looked for.
const HANGUP_DEADLINE: Duration = Duration::from_secs(10);
/// Vonage refuses to hang up a leg in its first seconds; it is asked again this soon, this many times.
const TOO_EARLY_PAUSE: TimeDelta = TimeDelta::seconds(1);
const TOO_EARLY_TRIES: u32 = 12;
/// The longest pause between two tries, whatever Vonage asks for.
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(2);
/// What [`Store::sweep`] deletes of one kind at a time.
const SWEEP_BATCH: u64 = 1_000;
/// No call lasts longer at Vonage: 7 200 s of talk and an hour for everything around it.
pub(super) const CERTAINLY_OVER: TimeDelta = TimeDelta::hours(3);

/// What became of a try to hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangupResult {
    /// The call is over.
    Done,
    /// The call is in its first seconds, in which Vonage refuses. It will be tried again at once.
    TooEarly,
    /// It failed and will be tried again.
    PutOff,
    /// It failed for so long that the call must be over.
    GivenUp,
}

impl HangupResult {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::TooEarly, Self::PutOff, Self::GivenUp];

    /// A word for the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::TooEarly => "too-early",
            Self::PutOff => "put-off",
            Self::GivenUp => "given-up",
        }
    }
}

/// Hangs up a call whose time has come, or puts it off until Vonage can be asked again.
///
/// `None`: it has no leg, so there was nothing to hang up.
/// A hang-up is given up only when the call must be over anyway: until then it costs money and is nobody's.
///
/// # Errors
/// When the store fails.
pub async fn hang_up(
    store: &dyn Store,
    provider: &dyn Provider,
    live: &LiveCalls,
    due: &DueHangup,
    now: DateTime<Utc>,
) -> Result<Option<HangupResult>, StoreError> {
    let call = &due.call;
    let Some(leg) = &call.leg else {
        store.settle_hangup(call.id, None, now).await?;
        return Ok(None);
    };
    let asked = provider.hang_up(leg, call.region_url.as_deref());
    let answer = tokio::time::timeout(HANGUP_DEADLINE, asked)
        .await
        .unwrap_or_else(|_elapsed| {
            Err(ProviderError::Unavailable {
                reason: "does not answer in time".to_owned(),
                retry_after: None,
            })
        });
    let (result, retry_at) = match answer {
        Ok(()) => {
            tracing::info!(call.id = %call.id, "hung up from here");
            (HangupResult::Done, None)
        }
        Err(error) if now - call.created_at > CERTAINLY_OVER => {
            tracing::error!(call.id = %call.id, %error, "could not hang up a call that must be over by now");
            (HangupResult::GivenUp, None)
        }
        Err(ProviderError::TooEarly) if due.attempts < TOO_EARLY_TRIES => {
            (HangupResult::TooEarly, Some(now + TOO_EARLY_PAUSE))
        }
        Err(error) => {
            let retry_at = now + pause(call.id, &error, due.attempts);
            (HangupResult::PutOff, Some(retry_at))
        }
    };
    store.settle_hangup(call.id, retry_at, now).await?;
    live.changed(call.id);
    Ok(Some(result))
}

/// How long to wait before the next try.
fn pause(call: CallId, error: &ProviderError, attempts: u32) -> TimeDelta {
    let backoff = TimeDelta::seconds(1 << attempts.min(5));
    match error {
        ProviderError::Unavailable {
            retry_after: Some(asked),
            ..
        } => {
            tracing::warn!(call.id = %call, %error, "could not hang up yet");
            backoff
                .max(TimeDelta::from_std(*asked).unwrap_or(backoff))
                .min(MAX_PAUSE)
        }
        ProviderError::TooEarly | ProviderError::Unavailable { .. } | ProviderError::Refused(_) => {
            tracing::warn!(call.id = %call, %error, "could not hang up yet");
            backoff
        }
    }
}

/// Deletes history that is older than it may be, and visitors whose time is over.
///
/// Vonage is not asked: a visitor's time is over when their user's `ttl` is, and then Vonage deletes it by itself.
///
/// # Errors
/// When the store fails.
pub async fn sweep(store: &dyn Store, before: SweepBefore) -> Result<(), StoreError> {
    loop {
        let swept = store.sweep(before).await?;
        let more = [swept.webhook_ids, swept.calls, swept.events, swept.visitors]
            .iter()
            .any(|n| *n >= SWEEP_BATCH);
        if !more {
            return Ok(());
        }
    }
}
