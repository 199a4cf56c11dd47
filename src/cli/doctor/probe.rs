//! Does at Vonage what the service does there for a visitor: a user, a token, and away with it again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use crate::{
    domain::clock::Clock,
    error_chain::with_causes,
    settings::{Token, UserMode, Visitors},
    vonage::{
        account::{
            AccountError,
            users::{User, UsersClient},
        },
        hosts::{self, Region},
        jwt::{self, Claims, MintError},
        key::ApplicationKey,
    },
};

/// Time for a request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Should the probe's user not be deleted here, Vonage forgets it after this.
const USER_TTL: Duration = Duration::from_mins(5);

/// What came of a visitor's way to a token.
#[derive(Debug)]
pub(super) struct Probe {
    /// The user whose token was tried; `None`: the shared user is not there.
    pub(super) user: Option<String>,
    /// Where that user lives, if its address says so.
    pub(super) region: Option<Region>,
    /// What Vonage's client host says to the user's token: `None` when it could not be asked.
    pub(super) token: Option<StatusCode>,
    /// Why the probe's own user is still there.
    pub(super) left_behind: Option<AccountError>,
}

/// Says hello to Vonage. How far this machine's clock is ahead of Vonage's, if the answer has a date.
///
/// Whatever Vonage answers will do. The date is in whole seconds and anything between question and answer, so only what
/// is outside of that counts.
pub(super) async fn greet(api_url: &Url, clock: &Clock) -> Result<Option<TimeDelta>, String> {
    let client = client().map_err(|error| with_causes(&error))?;
    let asked = clock.now();
    let answer = client.get(api_url.clone()).send().await;
    let answer = answer.map_err(|error| with_causes(&error.without_url()))?;
    let answered = clock.now();
    let date = answer
        .headers()
        .get(header::DATE)
        .and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok())
        .map(|date| date.with_timezone(&Utc));
    Ok(date.map(|date| ahead(date, asked, answered)))
}

fn ahead(date: DateTime<Utc>, asked: DateTime<Utc>, answered: DateTime<Utc>) -> TimeDelta {
    let end_of_second = date + TimeDelta::seconds(1);
    if asked > end_of_second {
        asked - end_of_second
    } else if answered < date {
        answered - date
    } else {
        TimeDelta::zero()
    }
}

/// What a visitor's way to a token takes.
pub(super) struct Visit<'a> {
    pub(super) users: &'a UsersClient,
    pub(super) application_id: &'a str,
    pub(super) key: &'a ApplicationKey,
    pub(super) visitors: &'a Visitors,
    pub(super) token: &'a Token,
    pub(super) client_api_url: &'a Url,
    pub(super) clock: &'a Clock,
}

impl Visit<'_> {
    /// Makes a user and deletes it again, or looks for the shared one, and shows Vonage a token of the user's.
    pub(super) async fn make(&self) -> Result<Probe, AccountError> {
        let is_shared = self.visitors.users == UserMode::Shared;
        let user = if is_shared {
            self.users.find(&self.visitors.shared_user).await?
        } else {
            let name = format!("doctor-{}", Uuid::new_v4().simple());
            Some(self.users.create(&name, Some(USER_TTL)).await?)
        };
        let Some(user) = user else {
            return Ok(Probe {
                user: None,
                region: None,
                token: None,
                left_behind: None,
            });
        };
        let token = match self.mint(&user) {
            Ok(token) => show(self.client_api_url, &user, &token).await,
            Err(_error) => None,
        };
        let left_behind = if is_shared {
            None
        } else {
            self.users.delete(&user.id).await.err()
        };
        Ok(Probe {
            region: region_of(&user),
            user: Some(user.name),
            token,
            left_behind,
        })
    }

    fn mint(&self, user: &User) -> Result<SecretString, MintError> {
        let claims = Claims::for_user(
            self.application_id,
            &user.name,
            self.token.acl_paths.as_slice(),
            self.clock.now(),
            self.token.ttl,
        );
        jwt::mint(self.key, &claims).map(SecretString::from)
    }
}

fn region_of(user: &User) -> Option<Region> {
    let address = user.other.get("_links")?.get("self")?.get("href")?;
    hosts::region_of(address.as_str()?)
}

/// Reads the user with its own token, as the Client SDK does after it has logged in.
async fn show(host: &Url, user: &User, token: &SecretString) -> Option<StatusCode> {
    let mut url = host.clone();
    url.path_segments_mut()
        .ok()?
        .clear()
        .extend(["v0.3", "users", &user.id]);
    let answer = client()
        .ok()?
        .get(url)
        .bearer_auth(token.expose_secret())
        .send()
        .await
        .ok()?;
    Some(answer.status())
}

fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!(
            "click-to-call/",
            env!("CARGO_PKG_VERSION"),
            " doctor"
        ))
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_request_does_not_explain_is_skew() {
        let at = |milliseconds: i64| DateTime::from_timestamp_millis(milliseconds).unwrap();
        let date = at(10_000);
        for (asked, answered, skew) in [
            (10_200, 10_300, 0),
            (9_000, 10_100, 0),
            (10_900, 12_000, 0),
            (71_000, 71_100, 60_000),
            (-50_100, -50_000, -60_000),
        ] {
            let found = ahead(date, at(asked), at(answered));
            assert_eq!(found.num_milliseconds(), skew, "{asked} {answered}");
        }
    }
}
