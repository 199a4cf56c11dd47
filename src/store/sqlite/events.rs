//! Events.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection, SqlitePool, query, sqlite::SqliteRow};

use super::{
    columns::{Columns, millis},
    webhook_ids::{self, Seen},
    writer::Write,
};
use crate::domain::{
    call::Call,
    event::{EventKind, NewEvent, StoredEvent},
    ids::{CallId, ConversationId, LegId},
    store::{Appended, StoreError},
};

/// Both identities of an event are unique: its digest, and leg with status and timestamp.
const INSERT: &str = "
    INSERT INTO events (digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO NOTHING";

/// The leg's own call comes first. Without one it is the conversation's, the latest if it ever had two.
const FIND_CALL: &str = "
    SELECT id FROM calls
    WHERE leg = ?1 OR conversation = ?2
    ORDER BY leg = ?1 DESC, created_at DESC
    LIMIT 1";

const LIST: &str = "
    SELECT kind, leg, status, was_answered FROM events
    WHERE leg = ?1 OR conversation = ?2
    ORDER BY id";

#[async_trait]
impl Write for NewEvent {
    type Output = Appended;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Appended, StoreError> {
        match webhook_ids::note(connection, self.replay.as_ref(), self.received_at).await? {
            Seen::Never => {}
            Seen::WithSameContent => return Ok(Appended::Repeat),
            Seen::WithOtherContent => return Ok(Appended::Replayed),
        }
        let leg = self.leg.as_ref().map(LegId::as_str);
        let conversation = self.conversation.as_ref().map(ConversationId::as_str);
        let inserted = query(INSERT)
            .bind(self.digest.as_slice())
            .bind(self.kind.as_str())
            .bind(leg)
            .bind(conversation)
            .bind(&self.status)
            .bind(&self.timestamp)
            .bind(self.was_answered)
            .bind(self.raw.as_slice())
            .bind(millis(self.received_at))
            .execute(&mut *connection)
            .await?;
        if inserted.rows_affected() == 0 {
            return Ok(Appended::Repeat);
        }
        let call = query(FIND_CALL)
            .bind(leg)
            .bind(conversation)
            .fetch_optional(connection)
            .await?;
        let call = call.map(|row| row.uuid("id").map(CallId)).transpose()?;
        Ok(Appended::New(call))
    }
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
