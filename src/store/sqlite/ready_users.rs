//! Vonage users that were made ahead.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, SqlitePool, query, query_scalar, sqlite::SqliteRow};

use super::{
    columns::{Columns, millis},
    writer::Write,
};
use crate::domain::{store::StoreError, visitor::VonageUser};

const INSERT: &str = "
    INSERT INTO ready_users (name, user_id, expires_at, home) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name) DO NOTHING";

const COUNT: &str = "SELECT count(*) FROM ready_users WHERE home = ?1 AND expires_at >= ?2";

/// The one whose time ends first, so that few grow stale.
const TAKE: &str = "
    DELETE FROM ready_users
    WHERE name = (SELECT name FROM ready_users WHERE home = ?1 AND expires_at >= ?2 ORDER BY expires_at LIMIT 1)
    RETURNING *";

const DROP: &str = "
    DELETE FROM ready_users
    WHERE name IN (SELECT name FROM ready_users WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)
    RETURNING *";

pub(super) async fn count(
    pool: &SqlitePool,
    home: &str,
    lasting: DateTime<Utc>,
) -> Result<u32, StoreError> {
    Ok(query_scalar(COUNT)
        .bind(home)
        .bind(millis(lasting))
        .fetch_one(pool)
        .await?)
}

pub(super) struct InsertReadyUser(pub(super) VonageUser);

#[async_trait]
impl Write for InsertReadyUser {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        query(INSERT)
            .bind(&self.0.name)
            .bind(&self.0.id)
            .bind(millis(self.0.expires_at))
            .bind(&self.0.home)
            .execute(connection)
            .await?;
        Ok(())
    }
}

pub(super) struct TakeReadyUser {
    pub(super) home: String,
    pub(super) lasting: DateTime<Utc>,
}

#[async_trait]
impl Write for TakeReadyUser {
    type Output = Option<VonageUser>;

    async fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<VonageUser>, StoreError> {
        let row = query(TAKE)
            .bind(&self.home)
            .bind(millis(self.lasting))
            .fetch_optional(connection)
            .await?;
        row.as_ref().map(user).transpose()
    }
}

pub(super) struct DropReadyUsers {
    pub(super) ending: DateTime<Utc>,
    pub(super) limit: u32,
}

#[async_trait]
impl Write for DropReadyUsers {
    type Output = Vec<VonageUser>;

    async fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<VonageUser>, StoreError> {
        let rows = query(DROP)
            .bind(millis(self.ending))
            .bind(self.limit)
            .fetch_all(connection)
            .await?;
        rows.iter().map(user).collect()
    }
}

fn user(row: &SqliteRow) -> Result<VonageUser, StoreError> {
    Ok(VonageUser {
        name: row.try_get("name")?,
        id: row.try_get("user_id")?,
        expires_at: row.time("expires_at")?,
        home: row.try_get("home")?,
    })
}
