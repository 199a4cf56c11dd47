//! How Vonage does what its documentation leaves open. `doctor --live` finds it out.

use serde::{Deserialize, Serialize};

/// Each field is a question; its default is what the service assumes.
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
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            timeout_name: TimeoutName::ConnectTimeout,
            unique_names: true,
            acl_is_checked: true,
            acl_wants: Vec::new(),
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
