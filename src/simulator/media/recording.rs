//! Recordings: what a conversation heard, as a file.

use std::{collections::BTreeMap, fmt, time::Duration};

use ropus::{Channels, DecodeMode, Decoder};

use super::{FRAME_SAMPLES, SAMPLE_RATE, clip::Clip, ogg};

/// Loudness above which a packet is somebody speaking, as mean square of samples.
///
/// A quiet room behind a browser's noise suppression stays well below, a fake microphone's beeps
/// lie well above.
const VOICE_POWER: i64 = 90_000;
/// Bytes of a WAV header.
const WAV_HEADER: u32 = 44;
/// How far a speaker may lag behind the clock before the gap is silence, in samples (100 ms).
const LAG_SAMPLES: usize = 4_800;

/// Collects packets of several speakers and mixes them.
#[derive(Debug, Default)]
pub(in crate::simulator) struct Recorder {
    tracks: BTreeMap<String, Track>,
}

struct Track {
    decoder: Option<Decoder>,
    samples: Vec<i16>,
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track")
            .field("samples", &self.samples.len())
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// An empty recording.
    pub(in crate::simulator) fn new() -> Self {
        Self::default()
    }

    /// Adds a packet that arrived `at` this time after the start; tells whether somebody speaks in
    /// it. A packet that doesn't decode is skipped.
    pub(in crate::simulator) fn add(&mut self, speaker: &str, packet: &[u8], at: Duration) -> bool {
        let track = self
            .tracks
            .entry(speaker.to_owned())
            .or_insert_with(|| Track {
                decoder: Decoder::new(SAMPLE_RATE, Channels::Mono).ok(),
                samples: Vec::new(),
            });
        // Room for the longest packet, 120 ms.
        let mut heard = [0; FRAME_SAMPLES * 6];
        let Some(decoder) = &mut track.decoder else {
            return false;
        };
        let Ok(length) = decoder.decode(packet, &mut heard, DecodeMode::Normal) else {
            return false;
        };
        let present = usize::try_from(at.as_millis()).unwrap_or(usize::MAX) * 48;
        if present > track.samples.len() + length + LAG_SAMPLES {
            track.samples.resize(present - length, 0);
        }
        let samples = heard.get(..length).unwrap_or_default();
        track.samples.extend_from_slice(samples);
        let energy: i64 = samples.iter().map(|s| i64::from(*s) * i64::from(*s)).sum();
        let count = i64::try_from(samples.len()).unwrap_or_default().max(1);
        energy / count > VOICE_POWER
    }

    /// The recording as a file in this format, and the format that it really has: there is no encoder for
    /// MP3 here, so that is 16-bit PCM in a RIFF file as well.
    pub(in crate::simulator) fn into_file(self, format: Option<&str>) -> (Vec<u8>, &'static str) {
        match format {
            Some("ogg") => (
                ogg::file(&Clip::from_samples(&self.mix()).frames),
                "audio/ogg",
            ),
            _ => (self.into_wav(), "audio/wav"),
        }
    }

    fn into_wav(self) -> Vec<u8> {
        let mixed = self.mix();
        let bytes = u32::try_from(mixed.len() * 2).unwrap_or(u32::MAX - WAV_HEADER);
        let mut wav = Vec::with_capacity(mixed.len() * 2 + 44);
        wav.extend_from_slice(b"RIFF");
        wav.extend_from_slice(&(bytes + WAV_HEADER - 8).to_le_bytes());
        wav.extend_from_slice(b"WAVEfmt ");
        wav.extend_from_slice(&16_u32.to_le_bytes());
        wav.extend_from_slice(&1_u16.to_le_bytes());
        wav.extend_from_slice(&1_u16.to_le_bytes());
        wav.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
        wav.extend_from_slice(&(SAMPLE_RATE * 2).to_le_bytes());
        wav.extend_from_slice(&2_u16.to_le_bytes());
        wav.extend_from_slice(&16_u16.to_le_bytes());
        wav.extend_from_slice(b"data");
        wav.extend_from_slice(&bytes.to_le_bytes());
        for sample in mixed {
            wav.extend_from_slice(&sample.to_le_bytes());
        }
        wav
    }

    fn mix(self) -> Vec<i16> {
        let mut mixed: Vec<i16> = Vec::new();
        for track in self.tracks.into_values() {
            if mixed.len() < track.samples.len() {
                mixed.resize(track.samples.len(), 0);
            }
            for (sum, sample) in mixed.iter_mut().zip(track.samples) {
                *sum = sum.saturating_add(sample);
            }
        }
        mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::media::clip::Sounds;

    #[test]
    fn a_recorded_beep_is_heard_as_a_voice_and_kept() {
        let mut recorder = Recorder::new();
        let beep = Sounds::new().beep;
        let voiced = beep
            .frames
            .iter()
            .filter(|frame| recorder.add("caller", frame, Duration::ZERO))
            .count();
        assert!(voiced > 15, "{voiced} of 20 packets sounded");
        let wav = recorder.into_wav();
        assert_eq!(wav.len(), 44 + 20 * FRAME_SAMPLES * 2);
        assert_eq!(&wav[..4], b"RIFF");
    }

    #[test]
    fn speakers_are_mixed_not_strung_together() {
        let mut recorder = Recorder::new();
        for frame in &Sounds::new().beep.frames {
            recorder.add("caller", frame, Duration::ZERO);
            recorder.add("desk", frame, Duration::ZERO);
        }
        assert_eq!(recorder.into_wav().len(), 44 + 20 * FRAME_SAMPLES * 2);
    }

    #[test]
    fn an_ogg_file_holds_what_was_said() {
        let mut recorder = Recorder::new();
        for frame in &Sounds::new().beep.frames {
            recorder.add("caller", frame, Duration::ZERO);
        }
        let (file, kind) = recorder.into_file(Some("ogg"));
        assert_eq!(kind, "audio/ogg");
        // Two headers, then a page for each of the 20 packets; each lies after 27 bytes and its lengths.
        let mut decoder = Decoder::new(SAMPLE_RATE, Channels::Mono).unwrap();
        let mut power = 0;
        let mut pages = 0;
        let mut rest = &file[..];
        while rest.starts_with(b"OggS") {
            let lengths = usize::from(rest[26]);
            let length: usize = rest[27..27 + lengths]
                .iter()
                .map(|length| usize::from(*length))
                .sum();
            let (packet, after) = rest[27 + lengths..].split_at(length);
            if pages >= 2 {
                let mut heard = [0; FRAME_SAMPLES];
                let count = decoder
                    .decode(packet, &mut heard, DecodeMode::Normal)
                    .unwrap();
                assert_eq!(count, FRAME_SAMPLES);
                power += heard
                    .iter()
                    .map(|s| i64::from(*s) * i64::from(*s))
                    .sum::<i64>();
            }
            pages += 1;
            rest = after;
        }
        assert!(rest.is_empty());
        assert_eq!(pages, 22);
        assert!(power / 19_200 > VOICE_POWER);
    }

    #[test]
    fn a_pause_is_kept_as_silence() {
        let mut recorder = Recorder::new();
        if let Some(frame) = Sounds::new().beep.frames.first() {
            recorder.add("caller", frame, Duration::from_secs(1));
        }
        assert_eq!(recorder.into_wav().len(), 44 + 48_000 * 2);
    }
}
