//! A session of the Client SDK: it outlives its socket, and keeps what was missed meanwhile.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::simulator::{
    call::leg::Identity,
    cloud::{Cloud, lock},
};

/// Events kept for a session without a socket.
const MISSED: usize = 500;

/// What goes to a socket.
#[derive(Debug, Clone)]
pub(in crate::simulator) enum Line {
    /// An event: its name and payload.
    Event(String, Value),
    /// `41`, then the end.
    Goodbye,
    /// The end of the connection, without a word: a network that is gone.
    Cut,
}

/// A logged-in client.
#[derive(Debug)]
pub(in crate::simulator) struct Session {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) application_id: String,
    pub(in crate::simulator) user: Identity,
    /// When its newest token ends, Unix seconds.
    pub(in crate::simulator) expires_at: watch::Sender<i64>,
    link: Mutex<Link>,
}

#[derive(Debug, Default)]
struct Link {
    socket: Option<mpsc::UnboundedSender<Line>>,
    missed: Vec<Value>,
}

impl Session {
    /// A new session, not yet known to the cloud.
    pub(super) fn new(application_id: &str, user: Identity, expires_at: i64) -> Arc<Self> {
        Arc::new(Self {
            id: Uuid::new_v4().to_string(),
            application_id: application_id.to_owned(),
            user,
            expires_at: watch::Sender::new(expires_at),
            link: Mutex::default(),
        })
    }

    /// Takes a socket, the one before is cut off; returns the events that were missed.
    pub(super) fn attach(&self, socket: mpsc::UnboundedSender<Line>) -> Vec<Value> {
        let mut link = lock(&self.link);
        if let Some(before) = link.socket.replace(socket) {
            // It may be gone already.
            let _ = before.send(Line::Cut);
        }
        std::mem::take(&mut link.missed)
    }

    /// Lets a socket go, unless another has taken its place.
    pub(super) fn detach(&self, socket: &mpsc::UnboundedSender<Line>) {
        let mut link = lock(&self.link);
        if link
            .socket
            .as_ref()
            .is_some_and(|current| current.same_channel(socket))
        {
            link.socket = None;
        }
    }

    pub(in crate::simulator) fn is_online(&self) -> bool {
        lock(&self.link).socket.is_some()
    }

    /// Sends a line; without a socket an event is kept for later.
    pub(in crate::simulator) fn send(&self, line: Line) {
        let mut held = lock(&self.link);
        let unsent = match &held.socket {
            Some(socket) => socket.send(line).err().map(|refused| refused.0),
            None => Some(line),
        };
        if let Some(Line::Event(_, event)) = unsent
            && held.missed.len() < MISSED
        {
            held.missed.push(event);
        }
    }
}

impl Cloud {
    /// The session of this id.
    pub(in crate::simulator) fn session(&self, id: &str) -> Option<Arc<Session>> {
        lock(&self.sessions).get(id).cloned()
    }

    fn sessions_of(&self, user_id: &str) -> Vec<Arc<Session>> {
        lock(&self.sessions)
            .values()
            .filter(|session| session.user.id == user_id)
            .cloned()
            .collect()
    }

    /// A session in which a user of this name can be called; with several, any of them.
    pub(in crate::simulator) fn online_session(
        &self,
        application_id: &str,
        user: &str,
    ) -> Option<Arc<Session>> {
        lock(&self.sessions)
            .values()
            .find(|session| {
                session.application_id == application_id
                    && session.user.name == user
                    && session.is_online()
            })
            .cloned()
    }

    /// Whether the session, or else another of the same user, has a socket.
    pub(in crate::simulator) fn is_online(&self, session_id: &str, user_id: &str) -> bool {
        self.session(session_id)
            .into_iter()
            .chain(self.sessions_of(user_id))
            .any(|session| session.is_online())
    }

    /// Sends an event to the session that made the call. While that one is away it keeps the event,
    /// and all others of the user hear it: a page may have logged in anew without its old session.
    pub(in crate::simulator) fn tell(
        &self,
        session_id: &str,
        user_id: &str,
        name: &str,
        event: &Value,
    ) {
        let line = Line::Event(name.to_owned(), event.clone());
        let own = self.session(session_id);
        let online = own.as_ref().is_some_and(|session| session.is_online());
        if let Some(session) = own {
            session.send(line.clone());
        }
        if !online {
            for session in self.sessions_of(user_id) {
                if session.id != session_id {
                    session.send(line.clone());
                }
            }
        }
    }

    /// Forgets a session.
    pub(in crate::simulator) fn end_session(&self, id: &str) {
        lock(&self.sessions).remove(id);
        self.changed();
    }
}

/// The payload of `session:success`.
pub(super) fn success(session: &Session, api_key: &str, missed: &[Value]) -> Value {
    json!({
        "body": {
            "id": session.id,
            "user_id": session.user.id,
            "name": session.user.name,
            "api_key": api_key,
            "pending_events": missed,
        },
    })
}
