//! The binary as a user runs it: what it says, what it leaves behind, how it ends.
//!
//! `place` is a working directory of its own for every test; each module is about one command.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

mod advice;
mod backup;
mod config;
mod durability;
mod help;
mod inspect;
mod keygen;
mod keys;
mod place;
mod secrets;
mod serve;
mod service;
mod settings;
mod shell;
#[cfg(feature = "simulator")]
mod simulate;
mod token;
#[cfg(feature = "otlp")]
mod traces;
#[path = "../support/webhook_signature.rs"]
mod webhook_signature;
