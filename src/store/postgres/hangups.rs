//! Calls that are to be hung up from here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use super::{calls, columns::millis, database::Operation, fault::Fault};
use crate::domain::{
    call::Call,
    ids::CallId,
    store::{DueHangup, HANGUP_LEASE, StoreError},
};

const REQUEST: &str = "
    UPDATE calls
    SET hangup_due_at = least(hangup_due_at, $2),
        voided_at = CASE WHEN $3 AND leg IS NULL THEN coalesce(voided_at, $4) ELSE voided_at END
    WHERE id = $1 AND hung_up_at IS NULL AND closed_at IS NULL
    RETURNING *, pg_notify('click_to_call_changes', id::text)";

/// One that was tried and put off had been due before, whatever its next time is.
const CANCEL: &str = "
    UPDATE calls SET hangup_due_at = NULL
    WHERE id = $1 AND hangup_due_at > $2 AND hangup_attempts = 0";

/// The next try is whose turn comes first.
const PUT_OFF: &str = "
    UPDATE calls SET hangup_due_at = $3, hangup_attempts = hangup_attempts + 1, hangup_claimed_by = NULL
    WHERE id = $1 AND hangup_due_at <= $2";

const END: &str = "
    UPDATE calls
    SET hangup_due_at = NULL,
        hung_up_at = CASE WHEN leg IS NULL THEN hung_up_at ELSE $2 END,
        voided_at = CASE WHEN leg IS NULL THEN coalesce(voided_at, $2) ELSE voided_at END
    WHERE id = $1 AND hangup_due_at <= $2
    RETURNING pg_notify('click_to_call_changes', id::text)";

/// In one step: were they handed out instead, a leg could redeem the ticket before the hang-up is settled,
/// and would then count as hung up without anybody having done it.
const END_WITHOUT_LEG: &str = "
    UPDATE calls SET hangup_due_at = NULL, voided_at = coalesce(voided_at, $1)
    WHERE hangup_due_at <= $1 AND leg IS NULL
    RETURNING pg_notify('click_to_call_changes', id::text)";

/// Rows that another server is looking at are passed over, and so are those that it is at work on.
const CLAIM_DUE: &str = "
    WITH due AS MATERIALIZED (
        SELECT id FROM calls
        WHERE hangup_due_at <= $1 AND leg IS NOT NULL
            AND (hangup_claimed_by IS NULL OR hangup_claimed_by = $2 OR hangup_claimed_until <= $1)
        ORDER BY hangup_due_at
        LIMIT $4
        FOR UPDATE SKIP LOCKED)
    UPDATE calls SET hangup_claimed_by = $2, hangup_claimed_until = $3
    FROM due WHERE calls.id = due.id
    RETURNING calls.*";

pub(super) struct RequestHangup {
    pub(super) call: CallId,
    pub(super) due: DateTime<Utc>,
    pub(super) void: bool,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Operation for RequestHangup {
    type Output = Option<Call>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Option<Call>, Fault> {
        let requested = query(REQUEST)
            .bind(self.call.0)
            .bind(millis(self.due))
            .bind(self.void)
            .bind(millis(self.now))
            .fetch_optional(&mut *connection)
            .await?;
        match requested {
            Some(row) => calls::call(&row).map(Some),
            None => calls::find(connection, self.call).await,
        }
    }
}

pub(super) struct CancelHangup {
    pub(super) call: CallId,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Operation for CancelHangup {
    type Output = bool;

    async fn run(&self, connection: &mut PgConnection) -> Result<bool, Fault> {
        let cancelled = query(CANCEL)
            .bind(self.call.0)
            .bind(millis(self.now))
            .execute(connection)
            .await?;
        Ok(cancelled.rows_affected() == 1)
    }
}

pub(super) struct SettleHangup {
    pub(super) call: CallId,
    pub(super) retry_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Operation for SettleHangup {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let (call, now) = (self.call.0, millis(self.now));
        let statement = match self.retry_at {
            Some(at) => query(PUT_OFF).bind(call).bind(now).bind(millis(at)),
            None => query(END).bind(call).bind(now),
        };
        statement.execute(connection).await?;
        Ok(())
    }
}

pub(super) struct ClaimDue {
    pub(super) holder: Uuid,
    pub(super) now: DateTime<Utc>,
    pub(super) limit: u32,
}

#[async_trait]
impl Operation for ClaimDue {
    type Output = Vec<DueHangup>;

    /// Neither statement costs a commit when nothing is due.
    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<DueHangup>, Fault> {
        query(END_WITHOUT_LEG)
            .bind(millis(self.now))
            .execute(&mut *connection)
            .await?;
        let rows = query(CLAIM_DUE)
            .bind(millis(self.now))
            .bind(self.holder)
            .bind(millis(self.now + HANGUP_LEASE))
            .bind(i64::from(self.limit))
            .fetch_all(connection)
            .await?;
        let mut due = rows.iter().map(due_hangup).collect::<Result<Vec<_>, _>>()?;
        due.sort_by_key(|due| due.call.hangup_due_at);
        Ok(due)
    }
}

fn due_hangup(row: &PgRow) -> Result<DueHangup, Fault> {
    let attempts: i32 = row.try_get("hangup_attempts")?;
    let damaged = |_| StoreError::Corrupt("a value in the column hangup_attempts".to_owned());
    Ok(DueHangup {
        call: calls::call(row)?,
        attempts: attempts.try_into().map_err(damaged)?,
    })
}
