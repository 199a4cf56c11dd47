//! A service of its own for each test, and the words in which tests speak to it.

mod call_stream;
mod scrape;
mod signing;
mod visitor;
mod vonage;

use std::{
    path::PathBuf,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use click_to_call::{
    domain::clock::Clock,
    settings::{PrivateKeySource, Settings},
    startup::{Application, Reloader},
    vonage::key::ApplicationKey,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rsa::{RsaPrivateKey, RsaPublicKey, pkcs8::EncodePrivateKey};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

pub(crate) use call_stream::CallStream;
pub(crate) use scrape::Scrape;
pub(crate) use signing::Signer;
pub(crate) use visitor::{Permitted, Visitor};
pub(crate) use vonage::VonageStub;

pub(crate) const APPLICATION: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
pub(crate) const API_KEY: &str = "a1b2c3d";
pub(crate) const NUMBER: &str = "442079460000";
pub(crate) const DESTINATION: &str = "447700900000";
pub(crate) const SECRET: &str = "fixture-signature-secret-not-a-real-one-0123456789";

/// Making a key is slow, so one serves the whole run.
static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(new_key);

pub(crate) fn new_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap()
}

pub(crate) fn pem(key: &RsaPrivateKey) -> String {
    key.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap()
        .to_string()
}

pub(crate) fn public_key() -> RsaPublicKey {
    KEY.to_public_key()
}

/// The time of a test: the real one at first, and then as the test says.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.0);
        let system = Clock::system();
        Clock::from_fn(move || system.now() + TimeDelta::milliseconds(ahead.load(Ordering::SeqCst)))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) metrics_url: Option<String>,
    pub(crate) vonage: VonageStub,
    pub(crate) clock: TestClock,
    pub(crate) signer: Signer,
    pub(crate) folder: TempDir,
    pub(crate) reloader: Reloader,
    pub(crate) settings: Settings,
    pub(crate) http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<anyhow::Result<()>>,
}

pub(crate) fn application_key(settings: &Settings) -> ApplicationKey {
    ApplicationKey::load(&settings.vonage.private_key)
        .unwrap()
        .0
}

pub(crate) fn settings(folder: &TempDir, vonage_url: &str) -> Settings {
    let database = format!("sqlite://{}", folder.path().join("calls.db").display());
    let environment = [
        ("PORT", "0"),
        ("PUBLIC_URL", "https://call.example"),
        ("VONAGE_APPLICATION_ID", APPLICATION),
        ("VONAGE_PRIVATE_KEY", &pem(&KEY)),
        ("VONAGE_NUMBER", NUMBER),
        ("DESTINATION_PHONE_NUMBER", DESTINATION),
        ("VONAGE_SIGNATURE_SECRET", SECRET),
        ("VONAGE_API_KEY", API_KEY),
        ("VONAGE_API_URL", vonage_url),
        ("VONAGE_REST_URL", vonage_url),
        ("DATABASE_URL", &database),
    ];
    let sources = click_to_call::settings::Sources {
        environment: environment
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Default::default()
    };
    let mut settings = click_to_call::settings::load(&sources).unwrap().settings;
    // More than an operator may set: a test is not to wait for limits that it does not test.
    settings.visitors.sessions_per_minute = 100_000;
    settings.vonage.users_per_second = 10_000;
    // Tests count the users that are made.
    settings.visitors.ready_users = 0;
    settings
}

impl TestApp {
    pub(crate) async fn spawn() -> Self {
        Self::with(|_| {}).await
    }

    /// A service whose settings `change` has seen.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_vonage(change, async |_| {}).await
    }

    /// The same, beside a Vonage that has been `prepared`.
    pub(crate) async fn with_vonage(
        change: impl FnOnce(&mut Settings),
        prepare: impl AsyncFnOnce(&VonageStub),
    ) -> Self {
        let vonage = VonageStub::start().await;
        prepare(&vonage).await;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&folder, &vonage.url());
        change(&mut settings);
        Self::start(settings, folder, vonage, TestClock::default()).await
    }

    async fn start(
        settings: Settings,
        folder: TempDir,
        vonage: VonageStub,
        clock: TestClock,
    ) -> Self {
        let application =
            Application::build(settings.clone(), application_key(&settings), clock.clock())
                .await
                .unwrap();
        let url = format!("http://{}", application.address());
        let metrics_url = application
            .metrics_address()
            .map(|address| format!("http://{address}/metrics"));
        let reloader = application.reloader();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(application.run_until_stopped(async {
            let _ = stopped.await;
        }));
        let signer = Signer::new(clock.clone());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            url,
            metrics_url,
            vonage,
            clock,
            signer,
            folder,
            reloader,
            settings,
            http,
            stop: Some(stop),
            running,
        }
    }

    /// Stops the service and starts another one on the same store.
    pub(crate) async fn restart(mut self) -> Self {
        self.stop().await.unwrap();
        Self::start(self.settings, self.folder, self.vonage, self.clock).await
    }

    /// Asks for a stop and does not wait for it.
    pub(crate) fn begin_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.begin_stop();
        (&mut self.running).await.unwrap()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("calls.db")
    }

    pub(crate) fn replace_key(&mut self, key: &RsaPrivateKey) {
        self.settings.vonage.private_key = PrivateKeySource::Text(SecretString::from(pem(key)));
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// A session as an app opens it, without cookie and origin.
    pub(crate) async fn visitor(&self) -> Visitor<'_> {
        let opened = self
            .open_session(None)
            .await
            .json_of(StatusCode::CREATED)
            .await;
        Visitor {
            app: self,
            session: opened["session"].as_str().unwrap().to_owned(),
            user: opened["user"].as_str().unwrap().to_owned(),
            token: opened["token"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn open_session(&self, bearer: Option<&str>) -> Response {
        let mut request = self.request(Method::POST, "/api/sessions").json(&json!({}));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        request.send().await.unwrap()
    }

    /// Asks what to do with a call, as Vonage does with POST.
    pub(crate) async fn answer(&self, request: &Value) -> Value {
        let body = request.to_string();
        let authorization = self.signer.body(&body);
        let response = self
            .post_webhook("/webhooks/answer", &authorization, body)
            .await;
        response.json_of(StatusCode::OK).await
    }

    pub(crate) async fn post_event(&self, event: &Value) -> Response {
        let body = event.to_string();
        let authorization = self.signer.body(&body);
        self.post_webhook("/webhooks/event", &authorization, body)
            .await
    }

    pub(crate) async fn post_webhook(
        &self,
        path: &str,
        authorization: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        self.request(Method::POST, path)
            .header("content-type", "application/json")
            .header("authorization", authorization)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// What the store holds, by a query that returns one text.
    pub(crate) fn stored(&self, sql: &str) -> String {
        self.store().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Another program's connection to the store's file.
    pub(crate) fn store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    pub(crate) fn stored_events(&self) -> usize {
        self.stored("SELECT CAST(count(*) AS TEXT) FROM events")
            .parse()
            .unwrap()
    }
}

/// A status event of a leg.
pub(crate) fn leg_event(leg: &str, conversation: &str, status: &str, second: u32) -> Value {
    json!({
        "uuid": leg,
        "conversation_uuid": conversation,
        "status": status,
        "direction": "outbound",
        "timestamp": format!("2026-11-22T10:00:{second:02}.000Z"),
    })
}

pub(crate) trait JsonOf {
    /// The body, after the status has been found to be the expected one.
    async fn json_of(self, status: StatusCode) -> Value;
    /// The slug of a problem with this status.
    async fn problem_of(self, status: u16) -> String;
}

impl JsonOf for Response {
    async fn json_of(self, status: StatusCode) -> Value {
        let found = self.status();
        let text = self.text().await.unwrap();
        assert_eq!(found, status, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn problem_of(self, status: u16) -> String {
        assert_eq!(self.headers()["content-type"], "application/problem+json");
        let problem = self.json_of(StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(problem["status"], status);
        let address = problem["type"].as_str().unwrap();
        address.split_once("/problems#").unwrap().1.to_owned()
    }
}

pub(crate) fn fixture(path: &str) -> Value {
    serde_json::from_slice(&fixture_bytes(path)).unwrap()
}

pub(crate) fn fixture_bytes(path: &str) -> Vec<u8> {
    std::fs::read(
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(path),
    )
    .unwrap()
}

/// All JSON files below a folder of fixtures.
pub(crate) fn fixtures(folder: &str) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                found.push(
                    path.strip_prefix(&root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}
