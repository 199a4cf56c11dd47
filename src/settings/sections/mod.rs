//! The keys section by section: what each is, and how the section's values come of them.

pub(super) mod calls;
pub(super) mod database;
pub(super) mod http;
pub(super) mod line;
pub(super) mod log;
pub(super) mod metrics;
pub(super) mod page;
pub(super) mod retention;
pub(super) mod telemetry;
pub(super) mod token;
pub(super) mod visitors;
pub(super) mod vonage;
pub(super) mod webhooks;
