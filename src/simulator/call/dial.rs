//! A called telephone: it rings, and a scenario or a person decides what becomes of it.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    leg::{CallStatus, Decision, EndedBy, Leg},
    player,
    progress::report,
};
use crate::simulator::{
    cloud::{Cloud, lock},
    scenario::Behaviour,
};

/// Before the first and between two keys that a scenario presses.
const KEY_PAUSE: Duration = Duration::from_millis(500);
/// Length of a machine's greeting when a person says that a machine picked up.
const GREETING: Duration = Duration::from_millis(1_500);

/// How a call was picked up.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Pickup {
    /// A machine, and the length of its greeting.
    pub(in crate::simulator) machine: Option<Duration>,
    hang_up_after: Option<Duration>,
    digits: String,
}

/// What becomes of a ringing telephone.
enum Outcome {
    Picked(Pickup),
    Ended(CallStatus, Value),
    /// The caller's side hung up.
    Abandoned,
}

/// Rings for at most `ring`; None when the call wasn't picked up and its last event is sent.
pub(in crate::simulator) async fn ring(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    ring: Duration,
) -> Option<Pickup> {
    report(cloud, leg, CallStatus::Started, &Value::Null).await;
    // Whoever is called through the SDK decides there.
    let own = if leg.is_caller() {
        Some(Behaviour::Desk)
    } else {
        leg.conversation().next_behaviour(&leg.to)
    };
    let (behaviour, setup) = {
        let mut scenario = lock(&cloud.scenario);
        (
            own.unwrap_or_else(|| scenario.next_behaviour(&leg.to)),
            Duration::from_millis(scenario.timing.call_setup_ms),
        )
    };
    let outcome = tokio::select! {
        biased;
        () = leg.hangup.cancelled() => Outcome::Abandoned,
        outcome = async {
            sleep(setup).await;
            follow(cloud, leg, behaviour, ring).await
        } => outcome,
    };
    match outcome {
        Outcome::Picked(pickup) => {
            report(cloud, leg, CallStatus::Answered, &Value::Null).await;
            Some(pickup)
        }
        Outcome::Ended(status, extra) => {
            report(cloud, leg, status, &extra).await;
            None
        }
        Outcome::Abandoned => {
            report(cloud, leg, CallStatus::Cancelled, &Value::Null).await;
            None
        }
    }
}

async fn follow(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    behaviour: Behaviour,
    limit: Duration,
) -> Outcome {
    let Some(mut decisions) = leg.take_decisions() else {
        return Outcome::Abandoned;
    };
    if behaviour != Behaviour::Desk {
        leg.note(behaviour.clone());
    }
    if let Some(refusal) = at_once(&behaviour) {
        return refusal;
    }
    if let Behaviour::Busy { after_ms } = behaviour {
        sleep(Duration::from_millis(after_ms)).await;
        return ended(CallStatus::Busy, json!({ "sip_code": 486 }));
    }
    report(cloud, leg, CallStatus::Ringing, &Value::Null).await;
    let rings_since = Instant::now();
    tokio::select! {
        decision = decided(&mut decisions) => {
            let after = rings_since.elapsed().as_millis();
            leg.note(as_behaviour(decision, u64::try_from(after).unwrap_or(u64::MAX)));
            outcome_of(decision)
        }
        outcome = scripted(behaviour) => outcome,
        () = sleep(limit) => ended(CallStatus::Timeout, Value::Null),
    }
}

fn ended(status: CallStatus, extra: Value) -> Outcome {
    Outcome::Ended(status, extra)
}

/// Calls that fail before anything rings.
fn at_once(behaviour: &Behaviour) -> Option<Outcome> {
    let (status, detail, sip_code) = match behaviour {
        Behaviour::Unavailable => (CallStatus::Unanswered, "unavailable", 480),
        Behaviour::OutOfService => (CallStatus::Failed, "number_out_of_service", 404),
        Behaviour::CannotRoute => (CallStatus::Failed, "cannot_route", 404),
        Behaviour::InternalError => (CallStatus::Failed, "internal_error", 500),
        Behaviour::InvalidNumber => (CallStatus::Rejected, "invalid_number", 484),
        Behaviour::Restricted => (CallStatus::Rejected, "restricted", 403),
        Behaviour::Desk
        | Behaviour::Answer { .. }
        | Behaviour::Machine { .. }
        | Behaviour::Busy { .. }
        | Behaviour::Decline { .. }
        | Behaviour::NoAnswer
        | Behaviour::CarrierTimeout { .. } => return None,
    };
    Some(ended(
        status,
        json!({ "detail": detail, "sip_code": sip_code }),
    ))
}

/// What the scenario does with a ringing telephone; never ends if it leaves it to a person.
async fn scripted(behaviour: Behaviour) -> Outcome {
    match behaviour {
        Behaviour::Answer {
            after_ms,
            hang_up_after_ms,
            digits,
        } => {
            sleep(Duration::from_millis(after_ms)).await;
            Outcome::Picked(Pickup {
                machine: None,
                hang_up_after: hang_up_after_ms.map(Duration::from_millis),
                digits,
            })
        }
        Behaviour::Machine {
            after_ms,
            greeting_ms,
        } => {
            sleep(Duration::from_millis(after_ms)).await;
            picked_by_machine(Duration::from_millis(greeting_ms))
        }
        Behaviour::Decline { after_ms } => {
            sleep(Duration::from_millis(after_ms)).await;
            declined()
        }
        Behaviour::CarrierTimeout { after_ms } => {
            sleep(Duration::from_millis(after_ms)).await;
            carrier_timeout()
        }
        Behaviour::Desk
        | Behaviour::Busy { .. }
        | Behaviour::NoAnswer
        | Behaviour::Unavailable
        | Behaviour::OutOfService
        | Behaviour::CannotRoute
        | Behaviour::InternalError
        | Behaviour::InvalidNumber
        | Behaviour::Restricted => std::future::pending().await,
    }
}

/// What a person does with it; never ends if nobody does anything.
async fn decided(decisions: &mut mpsc::UnboundedReceiver<Decision>) -> Decision {
    match decisions.recv().await {
        Some(decision) => decision,
        None => std::future::pending().await,
    }
}

fn outcome_of(decision: Decision) -> Outcome {
    match decision {
        Decision::Answer => Outcome::Picked(Pickup::default()),
        Decision::Voicemail => picked_by_machine(GREETING),
        Decision::Decline => declined(),
        Decision::Engaged => ended(CallStatus::Busy, json!({ "sip_code": 486 })),
        Decision::NoAnswer => carrier_timeout(),
    }
}

/// What a scenario says to have the same done by nobody.
fn as_behaviour(decision: Decision, after_ms: u64) -> Behaviour {
    match decision {
        Decision::Answer => Behaviour::Answer {
            after_ms,
            hang_up_after_ms: None,
            digits: String::new(),
        },
        Decision::Voicemail => Behaviour::Machine {
            after_ms,
            greeting_ms: u64::try_from(GREETING.as_millis()).unwrap_or(u64::MAX),
        },
        Decision::Decline => Behaviour::Decline { after_ms },
        Decision::Engaged => Behaviour::Busy { after_ms },
        Decision::NoAnswer => Behaviour::CarrierTimeout { after_ms },
    }
}

fn picked_by_machine(greeting: Duration) -> Outcome {
    Outcome::Picked(Pickup {
        machine: Some(greeting),
        ..Pickup::default()
    })
}

fn declined() -> Outcome {
    ended(
        CallStatus::Rejected,
        json!({ "detail": "declined", "sip_code": 603 }),
    )
}

fn carrier_timeout() -> Outcome {
    ended(
        CallStatus::Unanswered,
        json!({ "detail": "carrier_timeout", "sip_code": 480 }),
    )
}

/// The conversation from the telephone's side: it makes itself heard, presses its keys, and ends
/// when its script, the limit or anybody says so.
pub(in crate::simulator) async fn converse(
    cloud: &Cloud,
    leg: &Leg,
    pickup: &Pickup,
    limit: Duration,
) {
    tokio::select! {
        () = leg.hangup.cancelled() => {}
        () = player::chatter(leg, &cloud.sounds.chatter) => {}
        () = hang_up(leg, pickup.hang_up_after) => {}
        () = sleep(limit) => leg.hang_up(EndedBy::Platform),
    }
}

async fn hang_up(leg: &Leg, after: Option<Duration>) {
    match after {
        Some(after) => {
            sleep(after).await;
            leg.hang_up(EndedBy::User);
        }
        None => std::future::pending().await,
    }
}

/// Presses the keys a scenario asks for; ends with the leg.
pub(in crate::simulator) fn press_keys(cloud: &Arc<Cloud>, leg: &Arc<Leg>, pickup: &Pickup) {
    if pickup.digits.is_empty() {
        return;
    }
    let leg = Arc::clone(leg);
    let digits = pickup.digits.clone();
    cloud.spawn(async move {
        for digit in digits.chars() {
            tokio::select! {
                () = leg.hangup.cancelled() => return,
                () = sleep(KEY_PAUSE) => {}
            }
            // Nobody may be listening: then the key is lost, as on a telephone.
            let _ = leg.keys.send(digit);
        }
    });
}
