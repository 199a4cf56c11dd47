//! The two calls of a run: placed over REST, held short, paid from the budget. What they told is judged elsewhere.
//!
//! The first is about a person: its answer request (a GET) is refused once with 503, then it asks for the key 1 and
//! records three seconds. The second is about failure: its answer request (a POST) is left waiting, then it connects the
//! same telephone, which is engaged by then, and goes on with the NCCO of the reply.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    budget::{Budget, Euros},
    listener::{Listener, Received, Reply},
    needs::CallNeeds,
    stage::Stage,
};

/// Seconds of ringing.
const RING: u64 = 30;
/// Longest call in seconds, after which Vonage ends it: a started minute, with room for its clock.
const LIMIT: u64 = 55;
/// A call ends by itself after this.
pub(super) const LONGEST: Duration = Duration::from_secs(RING + LIMIT);
/// Seconds that the second telephone of the second call rings, and may be talked to.
const CONNECT_RING: u64 = 5;
const CONNECT_LIMIT: u64 = 15;
/// How long the first answer to the second call is kept back: longer than Vonage says to wait.
const SLOW: Duration = Duration::from_secs(8);
/// Time for Vonage's own work, beside ringing and talking.
const GRACE: Duration = Duration::from_secs(20);
/// Started minutes that the worst of each call costs.
pub(super) const FIRST_MINUTES: u64 = 1;
pub(super) const SECOND_MINUTES: u64 = 2;

/// Where things come in.
pub(super) mod slot {
    pub(in super::super) const ANSWER_1: &str = "answer-1";
    pub(in super::super) const EVENT_1: &str = "event-1";
    pub(in super::super) const INPUT: &str = "input-1";
    pub(in super::super) const RECORDING: &str = "recording-1";
    pub(in super::super) const ANSWER_2: &str = "answer-2";
    pub(in super::super) const EVENT_2: &str = "event-2";
    pub(in super::super) const CONNECT: &str = "connect-2";
    pub(in super::super) const FOLLOWED: &str = "followed-2";
    /// The application's own event address.
    pub(in super::super) const APPLICATION: &str = "application-event";
}

/// How a call went.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// Why it was not made, or what became of it instead of an answer.
    pub(super) failure: Option<String>,
}

/// Money and the way to the telephone.
pub(super) struct Calls<'a> {
    pub(super) stage: &'a Stage,
    pub(super) listener: &'a Listener,
    pub(super) needs: &'a CallNeeds,
    pub(super) budget: Budget,
    /// The most that a minute costs.
    pub(super) rate: Euros,
}

impl Calls<'_> {
    /// Lays out the first call's replies, and makes it.
    pub(super) async fn first(&mut self) -> Ring {
        let listener = self.listener;
        let ask = json!([
            { "action": "talk", "text": "This is a test of click to call. Please press 1." },
            {
                "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": 1, "timeOut": 10 },
                "eventUrl": [listener.url(slot::INPUT)],
            },
        ]);
        let record = json!([
            { "action": "talk", "text": "Thank you. Three seconds are recorded now." },
            {
                "action": "record", "format": "mp3", "beepStart": true, "timeOut": 3,
                "eventUrl": [listener.url(slot::RECORDING)],
            },
            { "action": "talk", "text": "Goodbye." },
        ]);
        listener.reply(slot::ANSWER_1, [Reply::Unavailable, Reply::Ncco(ask)]);
        listener.reply(slot::INPUT, [Reply::Ncco(record)]);
        listener.reply(slot::EVENT_1, [Reply::UnavailableOn("answered")]);
        self.place(slot::ANSWER_1, "GET", slot::EVENT_1, FIRST_MINUTES)
            .await
    }

    /// Lays out the second call's replies, and makes it.
    pub(super) async fn second(&mut self) -> Ring {
        let listener = self.listener;
        let connect = json!([{
            "action": "connect", "from": self.needs.number.as_str(), "timeout": CONNECT_RING, "limit": CONNECT_LIMIT,
            "eventType": "synchronous", "eventUrl": [listener.url(slot::CONNECT)],
            "endpoint": [{ "type": "phone", "number": self.needs.destination.as_str() }],
        }]);
        let after = json!([
            { "action": "notify", "payload": { "step": "followed" }, "eventUrl": [listener.url(slot::FOLLOWED)] },
            { "action": "talk", "text": "That was all. Thank you." },
        ]);
        let late = Reply::Late(SLOW, connect.clone());
        listener.reply(slot::ANSWER_2, [late, Reply::Ncco(connect)]);
        listener.reply(slot::CONNECT, [Reply::NccoOnFailure(after)]);
        self.place(slot::ANSWER_2, "POST", slot::EVENT_2, SECOND_MINUTES)
            .await
    }

    async fn place(
        &mut self,
        answer: &str,
        method: &str,
        event: &'static str,
        minutes: u64,
    ) -> Ring {
        let reserved = self.rate.times(minutes);
        if let Err(why) = self.budget.reserve(reserved) {
            return Ring {
                failure: Some(format!("the call was not made: {why}")),
            };
        }
        let body = json!({
            "to": [{ "type": "phone", "number": self.needs.destination.as_str() }],
            "from": { "type": "phone", "number": self.needs.number.as_str() },
            "answer_url": [self.listener.url(answer)], "answer_method": method,
            "event_url": [self.listener.url(event)], "event_method": "POST",
            "ringing_timer": RING, "length_timer": LIMIT,
        });
        let uuid = match self.stage.place(body, self.listener).await {
            Ok(answer) if answer.status.is_success() => answer.text("/uuid").map(str::to_owned),
            Ok(answer) => {
                self.budget.settle(reserved, Some(Euros::default()));
                return Ring {
                    failure: Some(format!("Vonage does not make the call: {}", answer.words())),
                };
            }
            // It may ring all the same: what was reserved stays spent.
            Err(fault) => {
                return Ring {
                    failure: Some(format!("whether the call was made is not known: {fault}")),
                };
            }
        };
        let is_last = |received: &Received| {
            let is_over = received.text("status") == Some("completed") || received.is_failure();
            is_over && received.text("uuid") == uuid.as_deref()
        };
        let is_over = self.listener.wait(LONGEST + GRACE, event, is_last).await;
        self.stage.hang_up(self.listener).await;
        let events = self.events(event);
        self.budget.settle(reserved, price(&events));
        if let Some(rate) = events
            .iter()
            .filter_map(|event| Euros::of(event.payload.get("rate")?))
            .max()
        {
            // A free leg tells nothing about the others.
            if !rate.is_zero() {
                self.rate = rate;
            }
        }
        let status = |wanted: &str| {
            events
                .iter()
                .any(|event| event.text("status") == Some(wanted))
        };
        let failure = if status("answered") {
            None
        } else if let Some(failed) = events.iter().find(|event| event.is_failure()) {
            let word = failed.text("status").unwrap_or("failed");
            Some(format!("the telephone was not answered ({word})"))
        } else if is_over {
            Some("the telephone was not answered".to_owned())
        } else {
            Some("no event said what became of the call".to_owned())
        };
        Ring { failure }
    }

    /// The events of a call's legs.
    fn events(&self, event: &str) -> Vec<Received> {
        let mut events = self.listener.received(event);
        if event == slot::EVENT_2 {
            events.extend(self.listener.received(slot::CONNECT));
        }
        events
    }
}

/// What a call cost; `None` when a leg that was answered does not say, or nothing told what became of the call.
fn price(events: &[Received]) -> Option<Euros> {
    let told = |event: &Received| Euros::of(event.payload.get("price").unwrap_or(&Value::Null));
    let is = |event: &Received, status: &str| event.text("status") == Some(status);
    let mut sum = Euros::default();
    let mut counted: Vec<&str> = Vec::new();
    for event in events.iter().filter(|event| is(event, "completed")) {
        let leg = event.text("uuid")?;
        // Tries again are the same event.
        if !counted.contains(&leg) {
            counted.push(leg);
            sum = sum.plus(told(event)?);
        }
    }
    let mut answered = events.iter().filter(|event| is(event, "answered"));
    let is_whole = answered.all(|event| {
        let leg = event.text("uuid");
        leg.is_some_and(|leg| counted.contains(&leg))
    });
    let is_told = !counted.is_empty() || events.iter().any(Received::is_failure);
    (is_whole && is_told).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(event: &Value) -> Received {
        Received {
            at: std::time::Instant::now(),
            slot: slot::EVENT_1.to_owned(),
            is_get: false,
            query: String::new(),
            authorization: None,
            bytes: Vec::new(),
            payload: event.clone(),
        }
    }

    #[test]
    fn what_no_event_tells_is_no_price() {
        let answered = json!({ "uuid": "a", "status": "answered" });
        let completed = json!({ "uuid": "a", "status": "completed", "price": "0.01" });
        let silent = json!({ "uuid": "a", "status": "completed" });
        let busy = json!({ "uuid": "a", "status": "busy" });
        let of = |events: &[Value]| price(&events.iter().map(received).collect::<Vec<_>>());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[json!({ "uuid": "a", "status": "ringing" })]), None);
        assert_eq!(of(std::slice::from_ref(&answered)), None);
        assert_eq!(of(&[answered.clone(), silent]), None);
        assert_eq!(of(&[busy]), Some(Euros::default()));
        let paid = Some("0.01".parse().unwrap());
        assert_eq!(of(&[answered, completed.clone(), completed]), paid);
    }
}
