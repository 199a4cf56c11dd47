//! The names of things: what we make ourselves is random, what Vonage makes is text.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// A visitor: a browser or app session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VisitorId(pub Uuid);

impl VisitorId {
    /// A new random id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

/// One press of the button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallId(pub Uuid);

impl CallId {
    /// A new random id. Version 4 rather than 7: the id is part of an address, and its first bits
    /// are the support code, so none of it may be a clock.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The form that visitor, log and agent share: `K7-42QX`.
    ///
    /// 30 of the id's bits in Crockford's base 32, which has no I, L, O or U to misread or mishear.
    pub fn support_code(self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let bits = self.0.as_u128() >> 98;
        let mut code = String::with_capacity(7);
        for place in (0..6).rev() {
            let index = usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0);
            code.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
            if place == 4 {
                code.push('-');
            }
        }
        code
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for CallId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// Text that Vonage uses as a name for something: not empty, at most 128 visible ASCII characters.
fn is_wire_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

macro_rules! wire_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is, or nothing when no id looks like it (over 128
            /// characters, blanks, control characters).
            pub fn parse(text: &str) -> Option<Self> {
                is_wire_id(text).then(|| Self(text.to_owned()))
            }

            /// The id as Vonage spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

wire_id! {
    /// One end of a call: Vonage's `uuid`.
    ///
    /// Not a [`Uuid`]: telephone legs come as 32 hexadecimal digits without dashes.
    LegId
}

wire_id! {
    /// What joins the legs of a call: Vonage's `conversation_uuid`, `CON-` and a UUID.
    ConversationId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_code_is_the_start_of_the_id() {
        let id: CallId = "ffffffff-ffff-4fff-8fff-ffffffffffff".parse().unwrap();
        assert_eq!(id.support_code(), "ZZ-ZZZZ");
        let id: CallId = "00000000-0000-4000-8000-000000000000".parse().unwrap();
        assert_eq!(id.support_code(), "00-0000");
    }

    #[test]
    fn wire_ids_are_text_not_uuids() {
        assert!(LegId::parse("0779a56d002f1c7f47f82ef5fe84ab79").is_some());
        assert!(LegId::parse("").is_none());
        assert!(LegId::parse("a b").is_none());
        assert!(LegId::parse(&"a".repeat(129)).is_none());
    }
}
