//! Counts what became of the webhooks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinHandle};

use crate::simulator::{Delivery, HttpMethod, scenario::Effect};

/// What is known of the webhooks.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    pub(super) sent: u64,
    /// Milliseconds of each answered answer request.
    pub(super) answer_ms: Vec<f64>,
    /// Milliseconds of each acknowledged event.
    pub(super) event_ms: Vec<f64>,
    /// Forged or stale events that were taken for true ones.
    pub(super) forgeries_taken: u64,
    /// Forged or stale events that were refused.
    pub(super) forgeries_refused: u64,
    /// Events that no try brought home.
    unacknowledged: BTreeSet<String>,
    /// What each answer request was first answered with.
    answers: BTreeMap<String, String>,
    /// Answer requests whose repetition was answered with something else.
    pub(super) answered_twice: Vec<String>,
}

/// Counts beside the replay.
#[derive(Debug)]
pub(super) struct Tally(JoinHandle<Webhooks>);

impl Tally {
    pub(super) fn start(mut deliveries: UnboundedReceiver<Delivery>) -> Self {
        Self(tokio::spawn(async move {
            let mut webhooks = Webhooks::default();
            while let Some(delivery) = deliveries.recv().await {
                webhooks.count(&delivery);
            }
            webhooks
        }))
    }

    /// What was counted; to be asked for when the simulator is gone.
    pub(super) async fn finish(self) -> Webhooks {
        self.0.await.unwrap_or_default()
    }
}

impl Webhooks {
    /// Events that the service never said it had.
    pub(super) fn lost(&self) -> impl Iterator<Item = &String> {
        self.unacknowledged.iter()
    }

    fn count(&mut self, delivery: &Delivery) {
        self.sent += 1;
        let taken = delivery
            .status
            .is_some_and(|status| (200..=205).contains(&status));
        if delivery.kind == "event" {
            self.count_event(delivery, taken);
        } else if delivery.kind == "answer" && taken {
            self.answer_ms.push(delivery.took_ms);
            self.compare_answer(delivery);
        }
    }

    fn count_event(&mut self, delivery: &Delivery, taken: bool) {
        if is_forged(delivery) {
            self.forgeries_taken += u64::from(taken);
            self.forgeries_refused += u64::from(!taken);
            return;
        }
        let event = described(&delivery.payload);
        if taken {
            self.event_ms.push(delivery.took_ms);
            self.unacknowledged.remove(&event);
        } else {
            self.unacknowledged.insert(event);
        }
    }

    /// One leg's question has one answer, however often it is asked.
    fn compare_answer(&mut self, delivery: &Delivery) {
        let leg = text(&delivery.payload, "uuid").unwrap_or("-");
        let question = format!("{leg} at {}", delivery.url);
        let reply = delivery.reply.clone().unwrap_or_default();
        match self.answers.get(&question) {
            Some(first) if *first != reply => self.answered_twice.push(question),
            Some(_) => {}
            None => {
                self.answers.insert(question, reply);
            }
        }
    }
}

/// Whether a service that checks signatures must refuse it. The hash of a GET is not published, so a wrong
/// one proves nothing.
fn is_forged(delivery: &Delivery) -> bool {
    delivery.effects.iter().any(|effect| match effect {
        Effect::WrongSignature | Effect::Unsigned | Effect::Stale => true,
        Effect::WrongHash => delivery.method == HttpMethod::Post,
        Effect::Late(_)
        | Effect::Swap
        | Effect::Repeat(_)
        | Effect::Lose
        | Effect::FollowedBy(_) => false,
    })
}

fn described(payload: &Value) -> String {
    let field = |name| text(payload, name).unwrap_or("-");
    let leg = text(payload, "uuid").unwrap_or_else(|| field("call_uuid"));
    format!("{} of leg {leg} at {}", field("status"), field("timestamp"))
}

fn text<'a>(payload: &'a Value, name: &str) -> Option<&'a str> {
    payload.get(name)?.as_str()
}
