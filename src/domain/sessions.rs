//! Who gets a token: visitors, their sessions, and the Vonage users that stand for them.

use std::{collections::HashSet, sync::Mutex, time::Duration};

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    ids::VisitorId,
    provider::{Provider, ProviderError},
    ready_pool::ReadyPool,
    store::{Store, StoreError},
    visitor::{SessionToken, Visitor, VonageUser},
};

/// A visitor's user outlives their tokens by this much, so that it is there for every token in use.
const USER_GRACE: TimeDelta = TimeDelta::days(1);

/// What the names of our visitors' users begin with.
const NAME_PREFIX: &str = "visitor-";

/// Why nobody got a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Vonage failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The system has no random numbers.
    #[error("no random numbers to be had from the system")]
    Random,
}

/// How visitors become Vonage users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserPolicy {
    /// Each visitor is a user of their own, made at Vonage before the first token.
    PerVisitor,
    /// Everybody is this user.
    Shared(String),
}

/// Where the Vonage user of a session came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSource {
    /// The visitor had it already.
    Kept,
    /// It is the one that all share.
    Shared,
    /// It was made ahead.
    Ready,
    /// It was made on the spot.
    Made,
}

impl UserSource {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kept, Self::Shared, Self::Ready, Self::Made];

    /// A word for the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Shared => "shared",
            Self::Ready => "ready",
            Self::Made => "made",
        }
    }
}

/// Opens sessions.
#[derive(Debug)]
pub struct Sessions {
    policy: UserPolicy,
    /// Where the users live that are made now: see [`VonageUser::home`].
    home: String,
    ready: ReadyPool,
    /// Lasting names that are known to exist at Vonage, so that each is looked up once in a process's life.
    ensured: Mutex<HashSet<String>>,
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    /// Whose it is.
    pub visitor: Visitor,
    /// The proof, for its owner.
    pub token: SessionToken,
    /// Where the visitor's user came from.
    pub user_source: UserSource,
}

impl Sessions {
    /// Sessions of visitors who become users of this home by this policy. `ready`: how many users of their own are made
    /// ahead.
    pub fn new(policy: UserPolicy, home: String, ready: u32) -> Self {
        let ready = match policy {
            UserPolicy::PerVisitor => ready,
            UserPolicy::Shared(_) => 0,
        };
        Self {
            policy,
            ready: ReadyPool::new(ready, home.clone()),
            home,
            ensured: Mutex::default(),
        }
    }

    /// The session that was presented, or a new one. What a client presents is never adopted:
    /// an unknown or expired proof gets a fresh visitor.
    ///
    /// The visitor's user exists at Vonage when this returns, and outlives a token made now that lives for `token_ttl`.
    ///
    /// # Errors
    /// When the store or Vonage fails. Nothing was kept then.
    pub async fn open(
        &self,
        store: &dyn Store,
        provider: &dyn Provider,
        presented: Option<SessionToken>,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Session, SessionError> {
        if let Some(token) = presented
            && let Some(visitor) = store.find_visitor(&token.hash(), now).await?
        {
            let (visitor, user_source) =
                self.renew(store, provider, visitor, token_ttl, now).await?;
            return Ok(Session {
                visitor,
                token,
                user_source,
            });
        }
        let token = SessionToken::from_random(random()?);
        let (user, user_source) = self.user(store, provider, token_ttl, now).await?;
        let visitor = Visitor {
            id: VisitorId::random(),
            session: token.hash(),
            expires_at: user.expires_at,
            owns_user: self.policy == UserPolicy::PerVisitor,
            user,
            created_at: now,
        };
        store.insert_visitor(&visitor).await?;
        Ok(Session {
            visitor,
            token,
            user_source,
        })
    }

    /// Makes sure that a configured name (shared, legacy, asked for with a service key) exists at Vonage.
    ///
    /// # Errors
    /// When Vonage fails.
    pub async fn ensure_lasting(
        &self,
        provider: &dyn Provider,
        name: &str,
    ) -> Result<(), ProviderError> {
        if !self.knows(name) {
            provider.ensure_user(name, None).await?;
            if let Ok(mut ensured) = self.ensured.lock() {
                // A service key may ask for any number of names; forgetting them costs a look-up each.
                if ensured.len() >= 10_000 {
                    ensured.clear();
                }
                ensured.insert(name.to_owned());
            }
        }
        Ok(())
    }

    /// Whether this is a name that we gave to a visitor, or the one that all share.
    pub fn is_visitor_name(&self, name: &str) -> bool {
        match &self.policy {
            UserPolicy::PerVisitor => name
                .strip_prefix(NAME_PREFIX)
                .is_some_and(|rest| rest.len() == 22),
            UserPolicy::Shared(shared) => name == shared,
        }
    }

    /// Gives a visitor a new user when theirs would be gone before a token made now ends, or lives elsewhere.
    ///
    /// The name changes then: whether Vonage would lengthen the life of an old user is nowhere stated.
    async fn renew(
        &self,
        store: &dyn Store,
        provider: &dyn Provider,
        mut visitor: Visitor,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<(Visitor, UserSource), SessionError> {
        let outlives_token = visitor.user.expires_at >= now + token_ttl;
        let lives_here = visitor.user.home == self.home;
        if outlives_token && lives_here && self.is_visitor_name(&visitor.user.name) {
            if let UserPolicy::Shared(name) = &self.policy {
                self.ensure_lasting(provider, name).await?;
            }
            return Ok((visitor, UserSource::Kept));
        }
        let old_user = visitor.user.name;
        let (user, source) = self.user(store, provider, token_ttl, now).await?;
        visitor.user = user;
        visitor.expires_at = visitor.user.expires_at;
        visitor.owns_user = self.policy == UserPolicy::PerVisitor;
        // Another tab may have been first; its user is the visitor's then, and ours ends by itself at Vonage.
        let renewed = store.renew_visitor(&visitor, &old_user).await?;
        Ok((renewed.unwrap_or(visitor), source))
    }

    async fn user(
        &self,
        store: &dyn Store,
        provider: &dyn Provider,
        token_ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<(VonageUser, UserSource), SessionError> {
        let life = user_life(token_ttl);
        match &self.policy {
            UserPolicy::Shared(name) => {
                self.ensure_lasting(provider, name).await?;
                let user = VonageUser {
                    name: name.clone(),
                    id: None,
                    expires_at: now + life,
                    home: self.home.clone(),
                };
                Ok((user, UserSource::Shared))
            }
            UserPolicy::PerVisitor => {
                if let Some(user) = self.ready.take(store, now + life).await? {
                    return Ok((user, UserSource::Ready));
                }
                let _waiting = self.ready.visitor_waits();
                let user = make_user(provider, &self.home, life, now).await?;
                Ok((user, UserSource::Made))
            }
        }
    }

    /// The users made ahead.
    pub fn ready_pool(&self) -> &ReadyPool {
        &self.ready
    }

    fn knows(&self, name: &str) -> bool {
        self.ensured
            .lock()
            .is_ok_and(|ensured| ensured.contains(name))
    }
}

/// How long a visitor's user lives from the moment in which they get it.
pub(super) fn user_life(token_ttl: TimeDelta) -> TimeDelta {
    token_ttl + USER_GRACE
}

/// Makes a user for one visitor.
pub(super) async fn make_user(
    provider: &dyn Provider,
    home: &str,
    life: TimeDelta,
    now: DateTime<Utc>,
) -> Result<VonageUser, SessionError> {
    let name = format!("{NAME_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<16>()?));
    let ttl = life.to_std().unwrap_or(Duration::ZERO);
    let made = provider.ensure_user(&name, Some(ttl)).await?;
    Ok(VonageUser {
        name,
        id: made.id,
        expires_at: now + life,
        home: home.to_owned(),
    })
}

/// Whether this can be the name of a Vonage user here: 1 to 64 letters, digits, dots, hyphens, underscores or `@`.
pub fn is_user_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@'))
}

fn random<const N: usize>() -> Result<[u8; N], SessionError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|aws_lc_rs::error::Unspecified| SessionError::Random)?;
    Ok(bytes)
}
