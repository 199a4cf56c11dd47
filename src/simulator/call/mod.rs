//! Calls: legs, the conversations that join them, and the NCCO each leg follows.

pub(super) mod actions;
pub(super) mod conversation;
pub(super) mod dial;
pub(super) mod drive;
pub(super) mod inbound;
pub(super) mod leg;
mod mixer;
pub(super) mod ncco;
pub(super) mod player;
pub(super) mod progress;
pub(super) mod sound;
