//! The service as a process, events for it, and what of them it has kept.

use std::{collections::HashSet, io, net::SocketAddr, time::Duration};

use rusqlite::Connection as Database;
use tokio::time::timeout;

use crate::{
    load::{
        http::{Answer, Connection},
        requests,
    },
    place::Place,
    service::Service,
};

/// Nothing that is waited for takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A place with settings that grant what the load asks for.
pub(crate) fn ready() -> Place {
    let mut place = Place::ready();
    for (name, value) in requests::SETTINGS {
        place.set(name, value);
    }
    place.set("RUST_LOG", "warn,click_to_call::cli=info");
    place
}

pub(crate) fn address(service: &Service) -> SocketAddr {
    service.url.trim_start_matches("http://").parse().unwrap()
}

/// One request on a connection of its own.
pub(crate) async fn send(service: &Service, request: &[u8]) -> io::Result<Answer> {
    let sending = async {
        Connection::open(address(service))
            .await?
            .send(request)
            .await
    };
    timeout(PATIENCE, sending).await?
}

/// Asks until the answer to `/readyz` has this status, and returns what it says.
pub(crate) async fn wait_until_readiness_is(service: &Service, status: u16) -> String {
    let asking = async {
        loop {
            let answer = send(service, &requests::get("/readyz")).await.unwrap();
            if answer.status == status {
                return String::from_utf8(answer.body).unwrap();
            }
        }
    };
    timeout(PATIENCE, asking).await.unwrap()
}

/// The legs of all events that a stopped service has left, each of which must be there once, in a sound file.
pub(crate) fn stored_legs(place: &Place) -> HashSet<String> {
    let database = Database::open(place.path("data/click-to-call.db")).unwrap();
    let finding: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(finding, "ok");
    let mut rows = database
        .prepare("SELECT leg FROM events WHERE kind = 'status'")
        .unwrap();
    let stored = rows.query_map([], |row| row.get(0)).unwrap();
    let stored: Vec<String> = stored.collect::<Result<_, _>>().unwrap();
    let count = stored.len();
    let legs: HashSet<String> = stored.into_iter().collect();
    assert_eq!(legs.len(), count, "an event is there twice");
    legs
}

/// Sees that everything that was acknowledged is there.
pub(crate) fn assert_kept(acknowledged: &[String], stored: &HashSet<String>) {
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|leg| !stored.contains(*leg))
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged events are lost",
        lost.len(),
        acknowledged.len()
    );
}
