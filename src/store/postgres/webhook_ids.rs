//! Webhook tokens that have been used.

use sqlx::{PgConnection, query, query_scalar};

use super::{
    columns::{millis, text},
    fault::Fault,
};
use crate::{domain::store::ReplayKey, store::Seen};

/// Waits for another server that is noting the same token, and then finds it.
const INSERT: &str =
    "INSERT INTO webhook_ids (issued_at, jti, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const FIND: &str = "SELECT digest = $3 FROM webhook_ids WHERE issued_at = $1 AND jti = $2";

/// Notes a token, in the transaction of what it stands for: both are kept, or neither.
pub(super) async fn note(
    connection: &mut PgConnection,
    replay: Option<&ReplayKey>,
) -> Result<Seen, Fault> {
    let Some(key) = replay else {
        return Ok(Seen::Never);
    };
    let jti = text(&key.jti);
    let inserted = query(INSERT)
        .bind(millis(key.issued_at))
        .bind(&*jti)
        .bind(key.digest.as_slice())
        .execute(&mut *connection)
        .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Seen::Never);
    }
    let same: Option<bool> = query_scalar(FIND)
        .bind(millis(key.issued_at))
        .bind(&*jti)
        .bind(key.digest.as_slice())
        .fetch_optional(connection)
        .await?;
    // Swept in between: so old that its signature holds no more.
    Ok(if same == Some(true) {
        Seen::WithSameContent
    } else {
        Seen::WithOtherContent
    })
}
