//! Visitors.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::{
    columns::{Columns, millis},
    sql::{self, execute},
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

pub(super) fn find(
    connection: &Connection,
    session: &SessionHash,
    now: DateTime<Utc>,
) -> Result<Option<Visitor>, StoreError> {
    sql::find(connection, FIND, params![session.0, millis(now)], visitor)
}

pub(super) fn list_expired(
    connection: &Connection,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Visitor>, StoreError> {
    sql::list(
        connection,
        LIST_EXPIRED,
        params![millis(now), limit],
        visitor,
    )
}

pub(super) struct InsertVisitor(pub(super) Visitor);

impl Write for InsertVisitor {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        let Visitor {
            id,
            session,
            user,
            owns_user,
            created_at,
            expires_at,
        } = &self.0;
        execute(
            connection,
            INSERT,
            params![
                id.0,
                session.0,
                user.name,
                user.id,
                millis(user.expires_at),
                owns_user,
                millis(*created_at),
                millis(*expires_at),
                user.home,
            ],
        )?;
        Ok(())
    }
}

pub(super) struct RenewVisitor {
    pub(super) visitor: Visitor,
    pub(super) old_user: String,
}

impl Write for RenewVisitor {
    type Output = Option<Visitor>;

    fn apply(&self, connection: &Connection) -> Result<Option<Visitor>, StoreError> {
        let Visitor {
            id,
            user,
            owns_user,
            expires_at,
            ..
        } = &self.visitor;
        execute(
            connection,
            RENEW,
            params![
                id.0,
                user.name,
                user.id,
                millis(user.expires_at),
                owns_user,
                millis(*expires_at),
                self.old_user,
                user.home,
            ],
        )?;
        sql::find(connection, FIND_BY_ID, [id.0], visitor)
    }
}

pub(super) struct DeleteVisitor(pub(super) VisitorId);

impl Write for DeleteVisitor {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        execute(connection, DELETE, [self.0.0])?;
        Ok(())
    }
}

fn visitor(row: &Row<'_>) -> Result<Visitor, StoreError> {
    Ok(Visitor {
        id: VisitorId(row.uuid("id")?),
        session: SessionHash(row.bytes32("session_hash")?),
        user: VonageUser {
            name: row.get("user_name")?,
            id: row.get("user_id")?,
            expires_at: row.time("user_expires_at")?,
            home: row.get("user_home")?,
        },
        owns_user: row.get("owns_user")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
