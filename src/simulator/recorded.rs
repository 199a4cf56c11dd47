//! Writes down what happened as a scenario that can be replayed.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Simulator,
    call::leg::{CallStatus, Direction, EndedBy, Leg},
    cloud::{Cloud, lock},
    scenario::{Behaviour, Scenario, Visitor},
};

impl Simulator {
    /// What has happened so far, as a scenario: each call from a page is one of its visitors, with what
    /// the telephones did and how it ended. Calls that still go on are left out, and of very many calls
    /// the oldest are forgotten.
    pub fn recorded(&self) -> Scenario {
        recording_of(&self.cloud)
    }
}

/// See [`Simulator::recorded`].
pub(super) fn recording_of(cloud: &Cloud) -> Scenario {
    let legs = lock(&cloud.legs).clone();
    let over = |leg: &&Arc<Leg>| leg.status().is_over();
    let callers: Vec<&Arc<Leg>> = legs
        .iter()
        .filter(|leg| leg.is_caller() && leg.direction == Direction::Inbound)
        .filter(over)
        .collect();
    let mut scenario = lock(&cloud.scenario).clone();
    scenario.destinations.clear();
    scenario.visitors.clear();
    if let Some(first) = callers.iter().map(|leg| leg.created).min() {
        scenario.visitors = callers.iter().map(|leg| visitor(leg, first)).collect();
    }
    // Telephones that rang for nobody's own call: those that the service itself had called.
    let called = |leg: &Leg| callers.iter().any(|caller| holds(caller, leg));
    for leg in legs.iter().filter(over) {
        if leg.direction == Direction::Outbound && !called(leg) {
            let behaviours = scenario.destinations.entry(leg.to.clone());
            behaviours.or_default().push(behaviour(leg));
        }
    }
    scenario
}

fn holds(caller: &Leg, leg: &Leg) -> bool {
    caller.children().iter().any(|child| child.id == leg.id)
}

fn visitor(leg: &Leg, first: DateTime<Utc>) -> Visitor {
    let children = leg.children();
    let hung_up = leg.ended_at().filter(|_| leg.ended_by() == EndedBy::User);
    let answered = children.iter().find_map(|child| child.answered_at());
    let mut visitor = Visitor {
        after_ms: between(first, leg.created),
        ends: children
            .last()
            .and_then(|child| end(child))
            .map(str::to_owned),
        ..Visitor::default()
    };
    match (hung_up, answered) {
        (Some(ended), Some(answered)) => visitor.hang_up_after_ms = Some(between(answered, ended)),
        (Some(ended), None) => visitor.give_up_after_ms = Some(between(leg.created, ended)),
        (None, _) => {}
    }
    for child in &children {
        let behaviours = visitor.destinations.entry(child.to.clone());
        behaviours.or_default().push(behaviour(child));
    }
    visitor
}

/// What the telephone did; one that rang until the other side gave up did nothing.
fn behaviour(leg: &Leg) -> Behaviour {
    let mut did = leg.did().unwrap_or(Behaviour::NoAnswer);
    if let Behaviour::Answer {
        hang_up_after_ms,
        digits,
        ..
    } = &mut did
    {
        let talked = leg.answered_at().zip(leg.ended_at());
        if leg.ended_by() == EndedBy::User {
            *hang_up_after_ms = talked.map(|(answered, ended)| between(answered, ended));
        }
        digits.push_str(&leg.pressed());
    }
    did
}

/// How a service tells of a call that ended with this leg. A visitor who was never answered and a
/// telephone that was given up are both `cancelled`.
fn end(leg: &Leg) -> Option<&'static str> {
    match leg.status() {
        CallStatus::Completed => Some("completed"),
        CallStatus::Busy => Some("busy"),
        CallStatus::Rejected => Some("declined"),
        CallStatus::Unanswered | CallStatus::Timeout => Some("no-answer"),
        CallStatus::Failed => Some("unreachable"),
        CallStatus::Cancelled => Some("cancelled"),
        CallStatus::Started | CallStatus::Ringing | CallStatus::Answered => None,
    }
}

fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> u64 {
    u64::try_from((later - earlier).num_milliseconds()).unwrap_or_default()
}
