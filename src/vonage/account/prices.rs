//! What calls cost.
//!
//! Source: <https://developer.vonage.com/en/api/pricing>

use reqwest::Method;
use serde_json::Value;

use super::{AccountClient, AccountError, Body};

impl AccountClient {
    /// What a minute to the networks of a country (two letters) costs, as Vonage tells it: `dialingPrefix`, `currency`,
    /// `defaultPrice`, `networks[].price`.
    ///
    /// # Errors
    /// When Vonage does not say.
    pub async fn voice_prices(&self, country: &str) -> Result<Value, AccountError> {
        let segments = ["account", "get-pricing", "outbound", "voice"];
        let query = [("country", country.to_owned())];
        self.ask_rest(
            "ask for the prices of calls",
            Method::GET,
            &segments,
            &query,
            Body::None,
        )
        .await
    }
}
