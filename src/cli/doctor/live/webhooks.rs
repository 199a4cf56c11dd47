//! How Vonage sends webhooks: what is signed, and what is tried again.

use std::{fmt::Write, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{
    calls::{Ring, slot},
    finding::{Finding, Question},
    listener::{Listener, Received},
};
use crate::vonage::signature::{Payload, SignatureCheck, Verdict};

pub(super) static GET_SIGNATURE: Question = Question {
    name: "get-signature",
    asks: "Is a GET signed, and what is its hash taken of?",
};
pub(super) static POST_SIGNATURE: Question = Question {
    name: "post-signature",
    asks: "Is every POST signed, with the hash of its raw body?",
};
pub(super) static RETRIES: Question = Question {
    name: "retries",
    asks: "How often is a webhook tried again after 503, and with which token?",
};
pub(super) static PATIENCE: Question = Question {
    name: "patience",
    asks: "How long does Vonage wait for the answer to a call, and does it try again?",
};

/// The service answers within this.
const OWN_TIME: Duration = Duration::from_millis(1_500);

/// Judges the answer request of the first call.
pub(super) fn get_signature(
    listener: &Listener,
    ring: &Ring,
    check: &SignatureCheck,
    now: DateTime<Utc>,
) -> Finding {
    let question = &GET_SIGNATURE;
    let Some(asked) = listener.received(slot::ANSWER_1).into_iter().next() else {
        return question.untried(unasked(ring));
    };
    let verdict = check.verdict(
        asked.authorization.as_deref(),
        Payload::Query(&asked.query),
        now,
    );
    match verdict {
        Verdict::Genuine(_) => question.agrees(
            format!("it is signed, {}", hash_of(&asked)),
            "the service binds the token to the exact query and refuses nothing for the hash",
        ),
        Verdict::Missing | Verdict::Unchecked => question.contradicts(
            "it is not signed",
            "with webhooks.signatures = \"required\" a GET is refused: make the webhooks POST (`click-to-call doctor --fix`)",
        ),
        Verdict::Wrong(fault) => question.contradicts(
            fault.to_string(),
            "the service refuses such requests: compare VONAGE_SIGNATURE_SECRET and VONAGE_API_KEY with the dashboard",
        ),
    }
}

/// Judges every POST that came in.
pub(super) fn post_signature(
    listener: &Listener,
    ring: &Ring,
    check: &SignatureCheck,
    now: DateTime<Utc>,
) -> Finding {
    let question = &POST_SIGNATURE;
    let posts: Vec<Received> = listener
        .all()
        .into_iter()
        .filter(|one| !one.is_get)
        .collect();
    if posts.is_empty() {
        return question.untried(unasked(ring));
    }
    for post in &posts {
        let payload = Payload::Body(&post.bytes);
        let what = match check.verdict(post.authorization.as_deref(), payload, now) {
            Verdict::Genuine(_) => continue,
            Verdict::Missing | Verdict::Unchecked => "it is not signed".to_owned(),
            Verdict::Wrong(fault) => fault.to_string(),
        };
        return question.contradicts(
            format!("one to {}: {what}", post.slot),
            "the service refuses such requests: compare VONAGE_SIGNATURE_SECRET and VONAGE_API_KEY with the dashboard",
        );
    }
    question.agrees(format!("all {} that came are", posts.len()), "")
}

/// Judges what came of the 503 to the first answer request, and of those to the event `answered`.
pub(super) fn retries(listener: &Listener, ring: &Ring) -> Finding {
    let question = &RETRIES;
    let answers = listener.received(slot::ANSWER_1);
    let Some(first) = answers.first() else {
        return question.untried(unasked(ring));
    };
    let mut events = listener.received(slot::EVENT_1);
    events.retain(|event| event.text("status") == Some("answered"));
    let again = |received: &[Received]| match received.len() {
        0 | 1 => "not tried again".to_owned(),
        2 => "tried once more".to_owned(),
        more => format!("tried {} times more", more - 1),
    };
    let Some(second) = answers.get(1) else {
        return question.contradicts(
            format!("the answer is not tried again; an event is {}", again(&events)),
            "a fault that passes ends the call, unless the fallback address answers: see that it is set (`click-to-call \
             doctor`)",
        );
    };
    let is_same_token =
        claim(first, "jti").is_some() && claim(first, "jti") == claim(second, "jti");
    let token = if is_same_token {
        "the same token"
    } else {
        "a new token"
    };
    let found = format!(
        "the answer is tried again with {token}; an event is {}",
        again(&events)
    );
    if is_same_token && first.query != second.query {
        question.contradicts(
            format!("{found}; the second try has another query"),
            "the service takes the same token with another content for a forgery, and refuses the second try",
        )
    } else if events.len() < 2 {
        question.contradicts(
            found,
            "an event that the store can't take is lost: the state of the call is asked for instead, later",
        )
    } else {
        question.agrees(
            found,
            "the service takes either for the same request, and does nothing twice",
        )
    }
}

/// Judges what came of the answer that was kept back in the second call.
pub(super) fn patience(listener: &Listener, ring: &Ring) -> Finding {
    let question = &PATIENCE;
    let asked = listener.received(slot::ANSWER_2);
    let Some(first) = asked.first() else {
        return question.untried(unasked(ring));
    };
    let Some(second) = asked.get(1) else {
        return if listener.received(slot::CONNECT).is_empty() {
            question.contradicts(
                "an answer that does not come in time is not asked for again",
                "a service that hangs ends the call, unless the fallback address answers: see that it is set (`click-to-call \
                 doctor`)",
            )
        } else {
            question.agrees("it took an answer after 8 s", "")
        };
    };
    let waited = second.at.saturating_duration_since(first.at);
    let found = format!("it tries again after {:.1} s", waited.as_secs_f64());
    if waited < OWN_TIME {
        question.contradicts(
            found,
            "the service allows itself 1.5 s: under load some answers come too late",
        )
    } else {
        question.agrees(found, "the service allows itself 1.5 s")
    }
}

/// Why something was not asked.
pub(super) fn unasked(ring: &Ring) -> String {
    let failure = ring.failure.clone();
    failure.unwrap_or_else(|| "Vonage sent no such request".to_owned())
}

/// What the hash of a GET is taken of, as far as it can be told.
fn hash_of(asked: &Received) -> String {
    let Some(hash) = claim(asked, "payload_hash").and_then(|hash| hash.as_str().map(str::to_owned))
    else {
        return "without a hash".to_owned();
    };
    let pairs = || url::form_urlencoded::parse(asked.query.as_bytes()).into_owned();
    let as_json = |pairs: Vec<(String, String)>| {
        let members: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}:{}", Value::from(&**name), Value::from(&**value)))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let in_order = as_json(pairs().collect());
    let sorted: Map<String, Value> = pairs().map(|(name, value)| (name, value.into())).collect();
    for (form, text) in [
        (
            "the parameters as a compact JSON object, as the help article says",
            in_order.clone(),
        ),
        (
            "that JSON object with its slashes escaped",
            in_order.replace('/', "\\/"),
        ),
        (
            "the parameters as a JSON object in the order of the alphabet",
            Value::Object(sorted).to_string(),
        ),
        ("the query as it came", asked.query.clone()),
        ("nothing", String::new()),
    ] {
        if hash.eq_ignore_ascii_case(&hex(text.as_bytes())) {
            return format!("with the hash of {form}");
        }
    }
    "with a hash of something else than the parameters as JSON or the query".to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let sum = digest(&SHA256, bytes);
    sum.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A claim of the token that came along, whoever signed it.
fn claim(received: &Received, name: &str) -> Option<Value> {
    let token = received.authorization.as_deref()?.rsplit(' ').next()?;
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.get(name).cloned()
}
