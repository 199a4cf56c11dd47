//! Webhook tokens that have been used.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{
    columns::millis,
    sql::{execute, value},
};
use crate::{
    domain::store::{ReplayKey, StoreError},
    store::Seen,
};

const INSERT: &str = "INSERT INTO webhook_ids (jti, digest, seen_at) VALUES (?1, ?2, ?3) ON CONFLICT (jti) DO NOTHING";

const IS_SAME: &str = "SELECT digest = ?2 FROM webhook_ids WHERE jti = ?1";

/// Notes a token, in the transaction of what it stands for: both are kept, or neither.
pub(super) fn note(
    connection: &Connection,
    replay: Option<&ReplayKey>,
    at: DateTime<Utc>,
) -> Result<Seen, StoreError> {
    let Some(ReplayKey { jti, digest }) = replay else {
        return Ok(Seen::Never);
    };
    if execute(connection, INSERT, params![jti, digest, millis(at)])? == 1 {
        return Ok(Seen::Never);
    }
    Ok(if value(connection, IS_SAME, params![jti, digest])? {
        Seen::WithSameContent
    } else {
        Seen::WithOtherContent
    })
}
