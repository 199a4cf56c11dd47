//! The port through which the rules reach what is kept. The only SQL is behind it, in [`crate::store`].

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    call::{Call, Closing},
    event::{NewEvent, StoredEvent},
    ids::{CallId, ConversationId, LegId, VisitorId},
    live::LiveCalls,
    visitor::{SessionHash, Visitor, VonageUser},
};

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is locked, full, or gave up: nothing was written. Worth another try.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// What stands in it cannot be read: a damaged row, or one of a newer version.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
}

/// A webhook token that has been used: its `jti` and `iat`, and the digest of the one request it stood for.
///
/// A second request with the same token is a retry when its digest is the same, and a forgery otherwise. `iat` is signed
/// as `jti` is, so one token has one: together they are looked up where the latest stand, instead of anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayKey {
    /// The token's `jti`.
    pub jti: String,
    /// The token's `iat`: it is good for the signature window around this.
    pub issued_at: DateTime<Utc>,
    /// SHA-256 of the raw body (POST) or query (GET).
    pub digest: [u8; 32],
}

/// What became of an event that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// On disk, for the first time; and the call it belongs to, when that is known already:
    /// its leg's call, else its conversation's.
    New(Option<CallId>),
    /// On disk before: same bytes, same `(leg, status, timestamp)`, or the same signed request.
    /// A `jti` that is new all the same is noted.
    Repeat,
    /// Its `jti` was used by another request: nothing was kept.
    Replayed,
}

/// An answer request that presents a ticket, once the ticket itself has been found good.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// The ticket's call.
    pub call: CallId,
    /// The caller's leg. A ticket is good for one leg; Vonage's retry for the same leg is the same redemption.
    pub leg: LegId,
    /// The conversation that all further events of this call carry.
    pub conversation: Option<ConversationId>,
    /// Where Vonage says the call can be controlled, as received.
    pub region_url: Option<String>,
    /// When the request came.
    pub at: DateTime<Utc>,
    /// The signed request itself, when it was signed.
    pub replay: Option<ReplayKey>,
}

/// What became of a [`Redemption`]. Atomic: of two legs that present one ticket exactly one is `Redeemed`.
#[derive(Debug, Clone, PartialEq)]
pub enum Redeemed {
    /// This leg holds the ticket, now or since an earlier request.
    Yes(Call),
    /// Another leg came first; or this leg has another call already, since a leg belongs to one call.
    ByAnotherLeg,
    /// The visitor hung up first: the ticket is void, whether its time is over or not.
    /// The leg has been noted on the call, whose hang-up is due at once; it does not count as redeemed.
    HungUp(Call),
    /// The ticket's time was over at its first use: [`Call::ticket_expires_at`] is the first moment too late.
    Expired,
    /// No such call.
    Unknown,
    /// The webhook's `jti` was used by another request.
    Replayed,
}

/// Ages beyond which [`Store::sweep`] deletes.
#[derive(Debug, Clone, Copy)]
pub struct SweepBefore {
    /// Webhook ids issued before this: the signature window is enough, as older ones are refused by their time.
    pub webhook_ids: DateTime<Utc>,
    /// Calls made and events received before this: the retention period.
    pub history: DateTime<Utc>,
    /// Visitors whose time was over before this. Their calls stay, without them.
    pub visitors: DateTime<Utc>,
}

/// How many rows a sweep deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Webhook ids.
    pub webhook_ids: u64,
    /// Calls.
    pub calls: u64,
    /// Events.
    pub events: u64,
    /// Visitors.
    pub visitors: u64,
}

/// How long a call that was handed out to be hung up is nobody else's. Longer than a try takes, and than the clocks
/// of two servers can differ; a call whose server was killed goes on after it.
pub const HANGUP_LEASE: TimeDelta = TimeDelta::seconds(30);

/// The same for what can wait: visitors to forget, calls to close.
pub const TIDY_LEASE: TimeDelta = TimeDelta::minutes(5);

/// A call that is to be hung up from here, as [`Store::due_hangups`] hands it out.
#[derive(Debug, Clone, PartialEq)]
pub struct DueHangup {
    /// The call, with its leg.
    pub call: Call,
    /// How many times it was tried before.
    pub attempts: u32,
}

/// Everything that is kept.
///
/// Every method that changes something returns only when the change is on disk: it survives `SIGKILL` and
/// a power cut. Every method may fail with [`StoreError::Unavailable`], and then nothing was changed, or at worst
/// (the connection broke in mid-commit) what the same request repeated finds done. A caller that stops waiting loses
/// only the answer. A method that names a visitor or call that is not there changes nothing and does not fail.
/// Times are kept in whole milliseconds.
///
/// Several servers may share one store, if its adapter allows it. What is handed out to be worked on is then claimed for
/// the server that asked: it gets the same again when it asks again, and no other one does before the lease is over.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Proves with a small durable write that the store works now.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The 32-byte secret of this name; `fresh` becomes it when there was none.
    async fn server_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;

    /// Keeps a new visitor. Keeping the same one again changes nothing.
    async fn insert_visitor(&self, visitor: &Visitor) -> Result<(), StoreError>;

    /// The visitor of this session, unless it has expired at `now` (`expires_at` is the first moment too late).
    async fn find_visitor(
        &self,
        session: &SessionHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Visitor>, StoreError>;

    /// Gives a visitor another Vonage user (`user`, `owns_user`) and a later end (`expires_at`; an earlier one is not taken),
    /// unless they have another one than `old_user` by now: of two renewals at once the first wins. The rest stays.
    /// Returns the visitor as they are now, `None` if they have been forgotten.
    async fn renew_visitor(
        &self,
        visitor: &Visitor,
        old_user: &str,
    ) -> Result<Option<Visitor>, StoreError>;

    /// Visitors whose time is over, the longest expired first. Claimed for [`TIDY_LEASE`].
    async fn list_expired_visitors(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Visitor>, StoreError>;

    /// Forgets a visitor. Their calls stay until the retention period ends, without them.
    async fn delete_visitor(&self, visitor: VisitorId) -> Result<(), StoreError>;

    /// Keeps a Vonage user that was made ahead, for a visitor to come. Keeping the same one again changes nothing.
    async fn insert_ready_user(&self, user: &VonageUser) -> Result<(), StoreError>;

    /// How many users that were made ahead live in this home and last until `lasting` at least.
    async fn count_ready_users(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<u32, StoreError>;

    /// Takes out the user that was made ahead, lives in this home, lasts until `lasting` at least, and ends first.
    /// Nobody else gets it.
    async fn take_ready_user(
        &self,
        home: &str,
        lasting: DateTime<Utc>,
    ) -> Result<Option<VonageUser>, StoreError>;

    /// Takes out the users that were made ahead, wherever they live, and end before `ending`, at most `limit` of them, the first to end first.
    async fn drop_ready_users(
        &self,
        ending: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<VonageUser>, StoreError>;

    /// Keeps a new call: its ticket may be redeemed from now on. Keeping the same one again changes nothing,
    /// and a visitor who has been forgotten meanwhile is left out.
    async fn insert_call(&self, call: &Call) -> Result<(), StoreError>;

    /// Keeps a call that came without a ticket and so has its leg already, or finds the one that this leg
    /// made before. `None`: the webhook's `jti` was used by another request. `created_at` is when the webhook came.
    async fn open_call(
        &self,
        call: &Call,
        replay: Option<&ReplayKey>,
    ) -> Result<Option<Call>, StoreError>;

    /// Redeems a ticket. See [`Redeemed`].
    async fn redeem_ticket(&self, redemption: &Redemption) -> Result<Redeemed, StoreError>;

    /// The call of this id.
    async fn find_call(&self, call: CallId) -> Result<Option<Call>, StoreError>;

    /// Keeps an event. See [`Appended`]. An event without a call is kept all the same.
    async fn append_event(&self, event: &NewEvent) -> Result<Appended, StoreError>;

    /// All events of a call: those of its conversation and those of its leg, in order of arrival.
    async fn list_call_events(&self, call: &Call) -> Result<Vec<StoredEvent>, StoreError>;

    /// Asks for a call to be hung up at `due`.
    ///
    /// With `void`, a ticket that was not redeemed yet is void from now on. An earlier due time
    /// wins over a later one, and a call that was hung up or closed already stays so. Returns the call as it is now.
    async fn request_hangup(
        &self,
        call: CallId,
        due: DateTime<Utc>,
        void: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<Call>, StoreError>;

    /// Takes back a hang-up that is not due at `now` yet: the visitor came back. `true` if there was one.
    ///
    /// One that was tried and put off was due before and stays. A void ticket stays void.
    async fn cancel_hangup(&self, call: CallId, now: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Calls with a leg whose hang-up is due at `now`, earliest first. Claimed for [`HANGUP_LEASE`], or until it is settled.
    ///
    /// A due hang-up of a call without a leg is ended here: its ticket is void from now on. Handing it out would leave
    /// a moment for a leg to redeem the ticket and then be taken for hung up.
    async fn due_hangups(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<DueHangup>, StoreError>;

    /// Ends a due hang-up (`retry_at` is `None`) or puts it off and counts the attempt.
    /// One that ends without a leg leaves the ticket void. One that is not due at `now` stays.
    async fn settle_hangup(
        &self,
        call: CallId,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// Calls that were redeemed before `now` and are not closed, oldest first; only those that come `after` this one.
    /// Claimed for [`TIDY_LEASE`].
    async fn list_open_calls(
        &self,
        now: DateTime<Utc>,
        after: Option<&Call>,
        limit: u32,
    ) -> Result<Vec<Call>, StoreError>;

    /// Closes a call for good. Closing it again changes nothing. `true` if it was this that closed it.
    async fn close_call(
        &self,
        call: CallId,
        closing: Closing,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError>;

    /// Deletes what is old, a bounded number of rows at a time (call again while it returns 1 000 of any kind).
    async fn sweep(&self, before: SweepBefore) -> Result<Swept, StoreError>;

    /// Tells `live` what changes through other servers that share this store, until it is closed.
    ///
    /// What was missed (the connection broke) is made up for by telling every watcher. A store that only one server
    /// uses has nothing to tell, and is done at once.
    async fn follow_changes(&self, live: &LiveCalls);

    /// Waits until everything queued is on disk and closes. Later calls fail.
    async fn close(&self);
}
