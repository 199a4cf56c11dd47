//! `record`: keeps what is said, and tells where it can be fetched.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    sync::{broadcast, mpsc},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Next;
use crate::simulator::{
    call::{
        leg::Leg,
        ncco::Record,
        player,
        progress::{event_address, tell},
    },
    clock,
    cloud::{Cloud, Recording, lock},
    media::recording::Recorder,
    registry::Webhook,
};

/// What ends a recording, and who is told.
#[derive(Debug)]
pub(super) struct Plan {
    silence: Option<Duration>,
    key: Option<char>,
    longest: Option<Duration>,
    format: Option<String>,
    to: Option<Webhook>,
}

impl Plan {
    /// A recording that ends with the call.
    pub(super) fn whole_call(to: Option<Webhook>) -> Self {
        Self {
            silence: None,
            key: None,
            longest: None,
            format: None,
            to,
        }
    }
}

pub(super) async fn perform(cloud: &Arc<Cloud>, leg: &Arc<Leg>, record: &Record) -> Next {
    if record.beep_start {
        player::play_to(leg, &cloud.sounds.beep, 1).await;
    }
    let done = start(
        cloud,
        leg,
        Plan {
            silence: record.end_on_silence.map(Duration::from_secs),
            key: record
                .end_on_key
                .as_ref()
                .and_then(|key| key.chars().next()),
            longest: record.time_out.map(Duration::from_secs),
            format: record.format.clone(),
            to: event_address(&record.event_url, record.event_method),
        },
    );
    if record.has_stop() {
        done.cancelled().await;
    }
    Next::Continue
}

/// Starts recording the leg's conversation; the token is cancelled when the recording is kept.
pub(super) fn start(cloud: &Arc<Cloud>, leg: &Arc<Leg>, plan: Plan) -> CancellationToken {
    let (tap, packets) = mpsc::unbounded_channel();
    leg.conversation().tap(tap);
    let done = CancellationToken::new();
    let told = done.clone();
    let (owner, leg) = (Arc::clone(cloud), Arc::clone(leg));
    let keys = leg.keys.subscribe();
    cloud.spawn(async move {
        keep(&owner, &leg, &plan, packets, keys).await;
        told.cancel();
    });
    done
}

async fn keep(
    cloud: &Cloud,
    leg: &Leg,
    plan: &Plan,
    mut packets: mpsc::UnboundedReceiver<(String, crate::simulator::media::Frame)>,
    mut keys: broadcast::Receiver<char>,
) {
    let started = clock::now();
    let begun = Instant::now();
    let mut recorder = Recorder::new();
    let mut last_voice = Instant::now();
    let longest = async {
        match plan.longest {
            Some(longest) => sleep(longest).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(longest);
    loop {
        let quiet = async {
            match plan.silence {
                Some(silence) => sleep(silence.saturating_sub(last_voice.elapsed())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = leg.hangup.cancelled() => break,
            () = &mut longest => break,
            () = quiet => break,
            key = keys.recv() => if plan.key.is_some() && key.ok() == plan.key { break },
            packet = packets.recv() => match packet {
                Some((speaker, packet)) => {
                    if recorder.add(&speaker, &packet, begun.elapsed()) {
                        last_voice = Instant::now();
                    }
                }
                None => break,
            },
        }
    }
    let file_id = Uuid::new_v4().to_string();
    let (bytes, content_type) = recorder.into_file(plan.format.as_deref());
    let size = bytes.len();
    lock(&cloud.files).insert(
        file_id.clone(),
        Recording {
            application_id: leg.application_id.clone(),
            content_type,
            bytes: bytes.into(),
        },
    );
    let conversation = leg.conversation();
    let payload = json!({
        "start_time": clock::iso(started),
        "end_time": clock::now_iso(),
        "size": size,
        "recording_url": format!("{}/v1/files/{file_id}", cloud.base_url),
        "recording_uuid": Uuid::new_v4(),
        "conversation_uuid": conversation.id,
        "timestamp": clock::now_iso(),
    });
    tell(cloud, &conversation, plan.to.clone(), payload);
}
