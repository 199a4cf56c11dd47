//! Every webhook that was sent and what came back, for tests and for people.

use std::{collections::VecDeque, sync::Mutex};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::simulator::{cloud::lock, config::HttpMethod, scenario::Effect};

/// Deliveries that are kept; older ones are forgotten.
const KEPT: usize = 5_000;

/// One try of one webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// ISO 8601.
    pub sent_at: String,
    /// `answer`, `event` or `fetch`.
    pub kind: &'static str,
    /// Whose webhook it is.
    pub application_id: String,
    /// How it was requested.
    pub method: HttpMethod,
    /// Where it was sent.
    pub url: String,
    /// Whether it carried a signature, right or wrong.
    pub signed: bool,
    /// Its parameters.
    pub payload: Value,
    /// What the scenario did to it.
    pub effects: Vec<Effect>,
    /// Counted from 1; repetitions that the scenario asks for count on.
    pub attempt: u32,
    /// Milliseconds from the request to the end of the reply, or to the fault.
    pub took_ms: f64,
    /// Status of the reply, when there was one.
    pub status: Option<u16>,
    /// The reply's body.
    pub reply: Option<String>,
    /// Why there was no reply.
    pub fault: Option<String>,
}

/// The newest deliveries, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Journal {
    kept: Mutex<VecDeque<Delivery>>,
    followers: Mutex<Vec<mpsc::UnboundedSender<Delivery>>>,
}

impl Journal {
    /// Keeps a delivery, and tells those who follow.
    pub(in crate::simulator) fn record(&self, delivery: Delivery) {
        lock(&self.followers).retain(|follower| follower.send(delivery.clone()).is_ok());
        let mut kept = lock(&self.kept);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(delivery);
    }

    /// All that are kept.
    pub(in crate::simulator) fn all(&self) -> Vec<Delivery> {
        lock(&self.kept).iter().cloned().collect()
    }

    /// All that come from now on.
    pub(in crate::simulator) fn follow(&self) -> mpsc::UnboundedReceiver<Delivery> {
        let (follower, deliveries) = mpsc::unbounded_channel();
        lock(&self.followers).push(follower);
        deliveries
    }
}
