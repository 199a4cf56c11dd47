//! Looks at a file that somebody else may be using, and leaves it as it is.

use std::path::PathBuf;

use rusqlite::TransactionBehavior;

use super::{
    blocking::off_runtime,
    file::DatabaseFile,
    migrations::{self, Tables},
    open,
    server::{BEAT, find_secret},
};
use crate::store::{ConnectError, Looked};

/// Tries a write that is taken back, and reads the version of the tables and a secret.
pub(in crate::store) async fn look(path: PathBuf, secret: String) -> Result<Looked, ConnectError> {
    off_runtime(move || look_at(&DatabaseFile::new(&path), &secret)).await
}

fn look_at(file: &DatabaseFile, secret: &str) -> Result<Looked, ConnectError> {
    let failed = |error| open::explain(file, error);
    // Nothing of how the file is kept is set here: its server does that.
    let mut connection = open::plain(file).map_err(failed)?;
    let trial = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let tables = migrations::tables(&trial).map_err(|error| open::not_migrated(file, error))?;
    let mut looked = Looked {
        is_current: tables == Tables::OfThisVersion,
        secret: None,
    };
    if tables != Tables::None {
        trial.execute(BEAT, []).map_err(failed)?;
        let found = find_secret(&trial, secret).map_err(|error| ConnectError::Corrupt {
            path: file.path().to_owned(),
            finding: error.to_string(),
        })?;
        looked.secret = found.map(Into::into);
    }
    trial.rollback().map_err(failed)?;
    Ok(looked)
}
