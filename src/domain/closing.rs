//! Closes calls that are over, so that only those that are not are looked at again.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    call::{Call, Closing},
    call_state::{EndReason, Phase},
    calling,
    ids::CallId,
    live::LiveCalls,
    provider::{Provider, ProviderError},
    store::{Store, StoreError},
    upkeep::CERTAINLY_OVER,
};

/// Open calls that are read at a time.
const OPEN_CALLS: u32 = 1_000;

/// After so many questions that a region of Vonage did not answer its other calls are left to a later look: each question
/// may take as long as its time limit, and calls that need none would wait behind them.
const UNANSWERED: u8 = 3;

/// Looks at the open calls now and then.
#[derive(Debug)]
pub struct Closer {
    longest: TimeDelta,
    /// Calls that were over at the look before. Their last events have had time to come.
    over_before: HashSet<CallId>,
}

/// What a look has found.
#[derive(Debug, Default)]
pub struct Look {
    /// Calls that are not over.
    pub open: usize,
    /// When the oldest of them was put through.
    pub oldest: Option<DateTime<Utc>>,
    /// How those ended that it closed.
    pub closed: Vec<EndReason>,
}

impl Closer {
    /// For calls that last no longer than this, from the answer to the caller to the last event.
    pub fn new(longest: Duration) -> Self {
        Self {
            longest: TimeDelta::from_std(longest).unwrap_or(CERTAINLY_OVER),
            over_before: HashSet::new(),
        }
    }

    /// Closes the calls that are over.
    ///
    /// One whose events end it is settled, at the second look: its last events may still say more. One that should long be
    /// over is asked about at Vonage; if it is over there (or too old to be alive), its last event was lost.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(
        &mut self,
        store: &dyn Store,
        provider: &dyn Provider,
        live: &LiveCalls,
        now: DateTime<Utc>,
    ) -> Result<Look, StoreError> {
        let mut look = Look::default();
        let mut over = HashSet::new();
        let mut unanswered = HashMap::new();
        let mut page = store.list_open_calls(now, None, OPEN_CALLS).await?;
        while let Some(last) = page.last().cloned() {
            for call in page {
                let state = calling::state(store, &call, now).await?;
                let is_old = call.redeemed_at.is_none_or(|at| at < now - self.longest);
                let closing = if state.phase == Phase::Ended {
                    let may_close = self.over_before.contains(&call.id) && is_left_alone(&call);
                    if !is_old && !may_close {
                        over.insert(call.id);
                        continue;
                    }
                    Closing::Settled
                } else if is_old && is_over(provider, &call, now, &mut unanswered).await {
                    tracing::warn!(call.id = %call.id, "closed a call whose last event never came");
                    Closing::Lost
                } else {
                    look.open += 1;
                    look.oldest = look.oldest.or(call.redeemed_at);
                    continue;
                };
                if store.close_call(call.id, closing, now).await? {
                    look.closed.push(state.reason.unwrap_or(EndReason::Lost));
                    live.changed(call.id);
                }
            }
            page = store.list_open_calls(now, Some(&last), OPEN_CALLS).await?;
        }
        self.over_before = over;
        Ok(look)
    }
}

/// A closed call is not hung up any more.
fn is_left_alone(call: &Call) -> bool {
    call.hangup_due_at.is_none() || call.hung_up_at.is_some()
}

async fn is_over(
    provider: &dyn Provider,
    call: &Call,
    now: DateTime<Utc>,
    unanswered: &mut HashMap<Option<String>, u8>,
) -> bool {
    let too_old = call.redeemed_at.is_none_or(|at| now - at > CERTAINLY_OVER);
    let Some(leg) = call.leg.as_ref().filter(|_| !too_old) else {
        return true;
    };
    let unanswered = unanswered.entry(call.region_url.clone()).or_default();
    if *unanswered >= UNANSWERED {
        return false;
    }
    match provider.is_over(leg, call.region_url.as_deref()).await {
        Ok(over) => over,
        Err(error) => {
            tracing::warn!(call.id = %call.id, %error, "could not ask whether a call is over");
            if matches!(error, ProviderError::Unavailable { .. }) {
                *unanswered += 1;
            }
            false
        }
    }
}
