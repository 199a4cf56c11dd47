//! Calls: keeping, finding and closing them. Tickets are in [`super::tickets`], hang-ups in [`super::hangups`].

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{
    columns::{Columns, millis},
    sql::{self, execute},
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

pub(super) fn find(connection: &Connection, id: CallId) -> Result<Option<Call>, StoreError> {
    sql::find(connection, FIND, [id.0], call)
}

pub(super) fn find_by_leg(
    connection: &Connection,
    leg: &LegId,
) -> Result<Option<Call>, StoreError> {
    sql::find(connection, FIND_BY_LEG, [leg.as_str()], call)
}

pub(super) fn list_open(
    connection: &Connection,
    before: DateTime<Utc>,
    after: Option<&Call>,
    limit: u32,
) -> Result<Vec<Call>, StoreError> {
    let (at, id) = position(after);
    sql::list(
        connection,
        LIST_OPEN,
        params![millis(before), at, id, limit],
        call,
    )
}

/// Where a call stands among the open ones: when it was redeemed, and its id. Without one: before all of them.
fn position(call: Option<&Call>) -> (i64, Uuid) {
    call.map_or((i64::MIN, Uuid::nil()), |call| {
        (call.redeemed_at.map_or(i64::MIN, millis), call.id.0)
    })
}

pub(super) struct InsertCall(pub(super) Call);

impl Write for InsertCall {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
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
        execute(
            connection,
            INSERT,
            params![
                id.0,
                visitor.map(|visitor| visitor.0),
                user,
                line,
                language,
                context,
                millis(*created_at),
                millis(*ticket_expires_at),
                redeemed_at.map(millis),
                leg.as_ref().map(LegId::as_str),
                conversation.as_ref().map(ConversationId::as_str),
                region_url,
                voided_at.map(millis),
                hangup_due_at.map(millis),
                hung_up_at.map(millis),
                closed.map(|(at, _)| millis(at)),
                closed.map(|(_, closing)| closing.as_str()),
            ],
        )?;
        Ok(())
    }
}

pub(super) struct OpenCall {
    pub(super) call: Call,
    pub(super) replay: Option<ReplayKey>,
}

impl Write for OpenCall {
    type Output = Option<Call>;

    fn apply(&self, connection: &Connection) -> Result<Option<Call>, StoreError> {
        let seen = webhook_ids::note(connection, self.replay.as_ref())?;
        if seen == Seen::WithOtherContent {
            return Ok(None);
        }
        if let Some(leg) = &self.call.leg
            && let Some(call) = find_by_leg(connection, leg)?
        {
            return Ok(Some(call));
        }
        InsertCall(self.call.clone()).apply(connection)?;
        find(connection, self.call.id)
    }
}

pub(super) struct CloseCall {
    pub(super) call: CallId,
    pub(super) closing: Closing,
    pub(super) at: DateTime<Utc>,
}

impl Write for CloseCall {
    type Output = bool;

    fn apply(&self, connection: &Connection) -> Result<bool, StoreError> {
        let closed = execute(
            connection,
            CLOSE,
            params![self.call.0, millis(self.at), self.closing.as_str()],
        )?;
        Ok(closed > 0)
    }
}

pub(super) fn call(row: &Row<'_>) -> Result<Call, StoreError> {
    let closed_at = row.time_if_any("closed_at")?;
    let closing = row.parsed_if_any("closing", Closing::parse)?;
    Ok(Call {
        id: CallId(row.uuid("id")?),
        visitor: row.uuid_if_any("visitor_id")?.map(VisitorId),
        user: row.get("user_name")?,
        line: row.get("line")?,
        language: row.get("language")?,
        context: row.get("context")?,
        created_at: row.time("created_at")?,
        ticket_expires_at: row.time("ticket_expires_at")?,
        redeemed_at: row.time_if_any("redeemed_at")?,
        leg: row.parsed_if_any("leg", LegId::parse)?,
        conversation: row.parsed_if_any("conversation", ConversationId::parse)?,
        region_url: row.get("region_url")?,
        voided_at: row.time_if_any("voided_at")?,
        hangup_due_at: row.time_if_any("hangup_due_at")?,
        hung_up_at: row.time_if_any("hung_up_at")?,
        closed: closed_at.zip(closing),
    })
}
