//! `webhooks.*`

use std::time::Duration;

use crate::settings::{
    SignaturePolicy, Webhooks,
    forms::{self, Choice},
    key::{Default::Value, Key, Spec},
    reader::{Noted, Reader},
};

impl Choice for SignaturePolicy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("required", Self::Required), ("off", Self::Off)];
}

static SIGNATURES: Key<SignaturePolicy> = Key::new(
    "webhooks.signatures",
    &forms::choice(),
    Value("\"required\""),
    "\"required\": only webhooks that Vonage has signed count. \"off\": anybody's do, and anybody can make the \
     telephone ring and falsify the record; for experiments only.",
);

static TOLERANCE: Key<Duration> = Key::new(
    "webhooks.tolerance_seconds",
    &forms::seconds::<10, 3_600>(),
    Value("300"),
    "How far the time of a signature may be off this machine's clock, either way.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&SIGNATURES.spec, &TOLERANCE.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Webhooks, Noted> {
    let signatures = reader.value(&SIGNATURES);
    let tolerance = reader.value(&TOLERANCE);
    Ok(Webhooks {
        signatures: signatures?,
        tolerance: tolerance?,
    })
}
