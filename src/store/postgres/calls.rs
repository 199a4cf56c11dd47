//! Calls: keeping, finding and closing them. Tickets are in [`super::tickets`], hang-ups in [`super::hangups`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use super::{
    columns::{Columns, millis, text},
    database::Operation,
    fault::Fault,
    webhook_ids,
};
use crate::{
    domain::{
        call::{Call, Closing},
        ids::{CallId, ConversationId, LegId, VisitorId},
        store::{ReplayKey, TIDY_LEASE},
    },
    store::Seen,
};

/// A visitor who has just been forgotten must not fail the call: it is kept without them.
/// Keeping a call again changes nothing.
const INSERT: &str = "
    INSERT INTO calls
        (id, visitor_id, user_name, line, language, context, created_at, ticket_expires_at, redeemed_at, leg, conversation,
         region_url, voided_at, hangup_due_at, hung_up_at, closed_at, closing)
    VALUES ($1, (SELECT id FROM visitors WHERE id = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "SELECT * FROM calls WHERE id = $1";

const FIND_BY_LEG: &str = "SELECT * FROM calls WHERE leg = $1";

/// Rows that another server is looking at are passed over, and so are those that it is at work on.
const CLAIM_OPEN: &str = "
    WITH open AS MATERIALIZED (
        SELECT id FROM calls
        WHERE redeemed_at < $1 AND closed_at IS NULL
            AND (close_claimed_by IS NULL OR close_claimed_by = $2 OR close_claimed_until <= $1)
            AND (redeemed_at, id) > ($5, $6)
        ORDER BY redeemed_at, id
        LIMIT $4
        FOR UPDATE SKIP LOCKED)
    UPDATE calls SET close_claimed_by = $2, close_claimed_until = $3
    FROM open WHERE calls.id = open.id
    RETURNING calls.*";

const CLOSE: &str = "
    UPDATE calls SET closed_at = $2, closing = $3
    WHERE id = $1 AND closed_at IS NULL
    RETURNING pg_notify('click_to_call_changes', id::text)";

pub(super) async fn find(connection: &mut PgConnection, id: CallId) -> Result<Option<Call>, Fault> {
    let row = query(FIND).bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(call).transpose()
}

pub(super) async fn find_by_leg(
    connection: &mut PgConnection,
    leg: &LegId,
) -> Result<Option<Call>, Fault> {
    let row = query(FIND_BY_LEG)
        .bind(leg.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(call).transpose()
}

pub(super) struct FindCall(pub(super) CallId);

#[async_trait]
impl Operation for FindCall {
    type Output = Option<Call>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Option<Call>, Fault> {
        find(connection, self.0).await
    }
}

/// Where a call stands among the open ones: when it was redeemed, and its id. Without one: before all of them.
pub(super) fn position(call: Option<&Call>) -> (i64, Uuid) {
    call.map_or((i64::MIN, Uuid::nil()), |call| {
        (call.redeemed_at.map_or(i64::MIN, millis), call.id.0)
    })
}

pub(super) struct ClaimOpen {
    pub(super) holder: Uuid,
    pub(super) now: DateTime<Utc>,
    pub(super) after: (i64, Uuid),
    pub(super) limit: u32,
}

#[async_trait]
impl Operation for ClaimOpen {
    type Output = Vec<Call>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<Call>, Fault> {
        let rows = query(CLAIM_OPEN)
            .bind(millis(self.now))
            .bind(self.holder)
            .bind(millis(self.now + TIDY_LEASE))
            .bind(i64::from(self.limit))
            .bind(self.after.0)
            .bind(self.after.1)
            .fetch_all(connection)
            .await?;
        let mut calls = rows.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        calls.sort_by_key(|call| (call.redeemed_at, call.id.0));
        Ok(calls)
    }
}

pub(super) struct InsertCall(pub(super) Call);

#[async_trait]
impl Operation for InsertCall {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        insert(connection, &self.0).await
    }
}

async fn insert(connection: &mut PgConnection, call: &Call) -> Result<(), Fault> {
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
    } = call;
    query(INSERT)
        .bind(id.0)
        .bind(visitor.map(|visitor| visitor.0))
        .bind(user)
        .bind(line)
        .bind(language)
        .bind(context)
        .bind(millis(*created_at))
        .bind(millis(*ticket_expires_at))
        .bind(redeemed_at.map(millis))
        .bind(leg.as_ref().map(LegId::as_str))
        .bind(conversation.as_ref().map(ConversationId::as_str))
        .bind(region_url.as_deref().map(text))
        .bind(voided_at.map(millis))
        .bind(hangup_due_at.map(millis))
        .bind(hung_up_at.map(millis))
        .bind(closed.map(|(at, _)| millis(at)))
        .bind(closed.map(|(_, closing)| closing.as_str()))
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) struct OpenCall {
    pub(super) call: Call,
    pub(super) replay: Option<ReplayKey>,
}

#[async_trait]
impl Operation for OpenCall {
    type Output = Option<Call>;

    /// Of two servers that open a call of one leg the second breaks the leg's uniqueness, begins anew, and finds it.
    async fn run(&self, connection: &mut PgConnection) -> Result<Option<Call>, Fault> {
        let mut transaction = connection.begin().await?;
        let seen = webhook_ids::note(&mut transaction, self.replay.as_ref()).await?;
        let call = if seen == Seen::WithOtherContent {
            None
        } else if let Some(leg) = &self.call.leg
            && let Some(call) = find_by_leg(&mut transaction, leg).await?
        {
            Some(call)
        } else {
            insert(&mut transaction, &self.call).await?;
            find(&mut transaction, self.call.id).await?
        };
        transaction.commit().await?;
        Ok(call)
    }
}

pub(super) struct CloseCall {
    pub(super) call: CallId,
    pub(super) closing: Closing,
    pub(super) at: DateTime<Utc>,
}

#[async_trait]
impl Operation for CloseCall {
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> Result<bool, Fault> {
        let closed = query(CLOSE)
            .bind(self.call.0)
            .bind(millis(self.at))
            .bind(self.closing.as_str())
            .execute(connection)
            .await?;
        Ok(closed.rows_affected() > 0)
    }
}

pub(super) fn call(row: &PgRow) -> Result<Call, Fault> {
    let closed_at = row.time_if_any("closed_at")?;
    let closing = row.parsed_if_any("closing", Closing::parse)?;
    Ok(Call {
        id: CallId(row.try_get("id")?),
        visitor: row.try_get::<Option<Uuid>, _>("visitor_id")?.map(VisitorId),
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
