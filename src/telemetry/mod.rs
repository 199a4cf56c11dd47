//! Logs: one JSON object a line for machines, text for people. And traces, where they are built in and asked for.
//!
//! Never logged: keys, tokens, tickets, cookies, signatures, bodies, queries, whole telephone numbers.

#[cfg(feature = "otlp")]
mod traces;

use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::settings::{self, Log};

/// What still has to be sent somewhere when the process ends.
#[derive(Debug)]
#[must_use = "the last traces are sent by `stop`"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    exporter: Option<traces::Exporter>,
}

/// Starts logging to standard output, and traces. To be called once in a process's life, before any runtime starts.
///
/// # Errors
/// When the filter can't be read, traces can't be sent, or logging was started before.
pub fn start(log: &Log, telemetry: &settings::Telemetry) -> anyhow::Result<Telemetry> {
    #[cfg(feature = "otlp")]
    let exporter = telemetry
        .otlp_endpoint
        .as_ref()
        .map(traces::Exporter::start)
        .transpose()?;
    #[cfg(feature = "otlp")]
    let traced = exporter.as_ref().map(traces::Exporter::layer);
    #[cfg(not(feature = "otlp"))]
    // Without the feature an address makes no layer; the settings have warned of it.
    let traced = telemetry
        .otlp_endpoint
        .as_ref()
        .and(None::<tracing_subscriber::layer::Identity>);
    let registry = tracing_subscriber::registry().with(traced);
    if log.json {
        let lines = fmt::layer()
            .json()
            .flatten_event(true)
            .with_span_list(false);
        registry.with(lines.with_filter(filter(log)?)).try_init()?;
    } else {
        let lines = fmt::layer().with_target(false);
        registry.with(lines.with_filter(filter(log)?)).try_init()?;
    }
    Ok(Telemetry {
        #[cfg(feature = "otlp")]
        exporter,
    })
}

fn filter(log: &Log) -> anyhow::Result<EnvFilter> {
    // Its greetings say nothing that ours don't; a filter that names it wins.
    EnvFilter::try_new(format!("actix_server=warn,{}", log.filter)).map_err(|error| {
        anyhow::anyhow!(
            "log.filter is not a filter such as `info` or `click_to_call=debug,warn`: {error}"
        )
    })
}

impl Telemetry {
    /// Sends what is left. To be called where no runtime is.
    pub fn stop(self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = self.exporter {
            exporter.stop();
        }
    }
}
