//! One visitor: a session, permission, the call, and the stream that tells how it ends.

use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::simulator::{PlayedCall, Simulator, Visit, scenario::Visitor};

/// Longest wait for the service's word on an end whose last webhook was sent.
const LAST_WORD: Duration = Duration::from_secs(20);
/// Longest wait for the reply to a request.
const REPLY: Duration = Duration::from_secs(15);

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The service told an end, and this reason.
    Ended(String),
    /// It refused: at which step, and the kind of problem.
    Refused(&'static str, String),
    /// Something never came.
    Lost(&'static str),
    /// Too many others were there already.
    StayedAway,
}

/// A visitor and what became of them.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) visitor: Visitor,
    pub(super) outcome: Outcome,
    /// From the request to the token.
    pub(super) session: Option<Duration>,
    /// From the press to the ticket.
    pub(super) permission: Option<Duration>,
    /// The name of the Vonage user they are.
    pub(super) user: Option<String>,
    /// The call they may make.
    pub(super) call: Option<String>,
}

impl Played {
    pub(super) fn new(visitor: Visitor, outcome: Outcome) -> Self {
        Self {
            visitor,
            outcome,
            session: None,
            permission: None,
            user: None,
            call: None,
        }
    }
}

/// The service that is visited.
#[derive(Debug, Clone)]
pub(super) struct Service {
    http: reqwest::Client,
    base: String,
}

#[derive(Debug, Deserialize)]
struct Opened {
    token: String,
    user: String,
    session: Option<String>,
}

#[derive(Debug, Serialize)]
struct Wish<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    /// An address whose fragment names the kind.
    r#type: String,
}

#[derive(Debug, Deserialize)]
struct State {
    state: String,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Permitted {
    call_id: String,
    ticket: String,
}

impl Service {
    pub(super) fn at(base: &Url) -> reqwest::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .connect_timeout(REPLY)
                .no_proxy()
                .build()?,
            base: base.as_str().trim_end_matches('/').to_owned(),
        })
    }

    /// Goes through it as an app does, which proves its session by a bearer.
    pub(super) async fn visit(
        &self,
        simulator: &Simulator,
        number: usize,
        played: &mut Played,
    ) -> Outcome {
        match self.steps(simulator, number, played).await {
            Ok(reason) => Outcome::Ended(reason),
            Err(outcome) => outcome,
        }
    }

    async fn steps(
        &self,
        simulator: &Simulator,
        number: usize,
        played: &mut Played,
    ) -> Result<String, Outcome> {
        let visitor = played.visitor.clone();
        let began = Instant::now();
        let request = self.post("/api/sessions", number, &json!({}));
        let opened: Opened = created("session", request).await?;
        played.session = Some(began.elapsed());
        played.user = Some(opened.user);
        let Some(session) = opened.session else {
            let cause = "it gave no bearer: does it take this for its own page?";
            return Err(Outcome::Refused("session", cause.to_owned()));
        };

        let wish = Wish {
            line: visitor.line.as_deref(),
            language: visitor.language.as_deref(),
        };
        let pressed = Instant::now();
        let request = self.post("/api/calls", number, &wish).bearer_auth(&session);
        let permitted: Permitted = created("call", request).await?;
        played.permission = Some(pressed.elapsed());
        let states = self.states(&permitted.call_id, &session, number).await?;
        played.call = Some(permitted.call_id);

        let call = simulator
            .call(Visit {
                token: opened.token,
                custom_data: json!({ "ticket": permitted.ticket }),
                destinations: visitor.destinations.clone(),
            })
            .map_err(|code| Outcome::Refused("login", code.to_owned()))?;
        let ((), reason) = tokio::join!(stay(&call, &visitor), end(states, &call));
        reason.ok_or(Outcome::Lost("the service told no end of the call"))
    }

    /// Each visitor comes from an address of their own, for a service that trusts this machine's word on it.
    ///
    /// The network is the one set aside for such measurements (RFC 2544).
    fn post(&self, path: &str, number: usize, body: &impl Serialize) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .header("x-forwarded-for", address(number))
            .timeout(REPLY)
            .json(body)
    }

    async fn states(&self, call: &str, session: &str, number: usize) -> Result<Response, Outcome> {
        let request = self
            .http
            .get(format!("{}/api/calls/{call}/events", self.base))
            .header("x-forwarded-for", address(number))
            .bearer_auth(session);
        accepted("events", StatusCode::OK, request).await
    }
}

fn address(number: usize) -> String {
    format!("198.18.{}.{}", number / 254 % 256, number % 254 + 1)
}

async fn created<T: serde::de::DeserializeOwned>(
    step: &'static str,
    request: RequestBuilder,
) -> Result<T, Outcome> {
    let response = accepted(step, StatusCode::CREATED, request).await?;
    response
        .json()
        .await
        .map_err(|error| Outcome::Refused(step, error.without_url().to_string()))
}

async fn accepted(
    step: &'static str,
    wanted: StatusCode,
    request: RequestBuilder,
) -> Result<Response, Outcome> {
    let refused = |cause: String| Outcome::Refused(step, cause);
    let response = request.send().await.map_err(|error| {
        refused(if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            "no connection".to_owned()
        })
    })?;
    if response.status() == wanted {
        return Ok(response);
    }
    let status = response.status();
    let problem = response.json::<Problem>().await.ok();
    let kind = problem.and_then(|problem| Some(problem.r#type.split_once('#')?.1.to_owned()));
    Err(refused(kind.unwrap_or_else(|| format!("status {status}"))))
}

/// The visitor's side of the call, until it is over.
async fn stay(call: &PlayedCall, visitor: &Visitor) {
    let gives_up = async {
        match visitor.give_up_after_ms {
            Some(after) => sleep(Duration::from_millis(after)).await,
            None => std::future::pending().await,
        }
    };
    let hangs_up = async {
        call.answered().await;
        match visitor.hang_up_after_ms {
            Some(after) => sleep(Duration::from_millis(after)).await,
            None => std::future::pending().await,
        }
    };
    let unanswered = async {
        tokio::select! {
            () = gives_up => {}
            () = call.answered() => std::future::pending().await,
        }
    };
    tokio::select! {
        () = call.over() => {}
        () = hangs_up => call.hang_up(),
        () = unanswered => call.hang_up(),
    }
}

/// The reason of the end, as the service tells it.
async fn end(mut states: Response, call: &PlayedCall) -> Option<String> {
    let late = async {
        call.over().await;
        sleep(LAST_WORD).await;
    };
    tokio::select! {
        reason = read_to_end(&mut states) => reason,
        () = late => None,
    }
}

/// Reads server-sent events to the one that tells the end.
async fn read_to_end(states: &mut Response) -> Option<String> {
    let mut text = Vec::new();
    loop {
        // Comments keep the stream alive; one that is silent for longer is dead.
        let chunk = timeout(Duration::from_mins(1), states.chunk()).await;
        text.extend_from_slice(&chunk.ok()?.ok()??);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else {
                continue;
            };
            match serde_json::from_slice::<State>(data) {
                Ok(told) if told.state == "ended" => return told.reason,
                _ => {}
            }
        }
    }
}
