//! The state that every part shares.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    call::{conversation::Conversation, leg::Leg},
    client::session::Session,
    clock,
    media::{clip::Sounds, voice::Voice},
    random::Dice,
    registry::Registry,
    scenario::{Disturbance, Effect, FaultyAnswer, RequestFault, Scenario},
    webhook::{Clients, journal::Journal},
};

/// Legs that are kept before those that are over are forgotten.
const LEGS_KEPT: usize = 500;

/// One simulated Vonage.
#[derive(Debug)]
pub(super) struct Cloud {
    pub(super) api_key: String,
    pub(super) api_secret: SecretString,
    pub(super) signature_secret: SecretString,
    /// `http://address:port`, without a slash at its end.
    pub(super) base_url: String,
    /// Where media ports are opened.
    pub(super) media_address: IpAddr,
    pub(super) registry: Mutex<Registry>,
    pub(super) scenario: Mutex<Scenario>,
    pub(super) journal: Journal,
    pub(super) clients: Clients,
    pub(super) sounds: Sounds,
    pub(super) voice: Arc<Voice>,
    pub(super) sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    pub(super) conversations: Mutex<BTreeMap<String, Arc<Conversation>>>,
    /// Legs that live, and the last of those that are over.
    pub(super) legs: Mutex<Vec<Arc<Leg>>>,
    /// Offers that were answered but whose caller has not knocked yet.
    pub(super) offers: Mutex<BTreeMap<String, Arc<Leg>>>,
    /// Recordings by file id.
    pub(super) files: Mutex<BTreeMap<String, Recording>>,
    pub(super) outbound_calls: Pace,
    pub(super) voice_requests: Pace,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    dice: Mutex<Dice>,
    /// Disturbances and faults used so far, by the list and their place in it.
    spent: Mutex<BTreeMap<(Mishaps, usize), u32>>,
    changes: watch::Sender<u64>,
}

/// The lists of a scenario whose entries happen so and so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mishaps {
    Webhooks,
    Requests,
}

/// A kept recording.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    /// Whose call it was: only this application may fetch it.
    pub(super) application_id: String,
    pub(super) content_type: &'static str,
    pub(super) bytes: Arc<[u8]>,
}

/// What a [`Cloud`] starts with.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) api_key: String,
    pub(super) api_secret: SecretString,
    pub(super) signature_secret: SecretString,
    pub(super) base_url: String,
    pub(super) media_address: IpAddr,
    pub(super) registry: Registry,
    pub(super) scenario: Scenario,
    pub(super) seed: u64,
}

impl Cloud {
    pub(super) fn new(beginning: Beginning) -> Self {
        Self {
            api_key: beginning.api_key,
            api_secret: beginning.api_secret,
            signature_secret: beginning.signature_secret,
            base_url: beginning.base_url,
            media_address: beginning.media_address,
            registry: Mutex::new(beginning.registry),
            scenario: Mutex::new(beginning.scenario),
            journal: Journal::default(),
            clients: Clients::default(),
            sounds: Sounds::new(),
            voice: Arc::new(Voice::of("espeak-ng")),
            sessions: Mutex::default(),
            conversations: Mutex::default(),
            legs: Mutex::default(),
            offers: Mutex::default(),
            files: Mutex::default(),
            outbound_calls: Pace::default(),
            voice_requests: Pace::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            dice: Mutex::new(Dice::new(beginning.seed)),
            spent: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// The account as it is at this moment: users whose time is over are gone.
    pub(super) fn registry_now(&self) -> MutexGuard<'_, Registry> {
        let ahead = lock(&self.scenario).timing.users_older_by_s;
        let now = clock::now() + TimeDelta::seconds(i64::try_from(ahead).unwrap_or_default());
        let mut busy: BTreeSet<String> = lock(&self.sessions)
            .values()
            .map(|session| session.user.id.clone())
            .collect();
        let legs = lock(&self.legs);
        let live = legs.iter().filter(|leg| !leg.status().is_over());
        busy.extend(live.map(|leg| leg.user.id.clone()));
        drop(legs);
        let mut registry = lock(&self.registry);
        registry.expire_users(now, &busy);
        registry
    }

    /// Runs `work` beside everything else, until it ends or the simulator stops.
    pub(super) fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Says that something visible changed.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Follows the changes.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Makes a leg known; the oldest that are over are forgotten.
    pub(super) fn add_leg(&self, leg: &Arc<Leg>) {
        let mut legs = lock(&self.legs);
        if legs.len() >= LEGS_KEPT
            && let Some(oldest) = legs.iter().position(|leg| leg.finished.is_cancelled())
        {
            let conversation = legs.remove(oldest).conversation();
            if conversation.legs().is_empty() {
                lock(&self.conversations).remove(&conversation.id);
            }
        }
        legs.push(Arc::clone(leg));
    }

    /// The leg of this id.
    pub(super) fn leg(&self, id: &str) -> Option<Arc<Leg>> {
        lock(&self.legs).iter().find(|leg| leg.id == id).cloned()
    }

    /// The conversation of this id.
    pub(super) fn conversation(&self, id: &str) -> Option<Arc<Conversation>> {
        lock(&self.conversations).get(id).cloned()
    }

    /// Replaces the scenario and forgets what the old one had used up.
    pub(super) fn play(&self, scenario: Scenario) {
        *lock(&self.scenario) = scenario;
        lock(&self.spent).clear();
        self.changed();
    }

    /// What the scenario does to a webhook of this kind and payload.
    pub(super) fn effects_on(&self, kind: &str, payload: &Value) -> Vec<Effect> {
        let disturbances = lock(&self.scenario).webhooks.clone();
        let mut effects = Vec::new();
        for (place, disturbance) in disturbances.into_iter().enumerate() {
            if concerns(&disturbance, kind, payload)
                && self.happens(
                    (Mishaps::Webhooks, place),
                    disturbance.percent,
                    disturbance.times,
                )
            {
                effects.push(disturbance.effect);
            }
        }
        effects
    }

    /// What the scenario answers a request with in the place of the true answer: the first fault that hits.
    pub(super) fn fault_of(&self, method: &str, path: &str) -> Option<FaultyAnswer> {
        let faults = lock(&self.scenario).requests.clone();
        let hit = |(place, fault): &(usize, RequestFault)| {
            fault.concerns(method, path)
                && self.happens((Mishaps::Requests, *place), fault.percent, fault.times)
        };
        faults
            .into_iter()
            .enumerate()
            .find(hit)
            .map(|(_, fault)| fault.answer)
    }

    fn happens(&self, entry: (Mishaps, usize), percent: u8, times: Option<u32>) -> bool {
        let mut spent = lock(&self.spent);
        let used = spent.entry(entry).or_default();
        let left = times.is_none_or(|times| *used < times);
        let happens = left && lock(&self.dice).chance(percent);
        *used += u32::from(happens);
        happens
    }
}

fn concerns(disturbance: &Disturbance, kind: &str, payload: &Value) -> bool {
    disturbance
        .when
        .iter()
        .all(|(name, wanted)| match name.as_str() {
            "kind" => *wanted == json!(kind),
            _ => payload.get(name) == Some(wanted),
        })
}

/// Requests of the last second.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<Vec<Instant>>);

impl Pace {
    /// Whether one more fits into `limit` a second; if so, it counts.
    pub(super) fn admits(&self, limit: usize) -> bool {
        let now = Instant::now();
        let mut recent = lock(&self.0);
        recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        let admitted = recent.len() < limit;
        if admitted {
            recent.push(now);
        }
        admitted
    }
}

/// Locks; a panic elsewhere leaves data behind that is still whole, as every change is one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
