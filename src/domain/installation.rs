//! Proof that an address leads to this installation: whoever holds its secret asks with a nonce, and only an instance
//! that holds it too can answer.
//!
//! It tells apart wrong addresses, not attackers: whoever stands between can pass question and answer on.

use std::{fmt, net::IpAddr, str::FromStr};

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A number used once: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// A new random one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no [`Nonce`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a nonce is 32 lower-case hexadecimal digits")]
pub struct NotANonce;

impl FromStr for Nonce {
    type Err = NotANonce;

    fn from_str(text: &str) -> Result<Self, NotANonce> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 32 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotANonce)
        }
    }
}

/// How the service came to the address that a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressSource {
    /// It is that of the connection, and nothing claims another one.
    Connection,
    /// A trusted proxy named it in `X-Forwarded-For`.
    Forwarded,
    /// It is that of the connection, because the peer that sends `X-Forwarded-For` is not a trusted proxy.
    Untrusted,
    /// It is that of a trusted proxy, which sends no `X-Forwarded-For`.
    Missing,
}

/// What an instance says of itself, and of the question, to those who hold the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The process: another one after each start.
    pub process: Uuid,
    /// Its version.
    pub version: String,
    /// Who sent it the question: the nearest proxy, or the asker itself.
    pub peer: IpAddr,
    /// How it came to the asker's address.
    pub client: AddressSource,
}

/// Asks and answers under the installation's secret.
#[derive(Clone)]
pub struct InstallationSeal(hmac::Key);

impl InstallationSeal {
    /// A seal under the server's session secret; the key is derived for this one purpose.
    pub fn new(session_secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, session_secret);
        let derived = hmac::sign(&root, b"click-to-call installation v1");
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// What an asker shows to be told more than the proof. It is good for this nonce alone.
    pub fn question(&self, nonce: &Nonce) -> String {
        self.mac(&["question", nonce.as_str()])
    }

    /// Whether the asker holds the secret.
    pub fn is_question(&self, nonce: &Nonce, presented: &str) -> bool {
        equal(&self.question(nonce), presented)
    }

    /// The proof for this nonce and for what is told with it.
    pub fn proof(&self, nonce: &Nonce, presence: Option<&Presence>) -> String {
        let told = presence
            .and_then(|presence| serde_json::to_string(presence).ok())
            .unwrap_or_default();
        self.mac(&["proof", nonce.as_str(), &told])
    }

    /// Whether an instance with the same secret has answered this nonce, and has told this.
    pub fn is_proof(&self, nonce: &Nonce, presence: Option<&Presence>, presented: &str) -> bool {
        equal(&self.proof(nonce, presence), presented)
    }

    /// No part but the last can have a line break in it, so the joint text is read in one way only.
    fn mac(&self, parts: &[&str]) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, parts.join("\n").as_bytes()))
    }
}

fn equal(expected: &str, presented: &str) -> bool {
    constant_time::verify_slices_are_equal(expected.as_bytes(), presented.as_bytes()).is_ok()
}

impl fmt::Debug for InstallationSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationSeal([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence() -> Presence {
        Presence {
            process: Uuid::nil(),
            version: "0.1.0".to_owned(),
            peer: [127, 0, 0, 1].into(),
            client: AddressSource::Connection,
        }
    }

    #[test]
    fn a_proof_is_good_for_its_nonce_secret_and_words_only() {
        let (seal, other) = (
            InstallationSeal::new(&[7; 32]),
            InstallationSeal::new(&[8; 32]),
        );
        let (nonce, another) = (Nonce::random(), Nonce::random());
        let presence = presence();
        let proof = seal.proof(&nonce, Some(&presence));
        assert!(seal.is_proof(&nonce, Some(&presence), &proof));
        assert!(!seal.is_proof(&another, Some(&presence), &proof));
        assert!(!other.is_proof(&nonce, Some(&presence), &proof));
        assert!(!seal.is_proof(&nonce, None, &proof));
        let changed = Presence {
            client: AddressSource::Forwarded,
            ..presence
        };
        assert!(!seal.is_proof(&nonce, Some(&changed), &proof));
    }

    #[test]
    fn an_answer_is_no_question() {
        let seal = InstallationSeal::new(&[7; 32]);
        let nonce = Nonce::random();
        assert!(seal.is_question(&nonce, &seal.question(&nonce)));
        assert!(!seal.is_question(&nonce, &seal.proof(&nonce, None)));
        assert!(!seal.is_question(&Nonce::random(), &seal.question(&nonce)));
    }

    #[test]
    fn only_hexadecimal_digits_are_a_nonce() {
        assert!(Nonce::random().as_str().parse::<Nonce>().is_ok());
        for text in [
            "",
            "0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
            "0123456789abcdef0123456789abcdeg",
            "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef 123456789abcdef",
        ] {
            assert_eq!(text.parse::<Nonce>(), Err(NotANonce), "{text}");
        }
    }
}
