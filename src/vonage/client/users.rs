//! Users: made before their first token, deleted when their visitor's time is over.
//!
//! Source: <https://developer.vonage.com/en/api/application.v2>

use std::{num::NonZeroU32, sync::PoisonError, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, VonageClient, address, refused, turn, unavailable};
use crate::{
    domain::provider::{ProvidedUser, ProviderError},
    metrics::Operation,
    vonage::hosts,
};

/// Deletions a second.
pub(super) const DELETIONS_PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// The longest pause that a visitor is made to wait for another try.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// Time for everything about one user, with all tries: a visitor who waits longer is gone.
const DEADLINE: Duration = Duration::from_secs(8);

pub(super) async fn ensure(
    client: &VonageClient,
    name: &str,
    ttl: Option<Duration>,
) -> Result<ProvidedUser, ProviderError> {
    // A lasting name is mostly there already; a fresh random one never is.
    if ttl.is_none()
        && let Some(user) = find(client, name).await?
    {
        return Ok(user);
    }
    create(client, name, ttl).await
}

pub(super) async fn delete(client: &VonageClient, id: &str) -> Result<(), ProviderError> {
    let url = address(&client.api_url, &["v1", "users", id])?;
    // Its own turns, and few: new visitors must not wait for old ones, whom Vonage forgets by itself.
    turn(&client.deletions_turn).await?;
    let answer = client.send(Operation::DeleteUser, url, None).await?;
    match answer.status {
        StatusCode::NOT_FOUND => Ok(()),
        status if status.is_success() => Ok(()),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Err(
            unavailable(&format!("answers {}", status.as_u16()), answer.retry_after),
        ),
        _ => Err(refused("delete a user", &answer)),
    }
}

async fn create(
    client: &VonageClient,
    name: &str,
    ttl: Option<Duration>,
) -> Result<ProvidedUser, ProviderError> {
    let mut body = json!({ "name": name, "display_name": name });
    if let (Some(ttl), Some(body)) = (ttl, body.as_object_mut()) {
        body.insert("properties".to_owned(), json!({ "ttl": ttl.as_secs() }));
    }
    let url = address(&client.api_url, &["v1", "users"])?;
    let answer = request(client, Operation::CreateUser, url, Some(&body)).await?;
    match answer.status {
        status if status.is_success() => read(client, &answer.body),
        // Taken: by our own first try whose answer was lost, or by another replica.
        StatusCode::CONFLICT => Ok(find(client, name)
            .await?
            .unwrap_or(ProvidedUser { id: None })),
        // What a taken name gets is not published; a bad request may be it.
        StatusCode::BAD_REQUEST => match find(client, name).await? {
            Some(user) => Ok(user),
            None => Err(refused("create a user", &answer)),
        },
        _ => Err(refused("create a user", &answer)),
    }
}

async fn find(client: &VonageClient, name: &str) -> Result<Option<ProvidedUser>, ProviderError> {
    let mut url = address(&client.api_url, &["v1", "users"])?;
    url.query_pairs_mut().append_pair("name", name);
    let answer = request(client, Operation::FindUser, url, None).await?;
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    if !answer.status.is_success() {
        return Err(refused("look for a user", &answer));
    }
    let users = answer
        .body
        .pointer("/_embedded/users")
        .and_then(Value::as_array);
    let named = users
        .into_iter()
        .flatten()
        .find(|user| user.get("name").is_some_and(|found| found == name));
    named.map(|user| read(client, user)).transpose()
}

fn read(client: &VonageClient, user: &Value) -> Result<ProvidedUser, ProviderError> {
    let id = user
        .get("id")
        .and_then(Value::as_str)
        .ok_or_else(|| ProviderError::Unavailable {
            reason: "the answer about a user has no id".to_owned(),
            retry_after: None,
        })?;
    if let Some(region) = user
        .pointer("/_links/self/href")
        .and_then(Value::as_str)
        .and_then(hosts::region_of)
    {
        let mut known = client
            .region
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if *known != region {
            tracing::warn!(expected = ?*known, found = ?region, "users live in another region; set VONAGE_REGION to it");
            *known = region;
        }
    }
    Ok(ProvidedUser {
        id: Some(id.to_owned()),
    })
}

/// A request to the Users API, with Vonage's pace and a few tries.
async fn request(
    client: &VonageClient,
    operation: Operation,
    url: Url,
    body: Option<&Value>,
) -> Result<Answer, ProviderError> {
    let once = || async {
        turn(&client.users_turn).await?;
        let answer = client.send(operation, url.clone(), body).await?;
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => Err(unavailable(
                "answers 429, too many requests",
                answer.retry_after,
            )),
            status if status.is_server_error() => Err(unavailable(
                &format!("answers {}", status.as_u16()),
                answer.retry_after,
            )),
            _ => Ok(answer),
        }
    };
    // Creating a user again is harmless: a name that is taken by now counts as success.
    let tries = once
        .retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(200))
                .with_max_times(2)
                .with_jitter(),
        )
        .when(|error| match error {
            ProviderError::Unavailable { retry_after, .. } => {
                retry_after.is_none_or(|pause| pause <= MAX_PAUSE)
            }
            ProviderError::Refused(_) | ProviderError::TooEarly => false,
        })
        .adjust(|error, pause| match error {
            ProviderError::Unavailable {
                retry_after: Some(asked),
                ..
            } => pause.map(|pause| pause.max(*asked)),
            ProviderError::Unavailable {
                retry_after: None, ..
            }
            | ProviderError::Refused(_)
            | ProviderError::TooEarly => pause,
        });
    tokio::time::timeout(DEADLINE, tries)
        .await
        .unwrap_or_else(|_elapsed| Err(unavailable("does not answer in time", None)))
}
