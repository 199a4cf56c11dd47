//! The server-side interfaces: `api.nexmo.com` and `rest.nexmo.com` on one origin.

pub(super) mod account;
mod applications;
pub(super) mod auth;
mod calls;
mod numbers;
pub(super) mod users;

use std::sync::Arc;

use axum::Router;

use super::cloud::Cloud;

/// All routes that a server calls.
pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .merge(applications::routes())
        .merge(users::routes())
        .merge(numbers::routes())
        .merge(calls::routes())
        .merge(account::routes())
}
