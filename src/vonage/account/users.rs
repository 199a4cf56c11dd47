//! An application's users, as the command line sees them. The service's own way to them is
//! [`vonage::client`](crate::vonage::client).
//!
//! Source: <https://developer.vonage.com/en/api/application.v2>

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    AccountError, Cause,
    request::{self, Body, Credentials, OnWait, Request},
};
use crate::{
    domain::clock::Clock,
    vonage::{
        jwt::{self, Claims, MintError},
        key::ApplicationKey,
    },
};

/// Life of the token that asks: as short as a command.
const TOKEN_LIFE: Duration = Duration::from_mins(15);
/// Users on a page: the most that Vonage gives.
const PAGE_SIZE: usize = 100;

/// An application's users.
pub struct UsersClient {
    http: reqwest::Client,
    api_url: Url,
    application_id: String,
    key: ApplicationKey,
    clock: Clock,
    on_wait: Option<OnWait>,
}

/// A user. What Vonage says beyond these fields is kept in `other`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// `USR-…`
    pub id: String,
    /// The name, which is the `sub` of its tokens.
    pub name: String,
    /// Everything else.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl User {
    /// When it was made, if Vonage says so.
    pub fn created(&self) -> Option<DateTime<Utc>> {
        let text = self.other.get("timestamp")?.get("created")?.as_str()?;
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(time.with_timezone(&Utc))
    }

    /// How long Vonage keeps it after that, if it was made with an end.
    pub fn ttl(&self) -> Option<Duration> {
        let seconds = self.other.get("properties")?.get("ttl")?.as_u64()?;
        Some(Duration::from_secs(seconds))
    }
}

/// A page of users.
#[derive(Debug)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl UsersClient {
    /// A client for the users of the application whose key this is.
    ///
    /// # Errors
    /// When the HTTP client can't be built (no usable system certificates).
    pub fn new(
        api_url: Url,
        application_id: String,
        key: ApplicationKey,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http: request::http_client()?,
            api_url,
            application_id,
            key,
            clock,
            on_wait: None,
        })
    }

    /// The same client, which tells of pauses that are longer than a second.
    #[must_use]
    pub fn telling(mut self, on_wait: OnWait) -> Self {
        self.on_wait = Some(on_wait);
        self
    }

    /// The user of this name.
    ///
    /// # Errors
    /// When Vonage does not say.
    pub async fn find(&self, name: &str) -> Result<Option<User>, AccountError> {
        let query = [("name", name.to_owned())];
        let answer = self
            .ask(
                &format!("look for the user {name:?}"),
                Method::GET,
                &[],
                &query,
                Body::None,
            )
            .await;
        match answer {
            Ok(answer) => Ok(read_page(answer)
                .users
                .into_iter()
                .find(|user| user.name == name)),
            Err(AccountError {
                cause: Cause::NotFound { .. },
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a user; `ttl` is how long Vonage keeps it, `None` for good.
    ///
    /// # Errors
    /// [`Cause::NameTaken`] when there is one of this name.
    pub async fn create(&self, name: &str, ttl: Option<Duration>) -> Result<User, AccountError> {
        let doing = format!("create the user {name:?}");
        let mut body = json!({ "name": name, "display_name": name });
        if let (Some(ttl), Some(body)) = (ttl, body.as_object_mut()) {
            body.insert("properties".to_owned(), json!({ "ttl": ttl.as_secs() }));
        }
        let answer = self
            .ask(&doing, Method::POST, &[], &[], Body::Json(&body))
            .await?;
        serde_json::from_value(answer).map_err(|_other_form| AccountError {
            doing,
            cause: Cause::Unexpected {
                host: self.api_url.origin().ascii_serialization(),
                what: "a user without id or name".to_owned(),
            },
        })
    }

    /// Deletes a user by its id; one that is gone already is fine.
    ///
    /// # Errors
    /// When Vonage does not delete it.
    pub async fn delete(&self, id: &str) -> Result<(), AccountError> {
        let doing = format!("delete the user {id}");
        match self
            .ask(&doing, Method::DELETE, &[id], &[], Body::None)
            .await
        {
            Ok(_)
            | Err(AccountError {
                cause: Cause::NotFound { .. },
                ..
            }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A page of users: the first, or the one that another page named as its `next`.
    ///
    /// # Errors
    /// When Vonage does not list them.
    pub async fn page(&self, cursor: Option<&str>) -> Result<UserPage, AccountError> {
        let mut query = vec![("page_size", PAGE_SIZE.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let answer = self
            .ask("list the users", Method::GET, &[], &query, Body::None)
            .await?;
        Ok(read_page(answer))
    }

    async fn ask(
        &self,
        doing: &str,
        method: Method,
        below: &[&str],
        query: &[(&str, String)],
        body: Body<'_>,
    ) -> Result<Value, AccountError> {
        let token = self.token().map_err(|error| AccountError {
            doing: doing.to_owned(),
            cause: Cause::Unsigned(error),
        })?;
        let segments: Vec<&str> = ["v1", "users"].iter().chain(below).copied().collect();
        let request = Request {
            doing,
            method,
            host: &self.api_url,
            segments: &segments,
            query,
            body,
        };
        let credentials = Credentials::Application { token: &token };
        request.send(&self.http, &credentials, self.on_wait).await
    }

    fn token(&self) -> Result<SecretString, MintError> {
        let claims =
            Claims::for_application(self.application_id.as_str(), self.clock.now(), TOKEN_LIFE);
        jwt::mint(&self.key, &claims).map(SecretString::from)
    }
}

/// Only the cursor is taken from the address of the next page: the token goes to no host but the one that is set.
fn read_page(mut answer: Value) -> UserPage {
    let next = answer
        .pointer("/_links/next/href")
        .and_then(Value::as_str)
        .and_then(|href| Url::parse(href).ok())
        .and_then(|url| {
            let (_, cursor) = url.query_pairs().find(|(name, _)| name == "cursor")?;
            Some(cursor.into_owned())
        });
    let listed = match answer.pointer_mut("/_embedded/users").map(Value::take) {
        Some(Value::Array(listed)) => listed,
        _ => Vec::new(),
    };
    UserPage {
        users: listed
            .into_iter()
            .filter_map(|user| serde_json::from_value(user).ok())
            .collect(),
        next,
    }
}

impl fmt::Debug for UsersClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsersClient")
            .field("api_url", &self.api_url.as_str())
            .field("application_id", &self.application_id)
            .finish_non_exhaustive()
    }
}
