//! A free voice, if there is one on this machine: `espeak-ng` reads texts aloud.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::{Command, Stdio},
    sync::Mutex,
};

use super::{SAMPLE_RATE, clip::Clip};
use crate::simulator::cloud::lock;

/// Texts that are kept spoken; beyond it all are forgotten, and spoken anew when they come again.
const KEPT: usize = 200;
/// Bytes of a RIFF header with one `fmt ` chunk of 16 bytes, which is what espeak-ng writes.
const WAV_HEADER: usize = 44;
/// The language of a `talk` that names none.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk>
const LANGUAGE: &str = "en-US";

/// The voice, and what it has said before.
#[derive(Debug)]
pub(in crate::simulator) struct Voice {
    program: String,
    /// By language and text. None: it can't be said.
    spoken: Mutex<BTreeMap<(String, String), Option<Clip>>>,
}

impl Voice {
    /// A voice by the name or path of a program that takes espeak-ng's arguments.
    pub(in crate::simulator) fn of(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            spoken: Mutex::default(),
        }
    }

    /// Says a text. None when the program isn't there or doesn't know the language. Takes as long as the
    /// program does, so it is nothing for a thread that serves requests.
    pub(in crate::simulator) fn say(&self, text: &str, language: Option<&str>) -> Option<Clip> {
        let language = language.unwrap_or(LANGUAGE).to_ascii_lowercase();
        let key = (language, text.to_owned());
        if let Some(spoken) = lock(&self.spoken).get(&key) {
            return spoken.clone();
        }
        let (language, _) = &key;
        let general = language.split('-').next().unwrap_or_default();
        let clip = [language.as_str(), general]
            .into_iter()
            .find_map(|voice| self.speak(text, voice).ok().flatten());
        let mut spoken = lock(&self.spoken);
        if spoken.len() >= KEPT {
            spoken.clear();
        }
        spoken.insert(key, clip.clone());
        clip
    }

    fn speak(&self, text: &str, voice: &str) -> io::Result<Option<Clip>> {
        let mut program = Command::new(&self.program)
            .args(["-v", voice, "--stdin", "--stdout"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = program.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        let output = program.wait_with_output()?;
        let samples = if output.status.success() {
            read_wav(&output.stdout)
        } else {
            None
        };
        Ok(samples.map(|samples| Clip::from_samples(&samples)))
    }
}

/// The samples of a mono 16-bit WAV, at the rate of all sound in here. Its lengths are not looked at: a program
/// that writes to a pipe doesn't know them.
fn read_wav(wav: &[u8]) -> Option<Vec<i16>> {
    let header = wav.get(..WAV_HEADER)?;
    let mono = header.get(22..24)? == 1_u16.to_le_bytes();
    if !header.starts_with(b"RIFF") || !mono {
        return None;
    }
    let rate = u32::from_le_bytes(header.get(24..28)?.try_into().ok()?);
    let samples: Vec<i16> = wav
        .get(WAV_HEADER..)?
        .chunks_exact(2)
        .filter_map(|pair| Some(i16::from_le_bytes(pair.try_into().ok()?)))
        .collect();
    (rate > 0 && !samples.is_empty()).then(|| resample(&samples, rate))
}

/// Straight lines between the samples: enough for a voice on a telephone.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    let (rate, wanted) = (u64::from(rate), u64::from(SAMPLE_RATE));
    let count = u64::try_from(samples.len()).unwrap_or_default() * wanted / rate;
    (0..count)
        .map(|position| {
            let place = usize::try_from(position * rate / wanted).unwrap_or(usize::MAX);
            let past = i64::try_from(position * rate % wanted).unwrap_or_default();
            let at = |place: usize| i64::from(samples.get(place).copied().unwrap_or_default());
            let (here, next) = (at(place), at(place + 1));
            let between = here + (next - here) * past / i64::from(SAMPLE_RATE);
            i16::try_from(between).unwrap_or_default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_program_nothing_is_said() {
        let voice = Voice::of("/nowhere/espeak-ng");
        assert!(voice.say("Hello.", None).is_none());
    }

    #[test]
    fn a_text_is_read_aloud_where_there_is_a_voice() {
        let voice = Voice::of("espeak-ng");
        let Some(short) = voice.say("Hello.", None) else {
            println!(
                "skipped: there is no espeak-ng on this machine (Debian: apt-get install espeak-ng)"
            );
            return;
        };
        assert!(short.frames.len() > 15, "{} packets", short.frames.len());
        let again = voice.say("Hello.", Some("en-US")).unwrap();
        assert!(
            std::sync::Arc::ptr_eq(&short.frames[0], &again.frames[0]),
            "said once"
        );
        let long = voice
            .say("Thank you for calling Acme support.", Some("en-GB"))
            .unwrap();
        assert!(long.frames.len() > short.frames.len());
        // A country that has no voice of its own has its language's.
        assert!(voice.say("Hello.", Some("en-ZZ")).is_some());
        assert!(voice.say("Hello.", Some("xx-XX")).is_none());
    }

    #[test]
    fn sound_is_brought_to_the_common_rate() {
        assert_eq!(resample(&[0, 100], 24_000), [0, 50, 100, 50]);
        assert_eq!(resample(&[7; 480], 48_000).len(), 480);
        assert!(read_wav(b"not a sound").is_none());
    }
}
