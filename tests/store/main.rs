//! The store's contract, and what each adapter does when its database fails.
//!
//! `contract` holds functions over any [`Store`](click_to_call::domain::store::Store); the module of an adapter
//! runs all of them and adds the faults of its own database.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

#[path = "../support/postgres.rs"]
#[expect(dead_code, reason = "the benches use the rest")]
mod cluster;
mod contract;
#[path = "../support/pem.rs"]
mod pem;
mod postgres;
mod records;
mod sqlite;
