//! Calls of visitors whom nobody sees: no browser, no socket, no sound, everything else as ever.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Simulator,
    call::{
        conversation::Conversation,
        inbound,
        leg::{Direction, EndedBy, Identity, Leg, NewLeg, Party},
    },
    clock,
    cloud::Cloud,
    scenario::Behaviour,
    token::{self, TokenFault},
    webhook::Delivery,
};

/// What the Client SDK asks of Vonage between the login and the first ring.
const NEEDED: [(&str, &str); 3] = [
    ("GET", "/v0.3/sessions"),
    ("POST", "/v0.3/legs"),
    ("POST", "/v0.3/knocking"),
];

/// What a played visitor brings along.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The token for the Client SDK.
    pub token: String,
    /// The SDK's call data.
    pub custom_data: Value,
    /// What telephones do that ring for this call, before the scenario's own `destinations`.
    pub destinations: BTreeMap<String, Vec<Behaviour>>,
}

/// A call that is being played. Dropping it lets it go on.
#[derive(Debug)]
pub struct PlayedCall {
    cloud: Arc<Cloud>,
    leg: Arc<Leg>,
}

impl Simulator {
    /// Logs in and calls, as the Client SDK does.
    ///
    /// # Errors
    /// When the token is refused, with the code that the SDK would report.
    pub fn call(&self, visit: Visit) -> Result<PlayedCall, &'static str> {
        let cloud = Arc::clone(&self.cloud);
        let leg = caller(&cloud, &visit).map_err(TokenFault::code)?;
        leg.conversation().follow(visit.destinations);
        cloud.add_leg(&leg);
        let run = inbound::run(
            Arc::clone(&cloud),
            Arc::clone(&leg),
            String::new(),
            visit.custom_data,
        );
        cloud.spawn(run);
        Ok(PlayedCall { cloud, leg })
    }

    /// Every try of every webhook from now on.
    pub fn deliveries(&self) -> mpsc::UnboundedReceiver<Delivery> {
        self.cloud.journal.follow()
    }
}

fn caller(cloud: &Arc<Cloud>, visit: &Visit) -> Result<Arc<Leg>, TokenFault> {
    let bearer = token::judge(&visit.token, &cloud.registry_now(), clock::unix_now())?;
    for (method, path) in NEEDED {
        bearer.may(method, path)?;
    }
    let user = bearer.user.ok_or(TokenFault::UnknownUser)?;
    Ok(Leg::new(NewLeg {
        id: Uuid::new_v4().to_string(),
        conversation: Conversation::open(cloud, &bearer.application_id, None),
        party: Party::Played,
        direction: Direction::Inbound,
        from: None,
        to: user.name.clone(),
        user: Identity::from(&user),
        event_url: None,
        synchronous: false,
    }))
}

impl PlayedCall {
    /// Waits until somebody whom the call made ring picks up; never ends when nobody does.
    pub async fn answered(&self) {
        let mut changes = self.cloud.watch();
        loop {
            let children = self.leg.children();
            if children.iter().any(|leg| leg.answered_at().is_some()) {
                return;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until the last event of the call is on its way.
    pub async fn over(&self) {
        self.leg.finished.cancelled().await;
    }

    /// The visitor hangs up.
    pub fn hang_up(&self) {
        self.leg.hang_up(EndedBy::User);
    }
}
