//! `metrics.*`

use std::net::IpAddr;

use crate::settings::{
    Metrics, addresses,
    key::{
        Default::{Unset, Value},
        Key, Spec,
    },
    reader::{Noted, Reader},
};

static BIND: Key<IpAddr> = Key::new(
    "metrics.bind",
    &addresses::ip_address(),
    Value("\"127.0.0.1\""),
    "Address of the listener for GET /metrics. Whoever reaches it reads how busy the service is, so it is not for the \
     public.",
);

static PORT: Key<u16> = Key::new(
    "metrics.port",
    &addresses::port(),
    Unset("9464"),
    "Its port; 0 takes a free one. Unset: there are no metrics.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[&BIND.spec, &PORT.spec];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Metrics, Noted> {
    let bind = reader.value(&BIND);
    let port = reader.optional(&PORT);
    Ok(Metrics {
        bind: bind?,
        port: port?,
    })
}
