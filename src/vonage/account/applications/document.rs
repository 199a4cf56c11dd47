//! An application as Vonage keeps it: a JSON document of which we know a part.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// An application. What it holds beyond the accessors here is kept and written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application(Map<String, Value>);

/// Which of an application's webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKind {
    /// Voice: what to do with a call.
    Answer,
    /// Voice: the same, when the answer address fails.
    Fallback,
    /// Voice: what happens to a call.
    Event,
    /// RTC: what happens in a conversation.
    RtcEvent,
}

/// A webhook as it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// Where it is sent.
    pub address: String,
    /// How; `None` leaves it to Vonage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_method: Option<HttpMethod>,
    /// Milliseconds for the connection, 300 to 1 000; `None`: Vonage's default, 1 000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<u64>,
    /// Milliseconds for the reply, 1 000 to 5 000 (event: 10 000); `None`: Vonage's default, the longest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket_timeout: Option<u64>,
}

/// How a webhook is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Parameters in the query.
    Get,
    /// Parameters as JSON in the body.
    Post,
}

impl WebhookKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Answer, Self::Fallback, Self::Event, Self::RtcEvent];

    /// The capability it belongs to, and its name there.
    pub(super) fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Answer => ("voice", "answer_url"),
            Self::Fallback => ("voice", "fallback_answer_url"),
            Self::Event => ("voice", "event_url"),
            Self::RtcEvent => ("rtc", "event_url"),
        }
    }
}

impl fmt::Display for WebhookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "answer address",
            Self::Fallback => "fallback address",
            Self::Event => "event address",
            Self::RtcEvent => "RTC event address",
        })
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = self.http_method {
            write!(f, "{method} ")?;
        }
        f.write_str(&self.address)?;
        match (self.connect_timeout, self.socket_timeout) {
            (None, None) => Ok(()),
            (Some(connect), None) => write!(f, " (connect {connect} ms)"),
            (None, Some(read)) => write!(f, " (read {read} ms)"),
            (Some(connect), Some(read)) => write!(f, " (connect {connect} ms, read {read} ms)"),
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "GET",
            Self::Post => "POST",
        })
    }
}

impl Application {
    /// One that Vonage does not know yet.
    pub(super) fn named(name: &str) -> Self {
        let mut document = Map::new();
        document.insert("name".to_owned(), json!(name));
        Self(document)
    }

    /// An answer of Vonage's, if it is an application.
    pub(super) fn from_answer(answer: Value) -> Option<Self> {
        let Value::Object(document) = answer else {
            return None;
        };
        let application = Self(document);
        let known = !application.id().is_empty() && !application.name().is_empty();
        known.then_some(application)
    }

    /// Its id, a UUID; empty before it is created.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Its name, which is not unique.
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// The public half of its key, PEM.
    pub fn public_key(&self) -> Option<&str> {
        self.find(&["keys", "public_key"])?.as_str()
    }

    /// Whether its key is this one. Line breaks and blanks between the lines don't count.
    pub fn has_public_key(&self, pem: &str) -> bool {
        let bare = |pem: &str| pem.split_whitespace().collect::<String>();
        self.public_key().is_some_and(|own| bare(own) == bare(pem))
    }

    /// One of its webhooks, if it is set.
    ///
    /// The time to connect is read under both of its names: `connect_timeout`, as the specification has it, and
    /// `connection_timeout`, as the guide and some of Vonage's own libraries write it.
    pub fn webhook(&self, kind: WebhookKind) -> Option<Webhook> {
        let (capability, name) = kind.place();
        let webhook = self.find(&["capabilities", capability, "webhooks", name])?;
        let number = |key: &str| webhook.get(key).and_then(Value::as_u64);
        let method = webhook.get("http_method").and_then(Value::as_str);
        Some(Webhook {
            address: webhook.get("address")?.as_str()?.to_owned(),
            http_method: method.and_then(|method| match method.to_ascii_uppercase().as_str() {
                "GET" => Some(HttpMethod::Get),
                "POST" => Some(HttpMethod::Post),
                _ => None,
            }),
            connect_timeout: number("connect_timeout").or_else(|| number("connection_timeout")),
            socket_timeout: number("socket_timeout"),
        })
    }

    /// Whether Vonage signs the voice webhooks; `None` when it isn't said.
    pub fn signs_callbacks(&self) -> Option<bool> {
        self.find(&["capabilities", "voice", "signed_callbacks"])?
            .as_bool()
    }

    /// Whether Vonage signs the RTC webhooks; `None` when it isn't said.
    pub fn signs_rtc_callbacks(&self) -> Option<bool> {
        self.find(&["capabilities", "rtc", "signed_callbacks"])?
            .as_bool()
    }

    /// Where its calls are handled, as Vonage names it: `na-east`, `eu-west`, `apac-sng`, ….
    pub fn voice_region(&self) -> Option<&str> {
        self.find(&["capabilities", "voice", "region"])?.as_str()
    }

    /// Whether it can be used by the Client SDK.
    pub fn has_rtc(&self) -> bool {
        self.find(&["capabilities", "rtc"])
            .is_some_and(Value::is_object)
    }

    /// Whether Vonage may use its content to improve its products; `None` when it isn't said.
    pub fn improves_ai(&self) -> Option<bool> {
        self.find(&["privacy", "improve_ai"])?.as_bool()
    }

    /// The document, without a private key, should one ever be in it.
    pub fn to_json(&self) -> Value {
        let mut document = self.clone();
        document.remove_private_key();
        Value::Object(document.0)
    }

    /// What is sent: all but what Vonage alone decides.
    pub(super) fn to_body(&self) -> Value {
        let mut document = self.clone();
        document.remove_private_key();
        for decided_by_vonage in ["id", "_links"] {
            document.0.remove(decided_by_vonage);
        }
        Value::Object(document.0)
    }

    /// Changes the object at this path. What is missing on the way, or is no object, is made.
    pub(super) fn edit(&mut self, path: &[&str], change: impl FnOnce(&mut Map<String, Value>)) {
        edit(&mut self.0, path, change);
    }

    fn find(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(*first)?, |value, key| value.get(*key))
    }

    fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn remove_private_key(&mut self) {
        if let Some(Value::Object(keys)) = self.0.get_mut("keys") {
            keys.remove("private_key");
        }
    }
}

fn edit(
    object: &mut Map<String, Value>,
    path: &[&str],
    change: impl FnOnce(&mut Map<String, Value>),
) {
    let Some((key, rest)) = path.split_first() else {
        return change(object);
    };
    let mut inner = match object.remove(*key) {
        Some(Value::Object(inner)) => inner,
        _ => Map::new(),
    };
    edit(&mut inner, rest, change);
    object.insert((*key).to_owned(), Value::Object(inner));
}
