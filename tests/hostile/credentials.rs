//! Sessions, tokens and keys that somebody made up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use click_to_call::{
    cli::{Handles, inspect},
    domain::{phone_number::PhoneNumber, visitor::SessionToken},
    settings::Sources,
    vonage::key::ApplicationKey,
};
use proptest::{collection::vec, prelude::*};

use crate::inputs;

proptest! {
    #[test]
    fn a_session_is_one_of_ours_or_none(text in prop_oneof![any::<String>(), "[A-Za-z0-9_=-]{40,46}"]) {
        if let Some(token) = SessionToken::parse(&text) {
            prop_assert_eq!(token.expose(), text.as_str());
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        }
    }

    #[test]
    fn any_text_can_be_inspected(
        text in any::<String>(),
        header in inputs::json(),
        claims in inputs::json(),
        signature in vec(any::<u8>(), 0..300),
    ) {
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.{}", encode(&header), encode(&claims), URL_SAFE_NO_PAD.encode(signature));
        for token in [text, token] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut handles = Handles { input: &mut token.as_bytes(), out: &mut out, err: &mut err };
            let args = inspect::InspectArgs {
                token: "-".into(),
                ours: false,
            };
            let _ = inspect::run(&args, &Sources::default, DateTime::UNIX_EPOCH, &mut handles);
            let out = String::from_utf8(out).unwrap();
            prop_assert!(
                out.chars().all(|c| c == '\n' || !c.is_control()),
                "a terminal would obey this: {out:?}"
            );
        }
    }

    #[test]
    fn a_key_is_good_or_refused_in_words(text in any::<String>(), body in "[A-Za-z0-9+/=\n ]{0,400}") {
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY"] {
            let pem = format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
            let fault = ApplicationKey::parse(&pem).unwrap_err().to_string();
            prop_assert!(body.trim().len() < 24 || !fault.contains(body.trim()), "{fault}");
        }
        prop_assert!(ApplicationKey::parse(&text).is_err());
    }

    #[test]
    fn a_phone_number_is_digits(text in "\\PC{0,24}") {
        if let Ok(number) = text.parse::<PhoneNumber>() {
            prop_assert!(number.as_str().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
