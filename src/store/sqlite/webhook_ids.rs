//! Webhook tokens that have been used.

use rusqlite::{Connection, params};

use super::{
    columns::millis,
    sql::{execute, value},
};
use crate::{
    domain::store::{ReplayKey, StoreError},
    store::Seen,
};

const INSERT: &str =
    "INSERT INTO webhook_ids (issued_at, jti, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

const IS_SAME: &str = "SELECT digest = ?3 FROM webhook_ids WHERE issued_at = ?1 AND jti = ?2";

/// Notes a token, in the transaction of what it stands for: both are kept, or neither.
pub(super) fn note(
    connection: &Connection,
    replay: Option<&ReplayKey>,
) -> Result<Seen, StoreError> {
    let Some(ReplayKey {
        jti,
        issued_at,
        digest,
    }) = replay
    else {
        return Ok(Seen::Never);
    };
    let key = params![millis(*issued_at), jti, digest];
    if execute(connection, INSERT, key)? == 1 {
        return Ok(Seen::Never);
    }
    Ok(if value(connection, IS_SAME, key)? {
        Seen::WithSameContent
    } else {
        Seen::WithOtherContent
    })
}
