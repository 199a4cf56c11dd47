//! Takes out of a trace what is secret or personal, and puts the same stand-in for the same thing every time, so that
//! what belongs together still does.
//!
//! Two passes: what is known to be private is replaced wherever it stands; then whatever has the form of an id, a
//! number, an address or a key. A SHA-256 goes too: whoever has the rest of a request could find the telephone number by
//! trying them all.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Mutex,
};

use serde_json::{Map, Value};
use uuid::Uuid;

/// Shortest run of digits that may be a telephone number, and longest that is none (E.164 has 15 at most).
const NUMBER_DIGITS: usize = 7;
/// Letters of a UUID with its hyphens.
const UUID_LETTERS: usize = 36;
/// Letters and digits mixed, from this length on, are somebody's key or id.
const OPAQUE: usize = 16;
/// Fields whose digits are times, amounts and sizes.
const FIGURES: [&str; 17] = [
    "duration",
    "end_time",
    "exp",
    "iat",
    "initial_price",
    "nbf",
    "offset",
    "page_size",
    "price",
    "rate",
    "record_index",
    "size",
    "start_time",
    "time",
    "timestamp",
    "created",
    "ttl",
];

/// Puts stand-ins in the place of private things.
pub(super) struct Redactor {
    /// What is known to be private, the longest first, and its stand-in.
    known: Vec<(String, String)>,
    met: Mutex<BTreeMap<String, String>>,
}

impl Redactor {
    /// One that knows these texts as private; those that are empty don't count.
    pub(super) fn new(known: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut known: Vec<(String, String)> = known
            .into_iter()
            .filter(|(text, _stand_in)| !text.is_empty())
            .map(|(text, stand_in)| (text, stand_in.to_owned()))
            .collect();
        known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self {
            known,
            met: Mutex::default(),
        }
    }

    /// A JSON value without anything private in it, neither in keys nor in values.
    pub(super) fn value(&self, value: &Value) -> Value {
        self.field("", value)
    }

    fn field(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| (self.text(name), self.field(name, value)))
                    .collect::<Map<_, _>>(),
            ),
            Value::Array(items) => items.iter().map(|item| self.field(name, item)).collect(),
            Value::String(text) if is_figure(name, text) => value.clone(),
            Value::String(text) if name == "public_key" || text.contains("-----BEGIN") => {
                Value::from(if text.is_empty() { "" } else { "[key]" })
            }
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(number) if !is_figure(name, &number.to_string()) => {
                let text = number.to_string();
                let redacted = self.text(&text);
                if redacted == text {
                    value.clone()
                } else {
                    Value::String(redacted)
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// A text without anything private in it.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (private, stand_in) in &self.known {
            text = text.replace(private.as_str(), stand_in);
        }
        let text = split_where(&text, |c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'))
            .map(|word| self.address(word))
            .collect::<String>();
        split_where(&text, |c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
        })
        .map(|word| self.word(word))
        .collect()
    }

    /// An IP address, with a port or the end of a sentence behind it; anything else stays.
    fn address(&self, word: &str) -> String {
        let bare = word.trim_matches(['.', ':']);
        let host = match bare.split_once(':') {
            Some((host, _port)) if host.parse::<Ipv4Addr>().is_ok() => host,
            // What is shortened in IPv6 stands at an end.
            _ if word.parse::<Ipv6Addr>().is_ok() => word,
            _ => bare,
        };
        match host.parse::<IpAddr>() {
            Ok(address) if !address.is_loopback() => {
                let stand_in =
                    self.stand_in("address", host, |place| format!("192.0.2.{}", place % 256));
                word.replacen(host, &stand_in, 1)
            }
            _ => word.to_owned(),
        }
    }

    /// A word between blanks and signs: a token, or parts with hyphens between.
    fn word(&self, word: &str) -> String {
        if word.starts_with("eyJ") {
            return "[token]".to_owned();
        }
        let uuid = (0..word.len()).find_map(|place| {
            let (before, rest) = word.split_at_checked(place)?;
            let (id, after) = rest.split_at_checked(UUID_LETTERS)?;
            Uuid::try_parse(id).ok().map(|_| (before, id, after))
        });
        if let Some((before, id, after)) = uuid {
            let id = self.stand_in("id", &id.to_ascii_lowercase(), |place| {
                format!("aaaaaaaa-bbbb-cccc-dddd-{place:012x}")
            });
            return format!("{}{id}{}", self.word(before), self.word(after));
        }
        split_where(word, |c| c.is_ascii_alphanumeric())
            .map(|part| self.part(part))
            .collect()
    }

    fn part(&self, part: &str) -> String {
        let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
        let has_letter = part.bytes().any(|byte| byte.is_ascii_alphabetic());
        if part.len() >= NUMBER_DIGITS && has_digit && !has_letter {
            return self.stand_in("number", part, |place| {
                format!("4477009{:05}", place % 100_000)
            });
        }
        if is_hex && part.len() == 64 {
            return "[sha-256]".to_owned();
        }
        if is_hex && part.len() == 32 {
            return self.stand_in("id", part, |place| {
                format!("aaaaaaaabbbbccccdddd{place:012x}")
            });
        }
        if part.len() >= OPAQUE && has_digit && has_letter {
            return self.stand_in("opaque", part, |place| format!("[opaque {place}]"));
        }
        if has_letter {
            // A number behind a letter is one, too.
            return split_where(part, |c| c.is_ascii_digit())
                .map(|piece| {
                    let is_digits = piece.bytes().all(|byte| byte.is_ascii_digit());
                    if is_digits {
                        self.part(piece)
                    } else {
                        piece.to_owned()
                    }
                })
                .collect();
        }
        part.to_owned()
    }

    /// The stand-in of this thing: the same for the same thing, another for another.
    fn stand_in(&self, kind: &str, text: &str, make: impl Fn(usize) -> String) -> String {
        let mut met = self
            .met
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // A stand-in that passes again stays what it is.
        if met.values().any(|stand_in| stand_in == text) {
            return text.to_owned();
        }
        let start = format!("{kind} ");
        let place = met.keys().filter(|key| key.starts_with(&start)).count() + 1;
        met.entry(format!("{start}{text}"))
            .or_insert_with(|| make(place))
            .clone()
    }
}

/// A time, an amount or a size: nothing but digits, signs and the letters of a date, in a field for them.
fn is_figure(name: &str, text: &str) -> bool {
    let is_plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ':' | '-' | '+' | 'T' | 'Z' | ' '));
    // An E.164 number in such a field would be longer than any of them.
    is_plain && text.len() <= 32 && FIGURES.contains(&name)
}

/// The text cut into runs of characters that belong together and those that don't, nothing left out.
fn split_where(text: &str, belongs: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = belongs(rest.chars().next()?);
        let end = rest.find(|c| belongs(c) != first).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn redactor() -> Redactor {
        Redactor::new([
            ("442079460000".to_owned(), "447700900000"),
            ("canary-secret".to_owned(), "[secret]"),
        ])
    }

    #[test]
    fn what_is_known_goes_wherever_it_stands() {
        let redacted = redactor().value(&json!({
            "to": "442079460000", "uri": "sip:+442079460000@x", "note": "canary-secret!", "canary-secret": 442_079_460_000_u64
        }));
        let text = redacted.to_string();
        assert!(
            !text.contains("44207946") && !text.contains("canary"),
            "{text}"
        );
    }

    #[test]
    fn the_same_thing_has_the_same_stand_in() {
        let redactor = redactor();
        let id = "63f61863-4a51-4f6b-86e1-46edebcf9356";
        let redacted = redactor.value(&json!({ "uuid": id, "conversation_uuid": format!("CON-{id}"), "from": "33612345678", "to": "33612345679" }));
        let uuid = redacted["uuid"].as_str().unwrap();
        assert_ne!(uuid, id);
        assert_eq!(redacted["conversation_uuid"], format!("CON-{uuid}"));
        assert_ne!(redacted["from"], redacted["to"]);
        assert_eq!(redactor.value(&json!(id)), uuid);
    }

    #[test]
    fn forms_that_are_private_go() {
        let redactor = redactor();
        for private in [
            "63f61863-4a51-4f6b-86e1-46edebcf9356",
            "63f618634a514f6b86e146edebcf9356",
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "33612345678",
            "203.0.113.7",
            "2001:db8::7",
            "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjF9.z3OefM2",
            "aB3dE5gH7jK9mN1pQ3",
            "x33612345678",
        ] {
            let text = redactor.text(&format!("it is {private}, or so"));
            assert!(!text.contains(private), "{private}: {text}");
            assert!(
                text.starts_with("it is ") && text.ends_with(", or so"),
                "{text}"
            );
        }
        for (private, around) in [
            (
                "63f61863-4a51-4f6b-86e1-46edebcf9356",
                [("", "."), ("", ".mp3"), ("CON-", "_1")],
            ),
            ("203.0.113.7", [("", "."), ("", ":5060"), ("peer:", ":")]),
        ] {
            for (before, after) in around {
                let text = redactor.text(&format!("it is {before}{private}{after}"));
                assert!(!text.contains(private), "{text}");
                assert!(
                    text.starts_with(&format!("it is {before}")) && text.ends_with(after),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_a_fixture_needs_stays() {
        let kept = json!({
            "status": "completed", "price": "0.00833333", "rate": "0.10000000", "duration": "5", "network": "23433",
            "timestamp": "2026-11-22T10:20:30.123Z", "start_time": "2026-11-22 10:20:30", "sip_code": 200, "iat": 1_767_261_600,
            "region_url": "https://api-us-3.vonage.com", "code": "system:error:invalid-token", "dtmf": { "digits": "1" }
        });
        assert_eq!(redactor().value(&kept), kept);
    }
}
