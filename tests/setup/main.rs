//! From nothing to a ringing telephone: the account's side of Vonage, and the commands that are built on it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

mod account;
mod command;
