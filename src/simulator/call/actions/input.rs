//! `input`: keys, and speech that nobody here understands.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::Next;
use crate::simulator::{
    call::{
        leg::Leg,
        ncco::{Input, InputKind},
        player::Background,
        progress::{ask, event_address, tell},
    },
    clock,
    cloud::Cloud,
};

/// Seconds between two keys, and how many keys, unless the NCCO says otherwise.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference#input>
const KEY_SECONDS: u64 = 3;
const MAX_DIGITS: u64 = 4;
/// Seconds until speech must begin; same source.
const SPEECH_SECONDS: u64 = 10;

pub(super) async fn perform(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    input: &Input,
    background: &mut Option<Background>,
) -> Next {
    let keys = leg.keys.subscribe();
    if input.mode.as_deref() == Some("asynchronous") {
        cloud.spawn(report_each_key(
            Arc::clone(cloud),
            Arc::clone(leg),
            input.clone(),
            keys,
        ));
        return Next::Continue;
    }
    let collected = collect(input, keys, background).await;
    *background = None;
    let mut payload = described(leg);
    payload["dtmf"] = json!({
        "digits": collected.digits,
        "timed_out": collected.timed_out,
    });
    if input.kinds.contains(&InputKind::Speech) {
        payload["speech"] = json!({ "timeout_reason": "start_timeout", "results": [] });
    }
    let to = event_address(&input.event_url, input.event_method);
    Next::from_reply(ask(cloud, &leg.conversation(), to, payload).await)
}

fn described(leg: &Leg) -> Value {
    json!({
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
        "timestamp": clock::now_iso(),
    })
}

struct Collected {
    digits: String,
    timed_out: bool,
}

async fn collect(
    input: &Input,
    mut keys: Receiver<char>,
    background: &mut Option<Background>,
) -> Collected {
    let dtmf = input.dtmf.clone().unwrap_or_default();
    let listens_to_keys = input.kinds.contains(&InputKind::Dtmf);
    let seconds = if listens_to_keys {
        dtmf.time_out.unwrap_or(KEY_SECONDS)
    } else {
        let speech = input.speech.as_ref();
        speech
            .and_then(|speech| speech.start_timeout)
            .unwrap_or(SPEECH_SECONDS)
    };
    let patience = Duration::from_secs(seconds);
    let most = usize::try_from(dtmf.max_digits.unwrap_or(MAX_DIGITS)).unwrap_or(usize::MAX);
    let mut digits = String::new();
    loop {
        // The clock starts when the prompt is over; a key interrupts the prompt.
        let key = match background {
            Some(prompt) => tokio::select! {
                key = next(&mut keys) => Some(key),
                () = prompt.ended() => None,
            },
            None => match timeout(patience, next(&mut keys)).await {
                Ok(key) => Some(key),
                Err(_) => {
                    return Collected {
                        digits,
                        timed_out: true,
                    };
                }
            },
        };
        *background = None;
        match key {
            Some('#') if listens_to_keys && dtmf.submit_on_hash => break,
            Some(key) if listens_to_keys => digits.push(key),
            _ => {}
        }
        if digits.len() >= most {
            break;
        }
    }
    Collected {
        digits,
        timed_out: false,
    }
}

async fn next(keys: &mut Receiver<char>) -> char {
    loop {
        match keys.recv().await {
            Ok(key) => return key,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn report_each_key(cloud: Arc<Cloud>, leg: Arc<Leg>, input: Input, mut keys: Receiver<char>) {
    loop {
        let key = tokio::select! {
            () = leg.hangup.cancelled() => return,
            key = next(&mut keys) => key,
        };
        let mut payload = described(&leg);
        payload["dtmf"] = json!({ "digits": key.to_string(), "timed_out": false });
        let to = event_address(&input.event_url, input.event_method);
        tell(&cloud, &leg.conversation(), to, payload);
    }
}
