//! `doctor`: the real binary beside a running service and a simulated Vonage, with one thing wrong at a time.
//!
//! `world` puts it all together; between doctor and Vonage, and between doctor and the service, stands a proxy that can
//! change what passes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

mod account;
mod certificates;
mod fix;
mod live;
mod machine;
mod numbers;
#[path = "../support/pem.rs"]
mod pem;
mod public_address;
mod report;
mod users;
mod world;
