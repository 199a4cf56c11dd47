//! Records to keep: complete ones, each different, with times counted from one fixed moment.

use chrono::{DateTime, TimeDelta, Utc};
use click_to_call::domain::{
    call::Call,
    event::{EventKind, NewEvent},
    ids::{CallId, ConversationId, LegId, VisitorId},
    store::{Redemption, ReplayKey},
    visitor::{SessionToken, Visitor, VonageUser},
};
use uuid::Uuid;

/// Where users live.
pub(crate) const HOME: &str = "application eu";

/// So many seconds after the moment in which every record is made.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_600_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// 32 bytes that never come again.
pub(crate) fn random_digest() -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    digest[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    digest
}

pub(crate) fn leg() -> LegId {
    LegId::parse(&Uuid::new_v4().simple().to_string()).unwrap()
}

pub(crate) fn conversation() -> ConversationId {
    ConversationId::parse(&format!("CON-{}", Uuid::new_v4())).unwrap()
}

pub(crate) fn replay_key() -> ReplayKey {
    ReplayKey {
        jti: Uuid::new_v4().to_string(),
        issued_at: at(9),
        digest: random_digest(),
    }
}

/// The same token on another request: a forgery.
pub(crate) fn forged(key: &ReplayKey) -> ReplayKey {
    ReplayKey {
        digest: random_digest(),
        ..key.clone()
    }
}

pub(crate) fn user() -> VonageUser {
    VonageUser {
        name: format!("visitor-{}", Uuid::new_v4()),
        id: Some(format!("USR-{}", Uuid::new_v4())),
        expires_at: at(172_800),
        home: HOME.to_owned(),
    }
}

/// A visitor until `at(3_600)`.
pub(crate) fn visitor() -> Visitor {
    Visitor {
        id: VisitorId::random(),
        session: SessionToken::from_random(random_digest()).hash(),
        user: user(),
        owns_user: true,
        created_at: at(0),
        expires_at: at(3_600),
    }
}

/// A call whose ticket is good until `at(60)`.
pub(crate) fn call() -> Call {
    Call {
        id: CallId::random(),
        visitor: None,
        user: Some(user().name),
        line: "support".to_owned(),
        language: "en".to_owned(),
        context: Some(r#"{"page":"/pricing"}"#.to_owned()),
        created_at: at(0),
        ticket_expires_at: at(60),
        redeemed_at: None,
        leg: None,
        conversation: None,
        region_url: None,
        voided_at: None,
        hangup_due_at: None,
        hung_up_at: None,
        closed: None,
    }
}

/// A call by telephone: it comes with its leg.
pub(crate) fn telephone_call() -> Call {
    Call {
        user: None,
        redeemed_at: Some(at(0)),
        leg: Some(leg()),
        conversation: Some(conversation()),
        region_url: Some("https://api-us-3.vonage.com".to_owned()),
        ..call()
    }
}

/// A new leg that presents the ticket of `call` at `at(10)`.
pub(crate) fn redemption(call: &Call) -> Redemption {
    Redemption {
        call: call.id,
        leg: leg(),
        conversation: Some(conversation()),
        region_url: Some("https://api-us-3.vonage.com".to_owned()),
        at: at(10),
        replay: Some(replay_key()),
    }
}

/// A status of a leg and conversation that belong to nothing yet.
pub(crate) fn event() -> NewEvent {
    let digest = random_digest();
    NewEvent {
        digest,
        replay: Some(replay_key()),
        kind: EventKind::Status,
        leg: Some(leg()),
        conversation: Some(conversation()),
        status: Some("ringing".to_owned()),
        timestamp: Some("2026-01-05T08:00:10.123Z".to_owned()),
        was_answered: false,
        raw: br#"{"status":"ringing","headers":{}}"#.to_vec(),
        received_at: at(10),
    }
}

/// A status of this leg.
pub(crate) fn status_of(leg: &LegId, status: &str) -> NewEvent {
    NewEvent {
        leg: Some(leg.clone()),
        conversation: None,
        status: Some(status.to_owned()),
        ..event()
    }
}
