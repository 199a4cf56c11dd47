//! Calls: keeping, finding and closing them. Tickets are in [`super::tickets`], hang-ups in [`super::hangups`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, SqliteExecutor, query, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    columns::{Columns, millis},
    webhook_ids,
    writer::Write,
};
use crate::{
    domain::{
        call::{Call, Closing},
        ids::{CallId, ConversationId, LegId, VisitorId},
        store::{ReplayKey, StoreError},
    },
    store::Seen,
};

/// A visitor who has just been forgotten must not fail the call: it is kept without them.
/// Keeping a call again changes nothing.
const INSERT: &str = "
    INSERT INTO calls
        (id, visitor_id, user_name, line, language, context, created_at, ticket_expires_at, redeemed_at, leg, conversation,
         region_url, voided_at, hangup_due_at, hung_up_at, closed_at, closing)
    VALUES (?1, (SELECT id FROM visitors WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "SELECT * FROM calls WHERE id = ?1";

const FIND_BY_LEG: &str = "SELECT * FROM calls WHERE leg = ?1";

const LIST_OPEN: &str = "
    SELECT * FROM calls
    WHERE redeemed_at < ?1 AND closed_at IS NULL AND (redeemed_at, id) > (?2, ?3)
    ORDER BY redeemed_at, id
    LIMIT ?4";

const CLOSE: &str =
    "UPDATE calls SET closed_at = ?2, closing = ?3 WHERE id = ?1 AND closed_at IS NULL";

pub(super) async fn find(
    executor: impl SqliteExecutor<'_>,
    id: CallId,
) -> Result<Option<Call>, StoreError> {
    let row = query(FIND)
        .bind(id.0.as_bytes().as_slice())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(call).transpose()
}

pub(super) async fn find_by_leg(
    executor: impl SqliteExecutor<'_>,
    leg: &LegId,
) -> Result<Option<Call>, StoreError> {
    let row = query(FIND_BY_LEG)
        .bind(leg.as_str())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(call).transpose()
}

pub(super) async fn list_open(
    executor: impl SqliteExecutor<'_>,
    before: DateTime<Utc>,
    after: Option<&Call>,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let (at, id) = position(after);
    let rows = query(LIST_OPEN)
        .bind(millis(before))
        .bind(at)
        .bind(id.as_bytes().as_slice())
        .bind(limit)
        .fetch_all(executor)
        .await?;
    rows.iter().map(call).collect()
}

/// Where a call stands among the open ones: when it was redeemed, and its id. Without one: before all of them.
fn position(call: Option<&Call>) -> (i64, Uuid) {
    call.map_or((i64::MIN, Uuid::nil()), |call| {
        (call.redeemed_at.map_or(i64::MIN, millis), call.id.0)
    })
}

pub(super) struct InsertCall(pub(super) Call);

#[async_trait]
impl Write for InsertCall {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Call {
            id,
            visitor,
            user,
            line,
            language,
            context,
            created_at,
            ticket_expires_at,
            redeemed_at,
            leg,
            conversation,
            region_url,
            voided_at,
            hangup_due_at,
            hung_up_at,
            closed,
        } = &self.0;
        query(INSERT)
            .bind(id.0.as_bytes().as_slice())
            .bind(
                visitor
                    .as_ref()
                    .map(|visitor| visitor.0.as_bytes().as_slice()),
            )
            .bind(user)
            .bind(line)
            .bind(language)
            .bind(context)
            .bind(millis(*created_at))
            .bind(millis(*ticket_expires_at))
            .bind(redeemed_at.map(millis))
            .bind(leg.as_ref().map(LegId::as_str))
            .bind(conversation.as_ref().map(ConversationId::as_str))
            .bind(region_url)
            .bind(voided_at.map(millis))
            .bind(hangup_due_at.map(millis))
            .bind(hung_up_at.map(millis))
            .bind(closed.map(|(at, _)| millis(at)))
            .bind(closed.map(|(_, closing)| closing.as_str()))
            .execute(connection)
            .await?;
        Ok(())
    }
}

pub(super) struct OpenCall {
    pub(super) call: Call,
    pub(super) replay: Option<ReplayKey>,
}

#[async_trait]
impl Write for OpenCall {
    type Output = Option<Call>;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Option<Call>, StoreError> {
        let seen =
            webhook_ids::note(connection, self.replay.as_ref(), self.call.created_at).await?;
        if seen == Seen::WithOtherContent {
            return Ok(None);
        }
        if let Some(leg) = &self.call.leg
            && let Some(call) = find_by_leg(&mut *connection, leg).await?
        {
            return Ok(Some(call));
        }
        InsertCall(self.call.clone()).apply(connection).await?;
        find(connection, self.call.id).await
    }
}

pub(super) struct CloseCall {
    pub(super) call: CallId,
    pub(super) closing: Closing,
    pub(super) at: DateTime<Utc>,
}

#[async_trait]
impl Write for CloseCall {
    type Output = bool;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let closed = query(CLOSE)
            .bind(self.call.0.as_bytes().as_slice())
            .bind(millis(self.at))
            .bind(self.closing.as_str())
            .execute(connection)
            .await?;
        Ok(closed.rows_affected() > 0)
    }
}

pub(super) fn call(row: &SqliteRow) -> Result<Call, StoreError> {
    let closed_at = row.time_if_any("closed_at")?;
    let closing = row.parsed_if_any("closing", Closing::parse)?;
    Ok(Call {
        id: CallId(row.uuid("id")?),
        visitor: row.uuid_if_any("visitor_id")?.map(VisitorId),
        user: row.try_get("user_name")?,
        line: row.try_get("line")?,
        language: row.try_get("language")?,
        context: row.try_get("context")?,
        created_at: row.time("created_at")?,
        ticket_expires_at: row.time("ticket_expires_at")?,
        redeemed_at: row.time_if_any("redeemed_at")?,
        leg: row.parsed_if_any("leg", LegId::parse)?,
        conversation: row.parsed_if_any("conversation", ConversationId::parse)?,
        region_url: row.try_get("region_url")?,
        voided_at: row.time_if_any("voided_at")?,
        hangup_due_at: row.time_if_any("hangup_due_at")?,
        hung_up_at: row.time_if_any("hung_up_at")?,
        closed: closed_at.zip(closing),
    })
}
