//! Signs tokens on threads of its own.
//!
//! One RSA signature costs as much as hundreds of other requests. On an HTTP worker it would make Vonage's
//! webhooks wait behind a crowd of visitors; here a crowd waits for itself. The queue is deep, because
//! clients that are turned away at once come back at once, and bounded by age, because nobody reads an
//! answer that comes too late.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;

use super::{
    jwt::{self, Claims, MintError},
    key::ApplicationKey,
};
use crate::metrics::TokenMetrics;

/// Requests that may wait. At 4 000 signatures a second per core this is about half a second's work for two cores.
const QUEUE: usize = 4_096;
/// A request that has waited longer is turned away unsigned.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Life of the tokens with which we ourselves call Vonage.
const APPLICATION_TTL: TimeDelta = TimeDelta::minutes(15);
/// Such a token is replaced when less than this is left of it.
const APPLICATION_MARGIN: TimeDelta = TimeDelta::minutes(2);

/// What every visitor's token says.
#[derive(Debug)]
pub struct MintPolicy {
    /// The application.
    pub application_id: Arc<str>,
    /// Its private key.
    pub key: ApplicationKey,
    /// Paths of the `acl`.
    pub acl_paths: Arc<[String]>,
    /// Life of a token.
    pub ttl: TimeDelta,
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Turned {
    /// Too many are waiting, or this one has waited too long.
    #[error("too many token requests are waiting")]
    Overloaded,
    /// The signature itself failed, which a key that passed its self-test does not do.
    #[error("the token could not be signed")]
    Failed,
}

/// A token for a visitor.
pub struct Minted {
    /// The token. Never to be logged.
    pub token: String,
    /// Its `iat`.
    pub issued_at: DateTime<Utc>,
    /// Its `exp`.
    pub expires_at: DateTime<Utc>,
}

struct Job {
    claims: Claims,
    policy: Arc<MintPolicy>,
    queued_at: Instant,
    reply: oneshot::Sender<Result<String, Turned>>,
}

/// A token for our own requests, kept for as long as its policy and most of its life.
#[derive(Clone)]
struct ApplicationToken {
    token: String,
    expires_at: DateTime<Utc>,
    policy: Arc<MintPolicy>,
}

/// The mint: a policy that can be replaced, and the threads that sign by it.
pub struct Minter {
    policy: RwLock<Arc<MintPolicy>>,
    jobs: Sender<Job>,
    application_token: Mutex<Option<ApplicationToken>>,
    metrics: TokenMetrics,
}

impl Minter {
    /// Starts one signing thread per core, after one token has been signed and checked.
    ///
    /// That first signature also spends the 30 ms in which the library gathers its random numbers,
    /// so that no visitor has to wait for them.
    ///
    /// # Errors
    /// When the key fails its self-test or a thread can't be started.
    pub fn start(
        policy: MintPolicy,
        metrics: TokenMetrics,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        self_test(&policy, now)?;
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        for number in 0..threads {
            let (queue, metrics) = (queue.clone(), metrics.clone());
            thread::Builder::new()
                .name(format!("sign-{number}"))
                .spawn(move || work(&queue, &metrics))?;
        }
        Ok(Self {
            policy: RwLock::new(Arc::new(policy)),
            jobs,
            application_token: Mutex::default(),
            metrics,
        })
    }

    /// Signs by another policy from now on: a changed key, ACL or life.
    ///
    /// # Errors
    /// When the new key fails its self-test; the old policy stays in force then.
    pub fn replace(&self, policy: MintPolicy, now: DateTime<Utc>) -> Result<(), MintError> {
        self_test(&policy, now)?;
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
        Ok(())
    }

    /// A token that lets its bearer act as this Vonage user.
    ///
    /// # Errors
    /// When the queue is full or too slow.
    pub async fn for_user(&self, user: &str, now: DateTime<Utc>) -> Result<Minted, Turned> {
        let policy = self.policy();
        let claims = Claims::for_user(
            Arc::clone(&policy.application_id),
            user,
            Arc::clone(&policy.acl_paths),
            now,
            to_std(policy.ttl),
        );
        let expires_at = now + policy.ttl;
        let token = self.sign(claims, policy).await?;
        Ok(Minted {
            token,
            issued_at: now,
            expires_at,
        })
    }

    /// A token for our own requests to Vonage, kept for most of its life.
    ///
    /// # Errors
    /// When the queue is full or too slow.
    pub async fn for_application(&self, now: DateTime<Utc>) -> Result<String, Turned> {
        let policy = self.policy();
        let kept = self.kept().clone();
        if let Some(kept) = kept
            && Arc::ptr_eq(&kept.policy, &policy)
            && now + APPLICATION_MARGIN < kept.expires_at
            // A clock that was set back must not leave us with a token from the future.
            && now + APPLICATION_TTL >= kept.expires_at
        {
            return Ok(kept.token);
        }
        let claims = Claims::for_application(
            Arc::clone(&policy.application_id),
            now,
            to_std(APPLICATION_TTL),
        );
        let token = self.sign(claims, Arc::clone(&policy)).await?;
        let expires_at = now + APPLICATION_TTL;
        *self.kept() = Some(ApplicationToken {
            token: token.clone(),
            expires_at,
            policy,
        });
        Ok(token)
    }

    fn kept(&self) -> MutexGuard<'_, Option<ApplicationToken>> {
        self.application_token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The application whose tokens these are.
    pub fn application_id(&self) -> Arc<str> {
        Arc::clone(&self.policy().application_id)
    }

    /// Tokens that wait to be signed.
    pub fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Life of a visitor's token.
    pub fn ttl(&self) -> TimeDelta {
        self.policy().ttl
    }

    async fn sign(&self, claims: Claims, policy: Arc<MintPolicy>) -> Result<String, Turned> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            claims,
            policy,
            queued_at: Instant::now(),
            reply,
        };
        self.jobs.try_send(job).map_err(|_full| {
            self.metrics.shed();
            Turned::Overloaded
        })?;
        answer.await.unwrap_or(Err(Turned::Overloaded))
    }

    fn policy(&self) -> Arc<MintPolicy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Signs until every [`Minter`] is gone.
fn work(queue: &Receiver<Job>, metrics: &TokenMetrics) {
    while let Ok(job) = queue.recv() {
        // A client that hung up meanwhile, or a job too old, costs no signature.
        if job.reply.is_closed() {
            continue;
        }
        let waited = job.queued_at.elapsed();
        metrics.waited(waited);
        let result = if waited > MAX_WAIT {
            metrics.shed();
            Err(Turned::Overloaded)
        } else {
            jwt::mint(&job.policy.key, &job.claims)
                .inspect(|_token| metrics.signed())
                .map_err(|error| {
                    metrics.failed();
                    tracing::error!(%error, "a token could not be signed");
                    Turned::Failed
                })
        };
        let _ = job.reply.send(result);
    }
}

fn self_test(policy: &MintPolicy, now: DateTime<Utc>) -> Result<(), MintError> {
    let claims = Claims::for_application(
        Arc::clone(&policy.application_id),
        now,
        to_std(APPLICATION_TTL),
    );
    let token = jwt::mint(&policy.key, &claims)?;
    jwt::verify(&policy.key, &token)
}

fn to_std(span: TimeDelta) -> Duration {
    span.to_std().unwrap_or(Duration::ZERO)
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter")
            .field("waiting", &self.jobs.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
