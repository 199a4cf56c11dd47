//! The simulated Vonage, from outside: over HTTP, with an application of the tests' own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a failed step is a failed test, and nobody links to this binary"
)]

mod support;

mod accounts;
mod browser;
mod calls;
mod faults;
mod ncco;
mod recording;
mod shapes;
mod tokens;
mod voice_api;
mod webhooks;
