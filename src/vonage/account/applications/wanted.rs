//! What an application must have so that the service works, and how far one is from it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{
    document::{Application, HttpMethod, Webhook, WebhookKind},
    signing::{Signed, sign_callbacks},
};
use crate::vonage::hosts::Region;

/// Time for a connection to us. With [`READ_TIMEOUT`], both of Vonage's tries and both of the fallback's fit
/// into the 10 seconds that the Client SDK waits for a call.
const CONNECT_TIMEOUT: u64 = 500;
/// Time for our reply to a question about a call; the service allows itself less. In milliseconds.
const READ_TIMEOUT: u64 = 1_500;

/// What an application should be; what is `None` is left as it is.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Its name.
    pub name: Option<String>,
    /// The public half of its key, PEM. Tokens of the key before end when it changes.
    pub public_key: Option<String>,
    /// Address of the service: the webhooks lead there, all by POST, signed.
    pub public_url: Option<Url>,
    /// Where calls are handled. Any of Vonage's places in the region will do.
    pub region: Option<Region>,
}

/// A difference between what an application is and what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about, in words: `answer address`.
    pub what: String,
    /// How it is; `None` when it is not set.
    pub from: Option<String>,
    /// How it should be.
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.as_deref().unwrap_or("not set");
        write!(f, "{}: {from} -> {}", self.what, self.to)
    }
}

impl Wanted {
    /// Everything that the service needs of an application.
    pub fn for_service(public_key: String, public_url: Url, region: Region) -> Self {
        Self {
            name: None,
            public_key: Some(public_key),
            public_url: Some(public_url),
            region: Some(region),
        }
    }

    /// What differs, in the order in which a person would look; empty when the application is as wanted.
    pub fn differences(&self, application: &Application) -> Vec<Change> {
        self.apply(&mut application.clone())
    }

    /// Makes an application what it should be, and returns what that changed. Nothing else in it is touched.
    pub fn apply(&self, application: &mut Application) -> Vec<Change> {
        let mut changes = Vec::new();
        self.apply_identity(application, &mut changes);
        if let Some(public_url) = &self.public_url {
            apply_webhooks(application, public_url, &mut changes);
        }
        if let Some(region) = self.region
            && application.voice_region().and_then(region_of) != Some(region)
        {
            changes.push(Change {
                what: "region".to_owned(),
                from: application.voice_region().map(str::to_owned),
                to: voice_region(region).to_owned(),
            });
            set(
                application,
                &["capabilities", "voice"],
                "region",
                voice_region(region),
            );
        }
        changes
    }

    fn apply_identity(&self, application: &mut Application, changes: &mut Vec<Change>) {
        if let Some(name) = &self.name
            && application.name() != name
        {
            changes.push(Change {
                what: "name".to_owned(),
                from: Some(application.name().to_owned()),
                to: name.clone(),
            });
            set(application, &[], "name", name.as_str());
        }
        if let Some(public_key) = &self.public_key
            && !application.has_public_key(public_key)
        {
            changes.push(Change {
                what: "public key".to_owned(),
                from: application
                    .public_key()
                    .map(|_pem| "another key".to_owned()),
                to: "the public half of your private key".to_owned(),
            });
            set(application, &["keys"], "public_key", public_key.as_str());
        }
    }
}

fn apply_webhooks(application: &mut Application, public_url: &Url, changes: &mut Vec<Change>) {
    changes.extend(lead_webhooks(application, public_url, |_found| true));
    changes.extend(sign_callbacks(application));
    changes.extend(keep_content(application));
}

/// Leads the webhooks that are not set, or lead to this origin already, to the service there. Those that lead to
/// another place are left alone: somebody may need them there. A capability that had no webhook yet is signed, too.
pub fn lead_own_webhooks(application: &mut Application, public_url: &Url) -> Vec<Change> {
    let fresh: Vec<Signed> = Signed::ALL
        .into_iter()
        .filter(|capability| !capability.has_webhooks(application))
        .collect();
    let mut changes = lead_webhooks(application, public_url, |found| {
        !leads_elsewhere(found, public_url)
    });
    changes.extend(fresh.into_iter().filter_map(|new| new.sign(application)));
    changes
}

/// Whether any of the webhooks leads to another place than this origin.
pub fn has_webhooks_elsewhere(application: &Application, public_url: &Url) -> bool {
    WebhookKind::ALL
        .into_iter()
        .filter_map(|kind| application.webhook(kind))
        .any(|found| leads_elsewhere(&found, public_url))
}

fn leads_elsewhere(found: &Webhook, public_url: &Url) -> bool {
    let is_here = |address: Url| address.origin() == public_url.origin();
    !found.address.is_empty() && !Url::parse(&found.address).is_ok_and(is_here)
}

fn lead_webhooks(
    application: &mut Application,
    public_url: &Url,
    may_change: impl Fn(&Webhook) -> bool,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for kind in WebhookKind::ALL {
        let wanted = webhook(kind, public_url);
        let found = application.webhook(kind);
        if !is_met(&wanted, found.as_ref()) && found.as_ref().is_none_or(&may_change) {
            changes.push(Change {
                what: kind.to_string(),
                from: found.map(|webhook| webhook.to_string()),
                to: wanted.to_string(),
            });
            set_webhook(application, kind, &wanted);
        }
    }
    changes
}

/// Keeps the calls' content from Vonage's AI.
pub fn keep_content(application: &mut Application) -> Option<Change> {
    let found = application.improves_ai();
    if found == Some(false) {
        return None;
    }
    set(application, &["privacy"], "improve_ai", false);
    Some(flag("use of content for Vonage's AI", found, "off"))
}

pub(super) fn flag(what: &str, from: Option<bool>, to: &str) -> Change {
    Change {
        what: what.to_owned(),
        from: from.map(|on| if on { "on" } else { "off" }.to_owned()),
        to: to.to_owned(),
    }
}

/// The webhook that the service answers.
fn webhook(kind: WebhookKind, public_url: &Url) -> Webhook {
    let (path, is_question) = match kind {
        WebhookKind::Answer => ("answer", true),
        WebhookKind::Fallback => ("fallback", true),
        WebhookKind::Event | WebhookKind::RtcEvent => ("event", false),
    };
    let origin = public_url.origin().ascii_serialization();
    Webhook {
        address: format!("{origin}/webhooks/{path}"),
        http_method: Some(HttpMethod::Post),
        connect_timeout: is_question.then_some(CONNECT_TIMEOUT),
        socket_timeout: is_question.then_some(READ_TIMEOUT),
    }
}

/// Whether a webhook is what is wanted. Times that don't matter to us are the owner's.
fn is_met(wanted: &Webhook, found: Option<&Webhook>) -> bool {
    found.is_some_and(|found| {
        let is_time = |wanted: Option<u64>, found| wanted.is_none() || wanted == found;
        found.address == wanted.address
            && found.http_method == wanted.http_method
            && is_time(wanted.connect_timeout, found.connect_timeout)
            && is_time(wanted.socket_timeout, found.socket_timeout)
    })
}

fn set_webhook(application: &mut Application, kind: WebhookKind, wanted: &Webhook) {
    let (capability, name) = kind.place();
    let path = ["capabilities", capability, "webhooks", name];
    set(application, &path, "address", wanted.address.as_str());
    if let Some(method) = wanted.http_method {
        set(application, &path, "http_method", method.to_string());
    }
    if let Some(time) = wanted.connect_timeout {
        set(application, &path, "connect_timeout", time);
        // The other name of the same time would contradict it.
        application.edit(&path, |webhook| {
            webhook.remove("connection_timeout");
        });
    }
    if let Some(time) = wanted.socket_timeout {
        set(application, &path, "socket_timeout", time);
    }
}

pub(super) fn set(
    application: &mut Application,
    path: &[&str],
    key: &str,
    value: impl Into<Value>,
) {
    application.edit(path, |object| {
        object.insert(key.to_owned(), value.into());
    });
}

/// The place that a new application's calls are handled at.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/concepts/regions>
pub fn voice_region(region: Region) -> &'static str {
    match region {
        Region::Us => "na-east",
        Region::Eu => "eu-west",
        Region::Ap => "apac-sng",
    }
}

/// The region that one of Vonage's places (`na-west`) is in.
pub fn region_of(place: &str) -> Option<Region> {
    match place.split_once('-')?.0 {
        "na" => Some(Region::Us),
        "eu" => Some(Region::Eu),
        "apac" => Some(Region::Ap),
        _ => None,
    }
}
