//! Webhook tokens that have been used.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::{QueryBuilder, Row, SqliteConnection, query, query_scalar, sqlite::Sqlite};

use super::{columns::millis, events::is_kept};
use crate::{
    domain::{
        event::NewEvent,
        store::{ReplayKey, StoreError},
    },
    store::Seen,
};

const INSERT: &str = "INSERT INTO webhook_ids (jti, digest, seen_at) VALUES (?1, ?2, ?3) ON CONFLICT (jti) DO NOTHING";

const FIND: &str = "SELECT digest = ?2 FROM webhook_ids WHERE jti = ?1";

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
    known(connection, key).await
}

/// Notes the tokens of events, and says of each what was known of it before, the events before it in `events` included.
pub(super) async fn note_all(
    connection: &mut SqliteConnection,
    events: &[&NewEvent],
) -> Result<Vec<Seen>, StoreError> {
    let signed = || {
        events
            .iter()
            .filter_map(|event| Some((event.replay.as_ref()?, event.received_at)))
    };
    let mut new: HashSet<String> = HashSet::new();
    if signed().next().is_some() {
        let mut insert =
            QueryBuilder::<Sqlite>::new("INSERT INTO webhook_ids (jti, digest, seen_at) ");
        insert.push_values(signed(), |mut row, (key, at)| {
            row.push_bind(&key.jti)
                .push_bind(key.digest.as_slice())
                .push_bind(millis(at));
        });
        insert.push(" ON CONFLICT (jti) DO NOTHING RETURNING jti");
        let rows = insert
            .build()
            .persistent(is_kept(events))
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            new.insert(row.try_get("jti")?);
        }
    }
    let mut seen = Vec::with_capacity(events.len());
    for event in events {
        seen.push(match &event.replay {
            Some(key) if !new.remove(&key.jti) => known(connection, key).await?,
            Some(_) | None => Seen::Never,
        });
    }
    Ok(seen)
}

/// What is known of a token that has been noted.
async fn known(connection: &mut SqliteConnection, key: &ReplayKey) -> Result<Seen, StoreError> {
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
