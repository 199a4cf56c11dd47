//! Webhook tokens that have been used.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};

use super::{
    columns::{millis, text},
    fault::Fault,
};
use crate::{domain::store::ReplayKey, store::Seen};

/// Waits for another server that is noting the same token, and then finds it.
const INSERT: &str = "INSERT INTO webhook_ids (jti, digest, seen_at) VALUES ($1, $2, $3) ON CONFLICT (jti) DO NOTHING";

const FIND: &str = "SELECT digest = $2 FROM webhook_ids WHERE jti = $1";

/// Notes a token, in the transaction of what it stands for: both are kept, or neither.
pub(super) async fn note(
    connection: &mut PgConnection,
    replay: Option<&ReplayKey>,
    at: DateTime<Utc>,
) -> Result<Seen, Fault> {
    let Some(key) = replay else {
        return Ok(Seen::Never);
    };
    let jti = text(&key.jti);
    let inserted = query(INSERT)
        .bind(&*jti)
        .bind(key.digest.as_slice())
        .bind(millis(at))
        .execute(&mut *connection)
        .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Seen::Never);
    }
    let same: Option<bool> = query_scalar(FIND)
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
