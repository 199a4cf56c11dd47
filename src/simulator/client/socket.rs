//! socket.io over one WebSocket: engine.io 4, default namespace, no polling.
//!
//! Written out rather than taken from a library: the SDK uses half a dozen kinds of frame, and a
//! test must be able to cut a connection without a goodbye.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, interval, sleep, timeout},
};
use uuid::Uuid;

use super::session::{Line, Session, success};
use crate::simulator::{
    call::leg::Identity,
    clock,
    cloud::{Cloud, lock},
    token::{self, TokenFault},
};

/// Where the socket is opened; logging in needs the ACL's `sessions` path.
const SESSIONS: &str = "/v0.3/sessions";
/// Milliseconds between pings, and until a silent client is gone: engine.io's own defaults.
const PING_INTERVAL_MS: u64 = 25_000;
const PING_TIMEOUT_MS: u64 = 20_000;
/// How long a refused client may take to leave by itself.
const LEAVE: Duration = Duration::from_millis(500);
/// How long a client may take for its first frame.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v2/rtc", get(open))
        .route("/v2/rtc/", get(open))
}

#[derive(Debug, Deserialize)]
struct Login {
    #[serde(default)]
    token: String,
    session_id: Option<String>,
}

async fn open(
    State(cloud): State<Arc<Cloud>>,
    Query(login): Query<Login>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(async move |socket| {
        let stopping = cloud.stopping.clone();
        tokio::select! {
            () = stopping.cancelled() => {}
            () = serve(&cloud, &login, socket) => {}
        }
    })
}

async fn serve(cloud: &Arc<Cloud>, login: &Login, mut socket: WebSocket) {
    let greeting = json!({
        "sid": Uuid::new_v4().simple().to_string(),
        "upgrades": [],
        "pingInterval": PING_INTERVAL_MS,
        "pingTimeout": PING_TIMEOUT_MS,
        "maxPayload": 1_000_000,
    });
    if write(&mut socket, format!("0{greeting}")).await.is_none() {
        return;
    }
    let Ok(Some(Ok(Message::Text(first)))) = timeout(HANDSHAKE, socket.recv()).await else {
        return;
    };
    if !first.starts_with("40") {
        return;
    }
    let sid = json!({ "sid": Uuid::new_v4().simple().to_string() });
    if write(&mut socket, format!("40{sid}")).await.is_none() {
        return;
    }
    match admit(cloud, login) {
        Ok(session) => {
            converse(cloud, &session, socket).await;
            cloud.changed();
        }
        Err(refusal) => {
            if emit(&mut socket, 0, refusal, &json!({})).await.is_some() {
                // The client leaves first; leaving before it would hide the reason.
                let _ = timeout(LEAVE, socket.recv()).await;
            }
        }
    }
}

/// Judges the token and finds or makes the session; an error is the event that says why not.
fn admit(cloud: &Cloud, login: &Login) -> Result<Arc<Session>, &'static str> {
    let judged = token::judge(&login.token, &cloud.registry_now(), clock::unix_now());
    let bearer = judged.map_err(TokenFault::code)?;
    bearer.may("GET", SESSIONS).map_err(TokenFault::code)?;
    let Some(user) = &bearer.user else {
        return Err(TokenFault::Invalid.code());
    };
    if let Some(id) = &login.session_id {
        let session = cloud
            .session(id)
            .filter(|session| session.user.id == user.id)
            .ok_or("session:error:invalid")?;
        session.expires_at.send_replace(bearer.expires_at);
        return Ok(session);
    }
    let most = lock(&cloud.scenario).limits.sessions_per_user;
    let mut sessions = lock(&cloud.sessions);
    let open = sessions
        .values()
        .filter(|session| session.user.id == user.id)
        .count();
    if open >= most {
        return Err("session:error:max-open-sessions");
    }
    let session = Session::new(
        &bearer.application_id,
        Identity::from(user),
        bearer.expires_at,
    );
    sessions.insert(session.id.clone(), Arc::clone(&session));
    Ok(session)
}

/// Carries events out and goodbyes in, until either side ends it.
async fn converse(cloud: &Arc<Cloud>, session: &Arc<Session>, mut socket: WebSocket) {
    let (sender, mut lines) = mpsc::unbounded_channel();
    let missed = session.attach(sender.clone());
    cloud.changed();
    let welcome = success(session, &cloud.api_key, &missed);
    let mut sent = 0;
    let mut alive = emit(&mut socket, sent, "session:success", &welcome)
        .await
        .is_some();
    let mut ping = interval(Duration::from_millis(PING_INTERVAL_MS));
    ping.tick().await;
    let mut heard = Instant::now();
    let mut expiry = session.expires_at.subscribe();
    while alive {
        let ends_in = remaining(cloud, *expiry.borrow_and_update());
        tokio::select! {
            line = lines.recv() => match line {
                Some(Line::Event(name, payload)) => {
                    sent += 1;
                    alive = emit(&mut socket, sent, &name, &payload).await.is_some();
                }
                Some(Line::Goodbye) => {
                    let _ = write(&mut socket, "41".to_owned()).await;
                    break;
                }
                Some(Line::Cut) | None => break,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Message::Text(text))) => {
                    heard = Instant::now();
                    if leaves(&text) {
                        cloud.end_session(&session.id);
                        break;
                    }
                }
                Some(Ok(_)) => heard = Instant::now(),
                Some(Err(_)) | None => break,
            },
            _ = ping.tick() => {
                let silent = heard.elapsed() > Duration::from_millis(PING_INTERVAL_MS + PING_TIMEOUT_MS);
                alive = !silent && write(&mut socket, "2".to_owned()).await.is_some();
            }
            _ = expiry.changed() => {}
            () = sleep(ends_in) => {
                sent += 1;
                let _ = emit(&mut socket, sent, TokenFault::Expired.code(), &json!({})).await;
                let _ = write(&mut socket, "41".to_owned()).await;
                break;
            }
        }
    }
    session.detach(&sender);
    forget_later(cloud, session);
}

/// Time until a session ends with its token; a century if it doesn't.
fn remaining(cloud: &Cloud, expires_at: i64) -> Duration {
    const CENTURY: Duration = Duration::from_hours(876_600);
    if !lock(&cloud.scenario).limits.sessions_end_with_token {
        return CENTURY;
    }
    let seconds = u64::try_from(expires_at - clock::unix_now()).unwrap_or_default();
    Duration::from_secs(seconds).min(CENTURY)
}

/// A session without a socket is forgotten after the reconnection window, if no call needs it.
fn forget_later(cloud: &Arc<Cloud>, session: &Arc<Session>) {
    let (owner, session) = (Arc::clone(cloud), Arc::clone(session));
    cloud.spawn(async move {
        loop {
            let window = lock(&owner.scenario).timing.reconnect_window_ms;
            sleep(Duration::from_millis(window)).await;
            if session.is_online() {
                return;
            }
            if !owner.has_live_call(&session.id) {
                owner.end_session(&session.id);
                return;
            }
        }
    });
}

impl Cloud {
    fn has_live_call(&self, session_id: &str) -> bool {
        use crate::simulator::call::leg::Party;
        lock(&self.legs).iter().any(|leg| {
            !leg.status().is_over()
                && matches!(&leg.party, Party::Caller { session_id: own } if own == session_id)
        })
    }
}

/// Whether a frame ends the session: `41`, or the SDK's logout. Acknowledgements (`43`) and pongs
/// (`3`) say only that the client is there.
fn leaves(frame: &str) -> bool {
    let logout = frame
        .strip_prefix("42")
        .and_then(|rest| rest.get(rest.find('[')?..))
        .and_then(|event| serde_json::from_str::<Value>(event).ok())
        .is_some_and(|event| event[0] == "session:logout");
    logout || frame == "41"
}

/// Sends an event with an acknowledgement number.
async fn emit(socket: &mut WebSocket, number: u64, name: &str, payload: &Value) -> Option<()> {
    write(socket, format!("42{number}{}", json!([name, payload]))).await
}

/// None when the connection is gone.
async fn write(socket: &mut WebSocket, frame: String) -> Option<()> {
    socket.send(Message::Text(frame.into())).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_goodbye_ends_a_session() {
        assert!(leaves("41"));
        assert!(leaves(r#"42["session:logout",{"tid":"1","body":{}}]"#));
        assert!(!leaves("430[]"));
        assert!(!leaves("3"));
        assert!(!leaves(r#"42["something",{}]"#));
    }
}
