//! `telemetry.*`

use url::Url;

use crate::settings::{
    Telemetry, addresses,
    key::{Default::Unset, Key, Spec},
    reader::{Noted, Reader},
};

static OTLP_ENDPOINT: Key<Url> = Key::new(
    "telemetry.otlp_endpoint",
    &addresses::origin(),
    Unset("\"http://localhost:4318\""),
    "The OpenTelemetry collector that gets a trace of each request, by OTLP over HTTP. Only in a program that was \
     built with the feature otlp. Unset: no traces.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&OTLP_ENDPOINT.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Telemetry, Noted> {
    let otlp_endpoint = reader.optional(&OTLP_ENDPOINT)?;
    if otlp_endpoint.is_some() && !cfg!(feature = "otlp") {
        reader.warn(
            "telemetry.otlp_endpoint is set, but this program was built without traces: build it with \
             `cargo build --release --features otlp`, or leave the key out"
                .to_owned(),
        );
    }
    Ok(Telemetry { otlp_endpoint })
}
