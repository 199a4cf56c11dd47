//! Visitors.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, SqlitePool, query, sqlite::SqliteRow};

use super::{
    columns::{Columns, millis},
    writer::Write,
};
use crate::domain::{
    ids::VisitorId,
    store::StoreError,
    visitor::{SessionHash, Visitor, VonageUser},
};

/// Keeping one again changes nothing, so that a caller who never heard the answer can repeat it.
const INSERT: &str = "
    INSERT INTO visitors
        (id, session_hash, user_name, user_id, user_expires_at, owns_user, created_at, expires_at, user_home)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "SELECT * FROM visitors WHERE session_hash = ?1 AND expires_at > ?2";

const FIND_BY_ID: &str = "SELECT * FROM visitors WHERE id = ?1";

const LIST_EXPIRED: &str =
    "SELECT * FROM visitors WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

const RENEW: &str = "
    UPDATE visitors
    SET user_name = ?2, user_id = ?3, user_expires_at = ?4, owns_user = ?5, expires_at = max(expires_at, ?6),
        user_home = ?8
    WHERE id = ?1 AND user_name = ?7";

const DELETE: &str = "DELETE FROM visitors WHERE id = ?1";

pub(super) async fn find(
    pool: &SqlitePool,
    session: &SessionHash,
    now: DateTime<Utc>,
) -> Result<Option<Visitor>, StoreError> {
    let row = query(FIND)
        .bind(session.0.as_slice())
        .bind(millis(now))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(visitor).transpose()
}

pub(super) async fn list_expired(
    pool: &SqlitePool,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Visitor>, StoreError> {
    let rows = query(LIST_EXPIRED)
        .bind(millis(now))
        .bind(limit)
        .fetch_all(pool)
        .await?;
    rows.iter().map(visitor).collect()
}

pub(super) struct InsertVisitor(pub(super) Visitor);

#[async_trait]
impl Write for InsertVisitor {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Visitor {
            id,
            session,
            user,
            owns_user,
            created_at,
            expires_at,
        } = &self.0;
        query(INSERT)
            .bind(id.0.as_bytes().as_slice())
            .bind(session.0.as_slice())
            .bind(&user.name)
            .bind(&user.id)
            .bind(millis(user.expires_at))
            .bind(owns_user)
            .bind(millis(*created_at))
            .bind(millis(*expires_at))
            .bind(&user.home)
            .execute(connection)
            .await?;
        Ok(())
    }
}

pub(super) struct RenewVisitor {
    pub(super) visitor: Visitor,
    pub(super) old_user: String,
}

#[async_trait]
impl Write for RenewVisitor {
    type Output = Option<Visitor>;

    async fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<Visitor>, StoreError> {
        let Visitor {
            id,
            user,
            owns_user,
            expires_at,
            ..
        } = &self.visitor;
        query(RENEW)
            .bind(id.0.as_bytes().as_slice())
            .bind(&user.name)
            .bind(&user.id)
            .bind(millis(user.expires_at))
            .bind(owns_user)
            .bind(millis(*expires_at))
            .bind(&self.old_user)
            .bind(&user.home)
            .execute(&mut *connection)
            .await?;
        let row = query(FIND_BY_ID)
            .bind(id.0.as_bytes().as_slice())
            .fetch_optional(connection)
            .await?;
        row.as_ref().map(visitor).transpose()
    }
}

pub(super) struct DeleteVisitor(pub(super) VisitorId);

#[async_trait]
impl Write for DeleteVisitor {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        query(DELETE)
            .bind(self.0.0.as_bytes().as_slice())
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn visitor(row: &SqliteRow) -> Result<Visitor, StoreError> {
    Ok(Visitor {
        id: VisitorId(row.uuid("id")?),
        session: SessionHash(row.bytes32("session_hash")?),
        user: VonageUser {
            name: row.try_get("user_name")?,
            id: row.try_get("user_id")?,
            expires_at: row.time("user_expires_at")?,
            home: row.try_get("user_home")?,
        },
        owns_user: row.try_get("owns_user")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
