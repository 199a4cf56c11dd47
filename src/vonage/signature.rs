//! Signed webhooks: whether a request was made by Vonage, for us, just now, and only once.
//!
//! `Authorization: Bearer <JWT>`, HS256 under the account's signature secret, with the claims `iat`, `jti`,
//! `iss`, `api_key`, `application_id` and `payload_hash`. There is no `exp`: the age is judged here.
//! Source: <https://developer.vonage.com/en/getting-started/concepts/webhooks>

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::domain::store::ReplayKey;

/// No token of Vonage's comes near this length.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What was signed.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// The raw body of a POST.
    Body(&'a [u8]),
    /// The raw query of a GET.
    Query(&'a str),
}

impl Payload<'_> {
    /// SHA-256 of the bytes as they came.
    pub fn digest(&self) -> [u8; 32] {
        let bytes = match self {
            Self::Body(bytes) => bytes,
            Self::Query(query) => query.as_bytes(),
        };
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
        sum
    }
}

/// Whether a request may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by Vonage, for us. The store still has to see the key only once.
    Genuine(Genuine),
    /// The operator has switched signatures off.
    Unchecked,
    /// Not signed at all. Vonage does that after an inner fault, and signs the next try.
    Missing,
    /// Signed wrongly, and how.
    Wrong(Fault),
}

/// A request that Vonage signed for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// The signed request.
    pub replay: ReplayKey,
    /// How far our clock was ahead of Vonage's when it signed: transport included, in whole seconds.
    pub clock_skew: TimeDelta,
    /// A GET whose `payload_hash` is not the digest of its query. What Vonage hashes there is not published, so nothing
    /// follows from it.
    pub other_query_hash: bool,
}

/// What is wrong with a signature. A word for the log; the sender learns nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a token, too long, another algorithm than HS256, or claims of the wrong type.
    #[error("not an HS256 token with the claims that Vonage signs")]
    Form,
    /// Signed with a secret that is not ours.
    #[error("not signed with our signature secret: compare it with the one in Vonage's dashboard")]
    Secret,
    /// Too old or from the future.
    #[error("its time is too far from ours: is this machine's clock right?")]
    Time,
    /// Not issued by Vonage.
    #[error("its issuer is not Vonage")]
    Issuer,
    /// Another account's.
    #[error("it is for another account: compare VONAGE_API_KEY")]
    Account,
    /// Another application's.
    #[error("it is for another application: compare VONAGE_APPLICATION_ID")]
    Application,
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed")]
    Payload,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Form,
        Self::Secret,
        Self::Time,
        Self::Issuer,
        Self::Account,
        Self::Application,
        Self::Payload,
    ];

    /// A word for the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Secret => "secret",
            Self::Time => "time",
            Self::Issuer => "issuer",
            Self::Account => "account",
            Self::Application => "application",
            Self::Payload => "payload",
        }
    }
}

/// Checks signatures.
pub struct SignatureCheck {
    secrets: Vec<DecodingKey>,
    api_key: Option<String>,
    application_id: String,
    tolerance: TimeDelta,
}

/// `deny_unknown_fields` is left out on purpose: Vonage may add claims. A claim that comes twice or with another type is refused.
#[derive(Debug, Deserialize)]
struct Claims {
    iat: i64,
    jti: String,
    iss: String,
    payload_hash: Option<String>,
    api_key: Option<String>,
    application_id: Option<String>,
    exp: Option<i64>,
    nbf: Option<i64>,
}

impl SignatureCheck {
    /// A check under these secrets: one, or two while the secret is being changed.
    pub fn new(
        secrets: &[SecretString],
        api_key: Option<String>,
        application_id: String,
        tolerance: TimeDelta,
    ) -> Self {
        let secrets = secrets
            .iter()
            .map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()))
            .collect();
        Self {
            secrets,
            api_key,
            application_id,
            tolerance,
        }
    }

    /// The verdict on a request with this `Authorization` header.
    pub fn verdict(
        &self,
        authorization: Option<&str>,
        payload: Payload<'_>,
        now: DateTime<Utc>,
    ) -> Verdict {
        let Some(authorization) = authorization else {
            return Verdict::Missing;
        };
        match self.check(authorization, payload, now) {
            Ok(genuine) => Verdict::Genuine(genuine),
            Err(fault) => Verdict::Wrong(fault),
        }
    }

    fn check(
        &self,
        authorization: &str,
        payload: Payload<'_>,
        now: DateTime<Utc>,
    ) -> Result<Genuine, Fault> {
        let (scheme, token) = authorization.split_once(' ').ok_or(Fault::Form)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.len() > MAX_TOKEN_BYTES {
            return Err(Fault::Form);
        }
        let claims = self.open(token)?;

        let (iat, tolerance) = (claims.iat, self.tolerance.num_seconds());
        let distance = now.timestamp().abs_diff(iat);
        let over = claims
            .exp
            .is_some_and(|exp| exp < now.timestamp() - tolerance);
        let early = claims
            .nbf
            .is_some_and(|nbf| nbf > now.timestamp() + tolerance);
        if i64::try_from(distance).map_or(true, |distance| distance > tolerance) || over || early {
            return Err(Fault::Time);
        }
        let issued_at = DateTime::from_timestamp(iat, 0).ok_or(Fault::Time)?;
        if claims.iss != "Vonage" {
            return Err(Fault::Issuer);
        }
        if let (Some(ours), Some(theirs)) = (&self.api_key, &claims.api_key)
            && ours != theirs
        {
            return Err(Fault::Account);
        }
        if claims
            .application_id
            .is_some_and(|id| id != self.application_id)
        {
            return Err(Fault::Application);
        }
        // What exactly is hashed for a GET is not published. The replay key binds the token to the query instead.
        let digest = payload.digest();
        let is_hash = |sent: &String| sent.eq_ignore_ascii_case(&hex(&digest));
        let other_query_hash = match (payload, &claims.payload_hash) {
            (Payload::Body(_), Some(sent)) if is_hash(sent) => false,
            (Payload::Body(_), _) => return Err(Fault::Payload),
            (Payload::Query(_), sent) => !sent.as_ref().is_none_or(is_hash),
        };
        Ok(Genuine {
            replay: ReplayKey {
                jti: claims.jti,
                issued_at,
                digest,
            },
            clock_skew: TimeDelta::seconds(now.timestamp() - iat),
            other_query_hash,
        })
    }

    /// The claims, if any of our secrets signed them.
    fn open(&self, token: &str) -> Result<Claims, Fault> {
        let mut validation = Validation::new(Algorithm::HS256);
        // There is no `exp`; both times are judged by our own clock above.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let mut fault = Fault::Secret;
        for secret in &self.secrets {
            match jsonwebtoken::decode::<Claims>(token, secret, &validation) {
                Ok(data) => return Ok(data.claims),
                Err(error) => {
                    let unsigned = matches!(
                        error.kind(),
                        jsonwebtoken::errors::ErrorKind::InvalidSignature
                    );
                    fault = if unsigned { Fault::Secret } else { Fault::Form };
                    if !unsigned {
                        break;
                    }
                }
            }
        }
        Err(fault)
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

impl fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck")
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}
