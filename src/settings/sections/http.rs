//! `http.*`

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;
use url::Url;

use crate::settings::{
    Http,
    addresses::{self, is_loopback},
    forms,
    key::{
        Default::{Unset, Value},
        Key, Spec,
    },
    reader::{Noted, Reader},
};

static BIND: Key<IpAddr> = Key::new(
    "http.bind",
    &addresses::ip_address(),
    Value("\"127.0.0.1\""),
    "Address to listen on; 0.0.0.0 is every IPv4 address of this machine, :: every address. The container image \
     sets 0.0.0.0.",
);

static PORT: Key<u16> = Key::new(
    "http.port",
    &addresses::port(),
    Value("3000"),
    "Port to listen on; 0 takes a free one.",
)
.variables(&["PORT"]);

pub(in crate::settings) static PUBLIC_URL: Key<Url> = Key::new(
    "http.public_url",
    &addresses::origin(),
    Unset("\"https://calls.example.com\""),
    "Address under which visitors and Vonage reach this service, without a path. Default: http://localhost and the \
     port above, which is enough to look at the page on this machine, but not for calls: browsers give the \
     microphone to https pages only, and Vonage can't reach a localhost.",
)
.variables(&["PUBLIC_URL"]);

static TRUSTED_PROXIES: Key<Vec<IpNet>> = Key::new(
    "http.trusted_proxies",
    &addresses::networks(),
    Value("[]"),
    "Reverse proxies whose X-Forwarded-For is believed. From everybody else the address of the connection counts.",
);

static BODY_TIMEOUT: Key<Duration> = Key::new(
    "http.body_timeout_seconds",
    &forms::seconds::<1, 120>(),
    Value("10"),
    "A request's body must be here within this time.",
);

static SHUTDOWN_TIMEOUT: Key<Duration> = Key::new(
    "http.shutdown_timeout_seconds",
    &forms::seconds::<0, 300>(),
    Value("10"),
    "How long a stop waits for requests under way, after http.drain_seconds and before up to 5 seconds for the last \
     hang-ups. Give the process the sum of all three before it is killed.",
);

static DRAIN: Key<Duration> = Key::new(
    "http.drain_seconds",
    &forms::seconds::<0, 120>(),
    Value("0"),
    "How long a stop goes on serving while /readyz already says no, so that a load balancer can send its visitors \
     elsewhere first: longer than it takes to notice. The container image sets 3.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[
    &BIND.spec,
    &PORT.spec,
    &PUBLIC_URL.spec,
    &TRUSTED_PROXIES.spec,
    &BODY_TIMEOUT.spec,
    &SHUTDOWN_TIMEOUT.spec,
    &DRAIN.spec,
];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Http, Noted> {
    let bind = reader.value(&BIND);
    let port = reader.value(&PORT);
    let public_url = reader.value_or(
        &PUBLIC_URL,
        || Url::parse(&format!("http://localhost:{}", port?)).map_err(|_error| Noted),
        "follows from http.port",
    );
    if let Some(url) = public_url
        .as_ref()
        .ok()
        .filter(|url| url.scheme() != "https")
    {
        let reach = if is_loopback(url) {
            "only browsers on this machine can use the microphone there, and Vonage can't reach it"
        } else {
            "browsers give the microphone to https pages only"
        };
        reader.warn(format!(
            "http.public_url is {}, which is not https: {reach}; set PUBLIC_URL",
            url.origin().ascii_serialization()
        ));
    }
    let trusted_proxies = reader.value(&TRUSTED_PROXIES);
    let body_timeout = reader.value(&BODY_TIMEOUT);
    let shutdown_timeout = reader.value(&SHUTDOWN_TIMEOUT);
    let drain = reader.value(&DRAIN);
    Ok(Http {
        bind: bind?,
        port: port?,
        public_url: public_url?,
        trusted_proxies: trusted_proxies?,
        body_timeout: body_timeout?,
        shutdown_timeout: shutdown_timeout?,
        drain: drain?,
    })
}
