//! Inputs that look like the real thing and are not.

use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value};

/// Fields of Vonage's webhooks, those that mean something among them.
const FIELDS: &str = "(uuid|call_uuid|conversation_uuid|status|timestamp|from|from_user|to|custom_data|region_url\
                      |direction|duration|start_time|price|dtmf|speech|type|body|reason|recording_url|payload|[a-z]{1,8})";

/// Any JSON, a few levels deep, with numbers that are no phone numbers and text that is no text.
pub(crate) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(CON-)?[0-9a-f-]{0,40}".prop_map(Value::from),
        r#"\{"ticket":"[A-Za-z0-9_-]{0,40}"?\}?"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("(ticket|digits|digit|[a-z]{1,6})", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The body of a webhook: an object with some of Vonage's fields, holding anything.
pub(crate) fn webhook() -> impl Strategy<Value = Map<String, Value>> {
    vec((FIELDS, json()), 0..12).prop_map(|pairs| pairs.into_iter().collect())
}

/// Bytes: a webhook's, a webhook's with a few of them changed, or any.
pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        webhook(),
        vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    )
        .prop_map(|(fields, changes)| {
            let mut bytes = Value::Object(fields).to_string().into_bytes();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        });
    prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..256)]
}
