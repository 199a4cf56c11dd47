//! Listens for Vonage's webhooks in the service's place: under a path that nobody can guess, with replies that were laid
//! out beforehand.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header::{AUTHORIZATION, RETRY_AFTER},
    web,
};
use anyhow::Context as _;
use serde_json::Value;
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::traces::Traces;

/// The longest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1_024;
/// Time for our own request to our own public address.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where the nonce is.
const NONCE: &str = "nonce";
/// Statuses of a `connect` that came to nothing: what a synchronous one reads an NCCO after.
const FAILURES: [&str; 5] = ["busy", "failed", "rejected", "timeout", "unanswered"];

/// What is replied.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// 200 without a body.
    Taken,
    /// An NCCO.
    Ncco(Value),
    /// An NCCO after a call that came to nothing, and nothing otherwise.
    NccoOnFailure(Value),
    /// An NCCO, but later.
    Late(Duration, Value),
    /// 503.
    Unavailable,
    /// 503 to events of this status, 200 to the others.
    UnavailableOn(&'static str),
}

/// A request that came in.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) at: Instant,
    /// The last part of the path: what it was asked for.
    pub(super) slot: String,
    pub(super) is_get: bool,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    pub(super) bytes: Vec<u8>,
    /// The body, or the query as an object of texts.
    pub(super) payload: Value,
}

impl Received {
    /// A text of the payload.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.payload.get(name)?.as_str()
    }

    /// Whether a call came to nothing.
    pub(super) fn is_failure(&self) -> bool {
        self.text("status")
            .is_some_and(|status| FAILURES.contains(&status))
    }
}

/// What has come in, and what is replied.
struct Inbox {
    path: String,
    nonce: String,
    traces: Arc<Traces>,
    replies: Mutex<BTreeMap<&'static str, VecDeque<Reply>>>,
    received: Mutex<Vec<Received>>,
    news: watch::Sender<usize>,
}

/// A running listener.
pub(super) struct Listener {
    inbox: Arc<Inbox>,
    /// What Vonage is told: every slot is below it.
    base: Url,
    pub(super) address: SocketAddr,
    server: ServerHandle,
}

impl Listener {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the address is taken.
    pub(super) fn start(
        address: SocketAddr,
        public_url: &Url,
        traces: Arc<Traces>,
    ) -> anyhow::Result<Self> {
        let path = Uuid::new_v4().simple().to_string();
        let base = public_url.join(&format!("/{path}/"))?;
        let inbox = Arc::new(Inbox {
            path,
            nonce: Uuid::new_v4().simple().to_string(),
            traces,
            replies: Mutex::default(),
            received: Mutex::default(),
            news: watch::Sender::new(0),
        });
        let shared = web::Data::from(Arc::clone(&inbox));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
                .default_service(web::to(take))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind(address)
        .with_context(|| {
            format!(
                "cannot listen on {address}, where PUBLIC_URL should lead: stop the service for the time of this run, or \
                 lead PUBLIC_URL to another port and name it with --live-port"
            )
        })?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            inbox,
            base,
            address,
            server: handle,
        })
    }

    /// Proves that the public address leads here.
    ///
    /// # Errors
    /// When it does not: Vonage would not get through either.
    pub(super) async fn prove(&self) -> anyhow::Result<()> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            // Vonage follows none with a POST.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let answer = client.get(self.url(NONCE)).send().await;
        let found = match answer {
            Ok(answer) => {
                let status = answer.status();
                let is_ours = answer
                    .text()
                    .await
                    .is_ok_and(|text| text == self.inbox.nonce);
                if is_ours {
                    return Ok(());
                }
                format!("something else answers there ({})", status.as_u16())
            }
            Err(error) if error.is_timeout() => "there is no answer".to_owned(),
            Err(_error) => "it can't be reached".to_owned(),
        };
        anyhow::bail!(
            "PUBLIC_URL ({}) does not lead to {}: {found}; start the tunnel or the proxy, or look with `click-to-call \
             doctor` while the service runs. Nothing was spent",
            self.base.origin().ascii_serialization(),
            self.address
        )
    }

    /// The address that Vonage is told for a slot.
    pub(super) fn url(&self, slot: &str) -> String {
        format!("{}{slot}", self.base)
    }

    /// Lays out the replies of a slot, one after the other; the last stays. Without any it is [`Reply::Taken`].
    pub(super) fn reply(&self, slot: &'static str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.inbox.replies).insert(slot, replies.into_iter().collect());
    }

    /// What has come in for a slot, in order.
    pub(super) fn received(&self, slot: &str) -> Vec<Received> {
        let received = lock(&self.inbox.received);
        let of_slot = received.iter().filter(|received| received.slot == slot);
        of_slot.cloned().collect()
    }

    /// Everything that has come in.
    pub(super) fn all(&self) -> Vec<Received> {
        lock(&self.inbox.received).clone()
    }

    /// Waits until something has come in for a slot. `false`: it has not, in this time.
    pub(super) async fn wait(
        &self,
        patience: Duration,
        slot: &str,
        is_it: impl Fn(&Received) -> bool,
    ) -> bool {
        let mut news = self.inbox.news.subscribe();
        let has_come = news.wait_for(|_count| self.received(slot).iter().any(&is_it));
        tokio::time::timeout(patience, has_come).await.is_ok()
    }

    /// Stops to listen.
    pub(super) async fn stop(&self) {
        self.server.stop(false).await;
    }
}

impl Inbox {
    fn next_reply(&self, slot: &str) -> Reply {
        let mut replies = lock(&self.replies);
        let Some(laid_out) = replies.get_mut(slot) else {
            return Reply::Taken;
        };
        if laid_out.len() > 1 {
            laid_out.pop_front()
        } else {
            laid_out.front().cloned()
        }
        .unwrap_or(Reply::Taken)
    }
}

async fn take(inbox: web::Data<Inbox>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut parts = request.path().trim_start_matches('/').splitn(2, '/');
    let slot = match (parts.next(), parts.next()) {
        (Some(path), Some(slot)) if path == inbox.path => slot.to_owned(),
        // It may be the service that this stands in for: Vonage sends its events again after this, and a 404 is final.
        _ => {
            return HttpResponse::ServiceUnavailable()
                .insert_header((RETRY_AFTER, "60"))
                .finish();
        }
    };
    if slot == NONCE {
        return HttpResponse::Ok().body(inbox.nonce.clone());
    }
    let is_get = request.method() == actix_web::http::Method::GET;
    let header = request.headers().get(AUTHORIZATION);
    let received = Received {
        at: Instant::now(),
        is_get,
        query: request.query_string().to_owned(),
        authorization: header.and_then(|value| value.to_str().ok().map(str::to_owned)),
        payload: if is_get {
            url::form_urlencoded::parse(request.query_string().as_bytes())
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect::<serde_json::Map<_, _>>()
                .into()
        } else {
            serde_json::from_slice(&body).unwrap_or_default()
        },
        bytes: body.to_vec(),
        slot,
    };
    inbox.traces.webhook(&received);
    let is_failure = received.is_failure();
    let status = received.text("status").map(str::to_owned);
    let reply = inbox.next_reply(&received.slot);
    lock(&inbox.received).push(received);
    inbox.news.send_modify(|count| *count += 1);
    match reply {
        Reply::Ncco(ncco) => HttpResponse::Ok().json(ncco),
        Reply::NccoOnFailure(ncco) if is_failure => HttpResponse::Ok().json(ncco),
        Reply::Late(pause, ncco) => {
            tokio::time::sleep(pause).await;
            HttpResponse::Ok().json(ncco)
        }
        Reply::Unavailable => unavailable(),
        Reply::UnavailableOn(one) if status.as_deref() == Some(one) => unavailable(),
        Reply::Taken | Reply::NccoOnFailure(_) | Reply::UnavailableOn(_) => {
            HttpResponse::Ok().finish()
        }
    }
}

fn unavailable() -> HttpResponse {
    HttpResponse::ServiceUnavailable().finish()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
