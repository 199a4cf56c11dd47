//! What an answered call does: Vonage asks, and this decides whether and to whom the caller is put through.
//!
//! Everything in the request but Vonage's own ids was written by somebody's browser. Nothing of it
//! gets into the plan: the telephone comes from the [`Line`], the words too.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    call::Call,
    ids::{CallId, ConversationId, LegId},
    line::Line,
    store::{Redeemed, Redemption, ReplayKey, Store, StoreError},
    ticket::TicketSeal,
};

/// Time for everything outside this process. Vonage waits 5 s at most (1.5 s where `setup` made the
/// application), and a caller in silence waits with it.
const STORE_DEADLINE: Duration = Duration::from_millis(1_200);

/// Who Vonage says is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A Client SDK user, by name.
    User(String),
    /// A telephone.
    Telephone,
    /// Both at once or neither: not a request that Vonage makes.
    Unclear,
}

/// An answer request, read.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who calls.
    pub caller: Caller,
    /// Their leg.
    pub leg: Option<LegId>,
    /// The conversation of the call.
    pub conversation: Option<ConversationId>,
    /// Where the call can be controlled.
    pub region_url: Option<String>,
    /// The ticket, when one was presented.
    pub ticket: Option<String>,
    /// The signed request; `None` only when signatures are off.
    pub replay: Option<ReplayKey>,
}

/// What the caller is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Put through.
    Connect(Box<Call>),
    /// Not put through, and why. The caller hears a polite sentence without any number in it.
    Refuse(Refusal),
    /// Something here is broken: the caller hears an apology.
    Apologise,
}

/// Why a caller is not put through. [`as_str`](Self::as_str) is what the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The request was not signed by Vonage with our secret.
    Signature,
    /// Its signature was used for another request.
    Replayed,
    /// It names no leg, or no caller, or two.
    Unclear,
    /// Tickets are required and there was none.
    NoTicket,
    /// Not a ticket of ours, or one of another user.
    WrongTicket,
    /// The ticket's time was over.
    Expired,
    /// Another leg came first with this ticket.
    Used,
    /// The visitor had hung up.
    HungUp(CallId),
    /// Calls without tickets are for users we know.
    UnknownUser,
    /// People who telephone the number are not put through.
    Telephone,
    /// The call is for a line that is no more.
    UnknownLine,
}

impl Refusal {
    /// What [`as_str`](Self::as_str) can be.
    pub const WORDS: [&'static str; 11] = [
        "signature",
        "replayed",
        "unclear-caller",
        "no-ticket",
        "wrong-ticket",
        "ticket-expired",
        "ticket-used",
        "hung-up",
        "unknown-user",
        "telephone-caller",
        "unknown-line",
    ];

    /// A word for log and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Replayed => "replayed",
            Self::Unclear => "unclear-caller",
            Self::NoTicket => "no-ticket",
            Self::WrongTicket => "wrong-ticket",
            Self::Expired => "ticket-expired",
            Self::Used => "ticket-used",
            Self::HungUp(_) => "hung-up",
            Self::UnknownUser => "unknown-user",
            Self::Telephone => "telephone-caller",
            Self::UnknownLine => "unknown-line",
        }
    }
}

/// Decides.
#[derive(Debug)]
pub struct Answering {
    /// The line that is called.
    pub line: Arc<Line>,
    /// Reads tickets.
    pub seal: TicketSeal,
    /// Whether a caller without a ticket is refused.
    pub tickets_required: bool,
    /// Whether people who telephone the number are put through.
    pub telephone_callers: bool,
}

impl Answering {
    /// The plan for this caller. Never fails and never takes longer than [`STORE_DEADLINE`]: whatever breaks,
    /// the caller hears a sentence and the log says why.
    pub async fn plan(
        &self,
        store: &dyn Store,
        question: &Question,
        knows_user: impl FnOnce(&str) -> bool,
        now: DateTime<Utc>,
    ) -> Plan {
        match tokio::time::timeout(
            STORE_DEADLINE,
            self.decide(store, question, knows_user, now),
        )
        .await
        {
            Ok(Ok(plan)) => plan,
            Ok(Err(error)) => {
                tracing::error!(%error, "a caller was turned away because the store failed");
                Plan::Apologise
            }
            Err(_elapsed) => {
                tracing::error!("a caller was turned away because the store took too long");
                Plan::Apologise
            }
        }
    }

    async fn decide(
        &self,
        store: &dyn Store,
        question: &Question,
        knows_user: impl FnOnce(&str) -> bool,
        now: DateTime<Utc>,
    ) -> Result<Plan, StoreError> {
        let Some(leg) = &question.leg else {
            return Ok(Plan::Refuse(Refusal::Unclear));
        };
        match (&question.caller, &question.ticket) {
            (Caller::Unclear, _) => Ok(Plan::Refuse(Refusal::Unclear)),
            (Caller::Telephone, _) if !self.telephone_callers => {
                Ok(Plan::Refuse(Refusal::Telephone))
            }
            (Caller::Telephone, _) => self.open(store, question, leg, None, now).await,
            (Caller::User(user), Some(ticket)) => {
                self.redeem(store, question, leg, user, ticket, now).await
            }
            (Caller::User(_), None) if self.tickets_required => Ok(Plan::Refuse(Refusal::NoTicket)),
            (Caller::User(user), None) if !knows_user(user) => {
                Ok(Plan::Refuse(Refusal::UnknownUser))
            }
            (Caller::User(user), None) => {
                self.open(store, question, leg, Some(user.clone()), now)
                    .await
            }
        }
    }

    async fn redeem(
        &self,
        store: &dyn Store,
        question: &Question,
        leg: &LegId,
        user: &str,
        ticket: &str,
        now: DateTime<Utc>,
    ) -> Result<Plan, StoreError> {
        let wrong = Ok(Plan::Refuse(Refusal::WrongTicket));
        // The seal names call and user, so a genuine ticket of another user fails here too.
        let Some(call) = TicketSeal::claimed_call(ticket) else {
            return wrong;
        };
        if !self.seal.is_genuine(ticket, call, user) {
            return wrong;
        }
        let redemption = Redemption {
            call,
            leg: leg.clone(),
            conversation: question.conversation.clone(),
            region_url: question.region_url.clone(),
            at: now,
            replay: question.replay.clone(),
        };
        Ok(match store.redeem_ticket(&redemption).await? {
            Redeemed::Yes(call) if call.line == self.line.id => Plan::Connect(Box::new(call)),
            Redeemed::Yes(_) => Plan::Refuse(Refusal::UnknownLine),
            Redeemed::ByAnotherLeg => Plan::Refuse(Refusal::Used),
            Redeemed::HungUp(call) => Plan::Refuse(Refusal::HungUp(call.id)),
            Redeemed::Expired => Plan::Refuse(Refusal::Expired),
            Redeemed::Unknown => Plan::Refuse(Refusal::WrongTicket),
            Redeemed::Replayed => Plan::Refuse(Refusal::Replayed),
        })
    }

    async fn open(
        &self,
        store: &dyn Store,
        question: &Question,
        leg: &LegId,
        user: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Plan, StoreError> {
        let call = Call {
            id: CallId::random(),
            visitor: None,
            user,
            line: self.line.id.clone(),
            language: self.line.words.language.clone(),
            context: None,
            created_at: now,
            ticket_expires_at: now,
            redeemed_at: Some(now),
            leg: Some(leg.clone()),
            conversation: question.conversation.clone(),
            region_url: question.region_url.clone(),
            voided_at: None,
            hangup_due_at: None,
            hung_up_at: None,
            closed: None,
        };
        Ok(
            match store.open_call(&call, question.replay.as_ref()).await? {
                Some(call) => Plan::Connect(Box::new(call)),
                None => Plan::Refuse(Refusal::Replayed),
            },
        )
    }
}
