//! A line: something a visitor can call.

use std::time::Duration;

use super::phone_number::PhoneNumber;

/// A line, its telephone and its words.
#[derive(Debug, Clone)]
pub struct Line {
    /// `support`.
    pub id: String,
    /// The telephone that rings. It comes from the settings and from nowhere else.
    pub destination: PhoneNumber,
    /// The caller id that it shows: the linked Vonage number.
    pub caller_id: PhoneNumber,
    /// How long it rings.
    pub ring: Duration,
    /// The longest call.
    pub limit: Duration,
    /// The words that everybody hears who has chosen no language, or none of the others.
    pub words: LineWords,
    /// The words in other languages.
    pub other_words: Vec<LineWords>,
}

/// What a line says in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWords {
    /// `en`, `ja`.
    pub language: String,
    /// What the page calls the line.
    pub name: String,
    /// Spoken before the telephone rings; empty: nothing.
    pub greeting: String,
    /// Spoken when the call can't be put through.
    pub apology: String,
    /// Spoken when the call isn't allowed.
    pub refusal: String,
    /// Language of the voice, BCP 47.
    pub voice_language: String,
    /// Style of the voice, 0 and up.
    pub voice_style: u32,
}

impl Line {
    /// The words of this language, or the line's own.
    pub fn words_in(&self, language: &str) -> &LineWords {
        self.other_words
            .iter()
            .find(|words| words.language == language)
            .unwrap_or(&self.words)
    }
}
