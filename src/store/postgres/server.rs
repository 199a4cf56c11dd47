//! What the servers keep for themselves: their common secrets, and the proof that they can write.

use async_trait::async_trait;
use sqlx::{PgConnection, query};

use super::{columns::Columns, database::Operation, fault::Fault};

pub(super) const BEAT: &str = "
    INSERT INTO heartbeat (id, beat) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET beat = heartbeat.beat + 1";

const INSERT_SECRET: &str =
    "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

pub(super) const FIND_SECRET: &str = "SELECT value FROM secrets WHERE name = $1";

pub(super) struct Beat;

#[async_trait]
impl Operation for Beat {
    type Output = ();

    async fn run(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        query(BEAT).execute(connection).await?;
        Ok(())
    }
}

pub(super) struct ServerSecret {
    pub(super) name: String,
    pub(super) fresh: [u8; 32],
}

#[async_trait]
impl Operation for ServerSecret {
    type Output = [u8; 32];

    async fn run(&self, connection: &mut PgConnection) -> Result<[u8; 32], Fault> {
        query(INSERT_SECRET)
            .bind(&self.name)
            .bind(self.fresh.as_slice())
            .execute(&mut *connection)
            .await?;
        let row = query(FIND_SECRET)
            .bind(&self.name)
            .fetch_one(connection)
            .await?;
        row.bytes32("value")
    }
}
