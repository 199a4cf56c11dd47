//! `GET /api/calls/{id}/events`: the state of a call as server-sent events, for its visitor only.
//!
//! Read with `fetch`, because an `EventSource` can't send a bearer. Each stream reads the store: it
//! shows what is kept, never what somebody remembers.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header},
    web::{Bytes, Data, Path},
};
use futures_util::stream;

use super::{
    calls,
    error::{ApiError, ProblemKind},
    visit::Visit,
};
use crate::{
    domain::{
        call::Call,
        call_state::{CallState, Phase},
        calling,
        live::Watcher,
        store::StoreError,
    },
    metrics::OpenStream,
    state::AppState,
};

/// A comment is sent this often, so that proxies keep the connection and both ends notice when it is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn stream(
    request: HttpRequest,
    path: Path<String>,
    visit: Visit,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let call = calls::find_own(&path, &visit, &state).await?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        // Proxies that buffer would hold the ringing back until the call is over.
        .insert_header(("x-accel-buffering", "no"));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let too_many = || ApiError::new(ProblemKind::RateLimited).retry_after(KEEP_ALIVE);
    let watcher = state.live.watch(call.id).ok_or_else(too_many)?;
    // Opening the stream is how a page that was leaving says that it is back.
    state
        .store
        .cancel_hangup(call.id, state.clock.now())
        .await?;
    let reader = Reader {
        _counted: state.metrics.http.stream(),
        state,
        call,
        watcher,
        last: None,
    };
    Ok(
        response.streaming(stream::unfold(reader, |mut reader| async move {
            let chunk = reader.next().await?;
            Some((Ok::<_, std::convert::Infallible>(chunk), reader))
        })),
    )
}

struct Reader {
    state: Data<AppState>,
    call: Call,
    watcher: Watcher,
    _counted: OpenStream,
    last: Option<CallState>,
}

impl Reader {
    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.last.is_some_and(|state| state.phase == Phase::Ended) {
                return None;
            }
            let state = match self.read().await {
                Ok(state) => state,
                // The page opens the stream again, and by then the store may be back.
                Err(error) => {
                    tracing::error!(%error, "a call's stream broke off");
                    return None;
                }
            };
            if self.last != Some(state) {
                self.last = Some(state);
                let json = serde_json::to_string(&state).unwrap_or_default();
                return Some(Bytes::from(format!("event: state\ndata: {json}\n\n")));
            }
            let ticket_ends = until_ticket_ends(state, &self.call, &self.state);
            tokio::select! {
                () = self.watcher.changed() => {}
                () = ticket_ends => {}
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(Bytes::from_static(b":\n\n")),
                () = self.state.stopping.cancelled() => return None,
            }
        }
    }

    async fn read(&mut self) -> Result<CallState, StoreError> {
        if let Some(call) = self.state.store.find_call(self.call.id).await? {
            self.call = call;
        }
        calling::state(&*self.state.store, &self.call, self.state.clock.now()).await
    }
}

/// A ticket that nobody uses ends by itself, without any event.
async fn until_ticket_ends(state: CallState, call: &Call, app: &AppState) {
    if state.phase == Phase::Requested {
        let left = call.ticket_expires_at - app.clock.now();
        tokio::time::sleep(left.to_std().unwrap_or_default()).await;
    } else {
        std::future::pending::<()>().await;
    }
}
