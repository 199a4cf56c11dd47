//! A call: one press of the button.

use chrono::{DateTime, Utc};

use super::ids::{CallId, ConversationId, LegId, VisitorId};

/// How the sweeper closed a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Its events told the whole story.
    Settled,
    /// Its last event never came: it was closed at its longest possible end.
    Lost,
}

impl Closing {
    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Lost => "lost",
        }
    }

    /// The closing of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "settled" => Some(Self::Settled),
            "lost" => Some(Self::Lost),
            _ => None,
        }
    }
}

/// What we know of a call by ourselves; what Vonage says of it are its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Our id.
    pub id: CallId,
    /// Who pressed. `None` for a telephone caller, a client without a session, or a visitor since forgotten.
    pub visitor: Option<VisitorId>,
    /// The Vonage user that may redeem the ticket; `None` for a telephone caller.
    pub user: Option<String>,
    /// The line that was called.
    pub line: String,
    /// The language that the caller hears: `en`, `ja`.
    pub language: String,
    /// What the visitor's page wants the desk to know: flat JSON text, 4 KiB at most, never acted upon.
    pub context: Option<String>,
    /// When the button was pressed.
    pub created_at: DateTime<Utc>,
    /// The ticket can be redeemed for the first time until then.
    pub ticket_expires_at: DateTime<Utc>,
    /// When Vonage asked what to do.
    pub redeemed_at: Option<DateTime<Utc>>,
    /// The caller's leg.
    pub leg: Option<LegId>,
    /// The conversation of all its legs.
    pub conversation: Option<ConversationId>,
    /// Where Vonage says the call can be controlled. Not to be trusted with a token unchecked.
    pub region_url: Option<String>,
    /// When the visitor hung up before the ticket was redeemed.
    pub voided_at: Option<DateTime<Utc>>,
    /// When it is to be hung up from here.
    pub hangup_due_at: Option<DateTime<Utc>>,
    /// When it was hung up from here.
    pub hung_up_at: Option<DateTime<Utc>>,
    /// When and how it was closed by the sweeper.
    pub closed: Option<(DateTime<Utc>, Closing)>,
}
