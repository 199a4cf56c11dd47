//! What goes wrong with requests to the simulated Vonage.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Requests that are not answered as they deserve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFault {
    /// `GET`, `POST`, …; every method when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path, in which a `*` at its end stands for any rest: `/v1/users`, `/number/*`.
    pub path: String,
    /// Of a hundred such requests, how many.
    #[serde(default = "super::always")]
    pub percent: u8,
    /// How often at most; without it there is no limit.
    #[serde(default)]
    pub times: Option<u32>,
    /// What they are answered with.
    pub answer: FaultyAnswer,
}

impl RequestFault {
    /// Whether a request to this path is meant.
    pub(in crate::simulator) fn concerns(&self, method: &str, path: &str) -> bool {
        let named = match self.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.path,
        };
        named && self.method.as_ref().is_none_or(|wanted| wanted == method)
    }
}

/// An answer that nobody wants. The bodies are those of the interface that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultyAnswer {
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 429
    TooManyRequests,
    /// 500
    InternalError,
    /// 503
    Unavailable,
    /// 402: the balance is too low.
    LowBalance,
    /// 403: the account is suspended.
    AccountSuspended,
    /// 420 of `rest.nexmo.com`: papers or an address are wanted first, the number is gone, wrong parameters.
    MethodFailed,
    /// None: the request is left hanging.
    Nothing,
    /// The true answer, this many milliseconds later.
    Late(u64),
    /// This status and body.
    Exactly {
        /// An HTTP status from 200 on.
        status: u16,
        /// Sent as JSON.
        #[serde(default)]
        body: Value,
    },
}
