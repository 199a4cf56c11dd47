//! The service over HTTP: a real server on a free port, a real SQLite file, real signatures, Vonage's REST side as a stub.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a failed step is a failed test"
)]

mod alerts;
mod answers;
mod calls;
mod closing;
mod contract;
mod events;
mod faults;
mod hangups;
mod helpers;
mod limits;
mod metrics;
mod origins;
mod page;
mod ready_pool;
mod sessions;
mod signatures;
mod stopping;
mod tokens;
#[path = "../support/webhook_signature.rs"]
mod webhook_signature;
mod well_known;
