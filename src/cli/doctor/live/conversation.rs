//! What happens in a call: keys, recordings, failover, prices, and what the telephone shows.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::{
    calls::{Calls, Ring, slot},
    finding::{Finding, Question},
    listener::{Listener, Received},
    webhooks::unasked,
    wire::Request,
};
use crate::{domain::phone_number::PhoneNumber, vonage::hosts::TrustedHosts};

/// Time for a recording's file after the call.
const RECORDED: Duration = Duration::from_secs(5);

pub(super) static PRESS_1: Question = Question {
    name: "press-1",
    asks: "Is a pressed key told, and the NCCO of the reply followed?",
};
pub(super) static RECORDING: Question = Question {
    name: "recording",
    asks: "Where is a recording fetched, and with which token?",
};
pub(super) static SYNCHRONOUS: Question = Question {
    name: "synchronous-connect",
    asks: "Is the NCCO in the reply to a failed synchronous connect followed?",
};
pub(super) static COPIES: Question = Question {
    name: "event-copies",
    asks: "Do events with an address of their own come to the application's address, too?",
};
pub(super) static PRICES: Question = Question {
    name: "prices",
    asks: "Does the last event of a call say what it cost?",
};
pub(super) static CALLER_ID: Question = Question {
    name: "caller-id",
    asks: "Which number does the telephone show?",
};

/// Judges the key of the first call.
pub(super) fn press_1(listener: &Listener, ring: &Ring) -> Finding {
    let Some(input) = listener.received(slot::INPUT).into_iter().next() else {
        return PRESS_1.untried(unasked(ring));
    };
    let digits = input
        .payload
        .pointer("/dtmf/digits")
        .and_then(Value::as_str);
    let was_followed = !listener.received(slot::RECORDING).is_empty();
    match digits {
        Some("1") if was_followed => {
            PRESS_1.agrees("the key 1 was told, and the reply followed", "")
        }
        Some("1") => PRESS_1.contradicts(
            "the key 1 was told, but the NCCO of the reply was not followed",
            "an agent who accepts a call by a key would not be connected",
        ),
        Some("") => PRESS_1.untried("no key was pressed within 10 s"),
        Some(_) => PRESS_1.untried("another key was pressed"),
        None => PRESS_1.contradicts(
            "the event has no dtmf.digits",
            "an agent who accepts a call by a key would not be connected",
        ),
    }
}

/// Fetches the recording of the first call, and deletes it.
pub(super) async fn recording(calls: &Calls<'_>, ring: &Ring) -> Finding {
    // It is told when its file is ready, which may be after the call's last event.
    if !calls.listener.received(slot::INPUT).is_empty() {
        let _ = calls
            .listener
            .wait(RECORDED, slot::RECORDING, |_any| true)
            .await;
    }
    let Some(event) = calls.listener.received(slot::RECORDING).into_iter().next() else {
        return RECORDING.untried(unasked(ring));
    };
    let Some(address) = event
        .text("recording_url")
        .and_then(|url| Url::parse(url).ok())
    else {
        return RECORDING.contradicts(
            "the event has no recording_url",
            "voicemails could not be fetched",
        );
    };
    let account = &calls.stage.needs.account;
    let Some(host) = TrustedHosts::new(&account.api_url, &account.rest_url).trust(address.as_str())
    else {
        return RECORDING.contradicts(
            format!("at {}, which is not among Vonage's hosts", address.origin().ascii_serialization()),
            "voicemails there are not fetched: the application's token must not go to a host that nobody vouches for",
        );
    };
    let segments: Vec<&str> = address.path_segments().into_iter().flatten().collect();
    let fetched = calls
        .stage
        .as_application(Request::new("recording", Method::GET, &host, &segments))
        .await;
    match fetched {
        Err(fault) => RECORDING.untried(fault),
        Ok(answer) if !answer.status.is_success() || answer.length == 0 => RECORDING.contradicts(
            format!(
                "the application's token does not fetch it: {}",
                answer.words()
            ),
            "voicemails could not be fetched",
        ),
        Ok(_) => {
            let request = Request::new("recording-deletion", Method::DELETE, &host, &segments);
            let deleted = match calls.stage.as_application(request).await {
                Ok(answer) if answer.status.is_success() => "it was deleted".to_owned(),
                Ok(answer) => format!("deleting it is refused ({})", answer.words()),
                Err(fault) => format!("whether it was deleted is not known ({fault})"),
            };
            RECORDING.agrees(
                format!("at one of Vonage's hosts, with the application's token; {deleted}"),
                "what is not deleted Vonage keeps for 30 days",
            )
        }
    }
}

/// Judges what came of the second call's connect.
pub(super) fn synchronous(listener: &Listener, ring: &Ring) -> Finding {
    let events = listener.received(slot::CONNECT);
    let was_followed = !listener.received(slot::FOLLOWED).is_empty();
    let Some(failed) = events.iter().find(|event| event.is_failure()) else {
        let was_answered = events
            .iter()
            .any(|event| event.text("status") == Some("answered"));
        return SYNCHRONOUS.untried(if was_answered {
            "the second call was answered as well".to_owned()
        } else {
            unasked(ring)
        });
    };
    let status = failed.text("status").unwrap_or_default();
    if was_followed {
        SYNCHRONOUS.agrees(format!("after {status} it is"), "")
    } else {
        SYNCHRONOUS.contradicts(
            format!("after {status} it is not"),
            "a caller whose first desk does not answer can't be led to the next one",
        )
    }
}

/// Judges where the events of both calls came in.
pub(super) fn copies(listener: &Listener, ring: &Ring) -> Finding {
    let own: Vec<Received> = [slot::EVENT_1, slot::EVENT_2, slot::CONNECT]
        .iter()
        .flat_map(|slot| listener.received(slot))
        .collect();
    if own.is_empty() {
        return COPIES.untried(unasked(ring));
    }
    let copied = listener.received(slot::APPLICATION);
    let is_copy = |event: &&Received| {
        let is_same = |name| {
            event.text(name).is_some() && own.iter().any(|own| own.text(name) == event.text(name))
        };
        is_same("uuid") && is_same("status")
    };
    let found = match copied.iter().filter(is_copy).count() {
        0 => "only to their own address".to_owned(),
        count => format!("to both ({count} copies)"),
    };
    COPIES.agrees(found, "the service takes copies for the same event")
}

/// Judges the last events of both calls.
pub(super) fn prices(listener: &Listener, ring: &Ring) -> Finding {
    let last = [slot::EVENT_1, slot::EVENT_2]
        .iter()
        .flat_map(|slot| listener.received(slot))
        .find(|event| event.text("status") == Some("completed"));
    let Some(last) = last else {
        return PRICES.untried(unasked(ring));
    };
    let missing: Vec<&str> = ["price", "rate", "duration"]
        .into_iter()
        .filter(|name| last.payload.get(name).is_none_or(Value::is_null))
        .collect();
    if missing.is_empty() {
        PRICES.agrees("price, rate and duration are in it", "")
    } else {
        PRICES.contradicts(
            format!("it has no {}", missing.join(", ")),
            "what calls cost can't be told from their events: watch the balance (`click-to-call balance`)",
        )
    }
}

/// Judges what the person at the telephone read. `None`: nobody was asked.
pub(super) fn caller_id(ring: &Ring, number: &PhoneNumber, read: Option<&str>) -> Finding {
    if ring.failure.is_some() {
        return CALLER_ID.untried(unasked(ring));
    }
    let Some(read) = read else {
        return CALLER_ID.untried("nobody was asked");
    };
    let digits: String = read.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return CALLER_ID.untried("nobody knows");
    }
    // Telephones write the same number with or without country code, 00 and 0: its end is the same.
    let end = digits.trim_start_matches('0');
    if end.len() >= 6 && number.as_str().ends_with(end) || end == number.as_str() {
        CALLER_ID.agrees("VONAGE_NUMBER", "")
    } else {
        CALLER_ID.contradicts(
            "another number than VONAGE_NUMBER",
            "carriers replace numbers that they don't believe: the desk can't call back what it sees; ask Vonage's support \
             about this number and country",
        )
    }
}
