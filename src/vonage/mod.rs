//! Vonage's protocol: tokens, webhooks, call-control objects, REST.

pub mod account;
pub mod client;
pub mod hosts;
pub mod jwt;
pub mod key;
pub mod minting;
pub mod ncco;
mod pem;
pub mod signature;
pub mod webhook;
