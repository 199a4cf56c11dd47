//! What is wrong between keys that are right one by one.

use secrecy::ExposeSecret;

use super::{
    DatabaseUrl, Line, Settings, SignaturePolicy, TicketPolicy, UserMode, Vonage, reader::Reader,
    sections::line,
};

/// The support desk must not be the number that leads to it: the call would go in circles, each round paid for.
pub(super) fn destination_is_not_ours(reader: &mut Reader, vonage: &Vonage, line: &Line) {
    if line.destination == vonage.number {
        reader.fault(
            &line::DESTINATION.spec,
            format!(
                "is {}, the same as vonage.number: the call would ring at itself",
                line.destination.as_str()
            ),
            "set DESTINATION_PHONE_NUMBER to the support desk's own telephone",
        );
    }
}

/// What works but is probably not meant, each with the values that don't go together.
pub(super) fn contradictions(settings: &Settings) -> Vec<String> {
    let Settings {
        http,
        token,
        visitors,
        calls,
        webhooks,
        vonage,
        database,
        ..
    } = settings;
    let mut warnings = Vec::new();
    if webhooks.signatures == SignaturePolicy::Off {
        let public = match http.public_url.scheme() {
            "https" => format!(
                ", and {} can be reached by anybody",
                http.public_url.origin().ascii_serialization()
            ),
            _ => String::new(),
        };
        warnings.push(format!(
            "WEBHOOKS ARE NOT CHECKED: webhooks.signatures is \"off\"{public}. Whoever knows the address can make the \
             telephone ring at your expense and falsify the record of calls; set it to \"required\" and set \
             VONAGE_SIGNATURE_SECRET"
        ));
    }
    if let [current, previous] = vonage.signature_secrets.as_slice()
        && current.expose_secret() == previous.expose_secret()
    {
        warnings.push(
            "vonage.previous_signature_secret is the same as vonage.signature_secret; take it out"
                .to_owned(),
        );
    }
    if visitors.users == UserMode::Shared {
        warnings.push(format!(
            "visitors.users is \"shared\": all visitors are the user {}, so they can't be told apart and Vonage's limit \
             of sessions per user holds for all of them together; for demonstrations only",
            visitors.shared_user
        ));
    }
    if let DatabaseUrl::Postgres(url) = &database.url
        && let Some(mode) = url.unproven_ssl_mode()
    {
        warnings.push(format!(
            "database.url leads over a network to {}, and its sslmode is {mode}: whoever stands between can pretend to be \
             the database; set sslmode=verify-full and, for an authority of your own, sslrootcert",
            url.server()
        ));
    }
    if !visitors.legacy_users.is_empty() && calls.tickets == TicketPolicy::Required {
        warnings.push(format!(
            "visitors.legacy_users is {}, but calls.tickets is \"required\": these users get a token and every call of \
             theirs is refused; set calls.tickets to \"optional\"",
            visitors.legacy_users.join(", ")
        ));
    }
    if token.ttl < calls.limit {
        warnings.push(format!(
            "token.ttl_seconds is {}, less than calls.limit_seconds, {}: a token can end during a call; the page renews \
             it, other clients may not",
            token.ttl.as_secs(),
            calls.limit.as_secs()
        ));
    }
    if calls.ring >= calls.limit {
        warnings.push(format!(
            "calls.ring_seconds is {}, not less than calls.limit_seconds, {}",
            calls.ring.as_secs(),
            calls.limit.as_secs()
        ));
    }
    warnings
}
