//! What is read from webhooks, and who is believed to have sent them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use click_to_call::vonage::{
    hosts::TrustedHosts,
    signature::{Payload, SignatureCheck, Verdict},
    webhook,
};
use proptest::{collection::vec, prelude::*};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::inputs;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn check() -> SignatureCheck {
    SignatureCheck::new(
        &[SecretString::from(
            "a secret that no stranger knows, 40 letters",
        )],
        Some("abcd1234".into()),
        "aaaaaaaa-bbbb-cccc-dddd-0123456789ab".into(),
        TimeDelta::minutes(5),
    )
}

/// Whether anything in here can be what a caller typed.
fn has_digits(fields: &serde_json::Map<String, Value>) -> bool {
    fields.contains_key("dtmf") || fields.contains_key("body")
}

proptest! {
    #[test]
    fn an_event_is_kept_as_it_came(raw in inputs::bytes()) {
        let event = webhook::event(Payload::Body(&raw), None, NOW);
        let sum = digest(&SHA256, &event.raw);
        prop_assert_eq!(&event.digest[..], sum.as_ref());
        let with_digits = serde_json::from_slice::<serde_json::Map<String, Value>>(&raw)
            .is_ok_and(|fields| has_digits(&fields));
        if !with_digits {
            prop_assert_eq!(&event.raw, &raw);
        }
        prop_assert!(event.status.is_none_or(|status| status.chars().count() <= 64));
    }

    #[test]
    fn typed_digits_are_never_kept(mut fields in inputs::webhook(), digits in "[0-9#*]{9,20}") {
        fields.insert("dtmf".into(), serde_json::json!({"digits": digits, "timed_out": false}));
        let raw = Value::Object(fields).to_string();
        let event = webhook::event(Payload::Body(raw.as_bytes()), None, NOW);
        prop_assert!(!String::from_utf8(event.raw).unwrap().contains(&digits));
    }

    #[test]
    fn a_question_is_read_whatever_it_says(raw in inputs::bytes(), query in any::<String>()) {
        let _ = webhook::question(Payload::Body(&raw), None);
        let _ = webhook::question(Payload::Query(&query), None);
        let _ = webhook::asked(Payload::Query(&query), NOW);
    }

    #[test]
    fn no_stranger_is_believed(
        header in any::<String>(),
        claims in inputs::json(),
        algorithm in "(HS256|HS384|HS512|RS256|none|None|)",
        signature in vec(any::<u8>(), 0..64),
        raw in inputs::bytes(),
    ) {
        let encode = |value: &str| URL_SAFE_NO_PAD.encode(value);
        let forged = format!(
            "Bearer {}.{}.{}",
            encode(&format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#)),
            encode(&claims.to_string()),
            URL_SAFE_NO_PAD.encode(signature),
        );
        for authorization in [header.clone(), format!("Bearer {header}"), forged] {
            let verdict = check().verdict(Some(&authorization), Payload::Body(&raw), NOW);
            prop_assert!(matches!(verdict, Verdict::Wrong(_)), "{verdict:?}");
        }
    }

    #[test]
    fn only_vonages_hosts_are_sent_a_token(
        address in prop_oneof![
            any::<String>(),
            "(https?|ftp)://([a-z-]{0,9}@)?(api|ws|evil)(-us-3|-eu|)\\.(vonage|nexmo|evil)\\.com(\\.[a-z]{2,3})?(:[0-9]{1,5})?(/.{0,12})?",
        ],
    ) {
        let ours = Url::parse("https://api.nexmo.com").unwrap();
        let hosts = TrustedHosts::new(&ours, &ours);
        if let Some(trusted) = hosts.trust(&address) {
            prop_assert_eq!(trusted.scheme(), "https");
            prop_assert!(trusted.username().is_empty() && trusted.password().is_none());
            let host = trusted.host_str().unwrap();
            prop_assert!(host.ends_with(".vonage.com") || host.ends_with(".nexmo.com"), "{host}");
        }
    }
}
