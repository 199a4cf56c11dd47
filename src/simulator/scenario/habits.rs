//! How Vonage does what its documentation leaves open. `doctor --live` finds it out.

use serde::{Deserialize, Serialize};

/// Each field is a question; its default is what the service assumes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of yes or no, and stands by itself in a scenario"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    /// What becomes of a webhook's `connect_timeout`.
    pub timeout_name: TimeoutName,
    /// Whether two users of an application may not have the same name.
    pub unique_names: bool,
    /// Whether the paths of a token's ACL matter.
    pub acl_is_checked: bool,
    /// Paths (`/*/media/**`) without which a user's token is good for nothing.
    pub acl_wants: Vec<String>,
    /// How often a webhook is sent until it is answered.
    pub webhook_tries: u32,
    /// Whether each of these tries is signed anew, with a `jti` of its own.
    pub signs_each_try: bool,
    /// What the `payload_hash` of a GET is taken of.
    pub get_hash: GetHash,
    /// Milliseconds that the answer to a call over REST is waited for.
    pub answer_patience_ms: u64,
    /// Whether events with an address of their own come to the application's as well.
    pub event_copies: bool,
    /// Whether `completed` says what the call cost.
    pub tells_prices: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            timeout_name: TimeoutName::ConnectTimeout,
            unique_names: true,
            acl_is_checked: true,
            acl_wants: Vec::new(),
            webhook_tries: 2,
            signs_each_try: false,
            get_hash: GetHash::CompactJson,
            answer_patience_ms: 5_000,
            event_copies: false,
            tells_prices: true,
        }
    }
}

/// What becomes of a webhook's `connect_timeout`, which some of Vonage's own pages call `connection_timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeoutName {
    /// It is shown as it was written.
    ConnectTimeout,
    /// It is shown under the other name.
    ConnectionTimeout,
    /// It is not kept.
    Ignored,
}

/// What the `payload_hash` of a GET is taken of. Vonage publishes an example, and no rule for its escaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GetHash {
    /// The parameters as a compact JSON object of texts, in their order.
    ///
    /// Source: Vonage support article 19033783342876.
    CompactJson,
    /// The query as it is sent.
    Query,
    /// No `payload_hash` is sent.
    Absent,
    /// Something that nobody has thought of.
    Unknown,
}
