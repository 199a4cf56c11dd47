//! The forms that values have: the words for each and its reading. A bound stands in both only once.

use std::{fmt::Debug, path::PathBuf, time::Duration};

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use super::{
    acl,
    key::{Form, Raw},
};
use crate::domain::{phone_number::PhoneNumber, sessions::is_user_name};

/// A whole number from `MIN` to `MAX`.
pub(super) const fn count<const MIN: u32, const MAX: u32>() -> Form<u32> {
    Form {
        expected: || format!("a whole number from {MIN} to {MAX}"),
        parse: |raw| whole_number(raw, MIN, MAX),
    }
}

/// Whole seconds from `MIN` to `MAX`.
pub(super) const fn seconds<const MIN: u32, const MAX: u32>() -> Form<Duration> {
    Form {
        expected: || format!("whole seconds, {MIN} to {MAX}"),
        parse: |raw| whole_number(raw, MIN, MAX).map(|n| Duration::from_secs(n.into())),
    }
}

fn whole_number(raw: &Raw, min: u32, max: u32) -> Result<u32, String> {
    let text = raw.one()?.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("is not a whole number".to_owned());
    }
    // So many digits that it doesn't fit is simply too large.
    match text.parse::<u32>().unwrap_or(u32::MAX) {
        n if n < min => Err(format!("is less than {min}")),
        n if n > max => Err(format!("is more than {max}")),
        n => Ok(n),
    }
}

/// Reads every item of a list. A fault names the item by its place, because lists of secrets come here too.
pub(super) fn each<T>(
    raw: &Raw,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    raw.many()
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            parse(item).map_err(|reason| format!("at item {}: {reason}", index + 1))
        })
        .collect()
}

/// A UUID, spelled as Vonage spells it.
pub(super) const fn uuid() -> Form<String> {
    Form {
        expected: || "a UUID, like 78d335fa-323d-0114-9c3d-d6f0d48968cf".to_owned(),
        parse: |raw| {
            let text = raw.one()?.trim();
            match Uuid::try_parse(text) {
                Ok(id) if id.is_nil() => Err("is a placeholder".to_owned()),
                Ok(id) if text.len() == 36 => Ok(id.to_string()),
                _ => Err("is not a UUID".to_owned()),
            }
        },
    }
}

/// A telephone number.
pub(super) const fn phone_number() -> Form<PhoneNumber> {
    Form {
        expected: || {
            "a telephone number with its country code, 8 to 15 digits, like 447700900000".to_owned()
        },
        parse: |raw| {
            let number = raw.one()?.parse::<PhoneNumber>();
            number.map_err(|error| format!("is no number that can be dialled: {error}"))
        },
    }
}

/// One of a few words.
pub(super) trait Choice: Sized + Copy + Debug + 'static {
    /// The words and what they stand for.
    const WORDS: &'static [(&'static str, Self)];
}

/// One of the words of `T`.
pub(super) const fn choice<T: Choice>() -> Form<T> {
    Form {
        expected: || {
            let words: Vec<String> = T::WORDS
                .iter()
                .map(|(word, _)| format!("{word:?}"))
                .collect();
            words.join(" or ")
        },
        parse: |raw| {
            let text = raw.one()?.trim();
            let found = T::WORDS.iter().find(|(word, _)| *word == text);
            found.map_or_else(
                || Err("is none of the words known here".to_owned()),
                |&(_, value)| Ok(value),
            )
        },
    }
}

/// A secret of at least `MIN` bytes.
pub(super) const fn secret<const MIN: usize>() -> Form<SecretString> {
    Form {
        expected: || match MIN {
            0 | 1 => "a secret text".to_owned(),
            _ => format!("a secret text of at least {MIN} characters"),
        },
        parse: |raw| parse_secret(raw.one()?, MIN),
    }
}

/// Secrets of at least `MIN` bytes each.
pub(super) const fn secrets<const MIN: usize>() -> Form<Vec<SecretString>> {
    Form {
        expected: || format!("a list of secret texts of at least {MIN} characters each"),
        parse: |raw| each(raw, |text| parse_secret(text, MIN)),
    }
}

fn parse_secret(text: &str, min: usize) -> Result<SecretString, String> {
    if text.trim() != text {
        return Err("begins or ends with a blank, probably copied with it".to_owned());
    }
    if text.len() < min {
        return Err(format!("has {} characters, which is too short", text.len()));
    }
    Ok(SecretString::from(text))
}

/// PEM text. Variables that can't hold line breaks have `\n` in their place.
pub(super) const fn pem() -> Form<SecretString> {
    Form {
        expected: || "the text of the key in PEM form".to_owned(),
        parse: |raw| Ok(SecretString::from(raw.one()?.replace("\\n", "\n"))),
    }
}

/// Text without blanks and control characters.
pub(super) const fn word() -> Form<String> {
    Form {
        expected: || "a word without blanks".to_owned(),
        parse: |raw| {
            let text = raw.one()?.trim();
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
                return Err("has blanks or unusual characters in it".to_owned());
            }
            Ok(text.to_owned())
        },
    }
}

/// A Vonage user's name.
pub(super) const fn user_name() -> Form<String> {
    Form {
        expected: || {
            "a user name: 1 to 64 letters, digits, dots, hyphens, underscores, @".to_owned()
        },
        parse: |raw| parse_user_name(raw.one()?.trim()),
    }
}

/// Names of Vonage users.
pub(super) const fn user_names() -> Form<Vec<String>> {
    Form {
        expected: || {
            "a list of user names: 1 to 64 letters, digits, dots, hyphens, underscores, @ each"
                .to_owned()
        },
        parse: |raw| each(raw, parse_user_name),
    }
}

fn parse_user_name(text: &str) -> Result<String, String> {
    if text == "me" || text.starts_with("visitor-") {
        return Err("is a name that the service uses itself".to_owned());
    }
    if !is_user_name(text) {
        return Err("is no user name".to_owned());
    }
    Ok(text.to_owned())
}

/// A preset or a list of paths.
pub(super) const fn acl_paths() -> Form<Vec<String>> {
    Form {
        expected: || {
            "\"client-sdk\", \"call-only\" or a list of paths, each like /*/users/**".to_owned()
        },
        parse: |raw| {
            if let Some(paths) = raw.one().ok().and_then(|name| acl::preset(name.trim())) {
                return Ok(paths);
            }
            let mut paths = each(raw, |path| acl::check_path(path).map(|()| path.to_owned()))?;
            // A path twice would be a member twice in the token's JSON.
            let mut seen = std::collections::HashSet::new();
            paths.retain(|path| seen.insert(path.clone()));
            if paths.is_empty() {
                return Err("is an empty list: the token could do nothing".to_owned());
            }
            Ok(paths)
        },
    }
}

/// What a voice says, at most 1500 characters.
///
/// Source of the bound: <https://developer.vonage.com/en/voice/voice-api/ncco-reference> (talk).
pub(super) const fn spoken_text() -> Form<String> {
    Form {
        expected: || "plain text of at most 1500 characters (no SSML)".to_owned(),
        parse: |raw| {
            let text = plain_text(raw, 1500)?;
            if text.trim_start().to_ascii_lowercase().starts_with("<speak") {
                return Err(
                    "is SSML; write the words alone, they are spoken as they stand".to_owned(),
                );
            }
            Ok(text)
        },
    }
}

/// What the page calls something, at most 60 characters.
pub(super) const fn label() -> Form<String> {
    Form {
        expected: || "plain text of at most 60 characters".to_owned(),
        parse: |raw| plain_text(raw, 60),
    }
}

fn plain_text(raw: &Raw, longest: usize) -> Result<String, String> {
    let text = raw.one()?;
    let length = text.chars().count();
    if length > longest {
        return Err(format!("has {length} characters"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("has control characters in it".to_owned());
    }
    Ok(text.to_owned())
}

/// A language of a voice.
pub(super) const fn voice_language() -> Form<String> {
    Form {
        expected: || "a language code, like en-US".to_owned(),
        parse: |raw| {
            let text = raw.one()?.trim();
            let mut parts = text.split('-');
            let language = parts.next().unwrap_or_default();
            let well_formed = matches!(language.len(), 2 | 3)
                && language.bytes().all(|b| b.is_ascii_lowercase())
                && parts.all(|part| {
                    (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
                });
            well_formed
                .then(|| text.to_owned())
                .ok_or_else(|| "is no language code".to_owned())
        },
    }
}

/// A file or folder.
pub(super) const fn path() -> Form<PathBuf> {
    Form {
        expected: || "the path of a file".to_owned(),
        parse: |raw| {
            let text = raw.one()?.trim();
            // The content in the place of the path must not come out as "no such file: …".
            if text.contains(['\n', '\r']) || text.contains("-----BEGIN") {
                return Err("is no path; the content of a file has no place here".to_owned());
            }
            Ok(PathBuf::from(text))
        },
    }
}

/// A folder that is there.
pub(super) const fn folder() -> Form<PathBuf> {
    Form {
        expected: || "the path of a folder".to_owned(),
        parse: |raw| {
            let path = PathBuf::from(raw.one()?.trim());
            if !path.is_dir() {
                return Err("is not a folder, or can't be reached".to_owned());
            }
            Ok(path)
        },
    }
}

/// A filter of the log.
pub(super) const fn log_filter() -> Form<String> {
    Form {
        expected: || "a log filter, like info or click_to_call=debug,warn".to_owned(),
        parse: |raw| {
            let text = raw.one()?.trim();
            EnvFilter::try_new(text).map_err(|error| format!("is no log filter: {error}"))?;
            Ok(text.to_owned())
        },
    }
}
