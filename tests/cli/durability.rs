//! What was acknowledged survives whatever happens to the process.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use click_to_call::domain::clock::Clock;
use rusqlite::Connection;
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet};

use crate::{place::Place, service::Service, webhook_signature};

const KILLS: usize = 20;
const SENDERS: usize = 16;
const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";
const SECRET: &str = "a-signature-secret-of-32-letters";

/// One sender: events without end, each sent again until it is acknowledged, as Vonage does.
struct Sender {
    name: usize,
    next: usize,
    acknowledged: Vec<String>,
}

impl Sender {
    fn leg(&self) -> String {
        format!("leg-{}-{}", self.name, self.next)
    }

    /// Sends until the service is gone.
    async fn run(
        mut self,
        url: String,
        http: reqwest::Client,
        acknowledged: Arc<Acknowledged>,
    ) -> Self {
        loop {
            let event = json!({
                "uuid": self.leg(), "conversation_uuid": "CON-1", "status": "ringing",
                "timestamp": "2026-11-22T10:00:00.000Z",
            });
            let body = event.to_string();
            let now = Clock::system().now().timestamp();
            let claims = webhook_signature::claims(body.as_bytes(), now, "", APPLICATION);
            let authorization =
                webhook_signature::bearer(r#"{"alg":"HS256"}"#, &claims.to_string(), SECRET);
            let request = http
                .post(format!("{url}/webhooks/event"))
                .header("authorization", authorization)
                .body(body);
            match request.send().await {
                Ok(response) if response.status() == 200 => {
                    self.acknowledged.push(self.leg());
                    self.next += 1;
                    acknowledged.one_more();
                }
                Ok(response) => panic!("{}", response.status()),
                Err(_) => return self,
            }
        }
    }
}

#[derive(Default)]
struct Acknowledged {
    number: AtomicUsize,
    news: Notify,
}

impl Acknowledged {
    fn one_more(&self) {
        self.number.fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
    }

    async fn reach(&self, number: usize) {
        loop {
            let news = self.news.notified();
            if self.number.load(Ordering::SeqCst) >= number {
                return;
            }
            news.await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_event_is_lost_or_doubled_when_the_process_is_killed() {
    let mut place = Place::ready();
    place.set("CLICK_TO_CALL__LOG__FILTER", "warn,click_to_call::cli=info");
    let mut senders: Vec<Sender> = (0..SENDERS)
        .map(|name| Sender {
            name,
            next: 0,
            acknowledged: Vec::new(),
        })
        .collect();
    for round in 0..KILLS {
        let service = Service::start(&place);
        // A new client: connections of the last round are dead.
        let http = reqwest::Client::builder().build().unwrap();
        let acknowledged = Arc::new(Acknowledged::default());
        let mut running = JoinSet::new();
        for sender in senders.drain(..) {
            running.spawn(sender.run(service.url.clone(), http.clone(), Arc::clone(&acknowledged)));
        }
        // After a number of events that differs from round to round, in the middle of whatever is being written then.
        acknowledged.reach(10 + (round * 97) % 240).await;
        service.kill();
        senders = running.join_all().await;
    }

    let mut service = Service::start(&place);
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0));
    let database = Connection::open(place.path("data/click-to-call.db")).unwrap();
    let finding: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(finding, "ok");
    let mut rows = database.prepare("SELECT leg FROM events").unwrap();
    let legs = rows.query_map([], |row| row.get(0)).unwrap();
    let legs: Vec<String> = legs.collect::<Result<_, _>>().unwrap();
    let stored: HashSet<&String> = legs.iter().collect();
    assert_eq!(stored.len(), legs.len(), "an event is there twice");
    let acknowledged: Vec<&String> = senders
        .iter()
        .flat_map(|sender| &sender.acknowledged)
        .collect();
    assert!(acknowledged.len() >= KILLS * 10);
    for leg in acknowledged {
        assert!(stored.contains(leg), "{leg} was acknowledged and is lost");
    }
}
