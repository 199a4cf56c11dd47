//! Hears of the calls that have changed, whichever server has changed them.

use std::{convert::Infallible, time::Duration};

use sqlx::{
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
    query,
};
use tracing::{debug, warn};

use crate::domain::live::LiveCalls;

/// Where the statements of this adapter `pg_notify` a call's id.
const CHANNEL: &str = "click_to_call_changes";

/// Silence after which the connection has to prove that it is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// How long opening and proving may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The pause before another try.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells `live` for ever. What changes while there is no connection is not told but looked at: with each new one, every
/// stream reads the store.
pub(super) async fn follow(options: &PgConnectOptions, live: &LiveCalls) {
    loop {
        let Err(error) = listen(options, live).await;
        warn!(%error, "changes made by other servers are not heard of for the moment");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(options: &PgConnectOptions, live: &LiveCalls) -> Result<Infallible, sqlx::Error> {
    // A pool of its own, because that is what a listener takes, for as long as its one connection lives.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    debug!("listening for changes");
    live.all_changed();
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(notification) => {
                let notification = notification?.ok_or(sqlx::Error::PoolClosed)?;
                if let Ok(call) = notification.payload().parse() {
                    live.changed(call);
                }
            }
            Err(_elapsed) => {
                tokio::time::timeout(PATIENCE, query("SELECT 1").execute(&mut listener))
                    .await
                    .map_err(|_elapsed| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
