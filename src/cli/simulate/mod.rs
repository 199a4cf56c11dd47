//! `simulate`: a simulated Vonage that sends visitors to another instance of the service and says how it did.

mod bounds;
mod report;
mod tally;
mod visitor;

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use secrecy::SecretString;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};
use url::Url;

use self::{
    bounds::{Load, check_target},
    report::Report,
    tally::Tally,
    visitor::{Outcome, Played, Service},
};
use super::{Handles, demo, serve};
use crate::{
    cli::Outcome as Ended,
    settings::Sources,
    simulator::{self, Scenario, SeededNumber, Simulator, SimulatorConfig, scenario::Visitor},
};

/// Visitors who are in the middle of it at one time; those beyond it stay away and are counted.
const MOST_AT_ONCE: usize = 1_000;
/// How long a visitor waits in all before they are counted as lost.
const PATIENCE: Duration = Duration::from_mins(3);

/// Arguments of `simulate`.
#[expect(
    clippy::doc_markdown,
    reason = "shown in a terminal, where variables and addresses need no marks"
)]
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The service: its own address, such as http://127.0.0.1:3000
    #[arg(long, value_name = "URL")]
    pub against: Url,

    /// Who visits and what telephones do: a JSON file, written by hand or by `demo --record`
    #[arg(long, value_name = "FILE")]
    pub scenario: PathBuf,

    /// Where the simulated Vonage listens; the service's VONAGE_API_URL names the same address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,

    /// The service's application id [default: VONAGE_APPLICATION_ID]
    #[arg(long, value_name = "ID")]
    pub application_id: Option<String>,

    /// The public half of the service's key, as `keygen --public` prints it
    #[arg(long, value_name = "FILE")]
    pub public_key: PathBuf,

    /// A file with the service's signature secret [default: VONAGE_SIGNATURE_SECRET]
    #[arg(long, value_name = "FILE")]
    pub signature_secret_file: Option<PathBuf>,

    /// How many visitors come every second; without it each of the scenario's visitors comes once
    #[arg(long, value_name = "NUMBER", requires = "seconds", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub visitors_per_second: Option<u32>,

    /// For how many seconds they come
    #[arg(long = "for", id = "seconds", value_name = "SECONDS", requires = "visitors_per_second", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub seconds: Option<u32>,

    /// Allow a service that is not on this machine: one that is yours, and meant for it
    #[arg(long)]
    pub against_another_machine: bool,

    /// Start of the scenario's random choices: the same number makes the same choices
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,

    /// The report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Plays the scenario to its end, reports, and fails when something was not as expected.
///
/// # Errors
/// When the service may not be visited, a file can't be read, or the address can't be listened on.
pub fn run(
    args: &SimulateArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Ended> {
    check_target(&args.against, args.against_another_machine)?;
    let scenario = demo::read_scenario(&args.scenario)?;
    let config = config(args, sources, scenario)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(simulate(args, config));
    runtime.shutdown_background();
    let report = report?;
    if args.json {
        serde_json::to_writer_pretty(&mut *handles.out, &report)?;
        writeln!(handles.out)?;
    } else {
        report.write(handles.out)?;
    }
    Ok(if report.as_expected() {
        Ended::Done
    } else {
        Ended::Failed
    })
}

fn config(
    args: &SimulateArgs,
    sources: &Sources,
    scenario: Scenario,
) -> anyhow::Result<SimulatorConfig> {
    let variable = |name: &str| sources.environment.get(name).cloned();
    let id = args
        .application_id
        .clone()
        .or_else(|| variable("VONAGE_APPLICATION_ID"))
        .context("which application is it? Give --application-id or set VONAGE_APPLICATION_ID")?;
    let read = |path: &PathBuf| {
        fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
    };
    let signature_secret = match &args.signature_secret_file {
        Some(path) => Some(read(path)?.trim().to_owned()),
        None => variable("VONAGE_SIGNATURE_SECRET"),
    };
    let signature_secret = signature_secret.context(
        "what are webhooks signed with? Give --signature-secret-file or set VONAGE_SIGNATURE_SECRET",
    )?;
    let number = variable("VONAGE_NUMBER").map(|number| SeededNumber {
        country: "GB".to_owned(),
        msisdn: number.chars().filter(char::is_ascii_digit).collect(),
        kind: "landline".to_owned(),
        features: vec!["VOICE".to_owned()],
        cost: "1.00".to_owned(),
        initial_price: None,
        owned: true,
        application_id: Some(id.clone()),
    });
    let service = args.against.as_str().trim_end_matches('/');
    Ok(SimulatorConfig {
        listen: args.listen,
        api_key: variable("VONAGE_API_KEY").unwrap_or_else(|| "simulate".to_owned()),
        api_secret: SecretString::from(variable("VONAGE_API_SECRET").unwrap_or_default()),
        signature_secret: signature_secret.into(),
        applications: vec![demo::application(id, read(&args.public_key)?, service)],
        numbers: number.into_iter().collect(),
        scenario,
        seed: args.seed,
    })
}

async fn simulate(args: &SimulateArgs, config: SimulatorConfig) -> anyhow::Result<Report> {
    let stop = serve::stop_signals()?;
    let expected = config.scenario.expect;
    let load = Load::of(
        config.scenario.visitors.clone(),
        args.visitors_per_second.zip(args.seconds),
    );
    let simulator = simulator::start(config)
        .await
        .with_context(|| format!("cannot listen on {}: choose another --listen", args.listen))?;
    let simulator = Arc::new(simulator);
    let tally = Tally::start(simulator.deliveries());
    let service = Service::at(&args.against)?;

    let played = tokio::select! {
        played = send_all(&simulator, &service, load) => played,
        () = stop.first => anyhow::bail!("stopped before all visitors were through: there is nothing to report"),
    };
    if let Some(simulator) = Arc::into_inner(simulator) {
        simulator.stop().await;
    }
    Ok(Report::of(played, &tally.finish().await, expected))
}

/// Sends each visitor at their time and waits for all of them.
async fn send_all(simulator: &Arc<Simulator>, service: &Service, load: Load) -> Vec<Played> {
    let begin = Instant::now();
    let seats = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let mut under_way = JoinSet::new();
    let mut played = Vec::new();
    for (number, visitor) in load.enumerate() {
        sleep_until(begin + Duration::from_millis(visitor.after_ms)).await;
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
            played.push(Played::new(visitor, Outcome::StayedAway));
            continue;
        };
        let (simulator, service) = (Arc::clone(simulator), service.clone());
        under_way.spawn(async move {
            let played = play(&simulator, &service, number, visitor).await;
            drop(seat);
            played
        });
    }
    while let Some(ended) = under_way.join_next().await {
        // A visitor that panicked would be a fault in here; the others still count.
        played.extend(ended.ok());
    }
    played
}

async fn play(simulator: &Simulator, service: &Service, number: usize, visitor: Visitor) -> Played {
    let mut played = Played::new(visitor, Outcome::Lost("no end within three minutes"));
    let end = Instant::now() + PATIENCE;
    // What was learnt until then counts, so that it is kept outside of what is given up.
    if let Ok(outcome) = timeout_at(end, service.visit(simulator, number, &mut played)).await {
        played.outcome = outcome;
    }
    played
}
