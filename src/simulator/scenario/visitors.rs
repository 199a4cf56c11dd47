//! Visitors that a scenario plays, and what is expected of the service that they visit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Behaviour;

/// Somebody who visits, presses Call, and hangs up or is hung up on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Visitor {
    /// When they press Call, from the beginning of the scenario.
    pub after_ms: u64,
    /// Which line they call; the service's only one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The language they want to hear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How long after being answered they hang up; without it the other side does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_up_after_ms: Option<u64>,
    /// How long after the press they give up when nobody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub give_up_after_ms: Option<u64>,
    /// What the telephones do that their call makes ring, before the scenario's own `destinations`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub destinations: BTreeMap<String, Vec<Behaviour>>,
    /// How it must end: a reason that the service tells at the end of a call (`completed`, `busy`), or
    /// the kind of problem with which it refuses one (`rate-limited`). Without it every end is as good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
}

/// Bounds that a replay must keep, in milliseconds. What is lost or done twice is never as expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expectation {
    /// Of a hundred sessions the second slowest, from the request to the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_p99_ms: Option<u64>,
    /// The same of answer webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_p99_ms: Option<u64>,
    /// The same of event webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_p99_ms: Option<u64>,
}
