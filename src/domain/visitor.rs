//! A visitor: who presses the button, and the Vonage user that stands for them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

use super::ids::VisitorId;

/// The secret that proves a session: 256 random bits, given to the browser (cookie) or the app (bearer).
///
/// It is never stored; [`SessionHash`] is.
#[derive(Clone)]
pub struct SessionToken(String);

impl SessionToken {
    /// A new one from the system's random numbers.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what a client presented. `None` when it can't be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 43
            && URL_SAFE_NO_PAD
                .decode(text)
                .is_ok_and(|bytes| bytes.len() == 32);
        well_formed.then(|| Self(text.to_owned()))
    }

    /// For the one place that hands it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    pub fn hash(&self) -> SessionHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        SessionHash(hash)
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken([redacted])")
    }
}

/// SHA-256 of a [`SessionToken`]. Enough, without salt or stretching: the token has 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash(pub [u8; 32]);

/// A user at Vonage: the `sub` of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VonageUser {
    /// Its name: `visitor-` and a random part, or the shared user's.
    pub name: String,
    /// Vonage's own id (`USR-…`), needed to delete it.
    pub id: Option<String>,
    /// Vonage deletes it by itself about then; a token must not outlive it.
    pub expires_at: DateTime<Utc>,
    /// Where it lives: a word for the application and the region that it was made in. Another application knows
    /// nothing of it.
    pub home: String,
}

/// A browser or app session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Our id.
    pub id: VisitorId,
    /// Proof of the session, hashed.
    pub session: SessionHash,
    /// Who they are at Vonage.
    pub user: VonageUser,
    /// `true` when that user is theirs alone and goes with them.
    pub owns_user: bool,
    /// First seen.
    pub created_at: DateTime<Utc>,
    /// The session is over then.
    pub expires_at: DateTime<Utc>,
}
