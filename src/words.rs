//! The words of the page, by language: `locales/*.json`, flat, the same files that the element reads.
//!
//! A language is added by adding a file. What a language lacks is said in English.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use crate::assets::LOCALES;

/// What everybody gets who asks for nothing that is there.
pub(crate) const DEFAULT: &str = "en";

type Texts = HashMap<String, String>;

static WORDS: LazyLock<BTreeMap<&'static str, Texts>> = LazyLock::new(|| {
    LOCALES
        .iter()
        .map(|(code, json)| (*code, serde_json::from_str(json).unwrap_or_default()))
        .collect()
});

/// The languages there are.
pub(crate) fn codes() -> Vec<&'static str> {
    WORDS.keys().copied().collect()
}

/// The text of a key, in this language or in English.
pub(crate) fn text(language: &str, key: &str) -> Option<&'static str> {
    let find = |code: &str| {
        WORDS
            .get(code)
            .and_then(|texts| texts.get(key))
            .map(String::as_str)
    };
    find(language).or_else(|| find(DEFAULT))
}

/// The best language for a wish in the form of `Accept-Language` (RFC 9110, section 12.5.4), or none of ours.
pub(crate) fn best(wish: &str) -> Option<&'static str> {
    let mut wishes: Vec<(&str, f32)> = wish
        .split(',')
        .take(32)
        .map(|wish| {
            let (tag, quality) = wish.split_once(";q=").unwrap_or((wish, "1"));
            (tag.trim(), quality.trim().parse().unwrap_or(0.0))
        })
        .filter(|(_, quality)| *quality > 0.0)
        .collect();
    wishes.sort_by(|a, b| b.1.total_cmp(&a.1));
    wishes.iter().find_map(|(tag, _)| {
        let primary = tag.split('-').next().unwrap_or_default();
        WORDS
            .keys()
            .copied()
            .find(|code| code.eq_ignore_ascii_case(tag) || code.eq_ignore_ascii_case(primary))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_flat_list_of_texts() {
        for (code, json) in LOCALES {
            let texts: Result<Texts, _> = serde_json::from_str(json);
            assert!(
                texts.is_ok_and(|texts| texts.contains_key("language.name")),
                "{code}"
            );
        }
    }

    #[test]
    fn the_best_language_is_the_most_wanted_one_there_is() {
        assert_eq!(best("ja"), Some("ja"));
        assert_eq!(
            best("fr-CH, fr;q=0.9, en;q=0.8, ja;q=0.7, *;q=0.5"),
            Some("en")
        );
        assert_eq!(best("en;q=0.3, ja-JP;q=0.8"), Some("ja"));
        assert_eq!(best("ja;q=0"), None);
        assert_eq!(best("xx, \u{1F4A9};q=abc"), None);
        assert_eq!(best(""), None);
    }
}
