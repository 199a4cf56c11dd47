//! What happens in a simulated world, as data: a file, a `POST /simulator/scenario`, or the default.
//!
//! Times are in milliseconds. Every field has a default, unknown fields are refused.

mod faults;
mod habits;
mod visitors;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::faults::{FaultyAnswer, RequestFault};
pub use self::habits::{GetHash, Habits, TimeoutName};
pub use self::visitors::{Expectation, Visitor};

/// How telephones, webhooks and the network behave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// What the desk phone page shows as its title.
    pub name: String,
    /// What each number does, call after call; the last entry stays in force.
    pub destinations: BTreeMap<String, Vec<Behaviour>>,
    /// What every other number does.
    pub otherwise: Behaviour,
    /// What goes wrong with webhooks.
    pub webhooks: Vec<Disturbance>,
    /// What goes wrong with requests to Vonage.
    pub requests: Vec<RequestFault>,
    /// How long things take.
    pub timing: Timing,
    /// Where the account's limits lie.
    pub limits: Limits,
    /// How Vonage does what its documentation leaves open.
    pub habits: Habits,
    /// The account's balance in euros. Numbers that are bought are paid from it.
    pub balance: f64,
    /// Countries whose numbers cannot be bought over the interface: papers or an address are wanted first.
    pub papers: Vec<String>,
    /// Who visits when the scenario is replayed against a service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visitors: Vec<Visitor>,
    /// What a replay must keep.
    pub expect: Expectation,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "Desk phone".to_owned(),
            destinations: BTreeMap::new(),
            otherwise: Behaviour::Desk,
            webhooks: Vec::new(),
            requests: Vec::new(),
            timing: Timing::default(),
            limits: Limits::default(),
            habits: Habits::default(),
            balance: 25.0,
            papers: Vec::new(),
            visitors: Vec::new(),
            expect: Expectation::default(),
        }
    }
}

impl Scenario {
    /// What `number` does next; a list of behaviours moves on by one.
    pub(super) fn next_behaviour(&mut self, number: &str) -> Behaviour {
        next_of(&mut self.destinations, number).unwrap_or_else(|| self.otherwise.clone())
    }
}

/// What `number` does next by these lists; the last entry of a list stays.
pub(super) fn next_of(
    destinations: &mut BTreeMap<String, Vec<Behaviour>>,
    number: &str,
) -> Option<Behaviour> {
    let list = destinations.get_mut(number)?;
    if list.len() > 1 {
        Some(list.remove(0))
    } else {
        list.first().cloned()
    }
}

/// What a called telephone does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// Rings until a person acts on the desk phone page (or a test through the control interface).
    Desk,
    /// Somebody picks up.
    Answer {
        /// Ringing time.
        #[serde(default)]
        after_ms: u64,
        /// Length of the conversation; without it the caller has to hang up.
        #[serde(default)]
        hang_up_after_ms: Option<u64>,
        /// Keys pressed one by one after picking up, the first after half a second.
        #[serde(default)]
        digits: String,
    },
    /// An answering machine picks up.
    Machine {
        /// Ringing time.
        #[serde(default)]
        after_ms: u64,
        /// Time until the machine's beep, told by advanced machine detection.
        #[serde(default = "default_greeting_ms")]
        greeting_ms: u64,
    },
    /// The line is engaged.
    Busy {
        /// Time until the network says so.
        #[serde(default)]
        after_ms: u64,
    },
    /// Somebody refuses the call.
    Decline {
        /// Ringing time.
        #[serde(default)]
        after_ms: u64,
    },
    /// Rings until the caller's side gives up.
    NoAnswer,
    /// The carrier gives up: `unanswered`, detail `carrier_timeout`.
    CarrierTimeout {
        /// Ringing time.
        #[serde(default)]
        after_ms: u64,
    },
    /// Switched off or out of reach: `unanswered`, detail `unavailable`.
    Unavailable,
    /// `failed`, detail `number_out_of_service`.
    OutOfService,
    /// `failed`, detail `cannot_route`.
    CannotRoute,
    /// `failed`, detail `internal_error`.
    InternalError,
    /// `rejected`, detail `invalid_number`.
    InvalidNumber,
    /// `rejected`, detail `restricted`.
    Restricted,
}

fn default_greeting_ms() -> u64 {
    1_500
}

/// Something that goes wrong with a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disturbance {
    /// Which requests it concerns: their fields must equal these. `kind` is `answer`, `event` or
    /// `fetch` (an NCCO asked for in mid-call); any other name is a field of the payload.
    #[serde(default)]
    pub when: BTreeMap<String, Value>,
    /// Of a hundred such requests, how many.
    #[serde(default = "always")]
    pub percent: u8,
    /// How often at most; without it there is no limit.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub effect: Effect,
}

fn always() -> u8 {
    100
}

/// What happens to a disturbed webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Sent this many milliseconds later, while others overtake it.
    Late(u64),
    /// Sent after the next one of the same conversation.
    Swap,
    /// Sent this many times more, with the same token and body, as a retry would be.
    Repeat(u32),
    /// Not sent at all.
    Lose,
    /// Signed with another secret.
    WrongSignature,
    /// Sent without a signature.
    Unsigned,
    /// Signed over another body.
    WrongHash,
    /// Signed an hour ago.
    Stale,
    /// Followed by a second event of the same leg with these fields changed.
    FollowedBy(BTreeMap<String, Value>),
}

/// How long things take, in milliseconds unless the name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// From a leg's creation to its ringing.
    pub call_setup_ms: u64,
    /// Length of a spoken character: 60 is an ordinary voice.
    pub speech_ms_per_character: u64,
    /// How long a caller without a socket and without media is waited for.
    pub reconnect_window_ms: u64,
    /// How long a caller's media may be silent while its socket is up.
    pub media_timeout_ms: u64,
    /// How long after its creation a call refuses a hang-up with 400.
    pub hangup_refused_ms: u64,
    /// Seconds by which users are older than they are, so that their `ttl` ends without waiting for it.
    pub users_older_by_s: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            call_setup_ms: 150,
            speech_ms_per_character: 60,
            reconnect_window_ms: 20_000,
            media_timeout_ms: 30_000,
            hangup_refused_ms: 1_000,
            users_older_by_s: 0,
        }
    }
}

/// Where the account's limits lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// New outbound calls a second, REST and `connect` together.
    ///
    /// Source: Vonage support article 207100288.
    pub calls_per_second: usize,
    /// Other Voice requests a second; same source.
    pub voice_requests_per_second: usize,
    /// Open sessions of one user. Vonage publishes no figure; this one is the simulator's.
    pub sessions_per_user: usize,
    /// Whether a session ends with its token (`41` on the socket) or lives as long as its socket.
    /// Vonage's pages say both.
    pub sessions_end_with_token: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_second: 3,
            voice_requests_per_second: 15,
            sessions_per_user: 50,
            sessions_end_with_token: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_short_to_write() {
        let scenario: Scenario = serde_json::from_str(
            r#"{
                "destinations": { "447700900000": [{ "does": "busy" }, { "does": "answer", "after_ms": 50 }] },
                "webhooks": [
                    { "when": { "kind": "event", "status": "ringing" }, "effect": "swap" },
                    { "percent": 10, "effect": { "late": 500 } }
                ]
            }"#,
        )
        .unwrap();
        assert_eq!(scenario.otherwise, Behaviour::Desk);
        assert_eq!(scenario.webhooks.len(), 2);
    }

    #[test]
    fn the_last_behaviour_of_a_list_stays() {
        let mut scenario = Scenario {
            destinations: BTreeMap::from([(
                "1".to_owned(),
                vec![Behaviour::Busy { after_ms: 0 }, Behaviour::NoAnswer],
            )]),
            ..Scenario::default()
        };
        let seen: Vec<_> = (0..3).map(|_| scenario.next_behaviour("1")).collect();
        assert_eq!(
            seen,
            [
                Behaviour::Busy { after_ms: 0 },
                Behaviour::NoAnswer,
                Behaviour::NoAnswer
            ]
        );
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        let refused = serde_json::from_str::<Scenario>(r#"{"destination": {}}"#).unwrap_err();
        assert!(refused.to_string().contains("destination"));
    }
}
