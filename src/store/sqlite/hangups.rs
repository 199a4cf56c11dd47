//! Calls that are to be hung up from here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, SqlitePool, query, query_scalar, sqlite::SqliteRow};

use super::{calls, columns::millis, writer::Write};
use crate::domain::{
    call::Call,
    ids::CallId,
    store::{DueHangup, StoreError},
};

const REQUEST: &str = "
    UPDATE calls
    SET hangup_due_at = min(coalesce(hangup_due_at, ?2), ?2),
        voided_at = CASE WHEN ?3 AND leg IS NULL THEN coalesce(voided_at, ?4) ELSE voided_at END
    WHERE id = ?1 AND hung_up_at IS NULL AND closed_at IS NULL";

/// One that was tried and put off had been due before, whatever its next time is.
const CANCEL: &str = "
    UPDATE calls SET hangup_due_at = NULL
    WHERE id = ?1 AND hangup_due_at > ?2 AND hangup_attempts = 0";

const PUT_OFF: &str = "
    UPDATE calls SET hangup_due_at = ?3, hangup_attempts = hangup_attempts + 1
    WHERE id = ?1 AND hangup_due_at <= ?2";

const END: &str = "
    UPDATE calls
    SET hangup_due_at = NULL,
        hung_up_at = CASE WHEN leg IS NULL THEN hung_up_at ELSE ?2 END,
        voided_at = CASE WHEN leg IS NULL THEN coalesce(voided_at, ?2) ELSE voided_at END
    WHERE id = ?1 AND hangup_due_at <= ?2";

const IS_ANY_WITHOUT_LEG: &str =
    "SELECT EXISTS (SELECT 1 FROM calls WHERE hangup_due_at <= ?1 AND leg IS NULL)";

const END_WITHOUT_LEG: &str = "
    UPDATE calls SET hangup_due_at = NULL, voided_at = coalesce(voided_at, ?1)
    WHERE hangup_due_at <= ?1 AND leg IS NULL";

const LIST_DUE: &str = "
    SELECT * FROM calls
    WHERE hangup_due_at <= ?1 AND leg IS NOT NULL
    ORDER BY hangup_due_at
    LIMIT ?2";

pub(super) struct RequestHangup {
    pub(super) call: CallId,
    pub(super) due: DateTime<Utc>,
    pub(super) void: bool,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Write for RequestHangup {
    type Output = Option<Call>;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Option<Call>, StoreError> {
        query(REQUEST)
            .bind(self.call.0.as_bytes().as_slice())
            .bind(millis(self.due))
            .bind(self.void)
            .bind(millis(self.now))
            .execute(&mut *connection)
            .await?;
        calls::find(connection, self.call).await
    }
}

pub(super) struct CancelHangup {
    pub(super) call: CallId,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Write for CancelHangup {
    type Output = bool;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        let cancelled = query(CANCEL)
            .bind(self.call.0.as_bytes().as_slice())
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
impl Write for SettleHangup {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (call, now) = (self.call.0.as_bytes().as_slice(), millis(self.now));
        let statement = match self.retry_at {
            Some(at) => query(PUT_OFF).bind(call).bind(now).bind(millis(at)),
            None => query(END).bind(call).bind(now),
        };
        statement.execute(connection).await?;
        Ok(())
    }
}

/// Whether [`EndWithoutLeg`] has anything to do: most of the time it has not, and looking costs no commit.
pub(super) async fn is_any_without_leg(
    pool: &SqlitePool,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(query_scalar(IS_ANY_WITHOUT_LEG)
        .bind(millis(now))
        .fetch_one(pool)
        .await?)
}

/// Ends due hang-ups of calls that never had a leg by making their tickets void.
///
/// In one step: were they handed out instead, a leg could redeem the ticket before the hang-up is settled,
/// and would then count as hung up without anybody having done it.
pub(super) struct EndWithoutLeg {
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Write for EndWithoutLeg {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        query(END_WITHOUT_LEG)
            .bind(millis(self.now))
            .execute(connection)
            .await?;
        Ok(())
    }
}

pub(super) async fn list_due(
    pool: &SqlitePool,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<DueHangup>, StoreError> {
    let rows = query(LIST_DUE)
        .bind(millis(now))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(due_hangup).collect()
}

fn due_hangup(row: &SqliteRow) -> Result<DueHangup, StoreError> {
    Ok(DueHangup {
        call: calls::call(row)?,
        attempts: row.try_get("hangup_attempts")?,
    })
}
