//! Events: a batch of them in one statement, and the events of a call.

use std::{borrow::Cow, collections::HashSet};

use async_trait::async_trait;
use sqlx::{PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use super::{
    columns::{Columns, millis, text},
    database::Operation,
    fault::Fault,
};
use crate::domain::{
    call::Call,
    event::{EventKind, NewEvent, StoredEvent},
    ids::{CallId, ConversationId, LegId},
    store::Appended,
};

/// One statement is one transaction and one round trip: tokens are noted, events whose token is new (or who have none)
/// are kept, and the calls that they belong to are told to all servers with the commit.
///
/// Both identities of an event are unique: its digest, and leg with status and timestamp. The leg's own call comes first.
/// Without one it is the conversation's, the latest if it ever had two.
const APPEND: &str = "
    WITH batch AS (
        SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
                             $8::bytea[], $9::int8[], $10::int8[], $11::text[], $12::bytea[]) WITH ORDINALITY
            AS batch (digest, kind, leg, conversation, status, timestamp, was_answered,
                      raw, received_at, issued_at, jti, jti_digest, place)
    ), noted AS (
        INSERT INTO webhook_ids (issued_at, jti, digest)
        SELECT issued_at, jti, jti_digest FROM batch WHERE jti IS NOT NULL ORDER BY issued_at, jti
        ON CONFLICT DO NOTHING
        RETURNING jti
    ), kept AS (
        INSERT INTO events (digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at)
        SELECT digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at
        FROM batch WHERE jti IS NULL OR jti IN (SELECT jti FROM noted) ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING digest
    ), outcome AS (
        SELECT batch.place,
               batch.jti IS NULL OR batch.jti IN (SELECT jti FROM noted) AS is_fresh,
               batch.digest IN (SELECT digest FROM kept) AS is_kept,
               call.id AS call
        FROM batch LEFT JOIN LATERAL (
            SELECT id FROM calls
            WHERE calls.leg = batch.leg OR calls.conversation = batch.conversation
            ORDER BY coalesce(calls.leg = batch.leg, false) DESC, created_at DESC
            LIMIT 1) AS call ON true
    )
    SELECT is_fresh, is_kept, call,
           CASE WHEN is_kept AND call IS NOT NULL THEN pg_notify('click_to_call_changes', call::text)::text END
    FROM outcome ORDER BY place";

/// What tokens that were there before stood for, `NULL` for one that has been swept since.
const COMPARE: &str = "
    SELECT webhook_ids.digest = asked.digest AS same
    FROM unnest($1::int8[], $2::text[], $3::bytea[]) WITH ORDINALITY AS asked (issued_at, jti, digest, place)
    LEFT JOIN webhook_ids USING (issued_at, jti)
    ORDER BY place";

/// Tells the streams of calls that were not known yet when their events were kept: a ticket that was redeemed meanwhile
/// told them before the events could be seen.
const TELL_CALLS: &str = "
    SELECT pg_notify('click_to_call_changes', call::text)::text FROM (
        SELECT DISTINCT call.id AS call
        FROM unnest($1::text[], $2::text[]) AS asked (leg, conversation)
        CROSS JOIN LATERAL (
            SELECT id FROM calls
            WHERE calls.leg = asked.leg OR calls.conversation = asked.conversation
            ORDER BY coalesce(calls.leg = asked.leg, false) DESC, created_at DESC
            LIMIT 1) AS call) AS told";

const LIST: &str = "
    SELECT kind, leg, status, was_answered FROM events
    WHERE leg = $1 OR conversation = $2
    ORDER BY id";

/// Keeps events of which no two are the same by any identity or have the same token.
pub(super) async fn append(
    connection: &mut PgConnection,
    events: &[&NewEvent],
) -> Result<Vec<Appended>, Fault> {
    let rows = query(APPEND)
        .bind(column(events, |event| event.digest.as_slice()))
        .bind(column(events, |event| event.kind.as_str()))
        .bind(column(events, leg))
        .bind(column(events, conversation))
        .bind(column(events, |event| event.status.as_deref().map(text)))
        .bind(column(events, |event| event.timestamp.as_deref().map(text)))
        .bind(column(events, |event| event.was_answered))
        .bind(column(events, |event| event.raw.as_slice()))
        .bind(column(events, |event| millis(event.received_at)))
        .bind(column(events, issued_at))
        .bind(column(events, jti))
        .bind(column(events, jti_digest))
        .fetch_all(&mut *connection)
        .await?;
    let mut appended = Vec::with_capacity(events.len());
    let mut used = Vec::new();
    for (place, (row, event)) in rows.iter().zip(events).enumerate() {
        let call = row.try_get::<Option<Uuid>, _>("call")?.map(CallId);
        if !row.try_get("is_fresh")? {
            used.push((place, *event));
        } else if row.try_get("is_kept")? {
            appended.push(Appended::New(call));
            continue;
        }
        appended.push(Appended::Repeat);
    }
    if !used.is_empty() {
        refuse_forged(connection, &used, &mut appended).await?;
    }
    Ok(appended)
}

/// Tells the retries of used tokens from other requests under them.
async fn refuse_forged(
    connection: &mut PgConnection,
    used: &[(usize, &NewEvent)],
    appended: &mut [Appended],
) -> Result<(), Fault> {
    let events: Vec<&NewEvent> = used.iter().map(|(_, event)| *event).collect();
    let rows = query(COMPARE)
        .bind(column(&events, issued_at))
        .bind(column(&events, jti))
        .bind(column(&events, jti_digest))
        .fetch_all(connection)
        .await?;
    for (row, (place, _)) in rows.iter().zip(used) {
        let is_same = row.try_get::<Option<bool>, _>("same")? == Some(true);
        if let (false, Some(outcome)) = (is_same, appended.get_mut(*place)) {
            *outcome = Appended::Replayed;
        }
    }
    Ok(())
}

/// Whose event was kept before its call was known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Unassigned {
    leg: Option<String>,
    conversation: Option<String>,
}

impl Unassigned {
    /// `None` for an event that is nobody's.
    pub(super) fn of(event: &NewEvent) -> Option<Self> {
        let (leg, conversation) = (leg(event), conversation(event));
        (leg.is_some() || conversation.is_some()).then(|| Self {
            leg: leg.map(str::to_owned),
            conversation: conversation.map(str::to_owned),
        })
    }
}

/// Looks for their calls again, and tells all servers of those that there are now.
pub(super) async fn tell_calls(
    connection: &mut PgConnection,
    unassigned: &HashSet<Unassigned>,
) -> Result<(), Fault> {
    let legs: Vec<_> = unassigned.iter().map(|one| one.leg.as_deref()).collect();
    let conversations: Vec<_> = unassigned
        .iter()
        .map(|one| one.conversation.as_deref())
        .collect();
    query(TELL_CALLS)
        .bind(legs)
        .bind(conversations)
        .execute(connection)
        .await?;
    Ok(())
}

fn column<'a, T>(events: &[&'a NewEvent], value: impl Fn(&'a NewEvent) -> T) -> Vec<T> {
    events.iter().map(|event| value(event)).collect()
}

fn leg(event: &NewEvent) -> Option<&str> {
    event.leg.as_ref().map(LegId::as_str)
}

fn conversation(event: &NewEvent) -> Option<&str> {
    event.conversation.as_ref().map(ConversationId::as_str)
}

fn issued_at(event: &NewEvent) -> Option<i64> {
    event.replay.as_ref().map(|key| millis(key.issued_at))
}

fn jti(event: &NewEvent) -> Option<Cow<'_, str>> {
    event.replay.as_ref().map(|key| text(&key.jti))
}

fn jti_digest(event: &NewEvent) -> Option<&[u8]> {
    event.replay.as_ref().map(|key| key.digest.as_slice())
}

pub(super) struct ListCallEvents(pub(super) Call);

#[async_trait]
impl Operation for ListCallEvents {
    type Output = Vec<StoredEvent>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<StoredEvent>, Fault> {
        let Call {
            leg, conversation, ..
        } = &self.0;
        let rows = query(LIST)
            .bind(leg.as_ref().map(LegId::as_str))
            .bind(conversation.as_ref().map(ConversationId::as_str))
            .fetch_all(connection)
            .await?;
        rows.iter().map(event).collect()
    }
}

fn event(row: &PgRow) -> Result<StoredEvent, Fault> {
    Ok(StoredEvent {
        kind: EventKind::parse(row.try_get("kind")?),
        leg: row.parsed_if_any("leg", LegId::parse)?,
        status: row.try_get("status")?,
        was_answered: row.try_get("was_answered")?,
    })
}
