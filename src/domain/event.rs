//! One webhook about a call, as it is kept.

use chrono::{DateTime, Utc};

use super::{
    ids::{ConversationId, LegId},
    store::ReplayKey,
};

/// What kind of request it was. Kept as its [`as_str`](Self::as_str).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Vonage's question what to do with a call.
    Answer,
    /// The status of a leg.
    Status,
    /// An in-app event of the Client SDK (`type`, no `status`).
    Rtc,
    /// Vonage could not go on: a bad NCCO, too many calls a second.
    Error,
    /// Recording, transcription, input, transfer, notify, payment: kept, without effect on a call's state.
    Other,
    /// Signed, but not to be understood. Kept as it came.
    Unreadable,
}

impl EventKind {
    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Status => "status",
            Self::Rtc => "rtc",
            Self::Error => "error",
            Self::Other => "other",
            Self::Unreadable => "unreadable",
        }
    }

    /// The kind of this name; `Other` for a name that a newer version wrote.
    pub fn parse(text: &str) -> Self {
        match text {
            "answer" => Self::Answer,
            "status" => Self::Status,
            "rtc" => Self::Rtc,
            "error" => Self::Error,
            "unreadable" => Self::Unreadable,
            _ => Self::Other,
        }
    }
}

/// An event that is to be kept.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// SHA-256 of what is kept as `raw`: the same bytes are the same event.
    pub digest: [u8; 32],
    /// The signed request, when it was signed.
    pub replay: Option<ReplayKey>,
    /// What kind of request.
    pub kind: EventKind,
    /// `uuid`, or `call_uuid` where Vonage writes that.
    pub leg: Option<LegId>,
    /// `conversation_uuid`.
    pub conversation: Option<ConversationId>,
    /// `status` as received, known to us or not.
    pub status: Option<String>,
    /// `timestamp` as received; with `leg` and `status` the second identity of an event.
    pub timestamp: Option<String>,
    /// Whether the leg had been picked up, by the event's own word: a `duration` above zero or, without one, a `start_time`.
    pub was_answered: bool,
    /// The body or query, byte for byte (only digits that a caller typed are blotted out).
    pub raw: Vec<u8>,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// An event read back, as far as the state of a call needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// What kind of request.
    pub kind: EventKind,
    /// The leg it speaks of.
    pub leg: Option<LegId>,
    /// `status` as received.
    pub status: Option<String>,
    /// See [`NewEvent::was_answered`].
    pub was_answered: bool,
}
