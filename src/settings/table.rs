//! The table of all keys.

use super::{
    key::Spec,
    sections::{
        calls, database, http, line, log, metrics, page, retention, telemetry, token, visitors,
        vonage, webhooks,
    },
};

/// A `[section]` of the file and its keys.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// What it is about, as its heading in the manual.
    pub title: &'static str,
    /// Its keys.
    pub keys: &'static [&'static Spec],
}

/// All sections in the order of the manual.
pub fn sections() -> [Section; 15] {
    let section = |title, keys| Section { title, keys };
    [
        section("The listener and what stands before it", http::KEYS),
        section(
            "The Vonage account, the application, its hosts",
            vonage::KEYS,
        ),
        section("What a visitor's token says", token::KEYS),
        section("Who gets one", visitors::KEYS),
        section("Rules for all calls", calls::KEYS),
        section("The line that visitors call", line::KEYS),
        section("Its words in English", line::ENGLISH_KEYS),
        section("Its words in Japanese", line::JAPANESE_KEYS),
        section("How Vonage's webhooks are checked", webhooks::KEYS),
        section("What is kept, and where", database::KEYS),
        section("How long it is kept", retention::KEYS),
        section("The visitor's page", page::KEYS),
        section("The log", log::KEYS),
        section("The metrics", metrics::KEYS),
        section("The traces", telemetry::KEYS),
    ]
}

/// All keys in the order of the manual.
pub fn keys() -> impl Iterator<Item = &'static Spec> {
    sections()
        .into_iter()
        .flat_map(|section| section.keys.iter().copied())
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Spec> {
    keys().find(|spec| spec.name == name)
}

/// The one of `known` that `name` was probably meant to be.
pub(super) fn closest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let key = |name: &str| name.rsplit('.').next().map(str::to_owned);
    known
        .map(|candidate| {
            // The right key in the wrong section is near, and so is a key without its unit.
            let distance = match edit_distance(name, &candidate) {
                far if far > 1 && candidate.starts_with(&format!("{name}_")) => 1,
                far if far > 2 && key(&candidate) == key(name) => 2,
                distance => distance,
            };
            (distance, candidate)
        })
        .min()
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 5))
        .map(|(_, candidate)| candidate)
}

/// Levenshtein: characters to insert, delete or replace.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (r, above) in right.iter().zip(row.iter().skip(1)) {
            let cost = diagonal + usize::from(l != *r);
            before = cost.min(before + 1).min(above + 1);
            next.push(before);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_their_section() {
        let mut seen = std::collections::HashSet::new();
        for section in sections() {
            for spec in section.keys {
                assert_eq!(
                    Some(spec.section()),
                    section.keys.first().map(|k| k.section())
                );
                for name in spec.all_variables().chain(spec.file_variables()) {
                    assert!(seen.insert(name.clone()), "{name} stands twice");
                }
            }
        }
    }

    #[test]
    fn slips_are_recognised() {
        let known = || keys().map(|spec| spec.name.to_owned());
        for (slip, meant) in [
            ("htpp.port", Some("http.port")),
            ("server.port", Some("http.port")),
            ("token.ttl", Some("token.ttl_seconds")),
            ("calls.ring_second", Some("calls.ring_seconds")),
            (
                "lines.support.en.greting",
                Some("lines.support.en.greeting"),
            ),
            ("weather.tomorrow", None),
        ] {
            assert_eq!(closest(slip, known()).as_deref(), meant, "{slip}");
        }
    }

    #[test]
    fn edits_are_counted() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
    }
}
