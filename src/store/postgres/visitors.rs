//! Visitors.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row, postgres::PgRow, query};
use uuid::Uuid;

use super::{
    columns::{Columns, millis},
    database::Operation,
    fault::Fault,
};
use crate::domain::{
    ids::VisitorId,
    store::TIDY_LEASE,
    visitor::{SessionHash, Visitor, VonageUser},
};

/// Keeping one again changes nothing, so that a caller who never heard the answer can repeat it.
const INSERT: &str = "
    INSERT INTO visitors
        (id, session_hash, user_name, user_id, user_expires_at, owns_user, created_at, expires_at, user_home)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (id) DO NOTHING";

const FIND: &str = "SELECT * FROM visitors WHERE session_hash = $1 AND expires_at > $2";

const FIND_BY_ID: &str = "SELECT * FROM visitors WHERE id = $1";

/// Rows that another server is looking at are passed over, and so are those that it is at work on.
const CLAIM_EXPIRED: &str = "
    WITH expired AS MATERIALIZED (
        SELECT id FROM visitors
        WHERE expires_at <= $1 AND (claimed_by IS NULL OR claimed_by = $2 OR claimed_until <= $1)
        ORDER BY expires_at
        LIMIT $4
        FOR UPDATE SKIP LOCKED)
    UPDATE visitors SET claimed_by = $2, claimed_until = $3
    FROM expired WHERE visitors.id = expired.id
    RETURNING visitors.*";

const RENEW: &str = "
    UPDATE visitors
    SET user_name = $2, user_id = $3, user_expires_at = $4, owns_user = $5, expires_at = greatest(expires_at, $6),
        user_home = $8
    WHERE id = $1 AND user_name = $7";

const DELETE: &str = "DELETE FROM visitors WHERE id = $1";

pub(super) struct FindVisitor {
    pub(super) session: SessionHash,
    pub(super) now: DateTime<Utc>,
}

#[async_trait]
impl Operation for FindVisitor {
    type Output = Option<Visitor>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Option<Visitor>, Fault> {
        let row = query(FIND)
            .bind(self.session.0.as_slice())
            .bind(millis(self.now))
            .fetch_optional(connection)
            .await?;
        row.as_ref().map(visitor).transpose()
    }
}

pub(super) struct ClaimExpired {
    pub(super) holder: Uuid,
    pub(super) now: DateTime<Utc>,
    pub(super) limit: u32,
}

#[async_trait]
impl Operation for ClaimExpired {
    type Output = Vec<Visitor>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Vec<Visitor>, Fault> {
        let rows = query(CLAIM_EXPIRED)
            .bind(millis(self.now))
            .bind(self.holder)
            .bind(millis(self.now + TIDY_LEASE))
            .bind(i64::from(self.limit))
            .fetch_all(connection)
            .await?;
        let mut visitors = rows.iter().map(visitor).collect::<Result<Vec<_>, _>>()?;
        visitors.sort_by_key(|visitor| visitor.expires_at);
        Ok(visitors)
    }
}

pub(super) struct InsertVisitor(pub(super) Visitor);

#[async_trait]
impl Operation for InsertVisitor {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let Visitor {
            id,
            session,
            user,
            owns_user,
            created_at,
            expires_at,
        } = &self.0;
        query(INSERT)
            .bind(id.0)
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
impl Operation for RenewVisitor {
    type Output = Option<Visitor>;

    async fn run(&self, connection: &mut PgConnection) -> Result<Option<Visitor>, Fault> {
        let Visitor {
            id,
            user,
            owns_user,
            expires_at,
            ..
        } = &self.visitor;
        query(RENEW)
            .bind(id.0)
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
            .bind(id.0)
            .fetch_optional(connection)
            .await?;
        row.as_ref().map(visitor).transpose()
    }
}

pub(super) struct DeleteVisitor(pub(super) VisitorId);

#[async_trait]
impl Operation for DeleteVisitor {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        query(DELETE).bind(self.0.0).execute(connection).await?;
        Ok(())
    }
}

fn visitor(row: &PgRow) -> Result<Visitor, Fault> {
    Ok(Visitor {
        id: VisitorId(row.try_get("id")?),
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
