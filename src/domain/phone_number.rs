//! Telephone numbers in the form Vonage takes: E.164 digits without the plus.

use std::{fmt, str::FromStr};

/// A telephone number in E.164: 8 to 15 digits, country code first, no leading plus.
///
/// `Debug` and [`masked`](Self::masked) show the last two digits only, so that a number can
/// stand in a log. Source of the range: ITU-T E.164 section 6 (15 digits at most); 8 is the shortest
/// subscriber number with a country code that is in use, and keeps emergency and service codes out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is not a [`PhoneNumber`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// Something that is neither a digit, a space, a hyphen nor a leading plus.
    #[error("only digits, spaces, hyphens and one leading + may stand in a telephone number")]
    Character,
    /// A national number: it begins with the trunk prefix instead of the country code.
    #[error("a number starts with its country code, not with 0: write 44… for +44…")]
    LeadingZero,
    /// Fewer than 8 or more than 15 digits.
    #[error("a number has 8 to 15 digits with its country code; this one has {0}")]
    Length(usize),
}

impl PhoneNumber {
    /// The digits, as Vonage wants them in an NCCO: `447700900000`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that people read and that `tel:` links need: `+447700900000`.
    pub fn to_international(&self) -> String {
        format!("+{}", self.0)
    }

    /// All but the last two digits hidden: `…00`.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Hides all but the last two characters of a number, whatever form it has.
pub fn mask(number: &str) -> String {
    let shown: String = {
        let mut tail: Vec<char> = number.chars().rev().take(2).collect();
        tail.reverse();
        tail.into_iter().collect()
    };
    format!("…{shown}")
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    /// Accepts a leading `+`, spaces and hyphens; everything else is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches(' ');
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneNumberError::Character);
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::LeadingZero);
        }
        if !(8..=15).contains(&digits.len()) {
            return Err(PhoneNumberError::Length(digits.len()));
        }
        Ok(Self(digits))
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plus_spaces_and_hyphens_are_dropped() {
        let number: PhoneNumber = " +44 7700-900000 ".parse().unwrap();
        assert_eq!(number.as_str(), "447700900000");
        assert_eq!(number.to_international(), "+447700900000");
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("", PhoneNumberError::Character),
            ("+", PhoneNumberError::Character),
            ("44 7700 900000;447700900001", PhoneNumberError::Character),
            ("447700900000,447700900001", PhoneNumberError::Character),
            ("(44)7700900000", PhoneNumberError::Character),
            ("4477009+00000", PhoneNumberError::Character),
            ("４４７７００９０００００", PhoneNumberError::Character),
            ("07700900000", PhoneNumberError::LeadingZero),
            ("00447700900000", PhoneNumberError::LeadingZero),
            ("110", PhoneNumberError::Length(3)),
            ("1234567890123456", PhoneNumberError::Length(16)),
        ] {
            assert_eq!(text.parse::<PhoneNumber>(), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_shows_two_digits() {
        let number: PhoneNumber = "447700900042".parse().unwrap();
        assert_eq!(format!("{number:?}"), "PhoneNumber(…42)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in ".{0,24}") {
            if let Ok(number) = text.parse::<PhoneNumber>() {
                prop_assert_eq!(number.to_international().parse(), Ok(number));
            }
        }
    }
}
