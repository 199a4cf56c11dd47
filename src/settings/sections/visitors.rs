//! `visitors.*`

use secrecy::SecretString;

use crate::settings::{
    UserMode, Visitors, addresses,
    forms::{self, Choice},
    key::{
        Default::{Unset, Value},
        Key, Spec,
    },
    reader::{Noted, Reader},
};

impl Choice for UserMode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("per-visitor", Self::PerVisitor), ("shared", Self::Shared)];
}

pub(in crate::settings) static USERS: Key<UserMode> = Key::new(
    "visitors.users",
    &forms::choice(),
    Value("\"per-visitor\""),
    "\"per-visitor\": every visitor is a Vonage user of their own. \"shared\": all are the user below; for \
     demonstrations only, because Vonage limits the sessions of one user and nobody can tell callers apart.",
);

pub(in crate::settings) static SHARED_USER: Key<String> = Key::new(
    "visitors.shared_user",
    &forms::user_name(),
    Value("\"supportuser\""),
    "The one user of \"shared\".",
);

static LEGACY_USERS: Key<Vec<String>> = Key::new(
    "visitors.legacy_users",
    &forms::user_names(),
    Value("[]"),
    "User names for which any page of an allowed origin gets a token from GET /auth/NAME, as older clients ask for \
     it. Their calls come without a ticket, so calls.tickets must be \"optional\" for them.",
);

static ALLOWED_ORIGINS: Key<Vec<String>> = Key::new(
    "visitors.allowed_origins",
    &addresses::browser_origins(),
    Value("[]"),
    "Other web sites that may show the button. The service's own pages always may.",
);

static SERVICE_KEYS: Key<Vec<SecretString>> = Key::new(
    "visitors.service_keys",
    &forms::secrets::<32>(),
    Value("[]"),
    "Bearers of these may ask GET /auth/NAME for any user: for your own servers. `openssl rand -base64 32` makes one.",
)
.secret();

static SESSIONS_PER_MINUTE: Key<u32> = Key::new(
    "visitors.sessions_per_minute",
    &forms::count::<1, 10_000>(),
    Value("30"),
    "New sessions a minute from one address (for IPv6: one /64).",
);

static READY_USERS: Key<u32> = Key::new(
    "visitors.ready_users",
    &forms::count::<0, 100>(),
    Value("5"),
    "Vonage users made ahead, so that a new visitor does not wait for Vonage; each is kept for a day at most. 0: none. \
     Only with users = \"per-visitor\".",
);

static SESSION_SECRET: Key<SecretString> = Key::new(
    "visitors.session_secret",
    &forms::secret::<32>(),
    Unset("\"…\""),
    "Signs tickets. Made once and kept in the database unless it is set.",
)
.variables(&["SESSION_SECRET"])
.secret();

pub(in crate::settings) static KEYS: &[&Spec] = &[
    &USERS.spec,
    &SHARED_USER.spec,
    &LEGACY_USERS.spec,
    &ALLOWED_ORIGINS.spec,
    &SERVICE_KEYS.spec,
    &SESSIONS_PER_MINUTE.spec,
    &READY_USERS.spec,
    &SESSION_SECRET.spec,
];

pub(in crate::settings) fn read(reader: &mut Reader) -> Result<Visitors, Noted> {
    let users = reader.value(&USERS);
    let shared_user = reader.value(&SHARED_USER);
    let legacy_users = reader.value(&LEGACY_USERS);
    let allowed_origins = reader.value(&ALLOWED_ORIGINS);
    let service_keys = reader.value(&SERVICE_KEYS);
    let sessions_per_minute = reader.value(&SESSIONS_PER_MINUTE);
    let ready_users = reader.value(&READY_USERS);
    let session_secret = reader.optional(&SESSION_SECRET);
    Ok(Visitors {
        users: users?,
        shared_user: shared_user?,
        legacy_users: legacy_users?,
        allowed_origins: allowed_origins?,
        service_keys: service_keys?,
        sessions_per_minute: sessions_per_minute?,
        ready_users: ready_users?,
        session_secret: session_secret?,
    })
}
