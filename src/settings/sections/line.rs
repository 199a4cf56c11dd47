//! `lines.support.*`

use crate::{
    domain::phone_number::PhoneNumber,
    settings::{
        Line, LineWords, forms,
        key::{
            Default::{Required, Value},
            Key, Spec,
        },
        reader::{Noted, Reader},
    },
};

pub(in crate::settings) static DESTINATION: Key<PhoneNumber> = Key::new(
    "lines.support.destination",
    &forms::phone_number(),
    Required("\"447700900001\""),
    "The telephone that rings when a visitor calls. Never the Vonage number itself.",
)
.variables(&["DESTINATION_PHONE_NUMBER"]);

pub(in crate::settings) static KEYS: &[&Spec] = &[&DESTINATION.spec];

/// The keys of one language.
struct WordKeys {
    language: &'static str,
    name: Key<String>,
    greeting: Key<String>,
    apology: Key<String>,
    refusal: Key<String>,
    tts_language: Key<String>,
    tts_style: Key<u32>,
}

static ENGLISH: WordKeys = WordKeys {
    language: "en",
    name: Key::new(
        "lines.support.en.name",
        &forms::label(),
        Value("\"Support\""),
        NAME,
    ),
    greeting: Key::new(
        "lines.support.en.greeting",
        &forms::spoken_text(),
        Value("\"Thank you for calling Acme support. Transferring you now.\""),
        GREETING,
    )
    .keeps_empty(),
    apology: Key::new(
        "lines.support.en.apology",
        &forms::spoken_text(),
        Value(
            "\"We are sorry, your call can't be put through at the moment. Please try again in a few minutes.\"",
        ),
        APOLOGY,
    ),
    refusal: Key::new(
        "lines.support.en.refusal",
        &forms::spoken_text(),
        Value(
            "\"We are sorry, this call can't be put through. Please use the call button on our website.\"",
        ),
        REFUSAL,
    ),
    tts_language: Key::new(
        "lines.support.en.tts_language",
        &forms::voice_language(),
        Value("\"en-US\""),
        TTS_LANGUAGE,
    ),
    tts_style: Key::new(
        "lines.support.en.tts_style",
        &forms::count::<0, 99>(),
        Value("0"),
        TTS_STYLE,
    ),
};

static JAPANESE: WordKeys = WordKeys {
    language: "ja",
    name: Key::new("lines.support.ja.name", &forms::label(), Value("\"サポート\""), NAME),
    greeting: Key::new(
        "lines.support.ja.greeting",
        &forms::spoken_text(),
        Value(
            "\"Acmeサポートにお電話いただき、ありがとうございます。ただいま担当者におつなぎいたします。\"",
        ),
        GREETING,
    )
    .keeps_empty(),
    apology: Key::new(
        "lines.support.ja.apology",
        &forms::spoken_text(),
        Value(
            "\"申し訳ございません。ただいまお電話をおつなぎすることができません。恐れ入りますが、しばらくしてから、もう一度おかけ直しください。\"",
        ),
        APOLOGY,
    ),
    refusal: Key::new(
        "lines.support.ja.refusal",
        &forms::spoken_text(),
        Value(
            "\"申し訳ございませんが、このお電話はおつなぎすることができません。恐れ入りますが、ウェブサイトの通話ボタンからおかけください。\"",
        ),
        REFUSAL,
    ),
    tts_language: Key::new(
        "lines.support.ja.tts_language",
        &forms::voice_language(),
        Value("\"ja-JP\""),
        TTS_LANGUAGE,
    ),
    tts_style: Key::new(
        "lines.support.ja.tts_style",
        &forms::count::<0, 99>(),
        Value("0"),
        TTS_STYLE,
    ),
};

const NAME: &str = "What the page calls the line.";
const GREETING: &str = "Spoken to the caller before the desk rings; the ringing waits for its end. \"\" in a file: nothing.";
const APOLOGY: &str = "Spoken when the call can't be put through.";
const REFUSAL: &str = "Spoken when the call isn't allowed.";
const TTS_LANGUAGE: &str = "Language of the voice.";
const TTS_STYLE: &str = "Which of the language's voices; Vonage numbers them from 0.";

pub(in crate::settings) static ENGLISH_KEYS: &[&Spec] = &ENGLISH.specs();
pub(in crate::settings) static JAPANESE_KEYS: &[&Spec] = &JAPANESE.specs();

impl WordKeys {
    const fn specs(&'static self) -> [&'static Spec; 6] {
        [
            &self.name.spec,
            &self.greeting.spec,
            &self.apology.spec,
            &self.refusal.spec,
            &self.tts_language.spec,
            &self.tts_style.spec,
        ]
    }

    fn read(&'static self, reader: &mut Reader) -> Result<LineWords, Noted> {
        let name = reader.value(&self.name);
        let greeting = reader.value(&self.greeting);
        let apology = reader.value(&self.apology);
        let refusal = reader.value(&self.refusal);
        let tts_language = reader.value(&self.tts_language);
        let tts_style = reader.value(&self.tts_style);
        Ok(LineWords {
            language: self.language.to_owned(),
            name: name?,
            greeting: greeting?,
            apology: apology?,
            refusal: refusal?,
            tts_language: tts_language?,
            tts_style: tts_style?,
        })
    }
}

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Line, Noted> {
    let destination = reader.value(&DESTINATION);
    let english = ENGLISH.read(reader);
    let japanese = JAPANESE.read(reader);
    Ok(Line {
        id: "support".to_owned(),
        destination: destination?,
        words: vec![english?, japanese?],
    })
}
