//! Webhook tokens that have been used.

use chrono::{DateTime, Utc};
use sqlx::{SqliteConnection, query, query_scalar};

use super::columns::millis;
use crate::domain::store::{ReplayKey, StoreError};

const INSERT: &str = "INSERT INTO webhook_ids (jti, digest, seen_at) VALUES (?1, ?2, ?3) ON CONFLICT (jti) DO NOTHING";

const FIND: &str = "SELECT digest = ?2 FROM webhook_ids WHERE jti = ?1";

/// What is known of a request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing: it is new, or the request has none.
    Never,
    /// It came before, with the same request.
    WithSameContent,
    /// It came before, with another request.
    WithOtherContent,
}

/// Notes a token, in the transaction of what it stands for: both are kept, or neither.
pub(super) async fn note(
    connection: &mut SqliteConnection,
    replay: Option<&ReplayKey>,
    at: DateTime<Utc>,
) -> Result<Seen, StoreError> {
    let Some(key) = replay else {
        return Ok(Seen::Never);
    };
    let inserted = query(INSERT)
        .bind(&key.jti)
        .bind(key.digest.as_slice())
        .bind(millis(at))
        .execute(&mut *connection)
        .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Seen::Never);
    }
    let same: bool = query_scalar(FIND)
        .bind(&key.jti)
        .bind(key.digest.as_slice())
        .fetch_one(connection)
        .await?;
    Ok(if same {
        Seen::WithSameContent
    } else {
        Seen::WithOtherContent
    })
}
