//! Signs the tokens that Vonage takes: for a visitor's Client SDK and for our own REST calls.
//!
//! Claims: <https://developer.vonage.com/en/getting-started/concepts/authentication>, ACL:
//! <https://developer.vonage.com/en/conversation/guides/jwt-acl>.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm,
    crypto::JwtSigner,
    signature::{self, Signer},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

use super::key::ApplicationKey;

/// `{"alg":"RS256","typ":"JWT"}` in base64url. Written down, because it never changes and
/// `jsonwebtoken` would write its members the other way round.
const HEADER: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

/// Room for the claims of a visitor's token, with the default ACL about 450 bytes: one allocation takes them all.
const CLAIMS_CAPACITY: usize = 1_024;

/// What a token says. Members are written in this order. What is the same in every token is shared, not copied.
#[derive(Debug, Clone, Serialize)]
pub struct Claims {
    #[serde(serialize_with = "text")]
    application_id: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    iat: i64,
    exp: i64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    acl: Option<Acl>,
}

/// `{"paths":{"/*/users/**":{},…}}`: every method on these paths.
#[derive(Debug, Clone, Serialize)]
struct Acl {
    #[serde(serialize_with = "unrestricted")]
    paths: Arc<[String]>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The claims could not be written as JSON.
    #[error("the claims can't be written")]
    Claims(#[from] serde_json::Error),
    /// The key refused to sign.
    #[error("the application's key can't sign")]
    Signature(#[from] signature::Error),
    /// A token does not verify under the key that is said to have signed it.
    #[error("the token does not verify under the application's key")]
    Unverified,
}

impl Claims {
    /// A token that lets its bearer act as the Vonage user of this name, on these paths, from `issued_at` for `ttl`.
    ///
    /// Vonage takes 30 s to 24 h; see `token.ttl_seconds`. Parts of a second are cut off.
    pub fn for_user(
        application_id: impl Into<Arc<str>>,
        user: &str,
        acl_paths: impl Into<Arc<[String]>>,
        issued_at: DateTime<Utc>,
        ttl: Duration,
    ) -> Self {
        Self {
            sub: Some(user.to_owned()),
            acl: Some(Acl {
                paths: acl_paths.into(),
            }),
            ..Self::for_application(application_id, issued_at, ttl)
        }
    }

    /// A token for our own REST calls: without `sub` and `acl` it may do everything the application may.
    pub fn for_application(
        application_id: impl Into<Arc<str>>,
        issued_at: DateTime<Utc>,
        ttl: Duration,
    ) -> Self {
        let iat = issued_at.timestamp();
        Self {
            application_id: application_id.into(),
            sub: None,
            iat,
            exp: iat.saturating_add_unsigned(ttl.as_secs()),
            jti: Uuid::new_v4(),
            acl: None,
        }
    }
}

/// Signs the claims.
///
/// # Errors
/// None is known for a key that [`ApplicationKey::parse`] took; what the library reports is passed on.
pub fn mint(key: &ApplicationKey, claims: &Claims) -> Result<String, MintError> {
    let mut json = Vec::with_capacity(CLAIMS_CAPACITY);
    serde_json::to_writer(&mut json, claims)?;
    let signature_bytes = key.key_pair().public_modulus_len();
    let length = HEADER.len() + 2 + base64_len(json.len()) + base64_len(signature_bytes);
    let mut token = String::with_capacity(length);
    token.push_str(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&json, &mut token);
    let signature = Rs256(key).try_sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
    Ok(token)
}

/// Checks a token's signature, and nothing else of it, under this key.
///
/// # Errors
/// When it was signed by another key, or is no token.
pub fn verify(key: &ApplicationKey, token: &str) -> Result<(), MintError> {
    let (message, signature) = token.rsplit_once('.').ok_or(MintError::Unverified)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_no_base64| MintError::Unverified)?;
    let public_key = key.key_pair().public_key();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key)
        .verify(message.as_bytes(), &signature)
        .map_err(|_unspecified| MintError::Unverified)
}

/// RS256 with a key that was parsed once: `jsonwebtoken::encode` parses it for every token,
/// which takes twice as long as the signature.
struct Rs256<'a>(&'a ApplicationKey);

impl Signer<Vec<u8>> for Rs256<'_> {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let pair = self.0.key_pair();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .map_err(signature::Error::from_source)?;
        Ok(signature)
    }
}

impl JwtSigner for Rs256<'_> {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}

/// Length of so many bytes in base64 without padding.
fn base64_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn unrestricted<S: Serializer>(paths: &Arc<[String]>, serializer: S) -> Result<S::Ok, S::Error> {
    /// Writes `{}`: no restriction to methods or filters.
    #[derive(Serialize)]
    struct AnyMethod {}

    let mut map = serializer.serialize_map(Some(paths.len()))?;
    for path in paths.iter() {
        map.serialize_entry(path, &AnyMethod {})?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::OnceLock};

    use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
    use rsa::{
        RsaPrivateKey, RsaPublicKey,
        pkcs1v15::{Signature, VerifyingKey},
        pkcs8::{DecodePublicKey, EncodePrivateKey, LineEnding},
        rand_core::OsRng,
        sha2::Sha256,
        signature::Verifier,
    };
    use serde_json::{Value, json};

    use super::*;

    const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";

    /// A key, made once, and its PEM.
    fn key() -> &'static (ApplicationKey, String) {
        static KEY: OnceLock<(ApplicationKey, String)> = OnceLock::new();
        KEY.get_or_init(|| {
            let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
            let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
            (ApplicationKey::parse(&pem).unwrap(), pem.to_string())
        })
    }

    fn issued_at() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_359_600_999).unwrap()
    }

    fn user_claims() -> Claims {
        let paths = ["/*/users/**".to_owned(), "/*/rtc/**".to_owned()];
        Claims::for_user(
            APPLICATION,
            "visitor-1",
            paths,
            issued_at(),
            Duration::from_hours(24),
        )
    }

    fn part(token: &str, index: usize) -> String {
        let part = token.split('.').nth(index).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn the_header_is_exactly_two_members() {
        let token = mint(&key().0, &user_claims()).unwrap();
        assert_eq!(part(&token, 0), r#"{"alg":"RS256","typ":"JWT"}"#);
        let header: Header = serde_json::from_str(&part(&token, 0)).unwrap();
        assert_eq!(header, Header::new(Rs256(&key().0).algorithm()));
    }

    #[test]
    fn claims_are_written_in_order_and_as_integers() {
        let claims = user_claims();
        let token = mint(&key().0, &claims).unwrap();
        let expected = format!(
            r#"{{"application_id":"{APPLICATION}","sub":"visitor-1","iat":1795359600,"exp":1795446000,"jti":"{}","acl":{{"paths":{{"/*/users/**":{{}},"/*/rtc/**":{{}}}}}}}}"#,
            claims.jti
        );
        assert_eq!(part(&token, 1), expected);
        assert_eq!(claims.jti.get_version_num(), 4);
    }

    #[test]
    fn an_applications_token_has_neither_user_nor_acl() {
        let claims = Claims::for_application(APPLICATION, issued_at(), Duration::from_mins(15));
        let token = mint(&key().0, &claims).unwrap();
        let claims: Value = serde_json::from_str(&part(&token, 1)).unwrap();
        let members: Vec<&String> = claims.as_object().unwrap().keys().collect();
        assert_eq!(members, ["application_id", "exp", "iat", "jti"]);
        assert_eq!(claims["exp"], json!(1_795_360_500));
    }

    #[test]
    fn ids_are_never_repeated() {
        let ids: HashSet<Uuid> = (0..10_000).map(|_| user_claims().jti).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn signature_and_claims_are_those_of_jsonwebtoken() {
        let (key, pem) = key();
        let claims = user_claims();
        let token = mint(key, &claims).unwrap();
        let reference = jsonwebtoken::encode(
            &Header::new(Algorithm::RS256),
            &claims,
            &EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        )
        .unwrap();
        assert_eq!(part(&token, 1), part(&reference, 1));
        // PKCS#1 v1.5 has no random part: over the same bytes, the same signature.
        let (message, signature) = token.rsplit_once('.').unwrap();
        let reference = jsonwebtoken::crypto::sign(
            message.as_bytes(),
            &EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            Algorithm::RS256,
        );
        assert_eq!(signature, reference.unwrap());
    }

    #[test]
    fn independent_verifiers_take_it() {
        let key = &key().0;
        let token = mint(key, &user_claims()).unwrap();
        let public_pem = key.public_key_pem();

        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        let decoding_key = DecodingKey::from_rsa_pem(public_pem.as_bytes()).unwrap();
        let decoded = jsonwebtoken::decode::<Value>(&token, &decoding_key, &validation).unwrap();
        assert_eq!(decoded.claims["sub"], "visitor-1");

        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public_key = RsaPublicKey::from_public_key_pem(&public_pem).unwrap();
        VerifyingKey::<Sha256>::new(public_key)
            .verify(
                message.as_bytes(),
                &Signature::try_from(signature.as_slice()).unwrap(),
            )
            .unwrap();
    }

    #[test]
    fn a_changed_token_does_not_verify() {
        let key = &key().0;
        let token = mint(key, &user_claims()).unwrap();
        verify(key, &token).unwrap();
        let other = mint(key, &user_claims()).unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        for wrong in [
            format!("{message}.{signature}"),
            format!("{message}."),
            format!("{message}.!"),
            message.replace('.', ""),
        ] {
            assert!(matches!(verify(key, &wrong), Err(MintError::Unverified)));
        }
    }

    #[test]
    fn the_key_shows_nothing_of_itself() {
        fn shared<T: Send + Sync>(_: &T) {}
        let key = &key().0;
        shared(key);
        assert_eq!(format!("{key:?}"), "ApplicationKey(2048 bits, [redacted])");
    }
}
