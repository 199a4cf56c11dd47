//! The server-side interfaces: `api.nexmo.com` and `rest.nexmo.com` on one origin.

pub(super) mod account;
mod applications;
pub(super) mod auth;
mod calls;
mod numbers;
pub(super) mod users;

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};

use super::{cloud::Cloud, faults::interfere};

/// All routes that a server calls.
pub(super) fn routes(cloud: &Arc<Cloud>) -> Router<Arc<Cloud>> {
    Router::new()
        .merge(applications::routes())
        .merge(users::routes())
        .merge(numbers::routes())
        .merge(calls::routes())
        .merge(account::routes())
        .layer(from_fn_with_state(Arc::clone(cloud), interfere))
}
