//! Mixing, for conversations of three and more: everybody hears the sum of the others.
//!
//! With two, packets are passed on as they are, which costs nothing and loses nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Weak},
};

use ropus::{Channels, DecodeMode, Decoder};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{conversation::Conversation, leg::Leg};
use crate::simulator::media::{FRAME, FRAME_SAMPLES, Frame, SAMPLE_RATE, clip::Packer};

/// Packets of a speaker that wait for their turn, at most: 100 ms. Older ones are dropped, so that a clock that
/// runs ahead doesn't become a delay.
const AHEAD: usize = 5;

/// A packet and who said it.
pub(super) type Said = (String, Frame);

/// Mixes until the conversation has fewer than three in it, or is gone.
pub(super) async fn run(conversation: Weak<Conversation>, mut said: mpsc::UnboundedReceiver<Said>) {
    let mut mixer = Mixer::default();
    let mut pace = interval(FRAME);
    pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        pace.tick().await;
        let Some(conversation) = conversation.upgrade() else {
            return;
        };
        while let Ok((speaker, frame)) = said.try_recv() {
            mixer.hear(&speaker, &frame);
        }
        let Some(legs) = conversation.mixed() else {
            return;
        };
        mixer.mix(&legs);
    }
}

/// The voices of a conversation, and an encoder for everybody who listens.
#[derive(Default)]
struct Mixer {
    voices: BTreeMap<String, Voice>,
    ears: BTreeMap<String, Packer>,
}

struct Voice {
    decoder: Decoder,
    waiting: VecDeque<Vec<i16>>,
}

impl Mixer {
    /// Takes a packet; one that doesn't decode is skipped.
    fn hear(&mut self, speaker: &str, frame: &Frame) {
        if !self.voices.contains_key(speaker) {
            let Ok(decoder) = Decoder::new(SAMPLE_RATE, Channels::Mono) else {
                return;
            };
            let voice = Voice {
                decoder,
                waiting: VecDeque::new(),
            };
            self.voices.insert(speaker.to_owned(), voice);
        }
        let Some(voice) = self.voices.get_mut(speaker) else {
            return;
        };
        let mut heard = [0; FRAME_SAMPLES * 6];
        if let Ok(length) = voice.decoder.decode(frame, &mut heard, DecodeMode::Normal) {
            let samples = heard.get(..length).unwrap_or_default();
            let pieces = samples.chunks(FRAME_SAMPLES).map(<[i16]>::to_vec);
            voice.waiting.extend(pieces);
            while voice.waiting.len() > AHEAD {
                voice.waiting.pop_front();
            }
        }
    }

    /// Gives everybody the next 20 ms of the others; nothing when nobody else says anything.
    fn mix(&mut self, legs: &[Arc<Leg>]) {
        let turn: Vec<(&String, Vec<i16>)> = self
            .voices
            .iter_mut()
            .filter_map(|(speaker, voice)| Some((speaker, voice.waiting.pop_front()?)))
            .collect();
        for leg in legs {
            let others = turn.iter().filter(|(speaker, _)| **speaker != leg.id);
            let mut sum: Option<Vec<i16>> = None;
            for (_, samples) in others {
                let sum = sum.get_or_insert_with(|| vec![0; FRAME_SAMPLES]);
                for (sum, sample) in sum.iter_mut().zip(samples) {
                    *sum = sum.saturating_add(*sample);
                }
            }
            let ear = self.ears.entry(leg.id.clone()).or_default();
            if let Some(frame) = sum.and_then(|sum| ear.pack(&sum)) {
                leg.deliver(&frame);
            }
        }
        let is_here = |id: &String| legs.iter().any(|leg| leg.id == *id);
        self.voices.retain(|id, _| is_here(id));
        self.ears.retain(|id, _| is_here(id));
    }
}
