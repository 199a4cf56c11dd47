//! A simulator, an application that answers its webhooks, and tokens to speak to it with.

mod application;
mod keys;

pub use application::{Application, Received, Reply};
pub use keys::{Claims, key_pair, now, other_key_pair};

use std::time::Duration;

use click_to_call::simulator::{
    self, HttpMethod, Scenario, SeededApplication, SeededNumber, Simulator, SimulatorConfig,
    WebhookUrl,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

pub const APPLICATION_ID: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
pub const API_KEY: &str = "abcd1234";
pub const API_SECRET: &str = "an-api-secret-for-tests";
pub const SIGNATURE_SECRET: &str = "a-signature-secret-for-tests-0123456789";
pub const VONAGE_NUMBER: &str = "442079460000";
pub const DESK: &str = "447700900000";
/// Somebody with an ordinary telephone.
pub const CALLER: &str = "447700900111";
pub const USER: &str = "supportuser";

/// Longest time a condition is waited for; a test that needs it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulator with one application, whose webhooks a test answers.
pub struct World {
    pub simulator: Simulator,
    pub application: Application,
    http: reqwest::Client,
}

impl World {
    /// With a scenario in which nothing takes long.
    pub async fn start() -> Self {
        Self::with(scenario(json!({}))).await
    }

    pub async fn with(scenario: Scenario) -> Self {
        Self::build(scenario, HttpMethod::Post).await
    }

    pub async fn build(scenario: Scenario, answer_method: HttpMethod) -> Self {
        let application = Application::start().await;
        let webhook = |path: &str, http_method| {
            Some(WebhookUrl {
                address: application.url(path),
                http_method,
            })
        };
        let number = |msisdn: &str, owned: bool, linked: bool| SeededNumber {
            country: "GB".to_owned(),
            msisdn: msisdn.to_owned(),
            kind: "mobile-lvn".to_owned(),
            features: vec!["VOICE".to_owned(), "SMS".to_owned()],
            cost: "1.25".to_owned(),
            initial_price: (!owned).then(|| "0.50".to_owned()),
            owned,
            application_id: linked.then(|| APPLICATION_ID.to_owned()),
        };
        let simulator = simulator::start(SimulatorConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            api_key: API_KEY.to_owned(),
            api_secret: API_SECRET.into(),
            signature_secret: SIGNATURE_SECRET.into(),
            applications: vec![SeededApplication {
                id: APPLICATION_ID.to_owned(),
                name: "Click to call".to_owned(),
                public_key: key_pair().public.clone(),
                answer_url: webhook("/webhooks/answer", answer_method),
                fallback_url: webhook("/webhooks/fallback", HttpMethod::Post),
                event_url: webhook("/webhooks/event", HttpMethod::Post),
                signed_callbacks: true,
                users: vec![USER.to_owned()],
            }],
            numbers: vec![
                number(VONAGE_NUMBER, true, true),
                number("447700900555", false, false),
                number("447700900556", false, false),
            ],
            scenario,
            seed: 1,
        })
        .await
        .unwrap();
        Self {
            simulator,
            application,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.simulator.base_url()))
    }

    /// A request with the account's key and secret.
    pub fn account(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .basic_auth(API_KEY, Some(API_SECRET))
    }

    /// A request with the application's own token.
    pub fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(Claims::admin().sign(key_pair()))
    }

    /// Pulls a lever of the control interface.
    pub async fn pull(&self, path: &str) {
        let response = self
            .request(Method::POST, &format!("/simulator/{path}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
    }

    /// Somebody dials the linked number; returns the leg's id.
    pub async fn dial_in(&self, from: &str) -> String {
        let response = self
            .request(Method::POST, "/simulator/inbound")
            .json(&json!({ "from": from, "to": VONAGE_NUMBER }))
            .send()
            .await
            .unwrap();
        body(response, StatusCode::CREATED).await["uuid"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until the simulator's state has what `find` looks for.
    pub async fn state<T>(&self, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let mut after = String::new();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let path = format!("/simulator/state{after}");
                let response = self.request(Method::GET, &path).send().await.unwrap();
                let state: Value = response.json().await.unwrap();
                if let Some(found) = find(&state) {
                    return found;
                }
                after = format!("?after={}", state["version"]);
            }
        });
        found
            .await
            .unwrap_or_else(|_| panic!("never happened: {what}"))
    }

    /// Waits for the leg to this number in this state; returns its id.
    pub async fn leg(&self, to: &str, status: &str) -> String {
        self.state(&format!("{to} is {status}"), |state| {
            let legs = state["legs"].as_array()?;
            let leg = legs
                .iter()
                .rev()
                .find(|leg| leg["to"] == to && leg["status"] == status)?;
            leg["id"].as_str().map(str::to_owned)
        })
        .await
    }
}

/// The body of a response that must have this status.
pub async fn body(response: Response, status: StatusCode) -> Value {
    let found = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// A scenario in which nothing takes long, changed by `changes`.
pub fn scenario(changes: Value) -> Scenario {
    let mut scenario = json!({
        "timing": { "call_setup_ms": 10, "speech_ms_per_character": 1, "hangup_refused_ms": 0 },
        "limits": { "voice_requests_per_second": 1000 },
    });
    if let Value::Object(changes) = changes {
        for (name, value) in changes {
            scenario[name] = value;
        }
    }
    serde_json::from_value(scenario).unwrap()
}

/// A scenario in which the desk does these things, call after call.
pub fn desk_does(behaviours: &Value) -> Scenario {
    scenario(json!({ "destinations": { DESK: behaviours } }))
}

/// `talk`, then `connect` to the desk.
pub fn talk_and_connect() -> Value {
    json!([
        { "action": "talk", "text": "Thank you for calling Acme support." },
        connect(),
    ])
}

/// `connect` to the desk.
pub fn connect() -> Value {
    json!({
        "action": "connect",
        "from": VONAGE_NUMBER,
        "timeout": 30,
        "endpoint": [{ "type": "phone", "number": DESK }],
    })
}
