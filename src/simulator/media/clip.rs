//! Sounds made in here: speech stand-ins, ringing, music, beeps.

use ropus::{Application, Bitrate, Channels, Encoder};

use super::{FRAME_SAMPLES, Frame, SAMPLE_RATE};

/// Bits a second of the sounds made in here; plenty for tones.
const BITRATE: u32 = 32_000;
/// Largest Opus packet, in bytes (RFC 6716, section 3.4).
const LARGEST_PACKET: usize = 1_275;
/// Loudness of a tone, of full scale.
const LEVEL: f32 = 0.25;
/// Samples over which a tone fades in and out, so that it doesn't click (5 ms).
const FADE_SAMPLES: usize = 240;

/// A sound, ready to be sent.
#[derive(Debug, Clone, Default)]
pub(in crate::simulator) struct Clip {
    /// Packets of 20 ms.
    pub(in crate::simulator) frames: Vec<Frame>,
}

/// The sounds that are always the same, made once.
#[derive(Debug)]
pub(in crate::simulator) struct Sounds {
    /// What a person says on a telephone nobody speaks into: two friendly notes and a pause.
    pub(in crate::simulator) chatter: Clip,
    /// A telephone that rings, heard by its caller.
    pub(in crate::simulator) ringback: Clip,
    /// For those who wait, and for what a `stream` action plays.
    pub(in crate::simulator) music: Clip,
    /// Before a recording.
    pub(in crate::simulator) beep: Clip,
}

impl Sounds {
    /// Makes them.
    pub(in crate::simulator) fn new() -> Self {
        Self {
            chatter: Clip::of([(523.3, 180), (0.0, 60), (659.3, 240), (0.0, 720)]),
            ringback: Clip::of([(425.0, 400), (0.0, 200), (425.0, 400), (0.0, 2_000)]),
            music: Clip::of([
                (392.0, 300),
                (493.9, 300),
                (587.3, 300),
                (784.0, 600),
                (0.0, 300),
            ]),
            beep: Clip::of([(1_000.0, 400)]),
        }
    }
}

impl Clip {
    /// Stands for speech: a note for each letter, at the length a voice would need.
    ///
    /// Letters differ in pitch, blanks are pauses, so that two texts don't sound alike.
    pub(in crate::simulator) fn speech(text: &str, milliseconds_per_character: u64) -> Self {
        let length = u32::try_from(milliseconds_per_character).unwrap_or(60);
        Self::of(text.chars().map(|letter| {
            if letter.is_alphanumeric() {
                let step = u16::try_from(u32::from(letter) % 12).unwrap_or_default();
                (220.0 * (f32::from(step) / 12.0).exp2(), length)
            } else {
                (0.0, length)
            }
        }))
    }

    /// Mono samples at the rate of all sound in here.
    pub(super) fn from_samples(samples: &[i16]) -> Self {
        encode(samples)
    }

    /// Notes one after the other: hertz and milliseconds.
    fn of(notes: impl IntoIterator<Item = (f32, u32)>) -> Self {
        let mut samples: Vec<i16> = Vec::new();
        for (hertz, milliseconds) in notes {
            render(hertz, milliseconds, &mut samples);
        }
        encode(&samples)
    }
}

/// Appends a tone or, at 0 Hz, a pause.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a sample number stays far below 2^24 and a level within ±1"
)]
fn render(hertz: f32, milliseconds: u32, samples: &mut Vec<i16>) {
    let count = (milliseconds * SAMPLE_RATE / 1_000) as usize;
    for position in 0..count {
        let phase = position as f32 * hertz * std::f32::consts::TAU / SAMPLE_RATE as f32;
        let edge = position.min(count - position).min(FADE_SAMPLES) as f32;
        let level = LEVEL * edge / FADE_SAMPLES as f32;
        samples.push((phase.sin() * level * f32::from(i16::MAX)) as i16);
    }
}

/// Makes packets of samples, one after the other. Without an encoder (its set-up is constant, so only a fault
/// in it could refuse) there is silence: nothing at all.
pub(in crate::simulator) struct Packer(Option<Encoder>);

impl Default for Packer {
    fn default() -> Self {
        let encoder = Encoder::builder(SAMPLE_RATE, Channels::Mono, Application::Audio)
            .bitrate(Bitrate::Bits(BITRATE))
            .build();
        Self(encoder.ok())
    }
}

impl Packer {
    /// A packet of 20 ms of mono samples, filled up with silence.
    pub(in crate::simulator) fn pack(&mut self, samples: &[i16]) -> Option<Frame> {
        let mut whole = samples.to_vec();
        whole.resize(FRAME_SAMPLES, 0);
        let mut packet = [0; LARGEST_PACKET];
        let length = self.0.as_mut()?.encode(&whole, &mut packet).ok()?;
        packet.get(..length).map(Frame::from)
    }
}

fn encode(samples: &[i16]) -> Clip {
    let mut packer = Packer::default();
    let frames = samples
        .chunks(FRAME_SAMPLES)
        .filter_map(|chunk| packer.pack(chunk))
        .collect();
    Clip { frames }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_lasts_as_long_as_its_text() {
        assert_eq!(Clip::speech("hello", 60).frames.len(), 15);
        assert!(Clip::speech("", 60).frames.is_empty());
    }
}
