//! `log.*`

use crate::settings::{
    Log,
    forms::{self, Choice},
    key::{Default::Value, Key, Spec},
    reader::{Noted, Reader},
};

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogFormat {
    Auto,
    Text,
    Json,
}

impl Choice for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("text", Self::Text),
        ("json", Self::Json),
    ];
}

static FORMAT: Key<LogFormat> = Key::new(
    "log.format",
    &forms::choice(),
    Value("\"auto\""),
    "\"json\": one object a line. \"text\": for people. \"auto\": text on a terminal, JSON otherwise.",
);

static FILTER: Key<String> = Key::new(
    "log.filter",
    &forms::log_filter(),
    Value("\"info\""),
    "What is logged: a level (error, warn, info, debug, trace), also by module: click_to_call=debug,warn.",
)
.variables(&["RUST_LOG"]);

pub(in crate::settings) static KEYS: &[&Spec] = &[&FORMAT.spec, &FILTER.spec];

pub(in crate::settings) fn read(
    reader: &mut Reader,
    stdout_is_terminal: bool,
) -> Result<Log, Noted> {
    let format = reader.value(&FORMAT);
    let filter = reader.value(&FILTER);
    Ok(Log {
        json: match format? {
            LogFormat::Auto => !stdout_is_terminal,
            LogFormat::Text => false,
            LogFormat::Json => true,
        },
        filter: filter?,
    })
}
