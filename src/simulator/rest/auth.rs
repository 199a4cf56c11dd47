//! Who is asking: the account (Basic) or an application (Bearer).

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::ExposeSecret;

use crate::simulator::{
    clock,
    cloud::{Cloud, lock},
    refusal::Refusal,
    token::{self, Bearer, TokenFault},
};

/// A request with the account's key and secret, answered as `api.nexmo.com` does.
#[derive(Debug)]
pub(super) struct Account;

impl FromRequestParts<Arc<Cloud>> for Account {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<Cloud>) -> Result<Self, Refusal> {
        if is_account(parts, cloud) {
            Ok(Self)
        } else {
            Err(Refusal::unauthorized())
        }
    }
}

/// The same, answered as `rest.nexmo.com` does.
#[derive(Debug)]
pub(super) struct RestAccount;

impl FromRequestParts<Arc<Cloud>> for RestAccount {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<Cloud>) -> Result<Self, Refusal> {
        if is_account(parts, cloud) {
            Ok(Self)
        } else {
            Err(Refusal::rest(401, "authentication failed"))
        }
    }
}

fn is_account(parts: &Parts, cloud: &Cloud) -> bool {
    let given = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| scheme(value, "Basic"))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    let expected = format!("{}:{}", cloud.api_key, cloud.api_secret.expose_secret());
    given.is_some_and(|given| verify_slices_are_equal(&given, expected.as_bytes()).is_ok())
}

/// A request with an application's token, answered as the Voice API does.
#[derive(Debug)]
pub(super) struct VoiceToken(pub(super) Bearer);

impl FromRequestParts<Arc<Cloud>> for VoiceToken {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<Cloud>) -> Result<Self, Refusal> {
        bearer(parts, cloud)
            .map(Self)
            .or(Err(Refusal::unauthorized()))
    }
}

/// A request with a user's or an application's token, answered as the conversation service does.
#[derive(Debug)]
pub(in crate::simulator) struct ConversationToken(pub(in crate::simulator) Bearer);

impl FromRequestParts<Arc<Cloud>> for ConversationToken {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cloud: &Arc<Cloud>) -> Result<Self, Refusal> {
        bearer(parts, cloud).map(Self).map_err(conversation_refusal)
    }
}

fn conversation_refusal(fault: TokenFault) -> Refusal {
    match fault {
        TokenFault::Forbidden => Refusal::conversation(
            StatusCode::FORBIDDEN,
            fault.code(),
            "The token's ACL does not allow this.",
        ),
        TokenFault::Missing
        | TokenFault::Invalid
        | TokenFault::Expired
        | TokenFault::UnknownUser => Refusal::conversation(
            StatusCode::UNAUTHORIZED,
            fault.code(),
            "You did not provide a valid token. Please provide a valid token.",
        ),
    }
}

fn bearer(parts: &Parts, cloud: &Cloud) -> Result<Bearer, TokenFault> {
    let token = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| scheme(value, "Bearer"))
        .ok_or(TokenFault::Missing)?;
    let bearer = token::judge(token, &cloud.registry_now(), clock::unix_now())?;
    let habits = lock(&cloud.scenario).habits.clone();
    if habits.acl_is_checked {
        bearer.may(parts.method.as_str(), parts.uri.path())?;
    }
    bearer.has(&habits.acl_wants)?;
    Ok(bearer)
}

/// What follows the scheme's name, which is written in any case: the SDK says `bearer`.
fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}
