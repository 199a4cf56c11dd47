//! The ticket: our permission for one call, which travels through the visitor's browser and Vonage
//! and comes back in the answer webhook.
//!
//! It proves that we wrote this call's id for this user. Whether it is still good (time, first use)
//! is a matter of the call itself: [`super::store::Redemption`].

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::ids::CallId;

const ID_BYTES: usize = 16;
/// 128 bits of an HMAC-SHA-256: nobody can try more than a few a second, and only while the call is young.
const MAC_BYTES: usize = 16;

/// Writes and reads tickets.
#[derive(Clone)]
pub struct TicketSeal(hmac::Key);

impl TicketSeal {
    /// A seal under the server's session secret. The secret itself may serve other purposes too:
    /// the key is derived for this one.
    pub fn new(session_secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, session_secret);
        let derived = hmac::sign(&root, b"click-to-call ticket v1");
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// The ticket of this call for this Vonage user: 43 characters that survive any encoding.
    pub fn seal(&self, call: CallId, user: &str) -> String {
        let mut bytes = [0; ID_BYTES + MAC_BYTES];
        let (id, mac) = bytes.split_at_mut(ID_BYTES);
        id.copy_from_slice(call.0.as_bytes());
        let tag = self.tag(call, user);
        for (place, byte) in mac.iter_mut().zip(tag.as_ref()) {
            *place = *byte;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The call that a ticket claims to be for; nothing is proven yet. `None`: not a ticket.
    pub fn claimed_call(ticket: &str) -> Option<CallId> {
        let bytes = Self::decode(ticket)?;
        Uuid::from_slice(bytes.get(..ID_BYTES)?).ok().map(CallId)
    }

    /// Whether this is the ticket of this call and user.
    pub fn is_genuine(&self, ticket: &str, call: CallId, user: &str) -> bool {
        let expected = self.seal(call, user);
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), ticket.as_bytes())
            .is_ok()
    }

    fn decode(ticket: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        (bytes.len() == ID_BYTES + MAC_BYTES).then_some(bytes)
    }

    fn tag(&self, call: CallId, user: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(call.0.as_bytes());
        context.update(user.as_bytes());
        context.sign()
    }
}

impl fmt::Debug for TicketSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSeal([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ticket_is_good_for_its_call_and_user_only() {
        let seal = TicketSeal::new(&[7; 32]);
        let (call, other) = (CallId::random(), CallId::random());
        let ticket = seal.seal(call, "visitor-a");
        assert_eq!(TicketSeal::claimed_call(&ticket), Some(call));
        assert!(seal.is_genuine(&ticket, call, "visitor-a"));
        assert!(!seal.is_genuine(&ticket, call, "visitor-b"));
        assert!(!seal.is_genuine(&ticket, other, "visitor-a"));
        assert!(!TicketSeal::new(&[8; 32]).is_genuine(&ticket, call, "visitor-a"));
    }

    proptest! {
        #[test]
        fn no_text_but_the_ticket_itself_is_genuine(text in "[A-Za-z0-9_-]{0,64}") {
            let seal = TicketSeal::new(&[7; 32]);
            let call = TicketSeal::claimed_call(&text).unwrap_or(CallId(Uuid::nil()));
            prop_assert!(!seal.is_genuine(&text, call, "visitor-a"));
        }

        #[test]
        fn every_flipped_character_spoils_it(place in 0_usize..43) {
            let seal = TicketSeal::new(&[7; 32]);
            let call = CallId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
            let mut ticket = seal.seal(call, "visitor-a").into_bytes();
            ticket[place] = if ticket[place] == b'A' { b'B' } else { b'A' };
            prop_assert!(!seal.is_genuine(&String::from_utf8(ticket).unwrap(), call, "visitor-a"));
        }
    }
}
