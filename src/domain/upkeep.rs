//! Work that nobody waits for: hanging up what is due, closing what never ended, forgetting what is old.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    call::{Call, Closing},
    call_state::Phase,
    calling,
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
/// Visitors that are forgotten at a time.
const VISITORS: u32 = 100;
/// Open calls that are looked at: more than can be in doubt at once, so that those don't hide the others.
const OPEN_CALLS: u32 = 1_000;
/// What [`Store::sweep`] deletes of one kind at a time.
const SWEEP_BATCH: u64 = 1_000;
/// No call lasts longer at Vonage: 7 200 s of talk and an hour for everything around it.
const CERTAINLY_OVER: TimeDelta = TimeDelta::hours(3);

/// Hangs up a call whose time has come, or puts it off until Vonage can be asked again.
///
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
) -> Result<(), StoreError> {
    let call = &due.call;
    let Some(leg) = &call.leg else {
        return store.settle_hangup(call.id, None, now).await;
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
    let retry_at = match answer {
        Ok(()) => {
            tracing::info!(call.id = %call.id, "hung up from here");
            None
        }
        Err(error) if now - call.created_at > CERTAINLY_OVER => {
            tracing::error!(call.id = %call.id, %error, "could not hang up a call that must be over by now");
            None
        }
        Err(error) => Some(now + pause(call.id, &error, due.attempts)),
    };
    store.settle_hangup(call.id, retry_at, now).await?;
    live.changed(call.id);
    Ok(())
}

/// How long to wait before the next try.
fn pause(call: CallId, error: &ProviderError, attempts: u32) -> TimeDelta {
    let backoff = TimeDelta::seconds(1 << attempts.min(5));
    match error {
        ProviderError::TooEarly if attempts < TOO_EARLY_TRIES => TOO_EARLY_PAUSE,
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

/// Closes the calls that were redeemed more than `longest` ago.
///
/// One whose events end it is settled. One in doubt is asked about at Vonage; if it is over there (or too old to be
/// alive), its last event was lost.
///
/// # Errors
/// When the store fails.
pub async fn close_old_calls(
    store: &dyn Store,
    provider: &dyn Provider,
    live: &LiveCalls,
    longest: Duration,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let longest = TimeDelta::from_std(longest).unwrap_or(CERTAINLY_OVER);
    for call in store.list_open_calls(now - longest, OPEN_CALLS).await? {
        let ended = calling::state(store, &call, now).await?.phase == Phase::Ended;
        let closing = if ended {
            Closing::Settled
        } else if is_over(provider, &call, now).await {
            tracing::warn!(call.id = %call.id, "closed a call whose last event never came");
            Closing::Lost
        } else {
            continue;
        };
        store.close_call(call.id, closing, now).await?;
        live.changed(call.id);
    }
    Ok(())
}

async fn is_over(provider: &dyn Provider, call: &Call, now: DateTime<Utc>) -> bool {
    let too_old = call.redeemed_at.is_none_or(|at| now - at > CERTAINLY_OVER);
    let Some(leg) = call.leg.as_ref().filter(|_| !too_old) else {
        return true;
    };
    match provider.is_over(leg, call.region_url.as_deref()).await {
        Ok(over) => over,
        Err(error) => {
            tracing::warn!(call.id = %call.id, %error, "could not ask whether a call is over");
            false
        }
    }
}

/// Deletes visitors whose time is over, here and at Vonage.
///
/// # Errors
/// When the store fails. A user that Vonage does not let go is logged and left to its own `ttl` there.
pub async fn forget_expired_visitors(
    store: &dyn Store,
    provider: &dyn Provider,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let expired = store.list_expired_visitors(now, VISITORS).await?;
    for visitor in &expired {
        if let Some(id) = visitor.user.id.as_deref().filter(|_| visitor.owns_user) {
            match provider.delete_user(id).await {
                Ok(()) => {}
                Err(error @ ProviderError::Unavailable { .. }) => {
                    tracing::warn!(%error, "could not delete an expired user; will try again");
                    return Ok(0);
                }
                Err(error) => tracing::warn!(%error, "could not delete an expired user"),
            }
        }
        store.delete_visitor(visitor.id).await?;
    }
    Ok(expired.len())
}

/// Deletes history that is older than it may be.
///
/// # Errors
/// When the store fails.
pub async fn sweep_history(store: &dyn Store, before: SweepBefore) -> Result<(), StoreError> {
    loop {
        let swept = store.sweep(before).await?;
        let more = [swept.webhook_ids, swept.calls, swept.events]
            .iter()
            .any(|n| *n >= SWEEP_BATCH);
        if !more {
            return Ok(());
        }
    }
}
