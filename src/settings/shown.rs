//! What values look like when they are shown: as they would be written, corrected.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::{DatabaseUrl, forms::Choice};
use crate::domain::phone_number::PhoneNumber;

/// A value that can be shown. Secrets show that they are there, and nothing else.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

macro_rules! shown_as_displayed {
    ($($kind:ty),+) => {
        $(impl Shown for $kind {
            fn shown(&self) -> String {
                self.to_string()
            }
        })+
    };
}

shown_as_displayed!(String, u16, u32, IpAddr, IpNet, DatabaseUrl);

impl Shown for Duration {
    fn shown(&self) -> String {
        self.as_secs().to_string()
    }
}

impl Shown for Url {
    fn shown(&self) -> String {
        self.origin().ascii_serialization()
    }
}

impl Shown for PhoneNumber {
    fn shown(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for SecretString {
    fn shown(&self) -> String {
        REDACTED.to_owned()
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        if self.is_empty() {
            return "[]".to_owned();
        }
        let items: Vec<String> = self.iter().map(Shown::shown).collect();
        items.join(", ")
    }
}

impl<T: Choice + PartialEq> Shown for T {
    fn shown(&self) -> String {
        let word = T::WORDS.iter().find(|(_, value)| value == self);
        word.map_or_else(String::new, |(word, _)| (*word).to_owned())
    }
}

/// Stands in the place of every secret.
const REDACTED: &str = "[redacted]";
