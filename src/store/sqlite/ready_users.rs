//! Vonage users that were made ahead.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::{
    columns::{Columns, millis},
    sql::{execute, find, list, value},
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

pub(super) fn count(
    connection: &Connection,
    home: &str,
    lasting: DateTime<Utc>,
) -> Result<u32, StoreError> {
    Ok(value(connection, COUNT, params![home, millis(lasting)])?)
}

pub(super) struct InsertReadyUser(pub(super) VonageUser);

impl Write for InsertReadyUser {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        let VonageUser {
            name,
            id,
            expires_at,
            home,
        } = &self.0;
        execute(
            connection,
            INSERT,
            params![name, id, millis(*expires_at), home],
        )?;
        Ok(())
    }
}

pub(super) struct TakeReadyUser {
    pub(super) home: String,
    pub(super) lasting: DateTime<Utc>,
}

impl Write for TakeReadyUser {
    type Output = Option<VonageUser>;

    fn apply(&self, connection: &Connection) -> Result<Option<VonageUser>, StoreError> {
        find(
            connection,
            TAKE,
            params![self.home, millis(self.lasting)],
            user,
        )
    }
}

pub(super) struct DropReadyUsers {
    pub(super) ending: DateTime<Utc>,
    pub(super) limit: u32,
}

impl Write for DropReadyUsers {
    type Output = Vec<VonageUser>;

    fn apply(&self, connection: &Connection) -> Result<Vec<VonageUser>, StoreError> {
        list(
            connection,
            DROP,
            params![millis(self.ending), self.limit],
            user,
        )
    }
}

fn user(row: &Row<'_>) -> Result<VonageUser, StoreError> {
    Ok(VonageUser {
        name: row.get("name")?,
        id: row.get("user_id")?,
        expires_at: row.time("expires_at")?,
        home: row.get("home")?,
    })
}
