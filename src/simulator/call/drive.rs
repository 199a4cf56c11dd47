//! Takes a leg through its NCCO.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    actions::{self, Next},
    conversation::Conversation,
    leg::{EndedBy, Leg},
    ncco::{self, Action},
    progress::{report_fault, tell},
};
use crate::simulator::{clock, cloud::Cloud};

/// What Vonage says about an NCCO it cannot use.
const SYNTAX_ERROR: &str = "Syntax error in NCCO. Invalid value type or action.";

/// Follows an NCCO, and whatever replaces it, to the end of it or of the leg.
pub(in crate::simulator) async fn drive(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    orders: &mut mpsc::UnboundedReceiver<Vec<Action>>,
    ncco: &Value,
) {
    let Some(mut ncco) = read(cloud, &leg.conversation(), ncco) else {
        return;
    };
    loop {
        tokio::select! {
            biased;
            () = leg.hangup.cancelled() => return,
            Some(other) = orders.recv() => {
                for child in leg.children() {
                    child.hang_up(EndedBy::Platform);
                    child.finished.cancelled().await;
                }
                let conversation = Conversation::open(cloud, &leg.application_id, None);
                relocate(cloud, leg, &conversation);
                ncco = other;
            }
            () = walk(cloud, leg, ncco.clone()) => return,
        }
    }
}

async fn walk(cloud: &Arc<Cloud>, leg: &Arc<Leg>, ncco: Vec<Action>) {
    let mut actions = VecDeque::from(ncco);
    let mut background = None;
    while let Some(action) = actions.pop_front() {
        match actions::perform(cloud, leg, action, &mut background).await {
            Next::Continue => {}
            Next::Replace(reply) => match read(cloud, &leg.conversation(), &reply) {
                Some(ncco) => actions = VecDeque::from(ncco),
                None => return,
            },
            Next::End => return,
        }
    }
    if let Some(mut background) = background {
        background.ended().await;
    }
}

/// Reads an NCCO; one that cannot be used ends the call with an error event.
fn read(cloud: &Cloud, conversation: &Conversation, ncco: &Value) -> Option<Vec<Action>> {
    match ncco::read(ncco) {
        Ok(actions) => Some(actions),
        Err(fault) => {
            tracing::warn!(%fault, conversation.id = %conversation.id, "invalid NCCO");
            report_fault(cloud, conversation, &format!("{SYNTAX_ERROR} ({fault})"));
            None
        }
    }
}

/// Moves a leg into another conversation, and tells the application.
pub(in crate::simulator) fn relocate(cloud: &Arc<Cloud>, leg: &Arc<Leg>, to: &Arc<Conversation>) {
    let from = leg.conversation();
    if from.id == to.id {
        return;
    }
    from.leave(leg);
    leg.move_to(to);
    to.join(cloud, leg);
    tell(
        cloud,
        to,
        None,
        json!({
            "conversation_uuid_from": from.id,
            "conversation_uuid_to": to.id,
            "uuid": leg.id,
            "timestamp": clock::now_iso(),
        }),
    );
}
