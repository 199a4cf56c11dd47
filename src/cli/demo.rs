//! `demo`: the whole product without an account. The service, with a key that nobody keeps, beside a simulated Vonage.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use tempfile::TempDir;

use super::{Handles, Outcome, keygen, serve};
use crate::{
    domain::clock::Clock,
    settings::{self, Sources},
    simulator::{
        self, HttpMethod, Scenario, SeededApplication, SeededNumber, Simulator, SimulatorConfig,
        WebhookUrl,
    },
    startup::Application,
    telemetry,
};

const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";
const API_KEY: &str = "demo0000";
const NUMBER: &str = "442079460000";
const DESK: &str = "447700900000";
const SIGNATURE_SECRET: &str = "demonstration-of-a-signature-secret";

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the service; 0 takes a free one
    #[arg(long, default_value_t = 3000, value_name = "PORT")]
    pub port: u16,

    /// Port of the simulated Vonage and its desk phone; 0 takes a free one
    #[arg(long, default_value_t = 4000, value_name = "PORT")]
    pub vonage_port: u16,

    /// What telephones and webhooks do: a JSON file, see docs/SIMULATOR.md [default: a person answers]
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,

    /// Start of the scenario's random choices: the same number makes the same choices
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,

    /// At the end, write what happened as a scenario that `simulate` replays
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// Runs both until SIGTERM or SIGINT. Nothing of it is kept.
///
/// # Errors
/// When a port is taken, or the scenario can't be read.
pub fn run(
    args: &DemoArgs,
    sources: Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(demo(args, sources, clock, handles));
    runtime.shutdown_background();
    ended?;
    Ok(Outcome::Done)
}

async fn demo(
    args: &DemoArgs,
    mut sources: Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<()> {
    let stop = serve::stop_signals()?;
    let folder = TempDir::new().context("no temporary folder can be made")?;
    let key_file = folder.path().join("private.key");
    let public_key = keygen::make(&key_file, 2_048)?;
    let port = free(args.port)?;
    let simulator = start_simulator(args, port, public_key).await?;

    let vonage = simulator.base_url();
    let set = [
        ("PORT", port.to_string()),
        ("PUBLIC_URL", format!("http://localhost:{port}")),
        ("VONAGE_APPLICATION_ID", APPLICATION.to_owned()),
        ("VONAGE_PRIVATE_KEY_FILE", key_file.display().to_string()),
        ("VONAGE_API_KEY", API_KEY.to_owned()),
        ("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET.to_owned()),
        ("VONAGE_NUMBER", NUMBER.to_owned()),
        ("DESTINATION_PHONE_NUMBER", DESK.to_owned()),
        ("VONAGE_API_URL", vonage.to_owned()),
        ("VONAGE_REST_URL", vonage.to_owned()),
        ("VONAGE_CLIENT_API_URL", vonage.to_owned()),
        ("VONAGE_WEBSOCKET_URL", vonage.to_owned()),
        (
            "DATABASE_URL",
            format!("sqlite://{}", folder.path().join("demo.db").display()),
        ),
    ];
    // No file and no account of the operator's: a demonstration must not call anybody. Other variables
    // (CLICK_TO_CALL__…) still choose how the service behaves.
    sources.config.clear();
    sources.env_file = None;
    sources
        .environment
        .retain(|name, _| !name.starts_with("VONAGE_"));
    sources
        .environment
        .extend(set.map(|(name, value)| (name.to_owned(), value)));
    sources
        .environment
        .entry("RUST_LOG".to_owned())
        .or_insert_with(|| "warn".to_owned());
    let (loaded, key) = settings::load_with_key(&sources)?;
    // No traces: what nobody asked for is nobody's to watch.
    let _nothing_to_send = telemetry::start(&loaded.settings.log, &settings::Telemetry::default())?;

    let application = Application::build(loaded.settings, key, clock.clone()).await?;
    writeln!(
        handles.out,
        "\n  The page        http://localhost:{port}/\n  The desk phone  {}\n\n\
         Press Call on the page in one tab, and answer on the desk phone in another. Ctrl+C ends both.\n",
        simulator.desk_url()
    )?;
    handles.out.flush()?;
    let ended = tokio::select! {
        ended = application.run_until_stopped(stop.first) => ended,
        () = stop.second => Ok(()),
    };
    if let Some(path) = &args.record {
        let recorded = serde_json::to_string_pretty(&simulator.recorded())?;
        std::fs::write(path, recorded + "\n")
            .with_context(|| format!("the recording can't be written to {}", path.display()))?;
    }
    simulator.stop().await;
    ended
}

/// The application of a service at this origin, as its tutorial sets it up.
pub(super) fn application(id: String, public_key: String, origin: &str) -> SeededApplication {
    let webhook = |name| {
        Some(WebhookUrl {
            address: format!("{origin}/webhooks/{name}"),
            http_method: HttpMethod::Post,
        })
    };
    SeededApplication {
        id,
        name: "Demonstration".to_owned(),
        public_key,
        answer_url: webhook("answer"),
        fallback_url: webhook("fallback"),
        event_url: webhook("event"),
        signed_callbacks: true,
        users: Vec::new(),
    }
}

async fn start_simulator(
    args: &DemoArgs,
    port: u16,
    public_key: String,
) -> anyhow::Result<Simulator> {
    let origin = format!("http://127.0.0.1:{port}");
    let config = SimulatorConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.vonage_port)),
        api_key: API_KEY.to_owned(),
        api_secret: "demonstration".into(),
        signature_secret: SIGNATURE_SECRET.into(),
        applications: vec![application(APPLICATION.to_owned(), public_key, &origin)],
        numbers: vec![SeededNumber {
            country: "GB".to_owned(),
            msisdn: NUMBER.to_owned(),
            kind: "landline".to_owned(),
            features: vec!["VOICE".to_owned()],
            cost: "1.00".to_owned(),
            initial_price: None,
            owned: true,
            application_id: Some(APPLICATION.to_owned()),
        }],
        scenario: match &args.scenario {
            Some(path) => read_scenario(path)?,
            None => Scenario::default(),
        },
        seed: args.seed,
    };
    simulator::start(config).await.with_context(|| {
        format!(
            "cannot listen on 127.0.0.1:{}: choose another --vonage-port",
            args.vonage_port
        )
    })
}

/// Reads a scenario.
///
/// # Errors
/// When there is none in the file.
pub(super) fn read_scenario(path: &Path) -> anyhow::Result<Scenario> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the scenario {} can't be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no scenario; docs/SIMULATOR.md says what one looks like",
            path.display()
        )
    })
}

/// The port, or a free one in the place of 0: Vonage must be told of it before the service listens.
fn free(port: u16) -> anyhow::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
