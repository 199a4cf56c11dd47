//! The settings, checked: every value here is of its final type and known to be usable.
//!
//! [`load()`] is a function of its [`Sources`] alone. One table of keys ([`table`]) drives loading, `config show`, the
//! manual (`config/default.toml`) and the wording of faults.

pub mod acl;
mod addresses;
mod checks;
mod database_url;
mod fault;
mod files;
mod forms;
pub mod key;
mod layers;
mod load;
pub mod manual;
mod reader;
mod sections;
mod shown;
pub mod so_far;
mod sources;
pub mod table;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

pub use self::{
    addresses::{is_loopback, is_out_of_reach, parse_origin},
    database_url::{DatabaseUrl, PostgresUrl},
    fault::{Fault, Faults},
    load::{load, load_with_key},
    sources::{Flag, SourcePath, Sources},
};
use crate::domain::phone_number::PhoneNumber;
pub use crate::vonage::hosts::Region;

/// The settings, and how they came to be.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What works but is probably not meant, to be told at the start.
    pub warnings: Vec<String>,
    /// Every key with its value and where it came from, in the order of the manual.
    pub entries: Vec<Entry>,
}

/// A key, its value and where it came from.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub spec: &'static key::Spec,
    /// Its value as it would be written; `None` when it is not set. Secrets are `[redacted]`.
    pub value: Option<String>,
    /// `default`, a file, a variable, a flag, or what it follows from.
    pub origin: String,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The listener and what stands before it.
    pub http: Http,
    /// The account, the application, its hosts.
    pub vonage: Vonage,
    /// What a visitor's token says.
    pub token: Token,
    /// Who gets one.
    pub visitors: Visitors,
    /// Rules for all calls.
    pub calls: Calls,
    /// The one line there is: `support`.
    pub line: Line,
    /// How callbacks are checked.
    pub webhooks: Webhooks,
    /// What is kept, and where.
    pub database: Database,
    /// How long it is kept.
    pub retention: Retention,
    /// The visitor's page.
    pub page: Page,
    /// What is logged, and how.
    pub log: Log,
    /// `metrics.*`
    pub metrics: Metrics,
    /// `telemetry.*`
    pub telemetry: Telemetry,
}

/// `http.*`
#[derive(Debug, Clone)]
pub struct Http {
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Scheme, host and port under which visitors and Vonage reach us; no path.
    pub public_url: Url,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// A request's body must be here within this time.
    pub body_timeout: Duration,
    /// How long a stop waits for requests under way.
    pub shutdown_timeout: Duration,
    /// How long a stop goes on serving while it is not ready any more.
    pub drain: Duration,
}

impl Http {
    /// Where this machine reaches the service: one that listens everywhere listens on loopback as well.
    pub fn local_address(&self) -> SocketAddr {
        let host = match self.bind {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V4(_) | IpAddr::V6(_) => self.bind,
        };
        SocketAddr::new(host, self.port)
    }
}

/// `vonage.*`
#[derive(Debug, Clone)]
pub struct Vonage {
    /// The application's id, a UUID.
    pub application_id: String,
    /// The application's private key.
    pub private_key: PrivateKeySource,
    /// The linked number: caller id of what we connect.
    pub number: PhoneNumber,
    /// Signature secrets that are valid now: none (signatures off), one, or two during a change.
    pub signature_secrets: Vec<SecretString>,
    /// The account's API key; when set, webhooks of other accounts are refused.
    pub api_key: Option<String>,
    /// The account's API secret.
    pub api_secret: Option<SecretString>,
    /// Where users and calls live.
    pub region: Region,
    /// Host of Users and Voice API; the region's unless set.
    pub api_url: Url,
    /// Host of the older account API.
    pub rest_url: Url,
    /// What the page's SDK is given as `apiUrl`.
    pub client_api_url: Url,
    /// What the page's SDK is given as `websocketUrl` (https or http).
    pub websocket_url: Url,
    /// Requests a second to the Users API.
    pub users_per_second: u32,
}

/// Where the private key comes from. It is read at the start and again on `SIGHUP`.
#[derive(Debug, Clone)]
pub enum PrivateKeySource {
    /// PEM text from a variable (`\n` already turned into line breaks).
    Text(SecretString),
    /// A PEM file.
    File(PathBuf),
}

/// `token.*`
#[derive(Debug, Clone)]
pub struct Token {
    /// Life of a token: 30 s to one day.
    pub ttl: Duration,
    /// The paths of its `acl`, each like `/*/users/**`, in the order set.
    pub acl_paths: Vec<String>,
}

/// `visitors.users`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserMode {
    /// Each visitor is a Vonage user of their own.
    PerVisitor,
    /// Everybody is `visitors.shared_user`.
    Shared,
}

/// `visitors.*`
#[derive(Debug, Clone)]
pub struct Visitors {
    /// One user each, or one for all.
    pub users: UserMode,
    /// The user of the shared mode.
    pub shared_user: String,
    /// Names that `GET /auth/{user_id}` hands out to any page of an allowed origin.
    pub legacy_users: Vec<String>,
    /// Origins of other sites that may use the service, each exactly as a browser writes it.
    pub allowed_origins: Vec<String>,
    /// Bearers that may ask `GET /auth/{user_id}` for any name.
    pub service_keys: Vec<SecretString>,
    /// Sessions a minute from one address (IPv6: one /64).
    pub sessions_per_minute: u32,
    /// Vonage users made ahead: 0 to 100.
    pub ready_users: u32,
    /// Signs tickets. Made once and kept in the store when unset.
    pub session_secret: Option<SecretString>,
}

/// `calls.tickets`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketPolicy {
    /// A call without a ticket is refused.
    Required,
    /// A known user may call without one, as the tutorial's page does.
    Optional,
}

/// `calls.*`
#[derive(Debug, Clone)]
pub struct Calls {
    /// Whether a call needs a ticket.
    pub tickets: TicketPolicy,
    /// How long a ticket can wait for its first use: 5 to 60 s.
    pub ticket_ttl: Duration,
    /// Whether people who telephone the linked number are connected too.
    pub phone_line: bool,
    /// How long the desk rings: 5 to 120 s.
    pub ring: Duration,
    /// The longest call: 60 to 7 200 s.
    pub limit: Duration,
}

/// `lines.support.*`
#[derive(Debug, Clone)]
pub struct Line {
    /// Its id: `support`.
    pub id: String,
    /// The telephone that rings.
    pub destination: PhoneNumber,
    /// Words by language, `en` first; never empty.
    pub words: Vec<LineWords>,
}

/// `lines.support.<language>.*`
#[derive(Debug, Clone)]
pub struct LineWords {
    /// `en`, `ja`.
    pub language: String,
    /// What the page calls it.
    pub name: String,
    /// Spoken before the desk rings; empty: nothing.
    pub greeting: String,
    /// Spoken when the call can't be put through.
    pub apology: String,
    /// Spoken when the call isn't allowed.
    pub refusal: String,
    /// Language of the voice, BCP 47.
    pub tts_language: String,
    /// Style of the voice, 0 and up.
    pub tts_style: u32,
}

/// `webhooks.signatures`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignaturePolicy {
    /// Only signed callbacks count.
    Required,
    /// Anybody's callbacks count: for experiments only.
    Off,
}

/// `webhooks.*`
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Whether callbacks must be signed.
    pub signatures: SignaturePolicy,
    /// How far a signature's time may be off, either way.
    pub tolerance: Duration,
}

/// `database.*`
#[derive(Debug, Clone)]
pub struct Database {
    /// Where everything is kept.
    pub url: DatabaseUrl,
    /// How many connections to PostgreSQL serve requests, 2 to 100.
    pub connections: u32,
}

/// `retention.*`
#[derive(Debug, Clone)]
pub struct Retention {
    /// Days that calls and events are kept.
    pub days: u32,
}

/// `page.*`
#[derive(Debug, Clone)]
pub struct Page {
    /// The number that the page shows for those who can't call from the browser.
    pub phone_number: Option<PhoneNumber>,
    /// A folder whose templates win over the built-in ones.
    pub views_dir: Option<PathBuf>,
}

/// `log.*`
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line, or text for people.
    pub json: bool,
    /// A `tracing` filter: `info`, `click_to_call=debug,warn`.
    pub filter: String,
}

/// `metrics.*`
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Address of the listener.
    pub bind: IpAddr,
    /// Its port; `None`: there is no listener.
    pub port: Option<u16>,
}

/// `telemetry.*`
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    /// The collector that gets traces; `None`: there are none.
    pub otlp_endpoint: Option<Url>,
}
