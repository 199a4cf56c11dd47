//! What is wrong with the settings, in words, all of it at once.

use std::fmt;

use super::key::Spec;
use crate::vonage::key::KeyError;

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, file or variable it is about.
    pub subject: String,
    /// What is wrong, with the value unless it is a secret, and where it came from.
    pub problem: String,
    /// The form that is wanted, or what to do; empty when the problem says it.
    pub remedy: String,
}

/// All faults of the settings; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl Fault {
    /// A fault that has no key's value to blame.
    pub(super) fn new(
        subject: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A required key without a value.
    pub(super) fn missing(spec: &Spec) -> Self {
        Self::new(
            spec.name,
            "is not set",
            format!(
                "expected {}; set {}",
                (spec.expected)(),
                spec.where_to_set()
            ),
        )
    }

    /// An application's key that can't be used.
    pub(super) fn of_key(error: &KeyError) -> Self {
        Self::new(&error.place, error.fault.to_string(), "")
    }

    /// A value that can't be taken. It is repeated unless the key is secret.
    pub(super) fn wrong(spec: &Spec, value: &str, origin: &str, reason: &str) -> Self {
        let shown = if spec.secret {
            String::new()
        } else {
            format!("{} ", quote(value))
        };
        Self::new(
            spec.name,
            format!("{shown}({origin}) {reason}"),
            format!("expected {}", (spec.expected)()),
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("there is 1 fault in the settings")?,
            count => write!(f, "there are {count} faults in the settings")?,
        }
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// A value for a message: on one line, not endless, and without the password that may stand in an address or
/// the key that may have been pasted into the wrong place.
pub(super) fn quote(value: &str) -> String {
    const LONGEST: usize = 80;
    let may_be_secret = ["-----BEGIN", "password"]
        .iter()
        .any(|word| value.contains(word));
    if may_be_secret || value.contains('\n') || value.chars().count() > LONGEST {
        return format!("a text of {} characters", value.chars().count());
    }
    let shown = match (value.find("//"), value.rfind('@')) {
        (Some(start), Some(end)) if start + 2 < end => {
            let (scheme, _) = value.split_at(start + 2);
            let (_, host) = value.split_at(end);
            format!("{scheme}[redacted]{host}")
        }
        _ => value.to_owned(),
    };
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_without_what_may_be_secret() {
        assert_eq!(quote("a\u{1b}[31m"), r#""a\u{1b}[31m""#);
        assert_eq!(
            quote("postgres://ann:canary@db/calls"),
            r#""postgres://[redacted]@db/calls""#
        );
        assert_eq!(
            quote("postgres://db/calls?password=canary"),
            "a text of 35 characters"
        );
        assert_eq!(
            quote("-----BEGIN PRIVATE KEY-----"),
            "a text of 27 characters"
        );
        assert_eq!(quote(&"é".repeat(81)), "a text of 81 characters");
    }
}
