//! How often one address may ask.

use std::{net::IpAddr, num::NonZeroU32};

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use super::{
    error::{ApiError, ProblemKind},
    visit,
};
use crate::state::AppState;

/// A limit per address. It bounds what one client can make this service and Vonage do; what a call
/// may cost is limited elsewhere, in the store, for all replicas.
#[derive(Debug)]
pub struct AddressLimit(DefaultKeyedRateLimiter<IpAddr>);

impl AddressLimit {
    /// This many a minute, all of them at once if need be.
    pub fn per_minute(number: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(number)))
    }

    /// Forgets addresses that have not asked for a while. To be called now and then, or memory grows with every address.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }

    fn check(&self, address: IpAddr) -> Result<(), ApiError> {
        self.0.check_key(&address).map_err(|not_yet| {
            let wait = not_yet.wait_time_from(self.0.clock().now());
            ApiError::new(ProblemKind::RateLimited).retry_after(wait)
        })
    }
}

/// Refuses the request when its address has asked for too many tokens.
pub(super) fn check_sessions(request: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    state
        .sessions_limit
        .check(visit::client_network(request, &state.site.trusted_proxies))
}

/// Refuses the request when its address has asked for too many proofs of this installation.
pub(super) fn check_proofs(request: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    state
        .proofs_limit
        .check(visit::client_network(request, &state.site.trusted_proxies))
}

/// Refuses the request when its address has asked for too many calls.
pub(super) fn check_calls(request: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    state
        .calls_limit
        .check(visit::client_network(request, &state.site.trusted_proxies))
}
