//! One end of a call: who it is, what state it is in, and its sound.

use std::sync::{Arc, Mutex, atomic::Ordering};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{conversation::Conversation, ncco::Action, sound::Sound};
use crate::simulator::{
    clock,
    cloud::lock,
    media::Frame,
    registry::{User, Webhook},
    scenario::Behaviour,
};

/// Keys that are kept for a slow reader; nobody types more ahead.
const KEYS_AHEAD: usize = 64;

/// Who is at this end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Party {
    /// A browser or app that called through the Client SDK, in this session.
    Caller { session_id: String },
    /// The same, but nobody is there: the call is played, without a session and without sound.
    Played,
    /// A telephone, or whatever else a `connect` reached: it rings on the desk phone page.
    Telephone { kind: &'static str },
}

/// Which way the leg was set up, seen from Vonage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum Direction {
    Inbound,
    Outbound,
}

/// The state of a leg, as events tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum CallStatus {
    Started,
    Ringing,
    Answered,
    Busy,
    Cancelled,
    Unanswered,
    Rejected,
    Failed,
    Timeout,
    Completed,
}

impl CallStatus {
    /// The word on the wire.
    pub(in crate::simulator) fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Unanswered => "unanswered",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Completed => "completed",
        }
    }

    /// Whether nothing follows.
    pub(in crate::simulator) fn is_over(self) -> bool {
        !matches!(self, Self::Started | Self::Ringing | Self::Answered)
    }
}

/// Who ended a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum EndedBy {
    /// The person at this end.
    User,
    /// Vonage: the NCCO's end, a limit, the other side, a REST call.
    Platform,
}

/// What a person does with a ringing or connected desk phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Decision {
    Answer,
    Decline,
    Engaged,
    NoAnswer,
    Voicemail,
}

/// One end of a call.
#[derive(Debug)]
pub(in crate::simulator) struct Leg {
    /// `uuid` of webhooks; for callers also the SDK's call id.
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) application_id: String,
    pub(in crate::simulator) party: Party,
    pub(in crate::simulator) direction: Direction,
    /// `from` of events; null for callers from the Client SDK.
    pub(in crate::simulator) from: Option<String>,
    pub(in crate::simulator) to: String,
    /// The user this leg belongs to; telephones have one of their own.
    pub(in crate::simulator) user: Identity,
    /// `MEM-` and a UUID.
    pub(in crate::simulator) member_id: String,
    /// Where this leg's events go instead of the application's event URL.
    pub(in crate::simulator) event_url: Option<Webhook>,
    /// Whether replies to failure events are read as an NCCO.
    pub(in crate::simulator) synchronous: bool,
    pub(in crate::simulator) created: DateTime<Utc>,
    pub(in crate::simulator) sound: Sound,
    /// Keys pressed at this end.
    pub(in crate::simulator) keys: broadcast::Sender<char>,
    /// Cancelled when the leg has to end.
    pub(in crate::simulator) hangup: CancellationToken,
    /// Cancelled when its last event is sent.
    pub(in crate::simulator) finished: CancellationToken,
    orders: mpsc::UnboundedSender<Vec<Action>>,
    order_queue: Mutex<Option<mpsc::UnboundedReceiver<Vec<Action>>>>,
    decisions: mpsc::UnboundedSender<Decision>,
    decision_queue: Mutex<Option<mpsc::UnboundedReceiver<Decision>>>,
    status: watch::Sender<CallStatus>,
    state: Mutex<State>,
}

/// A user's id and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Identity {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) name: String,
}

impl From<&User> for Identity {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
        }
    }
}

#[derive(Debug)]
struct State {
    conversation: Arc<Conversation>,
    history: Vec<Value>,
    answered: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
    ended_by: EndedBy,
    /// Legs this one called.
    children: Vec<Arc<Leg>>,
    /// Texts spoken to this leg.
    captions: Vec<String>,
    /// The reply to a synchronous event.
    reply: Option<Value>,
    /// What this telephone did when it rang.
    did: Option<Behaviour>,
    /// Keys that a person pressed here.
    pressed: String,
}

/// What [`Leg::new`] needs to know.
#[derive(Debug)]
pub(in crate::simulator) struct NewLeg {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) conversation: Arc<Conversation>,
    pub(in crate::simulator) party: Party,
    pub(in crate::simulator) direction: Direction,
    pub(in crate::simulator) from: Option<String>,
    pub(in crate::simulator) to: String,
    pub(in crate::simulator) user: Identity,
    pub(in crate::simulator) event_url: Option<Webhook>,
    pub(in crate::simulator) synchronous: bool,
}

impl Leg {
    pub(in crate::simulator) fn new(new: NewLeg) -> Arc<Self> {
        let (orders, order_queue) = mpsc::unbounded_channel();
        let (decisions, decision_queue) = mpsc::unbounded_channel();
        Arc::new(Self {
            id: new.id,
            application_id: new.conversation.application_id.clone(),
            party: new.party,
            direction: new.direction,
            from: new.from,
            to: new.to,
            user: new.user,
            member_id: format!("MEM-{}", Uuid::new_v4()),
            event_url: new.event_url,
            synchronous: new.synchronous,
            created: clock::now(),
            sound: Sound::default(),
            keys: broadcast::Sender::new(KEYS_AHEAD),
            hangup: CancellationToken::new(),
            finished: CancellationToken::new(),
            orders,
            order_queue: Mutex::new(Some(order_queue)),
            decisions,
            decision_queue: Mutex::new(Some(decision_queue)),
            status: watch::Sender::new(CallStatus::Started),
            state: Mutex::new(State {
                conversation: new.conversation,
                history: Vec::new(),
                answered: None,
                ended: None,
                ended_by: EndedBy::Platform,
                children: Vec::new(),
                captions: Vec::new(),
                reply: None,
                did: None,
                pressed: String::new(),
            }),
        })
    }

    /// `app`, `phone`, `sip`, …: the type of this end.
    pub(in crate::simulator) fn kind(&self) -> &'static str {
        match &self.party {
            Party::Caller { .. } | Party::Played => "app",
            Party::Telephone { kind } => kind,
        }
    }

    pub(in crate::simulator) fn is_caller(&self) -> bool {
        matches!(self.party, Party::Caller { .. } | Party::Played)
    }

    pub(in crate::simulator) fn conversation(&self) -> Arc<Conversation> {
        Arc::clone(&lock(&self.state).conversation)
    }

    pub(in crate::simulator) fn move_to(&self, conversation: &Arc<Conversation>) {
        lock(&self.state).conversation = Arc::clone(conversation);
    }

    pub(in crate::simulator) fn status(&self) -> CallStatus {
        *self.status.borrow()
    }

    /// Follows the state.
    pub(in crate::simulator) fn watch_status(&self) -> watch::Receiver<CallStatus> {
        self.status.subscribe()
    }

    /// Moves on to `status`; once over, a leg stays over. Says whether anything changed.
    pub(in crate::simulator) fn advance(&self, status: CallStatus) -> bool {
        let now = clock::now();
        let mut state = lock(&self.state);
        if self.status.borrow().is_over() {
            return false;
        }
        state
            .history
            .push(json!({ "status": status.as_str(), "date": clock::iso(now) }));
        if status == CallStatus::Answered {
            state.answered = Some(now);
        }
        if status.is_over() {
            state.ended = Some(now);
        }
        drop(state);
        self.status.send_replace(status);
        true
    }

    pub(in crate::simulator) fn history(&self) -> Vec<Value> {
        lock(&self.state).history.clone()
    }

    pub(in crate::simulator) fn answered_at(&self) -> Option<DateTime<Utc>> {
        lock(&self.state).answered
    }

    pub(in crate::simulator) fn ended_at(&self) -> Option<DateTime<Utc>> {
        lock(&self.state).ended
    }

    pub(in crate::simulator) fn ended_by(&self) -> EndedBy {
        lock(&self.state).ended_by
    }

    /// Length of the conversation in whole seconds, begun ones counted.
    pub(in crate::simulator) fn seconds(&self) -> u64 {
        let state = lock(&self.state);
        let length = state
            .answered
            .zip(state.ended)
            .map(|(answered, ended)| (ended - answered).num_milliseconds())
            .unwrap_or_default();
        u64::try_from(length).unwrap_or_default().div_ceil(1_000)
    }

    /// Ends the leg; the first reason counts.
    pub(in crate::simulator) fn hang_up(&self, by: EndedBy) {
        if !self.hangup.is_cancelled() {
            lock(&self.state).ended_by = by;
            self.hangup.cancel();
        }
    }

    pub(in crate::simulator) fn adopt(&self, child: &Arc<Leg>) {
        lock(&self.state).children.push(Arc::clone(child));
    }

    pub(in crate::simulator) fn children(&self) -> Vec<Arc<Leg>> {
        lock(&self.state).children.clone()
    }

    /// Keeps a text that was spoken to this end.
    pub(in crate::simulator) fn caption(&self, text: String) {
        lock(&self.state).captions.push(text);
    }

    pub(in crate::simulator) fn captions(&self) -> Vec<String> {
        lock(&self.state).captions.clone()
    }

    pub(in crate::simulator) fn set_reply(&self, reply: Value) {
        lock(&self.state).reply = Some(reply);
    }

    pub(in crate::simulator) fn take_reply(&self) -> Option<Value> {
        lock(&self.state).reply.take()
    }

    /// Keeps what this telephone does, so that it can be played again.
    pub(in crate::simulator) fn note(&self, did: Behaviour) {
        lock(&self.state).did = Some(did);
    }

    pub(in crate::simulator) fn did(&self) -> Option<Behaviour> {
        lock(&self.state).did.clone()
    }

    /// A person presses a key. One that nobody listens for is lost, as on a telephone.
    pub(in crate::simulator) fn press(&self, key: char) {
        lock(&self.state).pressed.push(key);
        let _ = self.keys.send(key);
    }

    pub(in crate::simulator) fn pressed(&self) -> String {
        lock(&self.state).pressed.clone()
    }

    /// Replaces the NCCO this leg follows; false when it follows none any more.
    pub(in crate::simulator) fn redirect(&self, ncco: Vec<Action>) -> bool {
        self.orders.send(ncco).is_ok()
    }

    pub(in crate::simulator) fn take_orders(&self) -> Option<mpsc::UnboundedReceiver<Vec<Action>>> {
        lock(&self.order_queue).take()
    }

    /// What a person does with the ringing telephone; false when it doesn't ring any more.
    pub(in crate::simulator) fn decide(&self, decision: Decision) -> bool {
        self.decisions.send(decision).is_ok()
    }

    pub(in crate::simulator) fn take_decisions(&self) -> Option<mpsc::UnboundedReceiver<Decision>> {
        lock(&self.decision_queue).take()
    }

    /// A packet from the person at this end, on to everybody else.
    pub(in crate::simulator) fn heard(&self, frame: &Frame) {
        self.sound.count_in(frame);
        if !self.sound.muted.load(Ordering::Relaxed) {
            self.conversation().forward(self, frame);
        }
    }

    /// A packet to the person at this end.
    pub(in crate::simulator) fn deliver(&self, frame: &Frame) {
        if !self.sound.deaf.load(Ordering::Relaxed) {
            self.sound.send(frame);
        }
    }
}
