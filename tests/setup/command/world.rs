//! A simulated Vonage with an account that has money and nothing else, and a look at what the account holds.

use std::time::Duration;

use click_to_call::simulator::{
    self, Scenario, SeededApplication, SeededNumber, Simulator, SimulatorConfig,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::place::{Place, setup};

pub(crate) const API_KEY: &str = "abcd1234";
pub(crate) const API_SECRET: &str = "canary-api-secret";
pub(crate) const SIGNATURE_SECRET: &str = "canary-signature-secret-0123456789";
pub(crate) const DESK: &str = "447700900001";
/// For sale, and the cheapest in its country.
pub(crate) const CHEAPEST: &str = "442079460001";
pub(crate) const DEARER: &str = "442079460000";

/// Longest time a condition is waited for; a test that needs it fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) simulator: Simulator,
    http: reqwest::Client,
}

pub(crate) fn number(msisdn: &str, cost: &str) -> SeededNumber {
    SeededNumber {
        country: "GB".to_owned(),
        msisdn: msisdn.to_owned(),
        kind: "landline".to_owned(),
        features: vec!["VOICE".to_owned()],
        cost: cost.to_owned(),
        initial_price: None,
        owned: false,
        application_id: None,
    }
}

impl World {
    /// An account with nothing, and two numbers for sale.
    pub(crate) async fn start() -> Self {
        Self::with(
            vec![number(DEARER, "1.25"), number(CHEAPEST, "1.00")],
            Vec::new(),
        )
        .await
    }

    pub(crate) async fn with(
        numbers: Vec<SeededNumber>,
        applications: Vec<SeededApplication>,
    ) -> Self {
        let scenario: Scenario = serde_json::from_value(json!({
            "destinations": { DESK: [{ "does": "answer" }] },
            "timing": { "call_setup_ms": 10, "speech_ms_per_character": 1, "hangup_refused_ms": 0 },
        }))
        .unwrap();
        let simulator = simulator::start(SimulatorConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            api_key: API_KEY.to_owned(),
            api_secret: API_SECRET.into(),
            signature_secret: SIGNATURE_SECRET.into(),
            applications,
            numbers,
            scenario,
            seed: 1,
        })
        .await
        .unwrap();
        Self {
            simulator,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    /// A folder whose programs know the account and reach this Vonage at `vonage`.
    pub(crate) fn place_at(vonage: &str) -> Place {
        let mut place = Place::new();
        place
            .set("VONAGE_API_KEY", API_KEY)
            .set("VONAGE_API_SECRET", API_SECRET)
            .set("VONAGE_API_URL", vonage)
            .set("VONAGE_REST_URL", vonage);
        place
    }

    pub(crate) fn place(&self) -> Place {
        Self::place_at(self.simulator.base_url())
    }

    /// A folder in which `setup` has been run.
    pub(crate) async fn set_up(&self) -> Place {
        let mut place = self.place();
        place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
        place
            .run(&setup(&["--yes", "--country", "GB"]))
            .await
            .done();
        place
    }

    async fn account(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.simulator.base_url());
        let request = self.http.request(Method::GET, url);
        let answer = request
            .basic_auth(API_KEY, Some(API_SECRET))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    pub(crate) async fn applications(&self) -> Vec<Value> {
        let listed = self.account("/v2/applications?page_size=100").await;
        listed["_embedded"]["applications"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub(crate) async fn owned_numbers(&self) -> Vec<Value> {
        let listed = self.account("/account/numbers?size=100").await;
        listed["numbers"].as_array().cloned().unwrap_or_default()
    }

    /// Somebody telephones this number.
    pub(crate) async fn dial_in(&self, to: &str) {
        let url = format!("{}/simulator/inbound", self.simulator.base_url());
        let request = self
            .http
            .post(url)
            .json(&json!({ "from": "447700900111", "to": to }));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    }

    /// Waits until the simulator's state has what `find` looks for.
    pub(crate) async fn state<T>(&self, what: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let mut after = String::new();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let url = format!("{}/simulator/state{after}", self.simulator.base_url());
                let state: Value = self
                    .http
                    .get(url)
                    .send()
                    .await
                    .unwrap()
                    .json()
                    .await
                    .unwrap();
                if let Some(found) = find(&state) {
                    return found;
                }
                after = format!("?after={}", state["version"]);
            }
        });
        let found = found.await;
        found.unwrap_or_else(|_| panic!("never happened: {what}"))
    }
}
