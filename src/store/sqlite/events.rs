//! Events.

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::{
    QueryBuilder, Row, SqliteConnection, SqlitePool, query,
    sqlite::{Sqlite, SqliteRow},
};

use super::{
    columns::{Columns, millis},
    webhook_ids,
    writer::Write,
};
use crate::{
    domain::{
        call::Call,
        event::{EventKind, NewEvent, StoredEvent},
        ids::{CallId, ConversationId, LegId},
        store::{Appended, StoreError},
    },
    store::Seen,
};

const LIST: &str = "
    SELECT kind, leg, status, was_answered FROM events
    WHERE leg = ?1 OR conversation = ?2
    ORDER BY id";

#[async_trait]
impl Write for NewEvent {
    type Output = Appended;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Appended, StoreError> {
        let appended = append(connection, &[self]).await?.pop();
        appended.ok_or_else(|| StoreError::Corrupt("an event was not appended".to_owned()))
    }
}

/// Appends events, with a statement for all of them together: each statement is a way to the thread of the connection
/// and back, which takes longer than its rows. The outcomes are those of one after the other, in this order.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    events: &[&NewEvent],
) -> Result<Vec<Appended>, StoreError> {
    let seen = webhook_ids::note_all(connection, events).await?;
    let unseen: Vec<&NewEvent> = events
        .iter()
        .zip(&seen)
        .filter_map(|(event, seen)| (*seen == Seen::Never).then_some(*event))
        .collect();
    let inserted = insert(connection, &unseen).await?;
    // Of two in one group that are the same event the first is the new one.
    let mut not_told = inserted.clone();
    let new: Vec<&NewEvent> = unseen
        .into_iter()
        .filter(|event| not_told.remove(&event.digest))
        .collect();
    let mut calls = find_calls(connection, &new).await?.into_iter();
    let mut not_told = inserted;
    let outcome = |(event, seen): (&&NewEvent, &Seen)| match seen {
        Seen::WithOtherContent => Appended::Replayed,
        Seen::Never if not_told.remove(&event.digest) => Appended::New(calls.next().flatten()),
        Seen::Never | Seen::WithSameContent => Appended::Repeat,
    };
    Ok(events.iter().zip(&seen).map(outcome).collect())
}

/// Puts in those that are not there yet and returns their digests. Both identities of an event are unique: its digest,
/// and leg with status and timestamp.
async fn insert(
    connection: &mut SqliteConnection,
    events: &[&NewEvent],
) -> Result<HashSet<[u8; 32]>, StoreError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO events (digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at) ",
    );
    insert.push_values(events, |mut row, event| {
        row.push_bind(event.digest.as_slice())
            .push_bind(event.kind.as_str())
            .push_bind(event.leg.as_ref().map(LegId::as_str))
            .push_bind(event.conversation.as_ref().map(ConversationId::as_str))
            .push_bind(&event.status)
            .push_bind(&event.timestamp)
            .push_bind(event.was_answered)
            .push_bind(event.raw.as_slice())
            .push_bind(millis(event.received_at));
    });
    insert.push(" ON CONFLICT DO NOTHING RETURNING digest");
    let rows = insert
        .build()
        .persistent(is_kept(events))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.bytes32("digest")).collect()
}

/// The call of each. The leg's own call comes first; without one it is the conversation's, the latest if it ever had two.
async fn find_calls(
    connection: &mut SqliteConnection,
    events: &[&NewEvent],
) -> Result<Vec<Option<CallId>>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut find = QueryBuilder::<Sqlite>::new("WITH wanted (place, leg, conversation) AS (");
    find.push_values((0_i64..).zip(events), |mut row, (place, event)| {
        row.push_bind(place)
            .push_bind(event.leg.as_ref().map(LegId::as_str))
            .push_bind(event.conversation.as_ref().map(ConversationId::as_str));
    });
    find.push(
        ") SELECT coalesce(
            (SELECT id FROM calls WHERE calls.leg = wanted.leg),
            (SELECT id FROM calls WHERE calls.conversation = wanted.conversation ORDER BY created_at DESC LIMIT 1)
        ) AS id FROM wanted ORDER BY place",
    );
    let rows = find
        .build()
        .persistent(is_kept(events))
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok(row.uuid_if_any("id")?.map(CallId)))
        .collect()
}

/// Whether the statement for so many is worth keeping: every other number of them has one of its own.
pub(super) fn is_kept(events: &[&NewEvent]) -> bool {
    events.len() == 1
}

pub(super) async fn list(pool: &SqlitePool, call: &Call) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = query(LIST)
        .bind(call.leg.as_ref().map(LegId::as_str))
        .bind(call.conversation.as_ref().map(ConversationId::as_str))
        .fetch_all(pool)
        .await?;
    rows.iter().map(event).collect()
}

fn event(row: &SqliteRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        kind: EventKind::parse(row.try_get("kind")?),
        leg: row.parsed_if_any("leg", LegId::parse)?,
        status: row.try_get("status")?,
        was_answered: row.try_get("was_answered")?,
    })
}
