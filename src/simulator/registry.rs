//! What the simulated account holds: applications, their users, and telephone numbers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::config::{SeededApplication, SeededNumber, SimulatorConfig, WebhookUrl};

/// Applications, users and numbers, each in the order in which it was made.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) applications: Vec<Application>,
    pub(super) users: Vec<User>,
    pub(super) numbers: Vec<Number>,
}

/// A Vonage application.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) name: String,
    /// PEM.
    pub(super) public_key: String,
    pub(super) improve_ai: bool,
    /// None: the application has no voice capability, and calls to it fail.
    pub(super) voice: Option<Voice>,
    /// The whole of it as it was sent: what nobody here reads is shown again unchanged.
    pub(super) sent: Value,
}

/// The voice capability.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) answer: Option<Webhook>,
    pub(super) fallback: Option<Webhook>,
    pub(super) event: Option<Webhook>,
    pub(super) signed_callbacks: bool,
    pub(super) conversations_ttl: u64,
    pub(super) leg_persistence_time: u64,
    pub(super) region: Option<String>,
}

/// A webhook and how long Vonage waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Webhook {
    pub(super) url: WebhookUrl,
    /// Milliseconds to connect.
    pub(super) connect_timeout: u64,
    /// Milliseconds to the end of the reply.
    pub(super) socket_timeout: u64,
}

impl Webhook {
    /// Milliseconds to connect unless the application says otherwise (Application API 2.4.1).
    pub(super) const CONNECT_TIMEOUT: u64 = 1_000;
    /// Milliseconds for an answer or fallback reply; same source.
    pub(super) const ANSWER_TIMEOUT: u64 = 5_000;
    /// Milliseconds for an event reply; same source.
    pub(super) const EVENT_TIMEOUT: u64 = 10_000;

    /// A webhook with the default time to connect, and this many milliseconds to reply.
    pub(super) fn preset(url: WebhookUrl, socket_timeout: u64) -> Self {
        Self {
            url,
            connect_timeout: Self::CONNECT_TIMEOUT,
            socket_timeout,
        }
    }

    fn as_json(&self) -> Value {
        json!({
            "address": self.url.address,
            "http_method": self.url.http_method,
            "connect_timeout": self.connect_timeout,
            "socket_timeout": self.socket_timeout,
        })
    }
}

impl Voice {
    fn as_json(&self) -> Value {
        let mut webhooks = Map::new();
        for (name, webhook) in [
            ("answer_url", &self.answer),
            ("fallback_answer_url", &self.fallback),
            ("event_url", &self.event),
        ] {
            if let Some(webhook) = webhook {
                webhooks.insert(name.to_owned(), webhook.as_json());
            }
        }
        let mut voice = json!({
            "webhooks": webhooks,
            "signed_callbacks": self.signed_callbacks,
            "conversations_ttl": self.conversations_ttl,
            "leg_persistence_time": self.leg_persistence_time,
        });
        if let (Some(region), Some(voice)) = (&self.region, voice.as_object_mut()) {
            voice.insert("region".to_owned(), json!(region));
        }
        voice
    }
}

impl Application {
    /// Where the `rtc` capability wants the events that the Client SDK is told, and whether signed.
    pub(super) fn rtc_events(&self) -> Option<(Webhook, bool)> {
        let rtc = self.sent["capabilities"].get("rtc")?;
        let url = serde_json::from_value(rtc["webhooks"]["event_url"].clone()).ok()?;
        let signed = rtc["signed_callbacks"].as_bool().unwrap_or(true);
        Some((Webhook::preset(url, Webhook::EVENT_TIMEOUT), signed))
    }

    /// As the Applications API shows it: never with a private key.
    pub(super) fn as_json(&self) -> Value {
        let mut shown = self.sent.clone();
        let known = json!({
            "id": self.id,
            "name": self.name,
            "keys": { "public_key": self.public_key },
            "privacy": { "improve_ai": self.improve_ai },
            "capabilities": {},
            "_links": { "self": { "href": format!("/v2/applications/{}", self.id) } },
        });
        overlay(&mut shown, known);
        if let Some(voice) = &self.voice {
            overlay(&mut shown["capabilities"]["voice"], voice.as_json());
        }
        shown
    }

    fn seeded(seed: SeededApplication) -> Self {
        Self {
            id: seed.id,
            name: seed.name,
            public_key: seed.public_key,
            improve_ai: true,
            voice: Some(Voice {
                answer: seed
                    .answer_url
                    .map(|url| Webhook::preset(url, Webhook::ANSWER_TIMEOUT)),
                fallback: seed
                    .fallback_url
                    .map(|url| Webhook::preset(url, Webhook::ANSWER_TIMEOUT)),
                event: seed
                    .event_url
                    .map(|url| Webhook::preset(url, Webhook::EVENT_TIMEOUT)),
                signed_callbacks: seed.signed_callbacks,
                conversations_ttl: 48,
                leg_persistence_time: 2,
                region: None,
            }),
            sent: json!({}),
        }
    }
}

/// Puts what is known over what was sent; fields that only were sent stay.
fn overlay(sent: &mut Value, known: Value) {
    match (sent, known) {
        (Value::Object(sent), Value::Object(known)) => {
            for (name, value) in known {
                overlay(sent.entry(name).or_insert(Value::Null), value);
            }
        }
        (sent, known) => *sent = known,
    }
}

/// A user of an application.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// `USR-` and a UUID.
    pub(super) id: String,
    pub(super) application_id: String,
    pub(super) name: String,
    /// Everything else that was set: `display_name`, `image_url`, `properties`, `channels`.
    pub(super) fields: Map<String, Value>,
    pub(super) created: DateTime<Utc>,
}

impl User {
    /// Seconds after which the user is deleted when nobody is logged in as them.
    fn ttl(&self) -> Option<i64> {
        self.fields.get("properties")?.get("ttl")?.as_i64()
    }

    /// A user made now.
    pub(super) fn new(application_id: &str, name: String, fields: Map<String, Value>) -> Self {
        Self {
            id: format!("USR-{}", Uuid::new_v4()),
            application_id: application_id.to_owned(),
            name,
            fields,
            created: super::clock::now(),
        }
    }
}

/// A telephone number.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) country: String,
    pub(super) msisdn: String,
    pub(super) kind: String,
    pub(super) features: Vec<String>,
    pub(super) cost: String,
    pub(super) initial_price: Option<String>,
    pub(super) owned: bool,
    pub(super) application_id: Option<String>,
    /// `sip` or `tel` and its value: calls then bypass the application.
    pub(super) voice_callback: BTreeMap<String, String>,
}

impl From<SeededNumber> for Number {
    fn from(seed: SeededNumber) -> Self {
        Self {
            country: seed.country,
            msisdn: seed.msisdn,
            kind: seed.kind,
            features: seed.features,
            cost: seed.cost,
            initial_price: seed.initial_price,
            owned: seed.owned,
            application_id: seed.application_id,
            voice_callback: BTreeMap::new(),
        }
    }
}

impl Registry {
    /// What the configuration asks for.
    pub(super) fn seeded(config: &SimulatorConfig) -> Self {
        let mut registry = Self::default();
        for seed in config.applications.iter().cloned() {
            for name in &seed.users {
                registry
                    .users
                    .push(User::new(&seed.id, name.clone(), Map::new()));
            }
            registry.applications.push(Application::seeded(seed));
        }
        registry.numbers = config.numbers.iter().cloned().map(Number::from).collect();
        registry
    }

    /// The application of this id.
    pub(super) fn application(&self, id: &str) -> Option<&Application> {
        self.applications.iter().find(|found| found.id == id)
    }

    /// A user by the name a token carries in `sub`.
    pub(super) fn user_by_name(&self, application_id: &str, name: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.application_id == application_id && user.name == name)
    }

    /// A user by id, or by name, as the Client SDK's address allows.
    pub(super) fn user(&self, application_id: &str, id_or_name: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.application_id == application_id && user.id == id_or_name)
            .or_else(|| self.user_by_name(application_id, id_or_name))
    }

    /// Deletes the users whose `ttl` is over at `now`, but none of those who are `busy`.
    pub(super) fn expire_users(&mut self, now: DateTime<Utc>, busy: &BTreeSet<String>) {
        self.users.retain(|user| {
            let age = (now - user.created).num_seconds();
            user.ttl().is_none_or(|ttl| age < ttl) || busy.contains(&user.id)
        });
    }

    /// Whether the account owns this number, so that it may be shown as caller id.
    pub(super) fn owns(&self, msisdn: &str) -> bool {
        self.numbers
            .iter()
            .any(|number| number.owned && number.msisdn == msisdn)
    }
}
