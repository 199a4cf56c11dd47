//! The events of one conversation, sent one after the other.
//!
//! Vonage promises no order. This queue keeps the true one, so that a test decides what is swapped,
//! late or lost, and nothing else is.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Request, deliver};
use crate::simulator::{cloud::Cloud, registry::Webhook, scenario::Effect};

/// An event on its way.
#[derive(Debug)]
pub(in crate::simulator) struct Post {
    pub(in crate::simulator) application_id: String,
    pub(in crate::simulator) webhook: Webhook,
    /// Asked when the event's address fails, for events whose reply is an NCCO.
    pub(in crate::simulator) fallback: Option<Webhook>,
    pub(in crate::simulator) signed: bool,
    pub(in crate::simulator) payload: Value,
    /// Told the reply; null when there was none.
    pub(in crate::simulator) reply: Option<oneshot::Sender<Value>>,
}

/// The way into a conversation's queue.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct EventQueue(mpsc::UnboundedSender<Post>);

impl EventQueue {
    /// Starts the queue; it ends when the last handle is gone and everything is sent.
    pub(in crate::simulator) fn start(cloud: Arc<Cloud>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let owner = Arc::clone(&cloud);
        owner.spawn(run(cloud, receiver));
        Self(sender)
    }

    /// Puts an event at the end of the queue.
    pub(in crate::simulator) fn push(&self, post: Post) {
        // The worker is gone only when the simulator stops.
        let _ = self.0.send(post);
    }
}

async fn run(cloud: Arc<Cloud>, mut posts: mpsc::UnboundedReceiver<Post>) {
    let mut held: Vec<(Post, Vec<Effect>)> = Vec::new();
    loop {
        let Some(post) = posts.recv().await else {
            break;
        };
        let effects = cloud.effects_on("event", &post.payload);
        if effects.contains(&Effect::Swap) && held.is_empty() {
            held.push((post, effects));
            continue;
        }
        dispatch(&cloud, post, effects).await;
        for (post, effects) in held.drain(..) {
            dispatch(&cloud, post, effects).await;
        }
    }
    for (post, effects) in held {
        dispatch(&cloud, post, effects).await;
    }
}

async fn dispatch(cloud: &Arc<Cloud>, post: Post, effects: Vec<Effect>) {
    if effects.contains(&Effect::Lose) {
        return;
    }
    let second = effects.iter().find_map(|effect| {
        if let Effect::FollowedBy(fields) = effect {
            Some(fields.clone())
        } else {
            None
        }
    });
    let second = second.map(|fields| {
        let mut payload = post.payload.clone();
        for (name, value) in fields {
            payload[name] = value;
        }
        Post {
            application_id: post.application_id.clone(),
            webhook: post.webhook.clone(),
            fallback: None,
            signed: post.signed,
            payload,
            reply: None,
        }
    });
    let delay = effects.iter().find_map(|effect| {
        if let Effect::Late(milliseconds) = effect {
            Some(Duration::from_millis(*milliseconds))
        } else {
            None
        }
    });
    match delay {
        Some(delay) => {
            let late = Arc::clone(cloud);
            cloud.spawn(async move {
                tokio::time::sleep(delay).await;
                send(&late, post, &effects).await;
            });
        }
        None => send(cloud, post, &effects).await,
    }
    if let Some(second) = second {
        send(cloud, second, &[]).await;
    }
}

async fn send(cloud: &Cloud, post: Post, effects: &[Effect]) {
    let request = Request {
        kind: "event",
        application_id: &post.application_id,
        webhook: &post.webhook,
        payload: &post.payload,
        signed: post.signed,
        effects,
    };
    let mut outcome = deliver(cloud, &request).await;
    if let (Err(fault), Some(fallback)) = (&outcome, &post.fallback) {
        let payload = super::fallback_payload(&post.payload, &post.webhook, "event", fault);
        outcome = deliver(
            cloud,
            &Request {
                webhook: fallback,
                payload: &payload,
                effects: &[],
                ..request
            },
        )
        .await;
    }
    if let Some(reply) = post.reply {
        // Whoever asked may have ended meanwhile; then nobody needs the reply.
        let _ = reply.send(outcome.unwrap_or(Value::Null));
    }
}
