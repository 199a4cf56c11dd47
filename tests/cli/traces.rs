//! Traces reach a collector: after a request, and when the service stops.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use crate::{place::Place, service::Service};

/// No batch takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes whatever is sent, as a collector does.
struct Collector {
    url: String,
    batches: Receiver<Batch>,
}

/// Head and body of one request. The body is protobuf, in which texts stand as they are.
struct Batch {
    head: String,
    spans: String,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, batches) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                thread::spawn(move || take(stream, &sender));
            }
        });
        Self { url, batches }
    }

    /// Waits for a batch with this text in it.
    fn wait_for(&self, text: &str) -> Batch {
        loop {
            let batch = self.batches.recv_timeout(PATIENCE);
            let batch = batch.unwrap_or_else(|_| panic!("no span with {text:?} came"));
            if batch.spans.contains(text) {
                return batch;
            }
        }
    }
}

fn take(mut stream: TcpStream, batches: &Sender<Batch>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).unwrap();
    let spans = String::from_utf8_lossy(&body).into_owned();
    let _ = batches.send(Batch { head, spans });
}

/// Sends a request, and waits for its answer.
fn ask(service: &Service, method: &str, path: &str, id: &str) {
    let address = service.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nX-Request-Id: {id}\r\nCookie: canary-cookie=1\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
}

fn place(collector: &Collector, delay_ms: &str) -> Place {
    let mut place = Place::ready();
    place.set("CLICK_TO_CALL__TELEMETRY__OTLP_ENDPOINT", &collector.url);
    place.set("VONAGE_API_URL", "http://127.0.0.1:9");
    // What the log leaves out is in the traces all the same.
    place.set("RUST_LOG", "warn,click_to_call::cli=info");
    place.set("OTEL_BSP_SCHEDULE_DELAY", delay_ms);
    place
}

#[test]
fn a_request_is_traced_without_what_it_carries() {
    let collector = Collector::start();
    let service = Service::start(&place(&collector, "50"));
    ask(&service, "GET", "/?lang=canary", "request-0123456789");
    let batch = collector.wait_for("request-0123456789");
    assert!(batch.head.starts_with("post /v1/traces "), "{}", batch.head);
    for text in ["click-to-call", "service.version", "GET /", "http.status"] {
        assert!(batch.spans.contains(text), "{text}");
    }
    assert!(!batch.spans.contains("canary"), "{}", batch.spans);
}

#[test]
fn what_was_not_sent_yet_is_sent_at_the_stop() {
    let collector = Collector::start();
    let an_hour = "3600000";
    let mut service = Service::start(&place(&collector, an_hour));
    ask(&service, "POST", "/api/sessions", "request-9876543210");
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0), "{}", service.log);
    let batch = collector.wait_for("request-9876543210");
    for text in ["POST /api/sessions", "vonage", "create-user"] {
        assert!(batch.spans.contains(text), "{text}");
    }
}

#[test]
fn a_collector_that_is_away_keeps_nobody() {
    let mut place = Place::ready();
    place.set(
        "CLICK_TO_CALL__TELEMETRY__OTLP_ENDPOINT",
        "http://127.0.0.1:9",
    );
    let mut service = Service::start(&place);
    ask(&service, "GET", "/healthz", "request-0123456789");
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0), "{}", service.log);
}
