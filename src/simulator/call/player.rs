//! Plays sounds at the pace of their packets.

use std::sync::Arc;

use tokio::time::interval;

use super::leg::Leg;
use crate::simulator::{
    cloud::{Cloud, lock},
    media::{FRAME, Frame, clip::Clip},
};

/// Plays a clip to the person at this end, `times` over; 0 plays it for ever.
///
/// Dropping the future stops the sound.
pub(in crate::simulator) async fn play_to(leg: &Leg, clip: &Clip, times: u64) {
    play(clip, times, |frame| leg.deliver(frame)).await;
}

/// Lets a telephone nobody speaks into say something, until a person's sound is attached.
pub(in crate::simulator) async fn chatter(leg: &Leg, clip: &Clip) {
    play(clip, 0, |frame| {
        if !leg.sound.has_peer() {
            leg.heard(frame);
        }
    })
    .await;
}

async fn play(clip: &Clip, times: u64, mut sink: impl FnMut(&Frame)) {
    let mut played = 0;
    let mut pace = interval(FRAME);
    while !clip.frames.is_empty() && (times == 0 || played < times) {
        for frame in &clip.frames {
            pace.tick().await;
            sink(frame);
        }
        played += 1;
    }
}

/// Milliseconds of a character below which no voice can follow, and tones stand for it.
const FASTEST_VOICE: u64 = 40;

/// Makes a clip of a text, away from the threads that serve requests: a voice if there is one here that speaks
/// the language and the scenario gives it the time, tones otherwise.
pub(in crate::simulator) async fn speech(
    cloud: &Cloud,
    text: String,
    language: Option<String>,
) -> Clip {
    let pace = lock(&cloud.scenario).timing.speech_ms_per_character;
    let voice = Arc::clone(&cloud.voice);
    tokio::task::spawn_blocking(move || {
        let spoken = (pace >= FASTEST_VOICE)
            .then(|| voice.say(&text, language.as_deref()))
            .flatten();
        spoken.unwrap_or_else(|| Clip::speech(&text, pace))
    })
    .await
    .unwrap_or_default()
}

/// A sound that plays on while the call goes ahead; dropping it stops the sound.
#[derive(Debug)]
pub(in crate::simulator) struct Background(tokio::task::JoinHandle<()>);

impl Background {
    /// Plays `clip` after what is playing already.
    pub(in crate::simulator) fn start(
        before: Option<Self>,
        leg: Arc<Leg>,
        clip: Clip,
        times: u64,
    ) -> Self {
        Self(tokio::spawn(async move {
            if let Some(mut before) = before {
                before.ended().await;
            }
            tokio::select! {
                () = leg.hangup.cancelled() => {}
                () = play_to(&leg, &clip, times) => {}
            }
        }))
    }

    /// Waits for the sound's end.
    pub(in crate::simulator) async fn ended(&mut self) {
        // An aborted sound has ended as well.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}
