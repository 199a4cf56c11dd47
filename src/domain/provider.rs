//! The port through which the rules reach Vonage's REST side. Its adapter is [`crate::vonage::client`].

use std::{fmt, time::Duration};

use async_trait::async_trait;

use super::ids::LegId;

/// Why Vonage did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Vonage can't be reached, is overloaded, or answers nonsense: it may work later.
    #[error("Vonage is not available: {reason}")]
    Unavailable {
        /// What happened, without secrets.
        reason: String,
        /// When Vonage says to try again.
        retry_after: Option<Duration>,
    },
    /// Vonage refuses: trying again changes nothing until somebody mends the cause.
    #[error("Vonage refuses: {0}")]
    Refused(String),
    /// The leg can't be controlled yet: Vonage answers so in the first seconds of a call.
    #[error("the call is too young to be hung up")]
    TooEarly,
}

/// A user as Vonage knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedUser {
    /// `USR-…`; `None` when it was there already and could not be looked up.
    pub id: Option<String>,
}

/// Vonage, as far as the rules need it.
#[async_trait]
pub trait Provider: Send + Sync + fmt::Debug {
    /// Makes sure that a user of this name exists; one that is there already is fine.
    ///
    /// `ttl`: how long Vonage keeps it; `None`: for good.
    async fn ensure_user(
        &self,
        name: &str,
        ttl: Option<Duration>,
    ) -> Result<ProvidedUser, ProviderError>;

    /// Deletes a user; one that is gone already is fine.
    async fn delete_user(&self, id: &str) -> Result<(), ProviderError>;

    /// Ends a leg and with it the call; one that is over already is fine.
    async fn hang_up(&self, leg: &LegId, region_url: Option<&str>) -> Result<(), ProviderError>;

    /// Whether a leg is over. A leg that Vonage does not know (any more) is.
    async fn is_over(&self, leg: &LegId, region_url: Option<&str>) -> Result<bool, ProviderError>;
}
