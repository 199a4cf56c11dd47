//! What a simulated Vonage is started with: one account, its applications and its numbers.

use std::net::SocketAddr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::scenario::Scenario;

/// Everything that [`start`](super::start) needs.
#[derive(Debug, Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 takes a free one. Media needs an address the browser can reach, so
    /// an unspecified address (`0.0.0.0`) is announced to browsers as `127.0.0.1`.
    pub listen: SocketAddr,
    /// The account's key, user name of the Basic check.
    pub api_key: String,
    /// The account's secret, password of the Basic check.
    pub api_secret: SecretString,
    /// What webhooks are signed with (HS256).
    pub signature_secret: SecretString,
    /// Applications that exist from the start.
    pub applications: Vec<SeededApplication>,
    /// Numbers that the account owns or can buy.
    pub numbers: Vec<SeededNumber>,
    /// What telephones, webhooks and the network do.
    pub scenario: Scenario,
    /// Start of the random choices a scenario asks for: the same seed makes the same choices.
    pub seed: u64,
}

/// An application that exists from the start.
#[derive(Debug, Clone)]
pub struct SeededApplication {
    /// The application id, normally a UUID.
    pub id: String,
    /// Its name on the account.
    pub name: String,
    /// The public half of its key, PEM (`BEGIN PUBLIC KEY`).
    pub public_key: String,
    /// Asked for the NCCO of a call.
    pub answer_url: Option<WebhookUrl>,
    /// Asked when the answer or event URL fails.
    pub fallback_url: Option<WebhookUrl>,
    /// Told what happens to a call.
    pub event_url: Option<WebhookUrl>,
    /// Whether webhooks carry a signature.
    pub signed_callbacks: bool,
    /// Names of users that exist from the start.
    pub users: Vec<String>,
}

/// A webhook's address and method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookUrl {
    /// An `http` or `https` URL.
    pub address: String,
    /// How it is requested.
    pub http_method: HttpMethod,
}

/// The two methods Vonage uses for webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Parameters in the query.
    Get,
    /// Parameters as a JSON body.
    Post,
}

/// A telephone number known to the simulated account.
#[derive(Debug, Clone)]
pub struct SeededNumber {
    /// Two letters, such as `GB`.
    pub country: String,
    /// E.164 digits without `+`.
    pub msisdn: String,
    /// `landline`, `mobile-lvn` or `landline-toll-free`.
    pub kind: String,
    /// `VOICE`, `SMS`, `MMS`.
    pub features: Vec<String>,
    /// Monthly price in euros, such as `1.00`.
    pub cost: String,
    /// Price of buying it in euros; not every number has one.
    pub initial_price: Option<String>,
    /// Owned by the account already; otherwise it can be bought.
    pub owned: bool,
    /// The application it is linked to.
    pub application_id: Option<String>,
}
