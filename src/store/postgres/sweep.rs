//! Deleting what is old. Rows that another server is deleting are left to it.

use async_trait::async_trait;
use sqlx::{PgConnection, query};

use super::{columns::millis, database::Operation, fault::Fault};
use crate::domain::store::{SweepBefore, Swept};

/// Rows of one kind in one sweep: a small part of a second's work.
const ROWS: i64 = 1_000;

const WEBHOOK_IDS: &str = "
    WITH old AS MATERIALIZED (
        SELECT issued_at, jti FROM webhook_ids WHERE issued_at < $1 ORDER BY issued_at, jti LIMIT $2
        FOR UPDATE SKIP LOCKED)
    DELETE FROM webhook_ids USING old WHERE webhook_ids.issued_at = old.issued_at AND webhook_ids.jti = old.jti";

const CALLS: &str = "
    WITH old AS MATERIALIZED (
        SELECT id FROM calls WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM calls USING old WHERE calls.id = old.id";

const EVENTS: &str = "
    WITH old AS MATERIALIZED (
        SELECT id FROM events WHERE received_at < $1 ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM events USING old WHERE events.id = old.id";

const VISITORS: &str = "
    WITH old AS MATERIALIZED (
        SELECT id FROM visitors WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM visitors USING old WHERE visitors.id = old.id";

#[async_trait]
impl Operation for SweepBefore {
    type Output = Swept;

    async fn run(&self, connection: &mut PgConnection) -> Result<Swept, Fault> {
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
