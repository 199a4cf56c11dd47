//! Vonage users that were made ahead, for the visitors of all servers.
//!
//! A user that was taken out when nobody heard so is lost to us, and ends by itself at Vonage.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row, postgres::PgRow, query, query_scalar};

use super::{
    columns::{Columns, millis},
    database::Operation,
    fault::Fault,
};
use crate::domain::{store::StoreError, visitor::VonageUser};

const INSERT: &str = "
    INSERT INTO ready_users (name, user_id, expires_at, home) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO NOTHING";

const COUNT: &str = "SELECT count(*) FROM ready_users WHERE home = $1 AND expires_at >= $2";

/// The one whose time ends first, so that few grow stale. Visitors who come at once don't wait for each other.
const TAKE: &str = "
    WITH first AS MATERIALIZED (
        SELECT name FROM ready_users WHERE home = $1 AND expires_at >= $2 ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    DELETE FROM ready_users USING first WHERE ready_users.name = first.name
    RETURNING ready_users.*";

const DROP: &str = "
    WITH stale AS MATERIALIZED (
        SELECT name FROM ready_users WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    DELETE FROM ready_users USING stale WHERE ready_users.name = stale.name
    RETURNING ready_users.*";

pub(super) struct InsertReadyUser(pub(super) VonageUser);

#[async_trait]
impl Operation for InsertReadyUser {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
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

pub(super) struct CountReadyUsers {
    pub(super) home: String,
    pub(super) lasting: DateTime<Utc>,
}

#[async_trait]
impl Operation for CountReadyUsers {
    type Output = u32;

    async fn run(&self, connection: &mut PgConnection) -> Result<u32, Fault> {
        let count: i64 = query_scalar(COUNT)
            .bind(&self.home)
            .bind(millis(self.lasting))
            .fetch_one(connection)
            .await?;
        let damaged = |_| StoreError::Corrupt("a number of ready users".to_owned());
        Ok(count.try_into().map_err(damaged)?)
    }
}

pub(super) struct TakeReadyUser {
    pub(super) home: String,
    pub(super) lasting: DateTime<Utc>,
}

#[async_trait]
impl Operation for TakeReadyUser {
    type Output = Option<VonageUser>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Option<VonageUser>, Fault> {
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
impl Operation for DropReadyUsers {
    type Output = Vec<VonageUser>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<VonageUser>, Fault> {
        let rows = query(DROP)
            .bind(millis(self.ending))
            .bind(i64::from(self.limit))
            .fetch_all(connection)
            .await?;
        let mut users = rows.iter().map(user).collect::<Result<Vec<_>, _>>()?;
        users.sort_by_key(|user| user.expires_at);
        Ok(users)
    }
}

fn user(row: &PgRow) -> Result<VonageUser, Fault> {
    Ok(VonageUser {
        name: row.try_get("name")?,
        id: row.try_get("user_id")?,
        expires_at: row.time("expires_at")?,
        home: row.try_get("home")?,
    })
}
