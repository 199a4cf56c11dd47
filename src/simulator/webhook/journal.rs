//! Every webhook that was sent and what came back, for tests and for people.

use std::{collections::VecDeque, sync::Mutex};

use serde::Serialize;
use serde_json::Value;

use crate::simulator::{cloud::lock, config::HttpMethod, scenario::Effect};

/// Deliveries that are kept; older ones are forgotten.
const KEPT: usize = 5_000;

/// One try of one webhook.
#[derive(Debug, Clone, Serialize)]
pub(in crate::simulator) struct Delivery {
    pub(in crate::simulator) sent_at: String,
    pub(in crate::simulator) kind: &'static str,
    pub(in crate::simulator) application_id: String,
    pub(in crate::simulator) method: HttpMethod,
    pub(in crate::simulator) url: String,
    pub(in crate::simulator) signed: bool,
    pub(in crate::simulator) payload: Value,
    pub(in crate::simulator) effects: Vec<Effect>,
    pub(in crate::simulator) attempt: u32,
    /// Status of the reply, when there was one.
    pub(in crate::simulator) status: Option<u16>,
    /// The reply's body.
    pub(in crate::simulator) reply: Option<String>,
    /// Why there was no reply.
    pub(in crate::simulator) fault: Option<String>,
}

/// The newest deliveries, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Journal(Mutex<VecDeque<Delivery>>);

impl Journal {
    /// Keeps a delivery.
    pub(in crate::simulator) fn record(&self, delivery: Delivery) {
        let mut kept = lock(&self.0);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(delivery);
    }

    /// All that are kept.
    pub(in crate::simulator) fn all(&self) -> Vec<Delivery> {
        lock(&self.0).iter().cloned().collect()
    }
}
