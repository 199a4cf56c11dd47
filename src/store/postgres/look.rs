//! Looks at a database that somebody else may be using, and leaves it as it is.

use sqlx::{Connection, query, query_scalar};

use super::{
    columns::Columns,
    fault::Fault,
    open::{self, PostgresError},
    server::{BEAT, FIND_SECRET},
};
use crate::{settings::PostgresUrl, store::Looked};

/// Tries a write that is taken back, and reads the version of the tables and a secret.
pub(in crate::store) async fn look(
    url: &PostgresUrl,
    secret: &str,
) -> Result<Looked, PostgresError> {
    let (looked, step) = read(url, secret)
        .await
        .map_err(|fault| open::explain(url, fault))?;
    let known = open::migrations().last().map(|step| step.version);
    if let Some(version) = step.filter(|step| Some(*step) > known) {
        let server = url.server();
        return Err(PostgresError::NewerSchema { server, version });
    }
    Ok(Looked {
        is_current: step == known,
        ..looked
    })
}

async fn read(url: &PostgresUrl, secret: &str) -> Result<(Looked, Option<i64>), Fault> {
    let options = open::options(url).map_err(|error| Fault::Unfit(error.to_string()))?;
    let mut connection = open::connect(&options).await?;
    let mut trial = connection.begin().await?;
    let mut looked = Looked::default();
    let has_tables: bool = query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *trial)
        .await?;
    if !has_tables {
        return Ok((looked, None));
    }
    let step: Option<i64> = query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut *trial)
        .await?;
    let row = query(FIND_SECRET)
        .bind(secret)
        .fetch_optional(&mut *trial)
        .await?;
    if let Some(row) = row {
        looked.secret = Some(row.bytes32("value")?.into());
    }
    query(BEAT)
        .execute(&mut *trial)
        .await
        .map_err(|error| Fault::Unfit(format!("it takes no write: {error}")))?;
    trial.rollback().await?;
    connection.close().await?;
    Ok((looked, step))
}
