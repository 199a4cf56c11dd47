//! Judges application tokens the way Vonage does.
//!
//! The same rules serve the Client SDK (a token with `sub` and `acl`) and the server's own REST
//! calls (an "admin" token without either). Source of the rules: Vonage's documentation
//! "Authentication" and "JWT ACLs", and the SDK's own list of error codes.

use std::collections::BTreeMap;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous::insecure_decode, decode};
use serde::Deserialize;

use super::registry::{Registry, User};

/// The longest life of a token, in seconds, counted from `iat`.
///
/// Source: <https://developer.vonage.com/en/getting-started/concepts/authentication>
const MAX_LIFE_SECONDS: i64 = 86_400;
/// The shortest life, in seconds; same source.
const MIN_LIFE_SECONDS: i64 = 30;
/// The life of a token without `exp`, in seconds; same source.
const DEFAULT_LIFE_SECONDS: i64 = 900;
/// How far a token's clock may run ahead of ours, in seconds. Vonage publishes no figure.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// Whom a token speaks for.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    /// The application that signed it.
    pub(super) application_id: String,
    /// The user named by `sub`; none for an application's own token.
    pub(super) user: Option<User>,
    /// End of validity, Unix seconds.
    pub(super) expires_at: i64,
    acl: Option<Acl>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    /// There is none.
    #[error("the request carries no token")]
    Missing,
    /// Not a token, not ours, wrongly signed, or a claim that does not hold.
    #[error("the token is malformed, wrongly signed, or a claim does not hold")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// `sub` names nobody in the application.
    #[error("no user of that name exists in the application")]
    UnknownUser,
    /// The ACL does not cover the request.
    #[error("the token's ACL does not cover this path")]
    Forbidden,
}

impl TokenFault {
    /// The name of the socket event with which the Client SDK is told, and the `code` on REST.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Missing => "system:error:missing-token",
            Self::Invalid => "system:error:invalid-token",
            Self::Expired => "system:error:expired-token",
            Self::UnknownUser => "user:error:invalid-user",
            Self::Forbidden => "system:error:permission",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    application_id: Option<String>,
    iat: Option<i64>,
    #[serde(default, deserialize_with = "number_or_text")]
    exp: Option<i64>,
    nbf: Option<i64>,
    jti: Option<String>,
    sub: Option<String>,
    acl: Option<Acl>,
}

#[derive(Debug, Clone, Deserialize)]
struct Acl {
    paths: BTreeMap<String, Rule>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Rule {
    methods: Option<Vec<String>>,
}

/// Vonage's own sample writes `exp` as text, its generators as a number.
fn number_or_text<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Option::<Either>::deserialize(source)? {
        None => Ok(None),
        Some(Either::Number(number)) => Ok(Some(number)),
        Some(Either::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// Checks `token` under the current public key of the application it names.
///
/// `now` is in Unix seconds. What the bearer may do is a second question: [`Bearer::may`].
///
/// # Errors
///
/// The first rule the token breaks, in the order in which Vonage can notice it.
pub(super) fn judge(token: &str, registry: &Registry, now: i64) -> Result<Bearer, TokenFault> {
    if token.is_empty() {
        return Err(TokenFault::Missing);
    }
    let unverified = insecure_decode::<Claims>(token).or(Err(TokenFault::Invalid))?;
    let application_id = unverified
        .claims
        .application_id
        .ok_or(TokenFault::Invalid)?;
    let application = registry
        .application(&application_id)
        .ok_or(TokenFault::Invalid)?;
    let key = DecodingKey::from_rsa_pem(application.public_key.as_bytes())
        .or(Err(TokenFault::Invalid))?;
    let claims = decode::<Claims>(token, &key, &signature_only())
        .or(Err(TokenFault::Invalid))?
        .claims;

    let issued_at = claims.iat.ok_or(TokenFault::Invalid)?;
    let expires_at = claims.exp.unwrap_or(issued_at + DEFAULT_LIFE_SECONDS);
    if claims.jti.is_none_or(|jti| jti.is_empty()) {
        return Err(TokenFault::Invalid);
    }
    let earliest = claims.nbf.unwrap_or(issued_at).max(issued_at);
    if earliest > now + CLOCK_SKEW_SECONDS {
        return Err(TokenFault::Invalid);
    }
    if expires_at <= now || now >= issued_at + MAX_LIFE_SECONDS {
        return Err(TokenFault::Expired);
    }
    if !(MIN_LIFE_SECONDS..=MAX_LIFE_SECONDS).contains(&(expires_at - issued_at)) {
        return Err(TokenFault::Invalid);
    }
    let user = match claims.sub {
        None => None,
        Some(name) => Some(
            registry
                .user_by_name(&application_id, &name)
                .ok_or(TokenFault::UnknownUser)?
                .clone(),
        ),
    };
    Ok(Bearer {
        application_id,
        user,
        expires_at,
        acl: claims.acl,
    })
}

/// Times are judged above: the library wants `exp` in every token, and Vonage does not.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

impl Bearer {
    /// Whether the token allows `method` on `path`.
    ///
    /// An application's own token without an ACL may do anything; a user's token without one may
    /// do nothing.
    ///
    /// # Errors
    ///
    /// [`TokenFault::Forbidden`] when no path of the ACL covers the request.
    pub(super) fn may(&self, method: &str, path: &str) -> Result<(), TokenFault> {
        let allowed = match (&self.acl, &self.user) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(acl), _) => acl.paths.iter().any(|(pattern, rule)| {
                covers(pattern, path)
                    && rule
                        .methods
                        .as_ref()
                        .is_none_or(|methods| methods.iter().any(|allowed| allowed == method))
            }),
        };
        if allowed {
            Ok(())
        } else {
            Err(TokenFault::Forbidden)
        }
    }

    /// Whether a user's token has these paths in its ACL; an application's own needs none.
    ///
    /// # Errors
    ///
    /// [`TokenFault::Forbidden`] when one is missing.
    pub(super) fn has(&self, paths: &[String]) -> Result<(), TokenFault> {
        let listed = self.acl.as_ref().map(|acl| &acl.paths);
        let has = |path| listed.is_some_and(|listed| listed.contains_key(path));
        if self.user.is_none() || paths.iter().all(has) {
            Ok(())
        } else {
            Err(TokenFault::Forbidden)
        }
    }
}

/// Whether an ACL pattern covers a path: `*` stands for one segment, a last `**` for any rest.
fn covers(pattern: &str, path: &str) -> bool {
    let mut segments = path.trim_end_matches('/').split('/');
    for wanted in pattern.split('/') {
        if wanted == "**" {
            return true;
        }
        match segments.next() {
            Some(found) if wanted == "*" || wanted == found => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acl_patterns_cover_whole_segments() {
        for (pattern, path, expected) in [
            ("/*/users/**", "/v0.3/users/me", true),
            ("/*/users/**", "/v1/users", true),
            ("/*/users/**", "/v1/users/USR-1/sessions", true),
            ("/*/users/**", "/v1/usersx", false),
            ("/*/users/**", "/users/me", false),
            ("/*/legs/**", "/v0.3/legs/", true),
            ("/v1/calls", "/v1/calls", true),
            ("/v1/calls", "/v1/calls/1", false),
            ("/**", "/anything/at/all", true),
        ] {
            assert_eq!(covers(pattern, path), expected, "{pattern} over {path}");
        }
    }
}
