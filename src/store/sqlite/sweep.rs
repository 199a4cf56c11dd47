//! Deleting what is old.

use async_trait::async_trait;
use sqlx::{SqliteConnection, query};

use super::{columns::millis, writer::Write};
use crate::domain::store::{StoreError, SweepBefore, Swept};

/// Rows of one kind in one sweep: a small part of a second's work, so that no webhook waits long behind it.
const ROWS: u32 = 1_000;

const WEBHOOK_IDS: &str = "
    DELETE FROM webhook_ids
    WHERE jti IN (SELECT jti FROM webhook_ids WHERE seen_at < ?1 ORDER BY seen_at LIMIT ?2)";

const CALLS: &str = "
    DELETE FROM calls
    WHERE id IN (SELECT id FROM calls WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";

const EVENTS: &str = "
    DELETE FROM events
    WHERE id IN (SELECT id FROM events WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)";

const VISITORS: &str = "
    DELETE FROM visitors
    WHERE id IN (SELECT id FROM visitors WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

#[async_trait]
impl Write for SweepBefore {
    type Output = Swept;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Swept, StoreError> {
        let webhook_ids = query(WEBHOOK_IDS)
            .bind(millis(self.webhook_ids))
            .bind(ROWS)
            .execute(&mut *connection)
            .await?;
        let calls = query(CALLS)
            .bind(millis(self.history))
            .bind(ROWS)
            .execute(&mut *connection)
            .await?;
        let events = query(EVENTS)
            .bind(millis(self.history))
            .bind(ROWS)
            .execute(&mut *connection)
            .await?;
        let visitors = query(VISITORS)
            .bind(millis(self.visitors))
            .bind(ROWS)
            .execute(connection)
            .await?;
        Ok(Swept {
            webhook_ids: webhook_ids.rows_affected(),
            calls: calls.rows_affected(),
            events: events.rows_affected(),
            visitors: visitors.rows_affected(),
        })
    }
}
