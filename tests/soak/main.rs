//! What a service on the open Internet meets: crowds that hold connections, a stop in the middle of everything, disks
//! that take no more. Nothing that it has acknowledged is lost, and nobody who behaves is made to wait.
//!
//! Each test comes in two sizes over the same code: a short one for `make test`, and the full one, which is ignored
//! there and run by `make soak` with the released program.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failed step is a failed test"
)]

mod backup;
mod disk;
#[path = "../support/load/mod.rs"]
#[expect(dead_code, reason = "the benches use the rest")]
mod load;
mod overload;
#[path = "../cli/place.rs"]
#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod place;
#[path = "../cli/service.rs"]
#[expect(dead_code, reason = "the tests of the command line use the rest")]
mod service;
mod stage;
mod stop;
