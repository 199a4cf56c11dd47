//! Where legs meet: who hears whom, and what the Client SDK is told about it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    leg::{Direction, Leg, Party},
    mixer::{self, Said},
};
use crate::simulator::{
    clock,
    cloud::{Cloud, lock},
    media::Frame,
    registry::Application,
    scenario::{Behaviour, next_of},
    webhook::{EventQueue, Post},
};

/// Legs that hear each other: two by their packets, more by a mix.
#[derive(Debug)]
pub(in crate::simulator) struct Conversation {
    /// `CON-` and a UUID.
    pub(in crate::simulator) id: String,
    /// The name a `conversation` action gave it, or one made up.
    pub(in crate::simulator) name: String,
    pub(in crate::simulator) application_id: String,
    pub(in crate::simulator) created: String,
    /// Its events on their way to the application.
    pub(in crate::simulator) events: EventQueue,
    /// Cancelled when everybody has to leave (`endOnExit`).
    pub(in crate::simulator) ended: CancellationToken,
    room: Mutex<Room>,
    /// What telephones do that ring for this conversation, before what they do for everybody.
    script: Mutex<BTreeMap<String, Vec<Behaviour>>>,
    /// Whether somebody has entered whose entry starts the conversation.
    started: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Room {
    legs: Vec<Arc<Leg>>,
    /// Events for the Client SDK, numbered from 1 without gaps.
    log: Vec<Value>,
    taps: Vec<Tap>,
    /// There while there are three and more.
    mixer: Option<mpsc::UnboundedSender<Said>>,
}

/// A recorder's ear: the leg that spoke, and its packet.
pub(in crate::simulator) type Tap = mpsc::UnboundedSender<(String, Frame)>;

impl Conversation {
    /// Opens a conversation and makes it known.
    pub(in crate::simulator) fn open(
        cloud: &Arc<Cloud>,
        application_id: &str,
        name: Option<&str>,
    ) -> Arc<Self> {
        let conversation = Arc::new(Self {
            id: format!("CON-{}", Uuid::new_v4()),
            name: name.map_or_else(|| format!("NAM-{}", Uuid::new_v4()), str::to_owned),
            application_id: application_id.to_owned(),
            created: clock::now_iso(),
            events: EventQueue::start(Arc::clone(cloud)),
            ended: CancellationToken::new(),
            room: Mutex::default(),
            script: Mutex::default(),
            started: watch::Sender::new(false),
        });
        lock(&cloud.conversations).insert(conversation.id.clone(), Arc::clone(&conversation));
        conversation
    }

    /// The application's conversation of this name that still has somebody in it, or a new one.
    pub(in crate::simulator) fn named(
        cloud: &Arc<Cloud>,
        application_id: &str,
        name: &str,
    ) -> Arc<Self> {
        let found = lock(&cloud.conversations)
            .values()
            .find(|found| {
                found.application_id == application_id
                    && found.name == name
                    && !found.ended.is_cancelled()
                    && !lock(&found.room).legs.is_empty()
            })
            .cloned();
        found.unwrap_or_else(|| Self::open(cloud, application_id, Some(name)))
    }

    /// Sets what telephones do that ring for this conversation.
    pub(in crate::simulator) fn follow(&self, script: BTreeMap<String, Vec<Behaviour>>) {
        *lock(&self.script) = script;
    }

    /// What the telephone of this number does next, if that is particular to this conversation.
    pub(in crate::simulator) fn next_behaviour(&self, number: &str) -> Option<Behaviour> {
        next_of(&mut lock(&self.script), number)
    }

    /// Lets a leg in and tells the SDK.
    pub(in crate::simulator) fn join(self: &Arc<Self>, cloud: &Arc<Cloud>, leg: &Arc<Leg>) {
        let mut room = lock(&self.room);
        room.legs.push(Arc::clone(leg));
        if room.legs.len() > 2 && room.mixer.is_none() {
            let (mixer, said) = mpsc::unbounded_channel();
            room.mixer = Some(mixer);
            cloud.spawn(mixer::run(Arc::downgrade(self), said));
        }
        drop(room);
        self.emit(cloud, "member:joined", leg, &member_body(leg));
        cloud.changed();
    }

    /// Lets a leg out, without a word to the SDK.
    pub(in crate::simulator) fn leave(&self, leg: &Leg) {
        lock(&self.room).legs.retain(|member| member.id != leg.id);
    }

    pub(in crate::simulator) fn legs(&self) -> Vec<Arc<Leg>> {
        lock(&self.room).legs.clone()
    }

    /// Starts it for those who wait with music.
    pub(in crate::simulator) fn start(&self) {
        self.started.send_replace(true);
    }

    pub(in crate::simulator) fn watch_start(&self) -> watch::Receiver<bool> {
        self.started.subscribe()
    }

    /// Passes a packet on to everybody but its speaker.
    pub(in crate::simulator) fn forward(&self, speaker: &Leg, frame: &Frame) {
        let mut room = lock(&self.room);
        if let Some(mixer) = &room.mixer {
            // It ends under the room's lock, or with the simulator.
            let _ = mixer.send((speaker.id.clone(), Arc::clone(frame)));
        } else {
            for leg in room.legs.iter().filter(|leg| leg.id != speaker.id) {
                leg.deliver(frame);
            }
        }
        room.taps
            .retain(|tap| tap.send((speaker.id.clone(), Arc::clone(frame))).is_ok());
    }

    /// Those whom the mixer mixes for. None with fewer than three: then packets are passed on as they are, and
    /// the next third one starts another mixer.
    pub(super) fn mixed(&self) -> Option<Vec<Arc<Leg>>> {
        let mut room = lock(&self.room);
        if room.legs.len() < 3 {
            room.mixer = None;
            return None;
        }
        Some(room.legs.clone())
    }

    /// Lets a recorder listen until it drops its end.
    pub(in crate::simulator) fn tap(&self, tap: Tap) {
        lock(&self.room).taps.push(tap);
    }

    /// Writes an event and sends it to every caller in the room; returns its number.
    pub(in crate::simulator) fn emit(
        &self,
        cloud: &Cloud,
        name: &str,
        from: &Leg,
        body: &Value,
    ) -> usize {
        let mut room = lock(&self.room);
        let number = room.log.len() + 1;
        let event = json!({
            "id": number,
            "type": name,
            "cid": self.id,
            "conversation_id": self.id,
            "from": from.member_id,
            "timestamp": clock::now_iso(),
            "application_id": self.application_id,
            "body": body,
            "_embedded": {
                "from_user": { "id": from.user.id, "name": from.user.name },
                "from_member": { "id": from.member_id },
            },
        });
        room.log.push(event.clone());
        let present = room.legs.clone();
        drop(room);
        self.post_rtc_event(cloud, &event);
        // One that is called hears of it before it is let in, and also when it never is.
        let called = (from.direction == Direction::Outbound
            && present.iter().all(|leg| leg.id != from.id))
        .then_some(from);
        for leg in present.iter().map(AsRef::as_ref).chain(called) {
            if let Party::Caller { session_id } = &leg.party {
                cloud.tell(session_id, &leg.user.id, name, &event);
            }
        }
        number
    }

    /// Applications with an `rtc` event URL are told what the SDK is told.
    fn post_rtc_event(&self, cloud: &Cloud, event: &Value) {
        let target = lock(&cloud.registry)
            .application(&self.application_id)
            .and_then(Application::rtc_events);
        if let Some((webhook, signed)) = target {
            self.events.push(Post {
                application_id: self.application_id.clone(),
                webhook,
                fallback: None,
                signed,
                payload: event.clone(),
                reply: None,
            });
        }
    }

    /// All events so far.
    pub(in crate::simulator) fn log(&self) -> Vec<Value> {
        lock(&self.room).log.clone()
    }
}

/// The body of `member:joined` and `member:left`, as the Client SDK reads it.
pub(in crate::simulator) fn member_body(leg: &Leg) -> Value {
    json!({
        "member_id": leg.member_id,
        "user": { "id": leg.user.id, "name": leg.user.name },
        "channel": channel(leg),
        "timestamp": {
            "joined": leg.answered_at().map(clock::iso),
            "left": leg.ended_at().map(clock::iso),
        },
    })
}

/// A leg as a channel. The SDK finds its call by the channel's id.
pub(in crate::simulator) fn channel(leg: &Leg) -> Value {
    if leg.is_caller() && leg.direction == Direction::Outbound {
        let from = json!({ "type": "phone", "number": leg.from });
        let to = json!({ "type": "app", "user": leg.user.name });
        return json!({ "id": leg.id, "type": "app", "leg_ids": [leg.id], "from": from, "to": to });
    }
    let from = match (&leg.party, &leg.from) {
        (Party::Caller { .. } | Party::Played, _) => {
            json!({ "type": "app", "user": leg.user.name })
        }
        (Party::Telephone { .. }, Some(number)) => json!({ "type": "phone", "number": number }),
        (Party::Telephone { .. }, None) => json!({ "type": "phone", "number": "" }),
    };
    let to = match &leg.party {
        Party::Telephone { kind: "app" } => json!({ "type": "app", "user": leg.to }),
        Party::Telephone { .. } => json!({ "type": "phone", "number": leg.to }),
        Party::Caller { .. } | Party::Played => json!({ "type": "phone", "number": "" }),
    };
    json!({ "id": leg.id, "type": leg.kind(), "leg_ids": [leg.id], "from": from, "to": to })
}
