//! What the account has left.
//!
//! Source: <https://developer.vonage.com/en/api/account>

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{AccountClient, AccountError, Body, Cause};

/// The account's credit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    /// Euros.
    pub value: f64,
    /// Whether the account tops itself up.
    #[serde(default)]
    pub auto_reload: bool,
}

impl AccountClient {
    /// What the account has left.
    ///
    /// # Errors
    /// When Vonage does not say.
    pub async fn balance(&self) -> Result<Balance, AccountError> {
        let doing = "ask for the balance";
        let segments = ["account", "get-balance"];
        let answer = self
            .ask_rest(doing, Method::GET, &segments, &[], Body::None)
            .await?;
        serde_json::from_value(answer).map_err(|_other_form| AccountError {
            doing: doing.to_owned(),
            cause: Cause::Unexpected {
                host: self.rest_url.origin().ascii_serialization(),
                what: "a balance without a value".to_owned(),
            },
        })
    }
}
