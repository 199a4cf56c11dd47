//! What each action of an NCCO does.

mod connect;
mod input;
mod record;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    conversation::Conversation,
    drive::relocate,
    leg::Leg,
    ncco::{self, Action},
    player::{self, Background},
    progress::{ask, event_address},
};
use crate::simulator::{clock, cloud::Cloud, media::clip::Clip};

/// Seconds that `wait` waits unless told otherwise.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference#wait>
const WAIT_SECONDS: f64 = 10.0;

/// What follows an action.
#[derive(Debug)]
pub(in crate::simulator) enum Next {
    /// The next action.
    Continue,
    /// This NCCO instead of the rest.
    Replace(Value),
    /// Nothing: the leg ends.
    End,
}

impl Next {
    /// A reply that is a list replaces the rest; anything else doesn't.
    fn from_reply(reply: Value) -> Self {
        if reply.is_array() {
            Self::Replace(reply)
        } else {
            Self::Continue
        }
    }
}

/// Performs one action to its end.
pub(super) async fn perform(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    action: Action,
    background: &mut Option<Background>,
) -> Next {
    if !matches!(
        action,
        Action::Input(_) | Action::Talk(_) | Action::Stream(_)
    ) {
        *background = None;
    }
    match action {
        Action::Talk(talk) => {
            let words = talk.words();
            leg.caption(words.clone());
            cloud.changed();
            let clip = player::speech(cloud, words, talk.language.clone()).await;
            sound(leg, clip, talk.repeat, talk.barge_in, background).await;
            Next::Continue
        }
        Action::Stream(stream) => {
            let source = stream.source.first().cloned().unwrap_or_default();
            leg.caption(format!("♪ {source}"));
            cloud.changed();
            sound(
                leg,
                cloud.sounds.music.clone(),
                stream.repeat,
                stream.barge_in,
                background,
            )
            .await;
            Next::Continue
        }
        Action::Connect(connect) => connect::perform(cloud, leg, &connect).await,
        Action::Input(input) => input::perform(cloud, leg, &input, background).await,
        Action::Record(record) => record::perform(cloud, leg, &record).await,
        Action::Conversation(conversation) => meet(cloud, leg, &conversation).await,
        Action::Notify(notify) => {
            let conversation = leg.conversation();
            let payload = json!({
                "conversation_uuid": conversation.id,
                "payload": notify.payload,
                "timestamp": clock::now_iso(),
            });
            let to = event_address(&notify.event_url, notify.event_method);
            Next::from_reply(ask(cloud, &conversation, to, payload).await)
        }
        Action::Wait(wait) => {
            let seconds = wait.timeout.unwrap_or(WAIT_SECONDS).clamp(0.1, 7_200.0);
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            Next::Continue
        }
        Action::Transfer(transfer) => match cloud.conversation(&transfer.conversation_id) {
            Some(conversation) if conversation.application_id == leg.application_id => {
                relocate(cloud, leg, &conversation);
                silence(leg, transfer.mute);
                conversation.ended.cancelled().await;
                Next::End
            }
            _ => Next::End,
        },
    }
}

/// Plays a sound, or starts it and goes on if it may be interrupted by an `input`.
async fn sound(
    leg: &Arc<Leg>,
    clip: Clip,
    times: Option<u64>,
    barge_in: bool,
    background: &mut Option<Background>,
) {
    let times = times.unwrap_or(1);
    if barge_in {
        let before = background.take();
        *background = Some(Background::start(before, Arc::clone(leg), clip, times));
    } else {
        if let Some(mut before) = background.take() {
            before.ended().await;
        }
        player::play_to(leg, &clip, times).await;
    }
}

fn silence(leg: &Leg, mute: bool) {
    leg.sound
        .muted
        .store(mute, std::sync::atomic::Ordering::Relaxed);
}

/// Ends the conversation when the leg goes, if its going ends it.
struct Seat {
    conversation: Arc<Conversation>,
    ends: bool,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.ends {
            self.conversation.ended.cancel();
        }
    }
}

async fn meet(cloud: &Arc<Cloud>, leg: &Arc<Leg>, action: &ncco::Conversation) -> Next {
    let conversation = Conversation::named(cloud, &leg.application_id, &action.name);
    relocate(cloud, leg, &conversation);
    silence(leg, action.mute);
    let _seat = Seat {
        conversation: Arc::clone(&conversation),
        ends: action.end_on_exit,
    };
    if action.start_on_enter {
        conversation.start();
    }
    if action.record {
        let to = event_address(&action.event_url, action.event_method);
        record::start(cloud, leg, record::Plan::whole_call(to));
    }
    let mut started = conversation.watch_start();
    let wait_for_start = async {
        if action.music_on_hold_url.is_some() {
            tokio::select! {
                _ = started.wait_for(|started| *started) => {}
                () = player::play_to(leg, &cloud.sounds.music, 0) => {}
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = conversation.ended.cancelled() => {}
        () = wait_for_start => {}
    }
    Next::End
}
