//! Deleting what is old.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{columns::millis, sql::execute, writer::Write};
use crate::domain::store::{StoreError, SweepBefore, Swept};

/// Rows of one kind in one sweep: a small part of a second's work, so that no webhook waits long behind it.
const ROWS: u32 = 1_000;

const WEBHOOK_IDS: &str = "
    DELETE FROM webhook_ids
    WHERE (issued_at, jti) IN (
        SELECT issued_at, jti FROM webhook_ids WHERE issued_at < ?1 ORDER BY issued_at, jti LIMIT ?2)";

const CALLS: &str = "
    DELETE FROM calls
    WHERE id IN (SELECT id FROM calls WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";

const EVENTS: &str = "
    DELETE FROM events
    WHERE id IN (SELECT id FROM events WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)";

const VISITORS: &str = "
    DELETE FROM visitors
    WHERE id IN (SELECT id FROM visitors WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

impl Write for SweepBefore {
    type Output = Swept;

    fn apply(&self, connection: &Connection) -> Result<Swept, StoreError> {
        let delete = |statement, before: DateTime<Utc>| {
            execute(connection, statement, params![millis(before), ROWS])?;
            Ok::<_, rusqlite::Error>(connection.changes())
        };
        Ok(Swept {
            webhook_ids: delete(WEBHOOK_IDS, self.webhook_ids)?,
            calls: delete(CALLS, self.history)?,
            events: delete(EVENTS, self.history)?,
            visitors: delete(VISITORS, self.visitors)?,
        })
    }
}
