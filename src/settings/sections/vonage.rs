//! `vonage.*`

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    domain::phone_number::PhoneNumber,
    settings::{
        PrivateKeySource, Region, SignaturePolicy, Vonage,
        addresses::{self, is_loopback},
        forms::{self, Choice},
        key::{
            Default::{Required, Unset, Value},
            Key, Spec,
        },
        reader::{Noted, Reader},
    },
};

/// A shorter signature secret is worth a warning: HS256 wants a key as long as its hash (RFC 7518 section 3.2).
const SIGNATURE_SECRET_BYTES: usize = 32;

impl Choice for Region {
    const WORDS: &'static [(&'static str, Self)] =
        &[("us", Self::Us), ("eu", Self::Eu), ("ap", Self::Ap)];
}

pub(in crate::settings) static APPLICATION_ID: Key<String> = Key::new(
    "vonage.application_id",
    &forms::uuid(),
    Required("\"78d335fa-323d-0114-9c3d-d6f0d48968cf\""),
    "The Vonage application's id: dashboard, Applications, your application.",
)
.variables(&["VONAGE_APPLICATION_ID"]);

pub(in crate::settings) static PRIVATE_KEY: Key<SecretString> = Key::new(
    "vonage.private_key",
    &forms::pem(),
    Unset("\"-----BEGIN PRIVATE KEY-----\\n…\""),
    "The application's private key itself (RSA, 2048 to 4096 bits), where there is no file for it. The two characters \
     \\n stand for a line break. Never in a file that goes into version control.",
)
.variables(&["VONAGE_PRIVATE_KEY"])
.secret()
.without_file();

pub(in crate::settings) static PRIVATE_KEY_FILE: Key<PathBuf> = Key::new(
    "vonage.private_key_file",
    &forms::path(),
    Value("\"private.key\""),
    "The file with the application's private key; `click-to-call keygen` makes one. Only the service should be \
     able to read it (mode 600 where it is the owner, 640 where it reads by the group; `doctor` says which), and nobody \
     but the owner may be able to write it. Counts when vonage.private_key is not set.",
)
.variables(&["VONAGE_PRIVATE_KEY_FILE"]);

pub(in crate::settings) static NUMBER: Key<PhoneNumber> = Key::new(
    "vonage.number",
    &forms::phone_number(),
    Required("\"447700900000\""),
    "The Vonage number that is linked to the application. The support desk sees it as the caller.",
)
.variables(&["VONAGE_NUMBER", "NEXMO_NUMBER", "SUPPORT_PHONE_NUMBER"]);

pub(in crate::settings) static SIGNATURE_SECRET: Key<SecretString> = Key::new(
    "vonage.signature_secret",
    &forms::secret::<1>(),
    Required("\"…\""),
    "The account's signature secret, with which Vonage signs its webhooks: dashboard, API settings. Required unless \
     webhooks.signatures is \"off\". Shorter than 32 characters is warned about.",
)
.variables(&["VONAGE_SIGNATURE_SECRET"])
.secret();

static PREVIOUS_SIGNATURE_SECRET: Key<SecretString> = Key::new(
    "vonage.previous_signature_secret",
    &forms::secret::<1>(),
    Unset("\"…\""),
    "The signature secret before a change, which is taken too. Take it out when the change is over.",
)
.variables(&["VONAGE_PREVIOUS_SIGNATURE_SECRET"])
.secret();

pub(in crate::settings) static API_KEY: Key<String> = Key::new(
    "vonage.api_key",
    &forms::word(),
    Unset("\"abcd1234\""),
    "The account's API key. When it is set, webhooks of other accounts are refused.",
)
.variables(&["VONAGE_API_KEY"]);

pub(in crate::settings) static API_SECRET: Key<SecretString> = Key::new(
    "vonage.api_secret",
    &forms::secret::<1>(),
    Unset("\"…\""),
    "The account's API secret.",
)
.variables(&["VONAGE_API_SECRET"])
.secret();

pub(in crate::settings) static REGION: Key<Region> = Key::new(
    "vonage.region",
    &forms::choice(),
    Value("\"us\""),
    "Where users and calls live: us (Americas), eu (Europe) or ap (Asia and the Pacific). The four addresses below \
     follow it.",
)
.variables(&["VONAGE_REGION"]);

pub(in crate::settings) static API_URL: Key<Url> = Key::new(
    "vonage.api_url",
    &addresses::origin(),
    Unset("\"https://api-us-3.vonage.com\""),
    "Host of the Users and Voice API. Default: https://api-us-3.vonage.com, api-eu-3 or api-ap-3 by region.",
)
.variables(&["VONAGE_API_URL"]);

pub(in crate::settings) static REST_URL: Key<Url> = Key::new(
    "vonage.rest_url",
    &addresses::origin(),
    Value("\"https://rest.nexmo.com\""),
    "Host of the account API (numbers, balance).",
)
.variables(&["VONAGE_REST_URL"]);

static CLIENT_API_URL: Key<Url> = Key::new(
    "vonage.client_api_url",
    &addresses::origin(),
    Unset("\"https://api-us.vonage.com\""),
    "Host that the page's SDK talks to. Default: https://api-us.vonage.com, api-eu or api-ap by region.",
)
.variables(&["VONAGE_CLIENT_API_URL"]);

static WEBSOCKET_URL: Key<Url> = Key::new(
    "vonage.websocket_url",
    &addresses::origin(),
    Unset("\"https://ws-us.vonage.com\""),
    "Host of the page's socket, written with https. Default: https://ws-us.vonage.com, ws-eu or ws-ap by region.",
)
.variables(&["VONAGE_WEBSOCKET_URL"]);

pub(in crate::settings) static USERS_PER_SECOND: Key<u32> = Key::new(
    "vonage.users_per_second",
    &forms::count::<1, 100>(),
    Value("5"),
    "Requests a second to the Users API. Vonage publishes no limit for it; more than this is held back.",
);

pub(in crate::settings) static KEYS: &[&Spec] = &[
    &APPLICATION_ID.spec,
    &PRIVATE_KEY.spec,
    &PRIVATE_KEY_FILE.spec,
    &NUMBER.spec,
    &SIGNATURE_SECRET.spec,
    &PREVIOUS_SIGNATURE_SECRET.spec,
    &API_KEY.spec,
    &API_SECRET.spec,
    &REGION.spec,
    &API_URL.spec,
    &REST_URL.spec,
    &CLIENT_API_URL.spec,
    &WEBSOCKET_URL.spec,
    &USERS_PER_SECOND.spec,
];

pub(in crate::settings) fn read(
    reader: &mut Reader,
    private_key: Result<PrivateKeySource, Noted>,
    signatures: Result<SignaturePolicy, Noted>,
) -> Result<Vonage, Noted> {
    let application_id = reader.value(&APPLICATION_ID);
    let number = reader.value(&NUMBER);
    let signature_secrets = read_signature_secrets(reader, signatures);
    let api_key = reader.optional(&API_KEY);
    let api_secret = reader.optional(&API_SECRET);
    let region = reader.value(&REGION);
    let api_url = read_api_url(reader, region);
    let rest_url = reader.value(&REST_URL);
    let client_api_url = read_client_api_url(reader, region);
    let websocket_url = host(reader, &WEBSOCKET_URL, region, |name| format!("ws-{name}"));
    let users_per_second = reader.value(&USERS_PER_SECOND);
    let vonage = Vonage {
        application_id: application_id?,
        private_key: private_key?,
        number: number?,
        signature_secrets: signature_secrets?,
        api_key: api_key?,
        api_secret: api_secret?,
        region: region?,
        api_url: api_url?,
        rest_url: rest_url?,
        client_api_url: client_api_url?,
        websocket_url: websocket_url?,
        users_per_second: users_per_second?,
    };
    for (spec, url) in [
        (&API_URL.spec, &vonage.api_url),
        (&REST_URL.spec, &vonage.rest_url),
        (&CLIENT_API_URL.spec, &vonage.client_api_url),
        (&WEBSOCKET_URL.spec, &vonage.websocket_url),
    ] {
        if url.scheme() != "https" && !is_loopback(url) {
            reader.warn(format!(
                "{} is {}, not https: tokens go over the network for anybody to read",
                spec.name,
                url.origin().ascii_serialization()
            ));
        }
    }
    Ok(vonage)
}

/// Host of the Users and Voice API.
pub(in crate::settings) fn read_api_url(
    reader: &mut Reader,
    region: Result<Region, Noted>,
) -> Result<Url, Noted> {
    host(reader, &API_URL, region, |name| format!("api-{name}-3"))
}

/// Host that the page's SDK talks to.
pub(in crate::settings) fn read_client_api_url(
    reader: &mut Reader,
    region: Result<Region, Noted>,
) -> Result<Url, Noted> {
    host(reader, &CLIENT_API_URL, region, |name| {
        format!("api-{name}")
    })
}

/// Where the private key is. Read apart, so that the key can be judged even when other settings are wrong.
pub(in crate::settings) fn read_private_key(
    reader: &mut Reader,
) -> Result<PrivateKeySource, Noted> {
    match reader.optional(&PRIVATE_KEY)? {
        Some(text) => {
            reader.optional(&PRIVATE_KEY_FILE)?;
            Ok(PrivateKeySource::Text(text))
        }
        None => reader.value(&PRIVATE_KEY_FILE).map(PrivateKeySource::File),
    }
}

fn read_signature_secrets(
    reader: &mut Reader,
    signatures: Result<SignaturePolicy, Noted>,
) -> Result<Vec<SecretString>, Noted> {
    let current = reader.optional(&SIGNATURE_SECRET)?;
    let previous = reader.optional(&PREVIOUS_SIGNATURE_SECRET)?;
    if matches!(signatures, Ok(SignaturePolicy::Off)) {
        if current.is_some() || previous.is_some() {
            reader.warn(
                "webhooks.signatures is \"off\", so vonage.signature_secret is not used; take \"off\" out to check \
                 signatures",
            );
        }
        return Ok(Vec::new());
    }
    if current.is_none() && signatures.is_ok() {
        reader.fault(
            &SIGNATURE_SECRET.spec,
            "is not set, but webhooks.signatures is \"required\"",
            "set VONAGE_SIGNATURE_SECRET to the account's signature secret (dashboard, API settings), or \
             webhooks.signatures to \"off\" for experiments",
        );
        return Err(Noted);
    }
    for (spec, secret) in [
        (&SIGNATURE_SECRET.spec, &current),
        (&PREVIOUS_SIGNATURE_SECRET.spec, &previous),
    ] {
        let length = secret
            .as_ref()
            .map_or(usize::MAX, |s| s.expose_secret().len());
        if length < SIGNATURE_SECRET_BYTES {
            reader.warn(format!(
                "{} has {length} characters; at least {SIGNATURE_SECRET_BYTES} make it hard to guess (dashboard, API \
                 settings)",
                spec.name
            ));
        }
    }
    Ok(current.into_iter().chain(previous).collect())
}

fn host(
    reader: &mut Reader,
    key: &'static Key<Url>,
    region: Result<Region, Noted>,
    name: impl FnOnce(&str) -> String,
) -> Result<Url, Noted> {
    reader.value_or(
        key,
        || {
            let region = match region? {
                Region::Us => "us",
                Region::Eu => "eu",
                Region::Ap => "ap",
            };
            Url::parse(&format!("https://{}.vonage.com", name(region))).map_err(|_error| Noted)
        },
        "follows from vonage.region",
    )
}
