//! Call control objects, read strictly: what Vonage might forgive is refused here.
//!
//! Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference>

mod connect;
mod rules;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::simulator::config::HttpMethod;

pub(in crate::simulator) use self::{
    connect::{Connect, DetectionMode, Endpoint, EventType, MachineBehaviour, OnAnswer},
    rules::is_number,
};

/// One step of a call.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(in crate::simulator) enum Action {
    Talk(Talk),
    Connect(Box<Connect>),
    Record(Record),
    Stream(Stream),
    Input(Input),
    Conversation(Conversation),
    Notify(Notify),
    Wait(Wait),
    Transfer(Transfer),
}

/// Says a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Talk {
    pub(in crate::simulator) text: String,
    #[serde(default)]
    pub(in crate::simulator) language: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    style: Option<u64>,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "accepted and checked for its type, of no effect here"
    )]
    premium: bool,
    #[serde(default, rename = "loop", deserialize_with = "whole")]
    pub(in crate::simulator) repeat: Option<u64>,
    #[serde(default)]
    level: Option<f64>,
    #[serde(default)]
    pub(in crate::simulator) barge_in: bool,
}

/// Records the conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Record {
    #[serde(default)]
    pub(in crate::simulator) format: Option<String>,
    #[serde(default)]
    split: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    channels: Option<u64>,
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) end_on_silence: Option<u64>,
    #[serde(default)]
    pub(in crate::simulator) end_on_key: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) time_out: Option<u64>,
    #[serde(default)]
    pub(in crate::simulator) beep_start: bool,
    #[serde(default)]
    pub(in crate::simulator) event_url: Vec<String>,
    #[serde(default)]
    pub(in crate::simulator) event_method: Option<HttpMethod>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted; nothing is transcribed here")]
    transcription: Option<Value>,
}

/// Plays a sound file; here always the simulator's own music.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Stream {
    #[serde(rename = "streamUrl")]
    pub(in crate::simulator) source: Vec<String>,
    #[serde(default)]
    level: Option<f64>,
    #[serde(default)]
    pub(in crate::simulator) barge_in: bool,
    #[serde(default, rename = "loop", deserialize_with = "whole")]
    pub(in crate::simulator) repeat: Option<u64>,
}

/// Waits for keys or speech.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Input {
    #[serde(rename = "type")]
    pub(in crate::simulator) kinds: Vec<InputKind>,
    #[serde(default)]
    pub(in crate::simulator) mode: Option<String>,
    #[serde(default)]
    pub(in crate::simulator) dtmf: Option<Dtmf>,
    #[serde(default)]
    pub(in crate::simulator) speech: Option<Speech>,
    #[serde(default)]
    pub(in crate::simulator) event_url: Vec<String>,
    #[serde(default)]
    pub(in crate::simulator) event_method: Option<HttpMethod>,
}

/// What an `input` listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum InputKind {
    Dtmf,
    Speech,
}

/// How keys are collected.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Dtmf {
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) time_out: Option<u64>,
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) max_digits: Option<u64>,
    #[serde(default)]
    pub(in crate::simulator) submit_on_hash: bool,
}

/// How speech is collected. Nothing is recognised here: it always times out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Speech {
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) start_timeout: Option<u64>,
    #[serde(flatten)]
    #[expect(dead_code, reason = "accepted; nothing is recognised here")]
    other: serde_json::Map<String, Value>,
}

/// Joins a named conversation.
#[expect(clippy::struct_excessive_bools, reason = "the fields of the reference")]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Conversation {
    pub(in crate::simulator) name: String,
    #[serde(default)]
    pub(in crate::simulator) music_on_hold_url: Option<Value>,
    #[serde(default = "yes")]
    pub(in crate::simulator) start_on_enter: bool,
    #[serde(default)]
    pub(in crate::simulator) end_on_exit: bool,
    #[serde(default)]
    pub(in crate::simulator) record: bool,
    #[serde(default)]
    can_speak: Option<Vec<String>>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted; everybody hears everybody here")]
    can_hear: Option<Vec<String>>,
    #[serde(default)]
    pub(in crate::simulator) mute: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted; nothing is transcribed here")]
    transcription: Option<Value>,
    #[serde(default)]
    pub(in crate::simulator) event_url: Vec<String>,
    #[serde(default)]
    pub(in crate::simulator) event_method: Option<HttpMethod>,
}

/// Tells the application something.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Notify {
    pub(in crate::simulator) payload: Value,
    pub(in crate::simulator) event_url: Vec<String>,
    #[serde(default)]
    pub(in crate::simulator) event_method: Option<HttpMethod>,
}

/// Does nothing for a while.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct Wait {
    /// Seconds.
    #[serde(default)]
    pub(in crate::simulator) timeout: Option<f64>,
}

/// Moves the leg into an existing conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Transfer {
    pub(in crate::simulator) conversation_id: String,
    #[serde(default)]
    pub(in crate::simulator) mute: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted; everybody speaks to everybody here")]
    can_speak: Option<Vec<String>>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted; everybody hears everybody here")]
    can_hear: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// Vonage's own SDKs send whole numbers as numbers and as text.
fn whole<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Option::<Either>::deserialize(source)? {
        None => Ok(None),
        Some(Either::Number(number)) => Ok(Some(number)),
        Some(Either::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// What is wrong with an NCCO: which action, which rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("action {place}: {rule}")]
pub(in crate::simulator) struct NccoFault {
    /// Counted from 1; 0 is the list itself.
    place: usize,
    rule: String,
}

/// Reads an NCCO.
///
/// # Errors
///
/// The first action that Vonage's reference doesn't allow, and why.
pub(in crate::simulator) fn read(ncco: &Value) -> Result<Vec<Action>, NccoFault> {
    let Some(list) = ncco.as_array() else {
        return Err(NccoFault {
            place: 0,
            rule: "an NCCO is a JSON array".to_owned(),
        });
    };
    list.iter()
        .enumerate()
        .map(|(place, value)| {
            let fault = |rule: String| NccoFault {
                place: place + 1,
                rule,
            };
            let action: Action =
                serde_json::from_value(value.clone()).map_err(|error| fault(error.to_string()))?;
            match action.broken_rule() {
                Some(rule) => Err(fault(rule)),
                None => Ok(action),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(ncco: &Value) -> String {
        read(ncco).unwrap_err().to_string()
    }

    #[test]
    fn the_tutorials_ncco_is_read() {
        let ncco = json!([
            { "action": "talk", "text": "Thank you for calling Acme support." },
            { "action": "connect", "from": "442079460000",
              "endpoint": [{ "type": "phone", "number": "447700900000" }] },
        ]);
        assert_eq!(read(&ncco).unwrap().len(), 2);
    }

    #[test]
    fn every_field_of_connect_is_read() {
        let ncco = json!([{
            "action": "connect", "from": "447700900000", "eventType": "synchronous",
            "timeout": "60", "limit": "7200", "machineDetection": "continue",
            "eventUrl": ["https://example.com/webhooks/events"], "eventMethod": "POST",
            "ringbackTone": "http://example.com/ringbackTone.wav",
            "endpoint": [{
                "type": "phone", "number": "447700900001", "dtmfAnswer": "2p02p", "shaken": "s",
                "onAnswer": { "url": "https://example.com/answer", "ringbackTone": "http://example.com/r.wav" },
            }],
        }]);
        assert!(read(&ncco).is_ok());
    }

    #[test]
    fn faults_name_the_action_and_the_rule() {
        for (ncco, expected) in [
            (json!({}), "action 0: an NCCO is a JSON array"),
            (json!([{ "action": "sing" }]), "unknown variant `sing`"),
            (json!([{ "action": "talk" }]), "missing field `text`"),
            (
                json!([{ "action": "talk", "text": "hi", "volume": 1 }]),
                "unknown field `volume`",
            ),
            (
                json!([{ "action": "talk", "text": "x".repeat(1501) }]),
                "at most 1500",
            ),
            (
                json!([{ "action": "talk", "text": "hi", "level": 2 }]),
                "level is between",
            ),
            (
                json!([{ "action": "talk", "text": "hi" }, { "action": "connect", "endpoint": [] }]),
                "action 2: endpoint holds exactly one",
            ),
            (
                json!([{ "action": "connect", "endpoint": [{ "type": "phone", "number": "+447700900000" }] }]),
                "without +",
            ),
            (
                json!([{ "action": "connect", "timeout": 2, "endpoint": [{ "type": "app", "user": "a" }] }]),
                "timeout is between 3 and 7200",
            ),
            (
                json!([{ "action": "connect", "eventType": "synchronous", "endpoint": [{ "type": "app", "user": "a" }] }]),
                "eventUrl is an array with one URL",
            ),
            (
                json!([{ "action": "record", "eventUrl": "https://example.com" }]),
                "expected a sequence",
            ),
            (json!([{ "action": "input", "type": [] }]), "type holds"),
            (
                json!([{ "action": "notify", "payload": {}, "eventUrl": [] }]),
                "one URL",
            ),
        ] {
            let found = fault(&ncco);
            assert!(found.contains(expected), "{found} should say {expected}");
        }
    }

    #[test]
    fn ssml_tags_are_not_spoken() {
        let ncco =
            json!([{ "action": "talk", "text": "<speak>Hello <break time='1s'/>you</speak>" }]);
        let actions = read(&ncco).unwrap();
        assert!(matches!(actions.first(), Some(Action::Talk(talk)) if talk.words() == "Hello you"));
    }
}
