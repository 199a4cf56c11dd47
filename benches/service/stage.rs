//! The service under test, as a process, beside a Vonage that knows its user.

use std::net::SocketAddr;

use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::{load::requests, place::Place, service::Service, slow_disk};

pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) place: Place,
    pub(crate) service: Service,
    _vonage: MockServer,
}

impl Stage {
    /// Starts everything and waits until the service listens.
    pub(crate) fn set() -> Self {
        Self::with(&[])
    }

    /// The same with these settings as well.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let vonage = runtime.block_on(MockServer::start());
        let user = serde_json::json!({ "_embedded": { "users": [{ "id": "USR-1", "name": "supportuser" }] } });
        runtime.block_on(
            Mock::given(method("GET"))
                .respond_with(ResponseTemplate::new(200).set_body_json(user))
                .mount(&vonage),
        );
        let mut place = ready();
        place.set("VONAGE_API_URL", &vonage.uri());
        for (name, value) in settings {
            place.set(name, value);
        }
        let service = Service::start(&place);
        Self {
            runtime,
            place,
            service,
            _vonage: vonage,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.service
            .url
            .trim_start_matches("http://")
            .parse()
            .unwrap()
    }
}

/// A place with settings that grant what the load asks for.
pub(crate) fn ready() -> Place {
    let mut place = Place::ready();
    for (name, value) in requests::SETTINGS {
        place.set(name, value);
    }
    // As it is run: a log and metrics.
    place.set("CLICK_TO_CALL__LOG__FORMAT", "json");
    place.set("CLICK_TO_CALL__METRICS__PORT", "0");
    for (name, value) in slow_disk::variables() {
        place.set(name, &value);
    }
    place
}
