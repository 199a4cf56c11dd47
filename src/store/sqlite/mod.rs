//! The store in a SQLite file: one writer that commits in groups, readers beside it.

mod backup;
mod blocking;
mod calls;
mod checkpoints;
mod clean_stop;
mod columns;
mod events;
mod file;
mod hangups;
mod look;
mod migrations;
mod open;
mod readers;
mod ready_users;
mod server;
mod sql;
mod sweep;
#[cfg(test)]
mod tests;
mod tickets;
mod visitors;
mod webhook_ids;
mod writer;

use std::path::PathBuf;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use self::migrations::MigrateError;
pub(super) use self::{backup::back_up, look::look};
use self::{
    blocking::off_runtime,
    calls::{CloseCall, InsertCall, OpenCall},
    file::DatabaseFile,
    hangups::{CancelHangup, EndWithoutLeg, RequestHangup, SettleHangup},
    readers::Readers,
    ready_users::{DropReadyUsers, InsertReadyUser, TakeReadyUser},
    server::{Beat, ServerSecret},
    visitors::{DeleteVisitor, InsertVisitor, RenewVisitor},
    writer::Writer,
};
use super::{Access, ConnectError};
use crate::domain::{
    call::{Call, Closing},
    event::{NewEvent, StoredEvent},
    ids::{CallId, VisitorId},
    live::LiveCalls,
    store::{
        Appended, DueHangup, Redeemed, Redemption, ReplayKey, Store, StoreError, SweepBefore, Swept,
    },
    visitor::{SessionHash, Visitor, VonageUser},
};

/// An open SQLite file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the file, making it and its folder when they are missing. A file that can't be used is left as it is.
    pub(super) async fn open(path: PathBuf, access: Access) -> Result<Self, ConnectError> {
        off_runtime(move || Self::open_file(&DatabaseFile::new(&path), access)).await
    }

    fn open_file(file: &DatabaseFile, access: Access) -> Result<Self, ConnectError> {
        file.create_folder()?;
        let lock = match access {
            Access::Serve { .. } => Some(file.lock()?),
            Access::Beside => None,
        };
        file.create()?;
        let refused = |source| ConnectError::File {
            path: file.path().to_owned(),
            source,
        };
        let is_as_left = lock
            .as_ref()
            .is_some_and(|lock| clean_stop::is_unchanged(file, lock));
        if !is_as_left && !file.is_empty().map_err(refused)? {
            open::inspect(file)?;
        }
        let writer = Writer::start(file.clone(), lock)?;
        let readers = Readers::new(file.clone()).map_err(refused)?;
        Ok(Self { writer, readers })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.write(Beat).await
    }

    async fn server_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let name = name.to_owned();
        self.writer.write(ServerSecret { name, fresh }).await
    }

    async fn insert_visitor(&self, visitor: &Visitor) -> Result<(), StoreError> {
        self.writer.write(InsertVisitor(visitor.clone())).await
    }

    async fn find_visitor(
        &self,
        session: &SessionHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Visitor>, StoreError> {
        let session = *session;
        self.readers
            .read(move |connection| visitors::find(connection, &session, now))
            .await
    }

    async fn renew_visitor(
        &self,
        visitor: &Visitor,
        old_user: &str,
    ) -> Result<Option<Visitor>, StoreError> {
        let (visitor, old_user) = (visitor.clone(), old_user.to_owned());
        self.writer.write(RenewVisitor { visitor, old_user }).await
    }

    async fn list_expired_visitors(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Visitor>, StoreError> {
        self.readers
            .read(move |connection| visitors::list_expired(connection, now, limit))
            .await
    }

    async fn delete_visitor(&self, visitor: VisitorId) -> Result<(), StoreError> {
        self.writer.write(DeleteVisitor(visitor)).await
    }

    async fn insert_ready_user(&self, user: &VonageUser) -> Result<(), StoreError> {
        self.writer.write(InsertReadyUser(user.clone())).await
    }

    async fn count_ready_users(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<u32, StoreError> {
        let home = home.to_owned();
        self.readers
            .read(move |connection| ready_users::count(connection, &home, lasting))
            .await
    }

    async fn take_ready_user(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<Option<VonageUser>, StoreError> {
        // A crowd that has emptied the pool is not to wait for the disk to learn it.
        if self.count_ready_users(home, lasting).await? == 0 {
            return Ok(None);
        }
        let home = home.to_owned();
        self.writer.write(TakeReadyUser { home, lasting }).await
    }

    async fn drop_ready_users(
        &self,
        ending: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<VonageUser>, StoreError> {
        self.writer.write(DropReadyUsers { ending, limit }).await
    }

    async fn insert_call(&self, call: &Call) -> Result<(), StoreError> {
        self.writer.write(InsertCall(call.clone())).await
    }

    async fn open_call(
        &self,
        call: &Call,
        replay: Option<&ReplayKey>,
    ) -> Result<Option<Call>, StoreError> {
        let (call, replay) = (call.clone(), replay.cloned());
        self.writer.write(OpenCall { call, replay }).await
    }

    async fn redeem_ticket(&self, redemption: &Redemption) -> Result<Redeemed, StoreError> {
        self.writer.write(redemption.clone()).await
    }

    async fn find_call(&self, call: CallId) -> Result<Option<Call>, StoreError> {
        self.readers
            .read(move |connection| calls::find(connection, call))
            .await
    }

    async fn append_event(&self, event: &NewEvent) -> Result<Appended, StoreError> {
        self.writer.write(event.clone()).await
    }

    async fn list_call_events(&self, call: &Call) -> Result<Vec<StoredEvent>, StoreError> {
        let call = call.clone();
        self.readers
            .read(move |connection| events::list_of(connection, &call))
            .await
    }

    async fn request_hangup(
        &self,
        call: CallId,
        due: DateTime<Utc>,
        void: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Call>, StoreError> {
        self.writer
            .write(RequestHangup {
                call,
                due,
                void,
                now,
            })
            .await
    }

    async fn cancel_hangup(&self, call: CallId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.writer.write(CancelHangup { call, now }).await
    }

    async fn due_hangups(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueHangup>, StoreError> {
        let readers = &self.readers;
        let is_any_without_leg = readers
            .read(move |connection| hangups::is_any_without_leg(connection, now))
            .await?;
        if is_any_without_leg {
            self.writer.write(EndWithoutLeg { now }).await?;
        }
        readers
            .read(move |connection| hangups::list_due(connection, now, limit))
            .await
    }

    async fn settle_hangup(
        &self,
        call: CallId,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(SettleHangup {
                call,
                retry_at,
                now,
            })
            .await
    }

    async fn list_open_calls(
        &self,
        now: DateTime<Utc>,
        after: Option<&Call>,
        limit: u32,
    ) -> Result<Vec<Call>, StoreError> {
        let after = after.cloned();
        self.readers
            .read(move |connection| calls::list_open(connection, now, after.as_ref(), limit))
            .await
    }

    async fn close_call(
        &self,
        call: CallId,
        closing: Closing,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.writer.write(CloseCall { call, closing, at }).await
    }

    async fn sweep(&self, before: SweepBefore) -> Result<Swept, StoreError> {
        self.writer.write(before).await
    }

    async fn follow_changes(&self, _live: &LiveCalls) {}

    async fn close(&self) {
        // The readers first: the writer can then fold its log into the file and leave nothing beside it.
        self.readers.close().await;
        self.writer.close().await;
    }
}
