//! Logs: one JSON object a line for machines, text for people.
//!
//! Never logged: keys, tokens, tickets, cookies, signatures, bodies, queries, whole telephone numbers.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::Log;

/// Starts logging to standard output. To be called once in a process's life.
///
/// # Errors
/// When the filter can't be read, or logging was started before.
pub fn start(log: &Log) -> anyhow::Result<()> {
    // Its greetings say nothing that ours don't; a filter that names it wins.
    let filter =
        EnvFilter::try_new(format!("actix_server=warn,{}", log.filter)).map_err(|error| {
            anyhow::anyhow!(
                "log.filter is not a filter such as `info` or `click_to_call=debug,warn`: {error}"
            )
        })?;
    let registry = tracing_subscriber::registry().with(filter);
    if log.json {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_span_list(false),
            )
            .try_init()?;
    } else {
        registry.with(fmt::layer().with_target(false)).try_init()?;
    }
    Ok(())
}
