//! What a run may cost: reserved before each call as if the worst happened, settled after it with what Vonage says.

use std::{fmt, str::FromStr};

use serde_json::Value;

/// An amount of money in units of 10⁻⁸ euros, as Vonage writes prices with eight places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Euros(u64);

impl Euros {
    /// The most that a run may cost.
    pub(super) const MOST: Self = Self(100_000_000);
    /// A minute to a telephone whose price is not known: more than almost all cost.
    pub(super) const UNKNOWN_RATE: Self = Self(50_000_000);

    /// So many times as much.
    pub(super) fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether it is nothing.
    pub(super) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// A price as Vonage tells it: a text or a number.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.to_string().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl FromStr for Euros {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_money = "is not an amount in euros like 0.50";
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(part) {
            return Err(not_money);
        }
        // What is finer than a unit counts as a whole one.
        let is_finer = part.bytes().skip(8).any(|byte| byte != b'0');
        let part: String = part.chars().chain("00000000".chars()).take(8).collect();
        let whole: u64 = whole.parse().map_err(|_too_long| not_money)?;
        let part: u64 = part.parse().map_err(|_too_long| not_money)?;
        whole
            .checked_mul(100_000_000)
            .and_then(|units| units.checked_add(part + u64::from(is_finer)))
            .map(Self)
            .ok_or(not_money)
    }
}

impl fmt::Display for Euros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded up to a hundredth of a cent: never told to be less than it is.
        let units = self.0.div_ceil(10_000);
        write!(f, "EUR {}.{:04}", units / 10_000, units % 10_000)
    }
}

/// Reads `--budget`.
pub(super) fn parse(text: &str) -> Result<Euros, String> {
    let euros: Euros = text.parse()?;
    if euros > Euros::MOST {
        return Err("is more than 1 euro, which is the most that a run may cost".to_owned());
    }
    Ok(euros)
}

/// The budget of a run.
#[derive(Debug)]
pub(super) struct Budget {
    limit: Euros,
    spent: Euros,
}

impl Budget {
    /// One that is whole.
    pub(super) fn new(limit: Euros) -> Self {
        Self {
            limit,
            spent: Euros::default(),
        }
    }

    /// Takes this much out before a call.
    ///
    /// # Errors
    /// In words, when there is not so much left. Then nothing is taken.
    pub(super) fn reserve(&mut self, worst: Euros) -> Result<(), String> {
        let after = self.spent.plus(worst);
        if after > self.limit {
            return Err(format!(
                "it could cost {worst}, and of the budget of {} {} is spent",
                self.limit, self.spent
            ));
        }
        self.spent = after;
        Ok(())
    }

    /// Puts the true price in the place of what was reserved. Without one the reserve counts as spent.
    pub(super) fn settle(&mut self, reserved: Euros, price: Option<Euros>) {
        if let Some(price) = price {
            self.spent = Euros(self.spent.0.saturating_sub(reserved.0)).plus(price);
        }
    }

    /// What was spent, as far as it is known, and reserved where it is not.
    pub(super) fn spent(&self) -> Euros {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn euros(text: &str) -> Euros {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_read_and_never_told_to_be_less() {
        assert_eq!(euros("1"), Euros::MOST);
        assert_eq!(euros("0.00833333"), Euros(833_333));
        assert_eq!(euros("0.000000001"), Euros(1));
        assert_eq!(euros("0.00833333").to_string(), "EUR 0.0084");
        assert_eq!(Euros::of(&json!(0.5)), Some(euros("0.5")));
        for text in ["", ".5", "-1", "1,5", "1e3", "99999999999999999999"] {
            assert!(text.parse::<Euros>().is_err(), "{text}");
        }
        assert!(parse("1.01").is_err());
    }

    #[test]
    fn nothing_goes_over_the_limit() {
        let mut budget = Budget::new(euros("1"));
        budget.reserve(euros("0.6")).unwrap();
        budget.reserve(euros("0.5")).unwrap_err();
        budget.settle(euros("0.6"), Some(euros("0.01")));
        budget.reserve(euros("0.5")).unwrap();
        // A call whose price nobody told has cost what was reserved.
        budget.settle(euros("0.5"), None);
        assert_eq!(budget.spent(), euros("0.51"));
        budget.reserve(euros("0.5")).unwrap_err();
    }
}
