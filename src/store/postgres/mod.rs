//! The store in a PostgreSQL database that many servers share.
//!
//! Events go through one writer a server, which commits them in groups. Everything else is an operation of its own on a
//! connection of a pool: one statement, or a short transaction where several must be one. What must happen once on all
//! servers together hangs on the database alone: unique keys, conditional writes, locked rows, claims with a lease.
//! With each change of a call its id is sent to all servers (`NOTIFY`), for the streams of its visitor.

mod calls;
mod columns;
mod database;
mod events;
mod fault;
mod hangups;
mod listener;
mod look;
mod open;
mod ready_users;
mod server;
mod sweep;
mod tickets;
mod visitors;
mod webhook_ids;
mod writer;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) use self::look::look;
pub use self::open::PostgresError;
use self::{
    calls::{ClaimOpen, CloseCall, FindCall, InsertCall, OpenCall},
    database::Database,
    events::ListCallEvents,
    hangups::{CancelHangup, ClaimDue, RequestHangup, SettleHangup},
    ready_users::{CountReadyUsers, DropReadyUsers, InsertReadyUser, TakeReadyUser},
    server::{Beat, ServerSecret},
    visitors::{ClaimExpired, DeleteVisitor, FindVisitor, InsertVisitor, RenewVisitor},
    writer::Writer,
};
use crate::{
    domain::{
        call::{Call, Closing},
        event::{NewEvent, StoredEvent},
        ids::{CallId, VisitorId},
        live::LiveCalls,
        store::{
            Appended, DueHangup, Redeemed, Redemption, ReplayKey, Store, StoreError, SweepBefore,
            Swept,
        },
        visitor::{SessionHash, Visitor, VonageUser},
    },
    settings::PostgresUrl,
    store::Access,
};

/// Connections of a command: it does one thing after another, and the servers need the rest.
const CONNECTIONS_BESIDE: u32 = 2;

/// An open database.
#[derive(Debug)]
pub(super) struct PostgresStore {
    options: PgConnectOptions,
    database: Database,
    writer: Writer,
    /// In whose name this process claims work.
    holder: Uuid,
    closing: CancellationToken,
}

impl PostgresStore {
    /// Opens the database and brings its tables up to date. One that can't be used is left as it is.
    pub(super) async fn open(url: &PostgresUrl, access: Access) -> Result<Self, PostgresError> {
        let connections = match access {
            Access::Serve { connections } => connections,
            Access::Beside => CONNECTIONS_BESIDE,
        };
        let options = open::options(url)?;
        open::prepare(url, &options).await?;
        Ok(Self {
            database: Database::new(options.clone(), connections),
            writer: Writer::start(options.clone()),
            options,
            holder: Uuid::new_v4(),
            closing: CancellationToken::new(),
        })
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.database.run(Beat).await
    }

    async fn server_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let name = name.to_owned();
        self.database.run(ServerSecret { name, fresh }).await
    }

    async fn insert_visitor(&self, visitor: &Visitor) -> Result<(), StoreError> {
        self.database.run(InsertVisitor(visitor.clone())).await
    }

    async fn find_visitor(
        &self,
        session: &SessionHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Visitor>, StoreError> {
        let session = *session;
        self.database.run(FindVisitor { session, now }).await
    }

    async fn renew_visitor(
        &self,
        visitor: &Visitor,
        old_user: &str,
    ) -> Result<Option<Visitor>, StoreError> {
        let (visitor, old_user) = (visitor.clone(), old_user.to_owned());
        self.database.run(RenewVisitor { visitor, old_user }).await
    }

    async fn list_expired_visitors(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Visitor>, StoreError> {
        let holder = self.holder;
        self.database.run(ClaimExpired { holder, now, limit }).await
    }

    async fn delete_visitor(&self, visitor: VisitorId) -> Result<(), StoreError> {
        self.database.run(DeleteVisitor(visitor)).await
    }

    async fn insert_ready_user(&self, user: &VonageUser) -> Result<(), StoreError> {
        self.database.run(InsertReadyUser(user.clone())).await
    }

    async fn count_ready_users(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<u32, StoreError> {
        let home = home.to_owned();
        self.database.run(CountReadyUsers { home, lasting }).await
    }

    async fn take_ready_user(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<Option<VonageUser>, StoreError> {
        let home = home.to_owned();
        self.database.run(TakeReadyUser { home, lasting }).await
    }

    async fn drop_ready_users(
        &self,
        ending: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<VonageUser>, StoreError> {
        self.database.run(DropReadyUsers { ending, limit }).await
    }

    async fn insert_call(&self, call: &Call) -> Result<(), StoreError> {
        self.database.run(InsertCall(call.clone())).await
    }

    async fn open_call(
        &self,
        call: &Call,
        replay: Option<&ReplayKey>,
    ) -> Result<Option<Call>, StoreError> {
        let (call, replay) = (call.clone(), replay.cloned());
        self.database.run(OpenCall { call, replay }).await
    }

    async fn redeem_ticket(&self, redemption: &Redemption) -> Result<Redeemed, StoreError> {
        self.database.run(redemption.clone()).await
    }

    async fn find_call(&self, call: CallId) -> Result<Option<Call>, StoreError> {
        self.database.run(FindCall(call)).await
    }

    async fn append_event(&self, event: &NewEvent) -> Result<Appended, StoreError> {
        self.writer.append(event.clone()).await
    }

    async fn list_call_events(&self, call: &Call) -> Result<Vec<StoredEvent>, StoreError> {
        self.database.run(ListCallEvents(call.clone())).await
    }

    async fn request_hangup(
        &self,
        call: CallId,
        due: DateTime<Utc>,
        void: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Call>, StoreError> {
        self.database
            .run(RequestHangup {
                call,
                due,
                void,
                now,
            })
            .await
    }

    async fn cancel_hangup(&self, call: CallId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.database.run(CancelHangup { call, now }).await
    }

    async fn due_hangups(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueHangup>, StoreError> {
        let holder = self.holder;
        self.database.run(ClaimDue { holder, now, limit }).await
    }

    async fn settle_hangup(
        &self,
        call: CallId,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.database
            .run(SettleHangup {
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
        self.database
            .run(ClaimOpen {
                holder: self.holder,
                now,
                after: calls::position(after),
                limit,
            })
            .await
    }

    async fn close_call(
        &self,
        call: CallId,
        closing: Closing,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.database.run(CloseCall { call, closing, at }).await
    }

    async fn sweep(&self, before: SweepBefore) -> Result<Swept, StoreError> {
        self.database.run(before).await
    }

    async fn follow_changes(&self, live: &LiveCalls) {
        let following = listener::follow(&self.options, live);
        self.closing.run_until_cancelled(following).await;
    }

    async fn close(&self) {
        self.closing.cancel();
        self.writer.close().await;
        self.database.close().await;
    }
}
