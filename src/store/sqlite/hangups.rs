//! Calls that are to be hung up from here.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::{
    calls,
    columns::millis,
    sql::{execute, list, value},
    writer::Write,
};
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

impl Write for RequestHangup {
    type Output = Option<Call>;

    fn apply(&self, connection: &Connection) -> Result<Option<Call>, StoreError> {
        let (due, now) = (millis(self.due), millis(self.now));
        execute(
            connection,
            REQUEST,
            params![self.call.0, due, self.void, now],
        )?;
        calls::find(connection, self.call)
    }
}

pub(super) struct CancelHangup {
    pub(super) call: CallId,
    pub(super) now: DateTime<Utc>,
}

impl Write for CancelHangup {
    type Output = bool;

    fn apply(&self, connection: &Connection) -> Result<bool, StoreError> {
        let cancelled = execute(connection, CANCEL, params![self.call.0, millis(self.now)])?;
        Ok(cancelled == 1)
    }
}

pub(super) struct SettleHangup {
    pub(super) call: CallId,
    pub(super) retry_at: Option<DateTime<Utc>>,
    pub(super) now: DateTime<Utc>,
}

impl Write for SettleHangup {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        let (call, now) = (self.call.0, millis(self.now));
        match self.retry_at {
            Some(at) => execute(connection, PUT_OFF, params![call, now, millis(at)])?,
            None => execute(connection, END, params![call, now])?,
        };
        Ok(())
    }
}

/// Whether [`EndWithoutLeg`] has anything to do: most of the time it has not, and looking costs no commit.
pub(super) fn is_any_without_leg(
    connection: &Connection,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(value(connection, IS_ANY_WITHOUT_LEG, [millis(now)])?)
}

/// Ends due hang-ups of calls that never had a leg by making their tickets void.
///
/// In one step: were they handed out instead, a leg could redeem the ticket before the hang-up is settled,
/// and would then count as hung up without anybody having done it.
pub(super) struct EndWithoutLeg {
    pub(super) now: DateTime<Utc>,
}

impl Write for EndWithoutLeg {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        execute(connection, END_WITHOUT_LEG, [millis(self.now)])?;
        Ok(())
    }
}

pub(super) fn list_due(
    connection: &Connection,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<DueHangup>, StoreError> {
    list(
        connection,
        LIST_DUE,
        params![millis(now), limit],
        due_hangup,
    )
}

fn due_hangup(row: &Row<'_>) -> Result<DueHangup, StoreError> {
    Ok(DueHangup {
        call: calls::call(row)?,
        attempts: row.get("hangup_attempts")?,
    })
}
