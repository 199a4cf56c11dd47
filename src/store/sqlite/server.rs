//! What the server keeps for itself: its secrets, and the proof that it can write.

use rusqlite::{Connection, params};

use super::{
    columns::Columns,
    sql::{execute, find},
    writer::Write,
};
use crate::domain::store::StoreError;

pub(super) const BEAT: &str = "
    INSERT INTO heartbeat (id, beat) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET beat = beat + 1";

const INSERT_SECRET: &str =
    "INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";

const FIND_SECRET: &str = "SELECT value FROM secrets WHERE name = ?1";

pub(super) struct Beat;

impl Write for Beat {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        execute(connection, BEAT, [])?;
        Ok(())
    }
}

pub(super) struct ServerSecret {
    pub(super) name: String,
    pub(super) fresh: [u8; 32],
}

impl Write for ServerSecret {
    type Output = [u8; 32];

    fn apply(&self, connection: &Connection) -> Result<[u8; 32], StoreError> {
        execute(connection, INSERT_SECRET, params![self.name, self.fresh])?;
        find_secret(connection, &self.name)?
            .ok_or_else(|| StoreError::Corrupt("a secret that is missing".to_owned()))
    }
}

/// The secret of this name, if it has been made.
pub(super) fn find_secret(
    connection: &Connection,
    name: &str,
) -> Result<Option<[u8; 32]>, StoreError> {
    find(connection, FIND_SECRET, [name], |row| row.bytes32("value"))
}
