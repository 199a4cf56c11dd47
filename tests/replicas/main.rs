//! Several servers, each a process, on one PostgreSQL database: any of them takes any request, everything happens once,
//! and one that is killed, or a database that goes away, loses nothing that was acknowledged.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failed step is a failed test"
)]

mod away;
#[path = "../api/helpers/call_stream.rs"]
mod call_stream;
#[path = "../support/postgres.rs"]
#[expect(dead_code, reason = "the tests of the store use the rest")]
mod cluster;
mod killed;
mod once;
mod outages;
#[path = "../cli/place.rs"]
#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod place;
#[path = "../cli/service.rs"]
#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod service;
mod together;
#[path = "../api/helpers/vonage.rs"]
#[expect(dead_code, reason = "the tests of the API use the rest")]
mod vonage;
#[path = "../support/webhook_signature.rs"]
mod webhook_signature;
mod world;
