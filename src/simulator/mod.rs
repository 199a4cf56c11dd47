//! A simulated Vonage: the product runs, and is tested, without an account.
//!
//! One origin stands for `api.nexmo.com`, `rest.nexmo.com`, the Client SDK's cloud and its socket,
//! with real WebRTC media, signed webhooks, a desk phone page to answer calls on, and a control
//! interface for tests. What is simulated and what isn't: `docs/SIMULATOR.md`.
//!
//! In reading order: [`config`] and [`scenario`] (what it is started with), `registry` (what the
//! account holds), `token` (who may do what), `rest` and `client` (the interfaces), `call` (legs,
//! conversations, NCCO), `media`, `webhook`, `desk` and `control`; `faults`, `played` and `recorded` serve
//! scenarios.
//!
//! It knows nothing of the service: it speaks HTTP to whatever webhooks an application names.

#![expect(
    clippy::indexing_slicing,
    reason = "only JSON values are indexed: reading what isn't there is null, and what is written \
              to was made an object a few lines before"
)]

mod call;
mod client;
mod clock;
mod cloud;
pub mod config;
mod control;
mod desk;
mod faults;
mod media;
mod played;
mod random;
mod recorded;
mod refusal;
mod registry;
mod rest;
pub mod scenario;
mod token;
mod webhook;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use tokio::{net::TcpListener, task::JoinHandle};

pub use self::config::{HttpMethod, SeededApplication, SeededNumber, SimulatorConfig, WebhookUrl};
pub use self::played::{PlayedCall, Visit};
pub use self::scenario::Scenario;
pub use self::webhook::Delivery;
use self::{
    cloud::{Beginning, Cloud},
    registry::Registry,
};

/// A running simulator. Dropping it leaves it running; [`Simulator::stop`] ends it.
#[derive(Debug)]
pub struct Simulator {
    cloud: Arc<Cloud>,
    server: JoinHandle<io::Result<()>>,
}

/// Starts a simulator.
///
/// # Errors
///
/// When the address cannot be listened on.
pub async fn start(config: SimulatorConfig) -> io::Result<Simulator> {
    let listener = TcpListener::bind(config.listen).await?;
    let address = reachable(listener.local_addr()?);
    let registry = Registry::seeded(&config);
    let cloud = Arc::new(Cloud::new(Beginning {
        api_key: config.api_key,
        api_secret: config.api_secret,
        signature_secret: config.signature_secret,
        base_url: format!("http://{address}"),
        media_address: address.ip(),
        registry,
        scenario: config.scenario,
        seed: config.seed,
    }));
    let routes = axum::Router::new()
        .merge(rest::routes(&cloud))
        .merge(client::routes(&cloud))
        .merge(control::routes())
        .merge(desk::routes())
        .with_state(Arc::clone(&cloud));
    let stopping = cloud.stopping.clone();
    let server = tokio::spawn(
        axum::serve(listener, routes)
            .with_graceful_shutdown(stopping.cancelled_owned())
            .into_future(),
    );
    Ok(Simulator { cloud, server })
}

/// An unspecified address is one to listen on, not one to be reached at.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

impl Simulator {
    /// What stands for all of Vonage's hosts: `http://address:port`.
    ///
    /// The Client SDK's socket opens under the same origin.
    pub fn base_url(&self) -> &str {
        &self.cloud.base_url
    }

    /// The desk phone page.
    pub fn desk_url(&self) -> String {
        format!("{}/desk", self.cloud.base_url)
    }

    /// Replaces the scenario; calls that ring already keep what they were told.
    pub fn play(&self, scenario: Scenario) {
        self.cloud.play(scenario);
    }

    /// Ends all calls and connections, and waits until everything is down.
    pub async fn stop(self) {
        self.cloud.stopping.cancel();
        self.cloud.tasks.close();
        self.cloud.tasks.wait().await;
        // Whether the server ended well or was aborted, it is gone.
        let _ = self.server.await;
    }
}
