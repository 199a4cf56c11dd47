//! click-to-call: a working Call button for a website, on Vonage.
//!
//! ```text
//!  browser ── POST /api/sessions ──▶ routes ──▶ domain::sessions ──▶ store, vonage::client, vonage::minting
//!  browser ── POST /api/calls ─────▶ routes ──▶ domain::calling ───▶ store
//!  browser ── Client SDK ──────────▶ Vonage
//!  Vonage  ── /webhooks/answer ────▶ routes ──▶ domain::answering ─▶ store ──▶ vonage::ncco
//!  Vonage  ── /webhooks/event ─────▶ routes ──▶ store ─────────────▶ domain::live ──▶ the visitor's stream
//! ```
//!
//! Read in this order: [`domain`] (the rules), [`vonage`] (the provider's protocol), [`store`] (what is kept),
//! [`routes`] (what is answered), [`settings`], [`startup`] (how the parts are put together), [`cli`].

mod assets;
mod background;
pub mod cli;
pub mod domain;
mod error_chain;
pub mod metrics;
pub mod routes;
pub mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod startup;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod views;
pub mod vonage;
mod words;
