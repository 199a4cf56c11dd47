//! The tasks beside the requests. What they do is in [`crate::domain::upkeep`]; here is when.

use std::{collections::HashSet, time::Duration};

use actix_web::{dev::Server, web::Data};
use chrono::TimeDelta;
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        closing::Closer, ids::CallId, ready_pool, store::DueHangup, store::SweepBefore, upkeep,
    },
    metrics::ReadyEvent,
    state::AppState,
};

/// The task that hangs up looks at least this often.
const HANGUP_INTERVAL: Duration = Duration::from_secs(1);
/// Hang-ups under way at the same time.
const HANGUPS: u32 = 256;
/// The tasks that close calls and that tidy look this often.
const TIDY_INTERVAL: Duration = Duration::from_secs(30);
/// The task that makes users ahead looks at least this often: another replica may have given some away.
const READY_INTERVAL: Duration = Duration::from_secs(30);

/// Hangs up what is due: when somebody asks for it, and when a page that left has not come back. Each on its own,
/// so that a slow one delays no other.
///
/// Goes on until all requests are `drained`, and then ends with what they have asked for.
pub(crate) async fn hang_up_in_time(state: Data<AppState>, drained: CancellationToken) {
    let mut under_way: HashSet<CallId> = HashSet::new();
    let mut tries = FuturesUnordered::new();
    loop {
        let is_last = drained.is_cancelled();
        let now = state.clock.now();
        match state.store.due_hangups(now, HANGUPS).await {
            Ok(due) => {
                let oldest = due.first().and_then(|first| first.call.hangup_due_at);
                let oldest = oldest.map(|due_at| now - due_at);
                state.metrics.calls.set_due_hangups(due.len(), oldest);
                for hangup in due {
                    if under_way.insert(hangup.call.id) {
                        tries.push(hang_up(&state, hangup));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "could not look for calls to hang up"),
        }
        if is_last {
            while tries.next().await.is_some() {}
            return;
        }
        tokio::select! {
            Some(call) = tries.next() => { under_way.remove(&call); }
            () = state.upkeep_now.notified() => {}
            () = tokio::time::sleep(HANGUP_INTERVAL) => {}
            () = drained.cancelled() => {}
        }
    }
}

async fn hang_up(state: &AppState, due: DueHangup) -> CallId {
    let now = state.clock.now();
    let done = upkeep::hang_up(&*state.store, &*state.provider, &state.live, &due, now).await;
    match done {
        Ok(Some(result)) => state.metrics.calls.hangup(result),
        Ok(None) => {}
        Err(error) => {
            tracing::error!(%error, call.id = %due.call.id, "could not write down a hang-up");
        }
    }
    due.call.id
}

/// Keeps the pool of ready users full. Ends at once when a stop begins.
pub(crate) async fn keep_users_ready(state: Data<AppState>) {
    let pool = state.sessions.ready_pool();
    let for_ever = async {
        let mut failures = 0;
        loop {
            let (token_ttl, now) = (state.minter.ttl(), state.clock.now());
            let topped_up = pool.top_up(&*state.store, &*state.provider, token_ttl, now);
            match topped_up.await {
                Ok(true) => {
                    failures = 0;
                    state.metrics.visitors.ready(ReadyEvent::Made);
                }
                Ok(false) => tokio::select! {
                    () = pool.asked() => {}
                    () = tokio::time::sleep(READY_INTERVAL) => {}
                },
                Err(error) => {
                    failures += 1;
                    state.metrics.visitors.ready(ReadyEvent::Failed);
                    let pause = ready_pool::pause(&error, failures);
                    tracing::warn!(%error, pause_s = pause.as_secs(), "could not make a user ahead");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    };
    state.stopping.run_until_cancelled(for_ever).await;
}

/// Serves the metrics, where they are asked for, until all requests are `drained`.
pub(crate) async fn show_metrics(server: Option<Server>, drained: CancellationToken) {
    let Some(server) = server else {
        return drained.cancelled().await;
    };
    if let Err(error) = server.await {
        tracing::error!(%error, "the listener of the metrics failed");
    }
}

/// Tells the streams of this server what other servers change.
pub(crate) async fn follow_changes(state: Data<AppState>) {
    state.store.follow_changes(&state.live).await;
}

/// Closes calls that are over. Ends at once when a stop begins: all of it can wait.
pub(crate) async fn close_calls(state: Data<AppState>, longest: Duration) {
    let for_ever = async {
        let mut closer = Closer::new(longest);
        loop {
            let now = state.clock.now();
            let looked = closer.look(&*state.store, &*state.provider, &state.live, now);
            match looked.await {
                Ok(look) => {
                    let oldest = look.oldest.map(|at| now - at);
                    state.metrics.calls.set_open(look.open, oldest);
                    for reason in look.closed {
                        state.metrics.calls.ended(reason);
                    }
                }
                Err(error) => tracing::error!(%error, "could not close calls that are over"),
            }
            tokio::time::sleep(TIDY_INTERVAL).await;
        }
    };
    state.stopping.run_until_cancelled(for_ever).await;
}

/// Forgets what is old. Ends at once when a stop begins: all of it can wait.
pub(crate) async fn tidy(state: Data<AppState>, tolerance: Duration, retention_days: u32) {
    let for_ever = async {
        loop {
            // Memory first: it must not grow while the store is away.
            state.sessions_limit.forget_idle();
            state.calls_limit.forget_idle();
            state.proofs_limit.forget_idle();
            if let Err(error) = tidy_once(&state, tolerance, retention_days).await {
                tracing::error!(%error, "could not tidy the store");
            }
            tokio::time::sleep(TIDY_INTERVAL).await;
        }
    };
    state.stopping.run_until_cancelled(for_ever).await;
}

async fn tidy_once(
    state: &AppState,
    tolerance: Duration,
    retention_days: u32,
) -> anyhow::Result<()> {
    let now = state.clock.now();
    let (store, provider, metrics) = (&*state.store, &*state.provider, &state.metrics);
    let before = SweepBefore {
        webhook_ids: now - TimeDelta::from_std(tolerance)? * 2,
        history: now - TimeDelta::days(i64::from(retention_days)),
        visitors: now,
    };
    upkeep::sweep(store, before).await?;
    let pool = state.sessions.ready_pool();
    let unused = pool
        .drop_stale(store, provider, state.minter.ttl(), now)
        .await?;
    metrics.visitors.users_deleted(unused.deleted);
    for _ in 0..unused.dropped {
        metrics.visitors.ready(ReadyEvent::Dropped);
    }
    Ok(())
}
