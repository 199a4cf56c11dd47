//! Control of a running call.
//!
//! Source: <https://developer.vonage.com/en/api/voice>

use std::num::NonZeroU32;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Answer, VonageClient, address, refused, turn, unavailable};
use crate::{
    domain::{ids::LegId, provider::ProviderError},
    metrics::Operation,
};

/// Requests other than new calls that Vonage takes in a second.
/// Source: <https://developer.vonage.com/en/voice/voice-api/guides/troubleshooting>
pub(super) const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(15).unwrap();

pub(super) async fn hang_up(
    client: &VonageClient,
    leg: &LegId,
    region_url: Option<&str>,
) -> Result<(), ProviderError> {
    let body = json!({ "action": "hangup" });
    match control(client, Operation::HangUp, leg, region_url, Some(&body)).await? {
        Some(answer) if answer.status == StatusCode::BAD_REQUEST => Err(ProviderError::TooEarly),
        Some(answer) if !answer.status.is_success() => Err(refused("hang up", &answer)),
        Some(_) | None => Ok(()),
    }
}

pub(super) async fn is_over(
    client: &VonageClient,
    leg: &LegId,
    region_url: Option<&str>,
) -> Result<bool, ProviderError> {
    match control(client, Operation::AskCall, leg, region_url, None).await? {
        None => Ok(true),
        Some(answer) if answer.status.is_success() => {
            let status = answer.text("status");
            Ok(!matches!(
                status,
                None | Some("started" | "ringing" | "answered" | "human" | "machine")
            ))
        }
        Some(answer) => Err(refused("ask about a call", &answer)),
    }
}

/// A request about a call, sent to each host in turn until one knows the call. `None`: none does.
async fn control(
    client: &VonageClient,
    operation: Operation,
    leg: &LegId,
    region_url: Option<&str>,
    body: Option<&Value>,
) -> Result<Option<Answer>, ProviderError> {
    for host in client.hosts.to_control(region_url) {
        turn(&client.calls_turn).await?;
        let url = address(&host, &["v1", "calls", leg.as_str()])?;
        let answer = client.send(operation, url, body).await?;
        match answer.status {
            StatusCode::NOT_FOUND => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(unavailable(
                    "answers 429, too many requests",
                    answer.retry_after,
                ));
            }
            status if status.is_server_error() => {
                return Err(unavailable(
                    &format!("answers {}", status.as_u16()),
                    answer.retry_after,
                ));
            }
            _ => return Ok(Some(answer)),
        }
    }
    Ok(None)
}
