//! Events.

use rusqlite::{Connection, Row, params};

use super::{
    columns::{Columns, millis},
    sql::{execute, find, list},
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

/// Both identities of an event are unique: its digest, and leg with status and timestamp.
const INSERT: &str = "
    INSERT INTO events (digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO NOTHING";

const FIND_CALL_BY_LEG: &str = "SELECT id FROM calls WHERE leg = ?1";

/// The latest, if a conversation ever had two.
const FIND_CALL_BY_CONVERSATION: &str =
    "SELECT id FROM calls WHERE conversation = ?1 ORDER BY created_at DESC LIMIT 1";

const LIST: &str = "
    SELECT kind, leg, status, was_answered FROM events
    WHERE leg = ?1 OR conversation = ?2
    ORDER BY id";

impl Write for NewEvent {
    type Output = Appended;

    fn apply(&self, connection: &Connection) -> Result<Appended, StoreError> {
        match webhook_ids::note(connection, self.replay.as_ref())? {
            Seen::WithOtherContent => return Ok(Appended::Replayed),
            Seen::WithSameContent => return Ok(Appended::Repeat),
            Seen::Never => {}
        }
        let inserted = execute(
            connection,
            INSERT,
            params![
                self.digest,
                self.kind.as_str(),
                self.leg.as_ref().map(LegId::as_str),
                self.conversation.as_ref().map(ConversationId::as_str),
                self.status,
                self.timestamp,
                self.was_answered,
                self.raw,
                millis(self.received_at),
            ],
        )?;
        if inserted == 0 {
            return Ok(Appended::Repeat);
        }
        find_call(connection, self).map(Appended::New)
    }
}

/// The leg's own call comes first; without one it is the conversation's.
fn find_call(connection: &Connection, event: &NewEvent) -> Result<Option<CallId>, StoreError> {
    let id = |row: &Row<'_>| Ok(CallId(row.uuid("id")?));
    if let Some(leg) = &event.leg
        && let Some(call) = find(connection, FIND_CALL_BY_LEG, [leg.as_str()], id)?
    {
        return Ok(Some(call));
    }
    match &event.conversation {
        Some(conversation) => find(
            connection,
            FIND_CALL_BY_CONVERSATION,
            [conversation.as_str()],
            id,
        ),
        None => Ok(None),
    }
}

/// All that belong to a call, in the order of their coming.
pub(super) fn list_of(
    connection: &Connection,
    call: &Call,
) -> Result<Vec<StoredEvent>, StoreError> {
    let leg = call.leg.as_ref().map(LegId::as_str);
    let conversation = call.conversation.as_ref().map(ConversationId::as_str);
    list(connection, LIST, params![leg, conversation], event)
}

fn event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let kind: String = row.get("kind")?;
    Ok(StoredEvent {
        kind: EventKind::parse(&kind),
        leg: row.parsed_if_any("leg", LegId::parse)?,
        status: row.get("status")?,
        was_answered: row.get("was_answered")?,
    })
}
