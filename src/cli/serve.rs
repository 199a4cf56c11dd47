//! `serve`: the service itself.

use std::future::Future;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Outcome, account};
use crate::{
    domain::clock::Clock,
    settings::{self, Flag, Loaded, Settings, Sources, so_far::load_so_far},
    startup::{Application, Reloader},
    telemetry,
    vonage::{account::applications::Wanted, key::ApplicationKey},
};

/// Arguments of `serve`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  click-to-call serve
  click-to-call serve --public-url https://a1b2c3.tunnel.example --update-application")]
pub struct ServeArgs {
    /// Address under which visitors and Vonage reach the service, in place of the one that is set
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,

    /// First let the application's webhooks lead to that address; needs the account's key and secret
    #[arg(long)]
    pub update_application: bool,
}

/// Runs the service until SIGTERM or SIGINT. SIGHUP reads key and token policy again.
///
/// # Errors
/// When it can't start, or ends by itself.
pub fn run(args: &ServeArgs, mut sources: Sources) -> anyhow::Result<Outcome> {
    if let Some(url) = &args.public_url {
        sources.flags.push(Flag {
            flag: "--public-url",
            key: "http.public_url",
            value: url.clone(),
        });
    }
    let (loaded, key) = settings::load_with_key(&sources)?;
    let telemetry = telemetry::start(&loaded.settings.log, &loaded.settings.telemetry)?;
    if args.update_application {
        update_application(&sources, &loaded.settings)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let ended = runtime.block_on(serve(loaded, key, sources));
    // Whoever has sent a second signal does not want to wait for what is still running.
    runtime.shutdown_background();
    telemetry.stop();
    ended?;
    Ok(Outcome::Done)
}

/// Lets the application's webhooks lead here. What else is in it stays.
fn update_application(sources: &Sources, settings: &Settings) -> anyhow::Result<()> {
    let access = load_so_far(sources).account()?;
    account::ensure_in_reach(&settings.http.public_url, &access.api_url)?;
    let client = account::account_client(access)?;
    let wanted = Wanted {
        public_url: Some(settings.http.public_url.clone()),
        ..Wanted::default()
    };
    account::wait_for(async {
        let mut application = client.application(&settings.vonage.application_id).await?;
        let changes = wanted.apply(&mut application);
        if !changes.is_empty() {
            client.replace_application(&application).await?;
        }
        for change in changes {
            tracing::info!("changed the application's {change}");
        }
        Ok(())
    })
}

async fn serve(loaded: Loaded, key: ApplicationKey, sources: Sources) -> anyhow::Result<()> {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let settings = loaded.settings;
    let stop = stop_signals()?;
    let hangup = signal(SignalKind::hangup())?;
    let public_url = settings.http.public_url.origin().ascii_serialization();
    let application = Application::build(settings, key, Clock::system()).await?;
    tokio::spawn(reload_on_hangup(hangup, application.reloader(), sources));

    let address = application.address();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        "listening on http://{address}"
    );
    tracing::info!("visitors open         {public_url}/");
    tracing::info!("Vonage's answer URL   {public_url}/webhooks/answer");
    tracing::info!("Vonage's fallback URL {public_url}/webhooks/fallback");
    tracing::info!("Vonage's event URL    {public_url}/webhooks/event");
    if let Some(address) = application.metrics_address() {
        tracing::info!("metrics               http://{address}/metrics");
    }
    tokio::select! {
        ended = application.run_until_stopped(stop.first) => ended,
        () = stop.second => anyhow::bail!("a second signal: stopped at once"),
    }
}

/// What SIGTERM and SIGINT ask for.
pub(super) struct StopSignals<F, S> {
    /// The first one: stop in order.
    pub(super) first: F,
    /// The second one: somebody is out of patience.
    pub(super) second: S,
}

pub(super) fn stop_signals()
-> anyhow::Result<StopSignals<impl Future<Output = ()>, impl Future<Output = ()>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let first = CancellationToken::new();
    let second = CancellationToken::new();
    let seen = [first.clone(), second.clone()];
    tokio::spawn(async move {
        for token in seen {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(StopSignals {
        first: first.cancelled_owned(),
        second: second.cancelled_owned(),
    })
}

async fn reload_on_hangup(mut hangup: Signal, reloader: Reloader, sources: Sources) {
    while hangup.recv().await.is_some() {
        match reload(&reloader, &sources) {
            Ok(()) => tracing::info!("signing with the key and the token settings as they are now"),
            Err(error) => tracing::error!("kept the old key and token settings: {error:#}"),
        }
    }
}

/// Only files can have changed: a process can't be given other variables.
fn reload(reloader: &Reloader, sources: &Sources) -> anyhow::Result<()> {
    let (loaded, key) = settings::load_with_key(sources)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    reloader.reload(&loaded.settings, key)
}
