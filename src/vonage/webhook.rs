//! What Vonage's webhooks say, read as leniently as they are written: numbers come as text, number or null, ids are
//! text, fields come and go, and what can't be read at all is kept as it came.
//!
//! Source: <https://developer.vonage.com/en/voice/voice-api/webhook-reference>

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::signature::Payload;
use crate::domain::{
    answering::{Caller, Question},
    event::{EventKind, NewEvent},
    ids::{ConversationId, LegId},
    store::ReplayKey,
};

/// The fields of a request, whether they came as JSON or as a query.
#[derive(Debug)]
struct Fields(Map<String, Value>);

impl Fields {
    fn read(payload: Payload<'_>) -> Option<Self> {
        match payload {
            Payload::Body(body) => serde_json::from_slice(body).ok().map(Self),
            Payload::Query(query) => {
                let pairs = form_urlencoded::parse(query.as_bytes());
                let map =
                    pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())));
                Some(Self(map.collect()))
            }
        }
    }

    fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    /// A text that is not empty.
    fn text(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    fn leg(&self) -> Option<LegId> {
        // `human` and `machine` events write `call_uuid` in place of `uuid`.
        self.text("uuid")
            .or_else(|| self.text("call_uuid"))
            .and_then(LegId::parse)
    }

    fn conversation(&self) -> Option<ConversationId> {
        self.text("conversation_uuid")
            .and_then(ConversationId::parse)
    }

    /// A quantity above zero, written as a number or as text.
    fn is_positive(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Number(number)) => number.as_f64().is_some_and(|n| n > 0.0),
            Some(Value::String(text)) => text.trim().parse::<f64>().is_ok_and(|n| n > 0.0),
            _ => false,
        }
    }

    /// The ticket in the call data, which is an object, or JSON text of one.
    fn ticket(&self) -> Option<String> {
        let data = self.0.get("custom_data")?;
        let parsed = match data {
            Value::String(text) => serde_json::from_str::<Value>(text).ok(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        };
        let data = parsed.as_ref().unwrap_or(data);
        data.get("ticket")
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

/// Reads an answer request. One that can't be read is a question without a leg, which is refused.
pub fn question(payload: Payload<'_>, replay: Option<ReplayKey>) -> Question {
    let Some(fields) = Fields::read(payload) else {
        return Question {
            caller: Caller::Unclear,
            leg: None,
            conversation: None,
            region_url: None,
            ticket: None,
            replay,
        };
    };
    let caller = match (fields.text("from_user"), fields.text("from")) {
        (Some(user), None) => Caller::User(user.to_owned()),
        (None, Some(_)) => Caller::Telephone,
        (Some(_), Some(_)) | (None, None) => Caller::Unclear,
    };
    Question {
        caller,
        leg: fields.leg(),
        conversation: fields.conversation(),
        region_url: fields.text("region_url").map(str::to_owned),
        ticket: fields.ticket(),
        replay,
    }
}

/// Reads an event. Nothing is refused: what can't be understood is [`EventKind::Unreadable`].
pub fn event(
    payload: Payload<'_>,
    replay: Option<ReplayKey>,
    received_at: DateTime<Utc>,
) -> NewEvent {
    let raw = match payload {
        Payload::Body(body) => body.to_vec(),
        Payload::Query(query) => query.as_bytes().to_vec(),
    };
    let mut event = NewEvent {
        digest: payload.digest(),
        replay,
        kind: EventKind::Unreadable,
        leg: None,
        conversation: None,
        status: None,
        timestamp: None,
        was_answered: false,
        raw,
        received_at,
    };
    let Some(mut fields) = Fields::read(payload) else {
        return event;
    };
    event.kind = kind(&fields);
    event.leg = fields.leg();
    event.conversation = fields.conversation();
    event.status = fields
        .text("status")
        .map(|status| status.chars().take(64).collect());
    event.timestamp = fields
        .text("timestamp")
        .map(|time| time.chars().take(64).collect());
    event.was_answered = if fields.has("duration") {
        fields.is_positive("duration")
    } else {
        fields.has("start_time")
    };
    if blot_digits(&mut fields) {
        event.raw = Value::Object(fields.0).to_string().into_bytes();
        event.digest = Payload::Body(&event.raw).digest();
    }
    event
}

/// An answer request as it is kept. Its signature is the redemption's to remember.
pub fn asked(payload: Payload<'_>, received_at: DateTime<Utc>) -> NewEvent {
    NewEvent {
        kind: EventKind::Answer,
        ..event(payload, None, received_at)
    }
}

fn kind(fields: &Fields) -> EventKind {
    let has = |key| fields.has(key);
    if has("recording_url")
        || has("recording_uuid")
        || has("dtmf")
        || has("speech")
        || has("payload")
    {
        EventKind::Other
    } else if has("type") && !has("uuid") {
        EventKind::Rtc
    } else if has("status") && fields.leg().is_some() {
        EventKind::Status
    } else if has("reason") {
        EventKind::Error
    } else {
        EventKind::Other
    }
}

/// Digits that a caller types can be a card number or a PIN: they are never kept, nor anything to guess them from.
/// They come in `input` events (`dtmf`) and in those of the Client SDK's keypad (`body.digit`).
fn blot_digits(fields: &mut Fields) -> bool {
    let mut blotted = false;
    let mut blot = |value: Option<&mut Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            *value = Value::String("[not kept]".to_owned());
            blotted = true;
        }
    };
    match fields.0.get_mut("dtmf") {
        Some(Value::Object(dtmf)) => blot(dtmf.get_mut("digits")),
        other => blot(other),
    }
    if fields
        .text("type")
        .is_some_and(|kind| kind.starts_with("audio:dtmf"))
        && let Some(Value::Object(body)) = fields.0.get_mut("body")
    {
        for key in ["digit", "digits"] {
            blot(body.get_mut(key));
        }
    }
    blotted
}
