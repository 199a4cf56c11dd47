//! The visitor's side of a call: asking for one, watching it, hanging up.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    call::Call,
    call_state::{self, CallState},
    ids::CallId,
    line::Line,
    store::{Store, StoreError},
    ticket::TicketSeal,
    visitor::Visitor,
};

/// A tab that goes away has this long to come back before its call is hung up.
pub const LEAVING_GRACE: TimeDelta = TimeDelta::seconds(15);

/// A call that may be made now.
#[derive(Debug)]
pub struct Permission {
    /// The call.
    pub call: Call,
    /// Its ticket.
    pub ticket: String,
}

/// What a visitor asks for.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Who.
    pub visitor: &'a Visitor,
    /// The language that they want to hear.
    pub language: &'a str,
    /// What their page wants the desk to know, as JSON text.
    pub context: Option<String>,
}

/// Writes down a call of this visitor and gives them the ticket for it.
///
/// Hours, limits, budget and pause will be asked here, before anything is written: this is the only
/// way to a ticket.
///
/// # Errors
/// When the store fails.
pub async fn permit(
    store: &dyn Store,
    seal: &TicketSeal,
    line: &Line,
    wish: Wish<'_>,
    ticket_ttl: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Permission, StoreError> {
    let language = &line.words_in(wish.language).language;
    let call = Call {
        id: CallId::random(),
        visitor: Some(wish.visitor.id),
        user: Some(wish.visitor.user.name.clone()),
        line: line.id.clone(),
        language: language.clone(),
        context: wish.context,
        created_at: now,
        ticket_expires_at: now + ticket_ttl,
        redeemed_at: None,
        leg: None,
        conversation: None,
        region_url: None,
        voided_at: None,
        hangup_due_at: None,
        hung_up_at: None,
        closed: None,
    };
    store.insert_call(&call).await?;
    let ticket = seal.seal(call.id, &wish.visitor.user.name);
    Ok(Permission { call, ticket })
}

/// The state of a call now.
///
/// # Errors
/// When the store fails.
pub async fn state(
    store: &dyn Store,
    call: &Call,
    now: DateTime<Utc>,
) -> Result<CallState, StoreError> {
    let events = store.list_call_events(call).await?;
    Ok(call_state::state_of(call, &events, now))
}

/// Hangs up: at once, or after [`LEAVING_GRACE`] when the page is only going away.
///
/// Good before Vonage has asked: the ticket is void then, and a leg that appears all the same is hung up.
///
/// # Errors
/// When the store fails.
pub async fn hang_up(
    store: &dyn Store,
    call: CallId,
    leaving: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let due = if leaving { now + LEAVING_GRACE } else { now };
    store.request_hangup(call, due, !leaving, now).await?;
    Ok(())
}
