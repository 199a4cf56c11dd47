//! What a request may touch. Built once, in [`crate::startup`].

use std::{fmt, sync::Arc, time::Duration};

use actix_web::http::header::HeaderValue;
use aws_lc_rs::{constant_time, digest};
use chrono::TimeDelta;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::{
    domain::{
        answering::Answering, clock::Clock, installation::InstallationSeal, line::Line,
        live::LiveCalls, phone_number::PhoneNumber, sessions::Sessions, store::Store,
    },
    metrics::Metrics,
    routes::{health::Readiness, limits::AddressLimit, log_limit::LogLimit},
    settings::Region,
    views::{FixedPages, Views},
    vonage::{client::VonageClient, hosts, minting::Minter, signature::SignatureCheck},
};

/// Everything that requests share.
#[derive(Debug)]
pub struct AppState {
    /// What time it is.
    pub clock: Clock,
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Vonage's REST side.
    pub provider: Arc<VonageClient>,
    /// Signs tokens.
    pub minter: Arc<Minter>,
    /// Opens sessions.
    pub sessions: Sessions,
    /// Proves that an address leads here.
    pub installation: InstallationSeal,
    /// This process: another one after each start.
    pub process: Uuid,
    /// Decides about callers.
    pub answering: Answering,
    /// The line that is called.
    pub line: Arc<Line>,
    /// Tells streams that a call has changed.
    pub live: LiveCalls,
    /// Checks webhooks; `None` when the operator has switched that off.
    pub signatures: Option<SignatureCheck>,
    /// Our addresses and who may use them.
    pub site: Site,
    /// Tokens per address.
    pub sessions_limit: AddressLimit,
    /// Calls per address.
    pub calls_limit: AddressLimit,
    /// Proofs of this installation per address.
    pub proofs_limit: AddressLimit,
    /// Whether the service can do its work.
    pub readiness: Readiness,
    /// How long a ticket waits for its first use.
    pub ticket_ttl: TimeDelta,
    /// Renders pages.
    pub views: Views,
    /// Those that are the same for everybody.
    pub pages: FixedPages,
    /// The NCCO of the fallback address, ready to be sent.
    pub apology: String,
    /// Wakes the task that hangs up.
    pub upkeep_now: Notify,
    /// What the log has said of late.
    pub log_limit: LogLimit,
    /// What is counted.
    pub metrics: Metrics,
    /// A stop has been asked for: others should send no more visitors.
    pub draining: CancellationToken,
    /// A stop has begun.
    pub stopping: CancellationToken,
}

/// Our addresses and who may use them.
#[derive(Debug)]
pub struct Site {
    /// The public origin, as a browser writes it.
    pub origin: String,
    /// Whether it is https.
    pub is_https: bool,
    /// Other websites that may use the service.
    pub allowed_origins: Vec<String>,
    /// Names that pages of allowed origins may have tokens for.
    pub legacy_users: Vec<String>,
    /// Bearers that may have a token for any name.
    pub service_keys: ServiceKeys,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Time for a request's body.
    pub body_timeout: Duration,
    /// The number that the page shows.
    pub phone: Option<PhoneNumber>,
    /// The page's content security policy.
    pub page_policy: HeaderValue,
    /// What the SDK is given, and for which region.
    pub client: ClientHosts,
}

/// The hosts of the page's SDK.
#[derive(Debug)]
pub struct ClientHosts {
    /// Where users were expected to live when the settings were read.
    pub region: Region,
    /// `apiUrl`.
    pub api_url: Url,
    /// `websocketUrl`.
    pub websocket_url: Url,
}

impl Site {
    /// The SDK's `apiUrl` and `websocketUrl` for users that live in this region.
    ///
    /// Where Vonage says that users live elsewhere than was set, its word counts, unless the hosts are not Vonage's own.
    pub fn client_urls(&self, region: Region) -> (String, String) {
        let origin = |url: &Url| url.origin().ascii_serialization();
        let (api, socket) = (
            origin(&self.client.api_url),
            origin(&self.client.websocket_url),
        );
        if region == self.client.region {
            return (api, socket);
        }
        (
            hosts::in_region(&api, region),
            hosts::in_region(&socket, region),
        )
    }
}

/// Keys of other servers, as digests.
#[derive(Default)]
pub struct ServiceKeys(Vec<[u8; 32]>);

impl ServiceKeys {
    /// These keys.
    pub fn new(keys: &[SecretString]) -> Self {
        Self(keys.iter().map(|key| sha256(key.expose_secret())).collect())
    }

    /// Whether this is one of them. Takes the same time for every key that is not.
    pub fn contain(&self, presented: &str) -> bool {
        let presented = sha256(presented);
        self.0.iter().fold(false, |found, key| {
            found | constant_time::verify_slices_are_equal(key, &presented).is_ok()
        })
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    sum
}

impl fmt::Debug for ServiceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceKeys({})", self.0.len())
    }
}
