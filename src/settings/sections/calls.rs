//! `calls.*`

use std::time::Duration;

use crate::settings::{
    Calls, TicketPolicy,
    forms::{self, Choice},
    key::{
        Default::{Unset, Value},
        Key, Spec,
    },
    reader::{Noted, Reader},
};

/// The lines that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::settings) enum LineName {
    Support,
}

impl Choice for LineName {
    const WORDS: &'static [(&'static str, Self)] = &[("support", Self::Support)];
}

impl Choice for TicketPolicy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("required", Self::Required), ("optional", Self::Optional)];
}

static TICKETS: Key<TicketPolicy> = Key::new(
    "calls.tickets",
    &forms::choice(),
    Value("\"required\""),
    "\"required\": a call needs a ticket that this service has just given to the visitor. \"optional\": users that are \
     known here may call without one, as older clients do.",
);

static TICKET_TTL: Key<Duration> = Key::new(
    "calls.ticket_seconds",
    &forms::seconds::<5, 60>(),
    Value("60"),
    "How long a ticket waits for its call.",
);

pub(in crate::settings) static PHONE_LINE: Key<LineName> = Key::new(
    "calls.phone_line",
    &forms::choice(),
    Unset("\"support\""),
    "The line for people who telephone the Vonage number themselves. Unset, they hear a refusal; set, anybody who \
     knows the number is connected at your expense.",
);

static RING: Key<Duration> = Key::new(
    "calls.ring_seconds",
    &forms::seconds::<5, 120>(),
    Value("30"),
    "How long the support desk rings.",
);

static LIMIT: Key<Duration> = Key::new(
    "calls.limit_seconds",
    &forms::seconds::<60, 7_200>(),
    Value("900"),
    "The longest call. Vonage ends it then.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[
    &TICKETS.spec,
    &TICKET_TTL.spec,
    &PHONE_LINE.spec,
    &RING.spec,
    &LIMIT.spec,
];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Calls, Noted> {
    let tickets = reader.value(&TICKETS);
    let ticket_ttl = reader.value(&TICKET_TTL);
    let phone_line = reader.optional(&PHONE_LINE);
    let ring = reader.value(&RING);
    let limit = reader.value(&LIMIT);
    Ok(Calls {
        tickets: tickets?,
        ticket_ttl: ticket_ttl?,
        phone_line: phone_line?.is_some(),
        ring: ring?,
        limit: limit?,
    })
}
