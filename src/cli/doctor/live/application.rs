//! How Vonage keeps an application.

use serde_json::Value;

use super::{
    finding::{Finding, Question},
    stage::{CONNECT_TIMEOUT, Stage},
};

pub(super) static TIMEOUT_NAME: Question = Question {
    name: "timeout-name",
    asks: "Under which name does Vonage keep how long it waits for a connection to a webhook?",
};

/// Looks at the application as Vonage showed it after it was made.
pub(super) fn timeout_name(stage: &Stage) -> Finding {
    let webhook = "/capabilities/voice/webhooks/answer_url";
    let kept = |name: &str| {
        let value = stage.shown.pointer(webhook)?.get(name);
        value.and_then(Value::as_u64)
    };
    let is_kept = |name| kept(name) == Some(CONNECT_TIMEOUT);
    if is_kept("connect_timeout") {
        TIMEOUT_NAME.agrees(
            "connect_timeout, which is what is written, with the value that was written",
            "",
        )
    } else if is_kept("connection_timeout") {
        TIMEOUT_NAME.agrees(
            "connection_timeout, with the value that was written as connect_timeout",
            "doctor and setup read both names, so that nothing has to change",
        )
    } else {
        TIMEOUT_NAME.contradicts(
            format!(
                "neither connect_timeout nor connection_timeout has the {CONNECT_TIMEOUT} ms that were written (they have {} and {})",
                shown(kept("connect_timeout")),
                shown(kept("connection_timeout")),
            ),
            "Vonage waits for as long as it likes: with a service that can't be reached, all tries together may be longer \
             than the 10 s that a page waits, and the caller hears nothing instead of the fallback",
        )
    }
}

fn shown(value: Option<u64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("{value} ms"))
}
