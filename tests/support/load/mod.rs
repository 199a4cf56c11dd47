//! Load on the service, over loopback: requests as Vonage and visitors make them, and a client that costs little.
//! Shared by the benches and the soak tests, which both run the service as a process.

pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod requests;
pub(crate) mod steady;
pub(crate) mod times;
#[path = "../webhook_signature.rs"]
mod webhook_signature;
