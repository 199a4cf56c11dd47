//! `connect` and those whom it reaches.

use serde::Deserialize;
use serde_json::Value;

use super::whole;
use crate::simulator::config::HttpMethod;

/// Calls somebody and joins the two.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct Connect {
    pub(in crate::simulator) endpoint: Vec<Endpoint>,
    #[serde(default)]
    pub(in crate::simulator) from: Option<String>,
    #[serde(default)]
    pub(in crate::simulator) random_from_number: bool,
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) timeout: Option<u64>,
    #[serde(default, deserialize_with = "whole")]
    pub(in crate::simulator) limit: Option<u64>,
    #[serde(default)]
    pub(in crate::simulator) event_type: Option<EventType>,
    #[serde(default)]
    pub(in crate::simulator) event_url: Vec<String>,
    #[serde(default)]
    pub(in crate::simulator) event_method: Option<HttpMethod>,
    #[serde(default)]
    pub(in crate::simulator) machine_detection: Option<MachineBehaviour>,
    #[serde(default)]
    pub(in crate::simulator) advanced_machine_detection: Option<AdvancedMachineDetection>,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "the caller hears the simulator's own ringing tone"
    )]
    ringback_tone: Option<Value>,
}

/// The only value there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum EventType {
    Synchronous,
}

/// What follows when a machine picks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum MachineBehaviour {
    Continue,
    Hangup,
}

/// Machine detection with its modes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) struct AdvancedMachineDetection {
    #[serde(default)]
    pub(in crate::simulator) behavior: Option<MachineBehaviour>,
    #[serde(default)]
    pub(in crate::simulator) mode: Option<DetectionMode>,
    #[serde(default, deserialize_with = "whole")]
    pub(super) beep_timeout: Option<u64>,
}

/// How far detection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::simulator) enum DetectionMode {
    Default,
    Detect,
    DetectBeep,
}

/// Whom a `connect` calls.
#[derive(Debug, Clone, Deserialize)]
#[expect(
    dead_code,
    reason = "fields without effect here are accepted and checked for their type"
)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
#[serde(deny_unknown_fields)]
pub(in crate::simulator) enum Endpoint {
    Phone {
        number: String,
        #[serde(default)]
        dtmf_answer: Option<String>,
        #[serde(default)]
        on_answer: Option<OnAnswer>,
        #[serde(default)]
        shaken: Option<String>,
    },
    App {
        user: String,
    },
    Sip {
        #[serde(default)]
        uri: Option<String>,
        #[serde(default)]
        user: Option<String>,
        #[serde(default)]
        domain: Option<String>,
        #[serde(default)]
        headers: Option<Value>,
        #[serde(default)]
        standard_headers: Option<Value>,
    },
    Websocket {
        uri: String,
        #[serde(rename = "content-type")]
        content_type: String,
        #[serde(default)]
        headers: Option<Value>,
        #[serde(default)]
        authorization: Option<Value>,
    },
    Vbc {
        extension: String,
    },
}

/// An NCCO for the one who picks up, before the two are joined.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::simulator) struct OnAnswer {
    pub(in crate::simulator) url: String,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "the caller hears the simulator's own ringing tone"
    )]
    ringback_tone: Option<Value>,
}
