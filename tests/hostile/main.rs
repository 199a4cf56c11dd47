//! Whatever strangers send, nothing panics, nothing is believed, and nothing is lost.
//!
//! `make test` tries a few hundred inputs of each kind, `make fuzz` a hundred thousand.

#![expect(clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod credentials;
mod inputs;
mod settings;
mod webhooks;
