//! Why Vonage did not do what the account's owner asked for, and what to do about it.

use reqwest::StatusCode;
use serde_json::Value;

use super::request::Credentials;
use crate::vonage::jwt::MintError;

/// Something that Vonage could not be brought to do.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}: {cause}")]
pub struct AccountError {
    /// What was asked for, so that it ends "could not …".
    pub doing: String,
    /// Why it was not done. The sentence has it already, so that it is no source: a chain would say it twice.
    pub cause: Cause,
}

/// The causes, each with its cure.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// No answer, or none in time.
    #[error(
        "{host} can't be reached ({reason}); check this machine's network, and that a firewall or proxy lets it out"
    )]
    Unreachable {
        /// Scheme, host and port.
        host: String,
        /// The chain of causes, without an address's path.
        reason: String,
    },
    /// Key or secret are wrong.
    #[error(
        "Vonage does not accept the API key and secret; copy both again into VONAGE_API_KEY and VONAGE_API_SECRET from \
         the dashboard (https://dashboard.nexmo.com/settings)"
    )]
    Credentials,
    /// The application's token was refused.
    #[error(
        "Vonage does not accept the application's token; VONAGE_APPLICATION_ID and the private key must belong to the \
         same application (`click-to-call app show` says what Vonage has), and this machine's clock must be right"
    )]
    Token,
    /// The account is not allowed to.
    #[error(
        "the account is not allowed to ({detail}); look in the dashboard (https://dashboard.nexmo.com) whether it is \
         verified and has credit, or ask Vonage's support"
    )]
    Forbidden {
        /// Vonage's words.
        detail: String,
    },
    /// There is too little credit.
    #[error(
        "the account has too little credit; `click-to-call balance` shows it, https://dashboard.nexmo.com tops it up"
    )]
    LowBalance,
    /// Not there, or another account's.
    #[error("{detail}; an id of another account counts as not there")]
    NotFound {
        /// Vonage's words.
        detail: String,
    },
    /// The name is another user's.
    #[error("there is one of that name already")]
    NameTaken,
    /// Vonage finds something wrong with what was sent.
    #[error("Vonage finds fault with it: {faults}")]
    Invalid {
        /// Field by field, or Vonage's words.
        faults: String,
    },
    /// The older API's "method failed": it does not say why.
    #[error("Vonage refuses it ({detail}) and does not say why. {advice}")]
    Refused {
        /// Vonage's words.
        detail: String,
        /// The usual reasons, and what to do.
        advice: &'static str,
    },
    /// Too many requests, even after waiting.
    #[error(
        "Vonage takes no more requests for now; {}, and run the same command again: what is done already is not done twice",
        .retry_after.map_or_else(|| "wait a minute".to_owned(), |seconds| format!("wait {seconds} seconds"))
    )]
    TooManyRequests {
        /// Seconds after which Vonage says to try again.
        retry_after: Option<u64>,
    },
    /// A fault at Vonage's side.
    #[error(
        "Vonage has a fault of its own (it answers {status}), nothing is wrong here; try again in a few minutes, and see \
         https://vonageapi.statuspage.io"
    )]
    ServerFault {
        /// The HTTP status.
        status: u16,
    },
    /// The request may have been carried out, although its answer is missing.
    #[error(
        "{what} before Vonage's answer was here, so that it may have been done all the same; run the same command again: it \
         looks first"
    )]
    InDoubt {
        /// What happened.
        what: String,
    },
    /// No token could be made to ask with.
    #[error("no token could be signed with the application's key: {0}")]
    Unsigned(MintError),
    /// An answer that is not of Vonage's form.
    #[error(
        "{host} answers something else than Vonage does ({what}); check VONAGE_API_URL and VONAGE_REST_URL, and whether a \
         proxy stands between"
    )]
    Unexpected {
        /// Scheme, host and port.
        host: String,
        /// What came.
        what: String,
    },
}

/// The cause of a refusal, read from status and body. Vonage has three forms of error: problem-like (`title`, `detail`,
/// `invalid_parameters`), the same with a `code`, and `error-code` with a label.
pub(super) fn cause_of(
    host: String,
    status: StatusCode,
    retry_after: Option<u64>,
    body: &Value,
    credentials: &Credentials<'_>,
) -> Cause {
    let kind = text(body, "type").unwrap_or_default();
    if kind.ends_with("#low-balance") || status == StatusCode::PAYMENT_REQUIRED {
        return Cause::LowBalance;
    }
    // The same words for a status, whichever form it comes in.
    let detail = || {
        ["detail", "error-code-label", "title", "error_title"]
            .iter()
            .find_map(|key| text(body, key))
            .map_or_else(|| format!("HTTP {}", status.as_u16()), |text| tidy(&text))
    };
    match status.as_u16() {
        401 => match credentials {
            Credentials::Account { .. } => Cause::Credentials,
            Credentials::Application { .. } => Cause::Token,
        },
        403 => Cause::Forbidden { detail: detail() },
        404 => Cause::NotFound { detail: detail() },
        409 => Cause::NameTaken,
        420 => Cause::Refused {
            detail: detail(),
            advice: "",
        },
        429 => Cause::TooManyRequests { retry_after },
        400 | 405..=422 => Cause::Invalid {
            faults: faults(body).unwrap_or_else(detail),
        },
        500..=599 => Cause::ServerFault {
            status: status.as_u16(),
        },
        other => Cause::Unexpected {
            host,
            what: format!("HTTP {other}"),
        },
    }
}

fn faults(body: &Value) -> Option<String> {
    let faults: Vec<String> = body
        .get("invalid_parameters")?
        .as_array()?
        .iter()
        .filter_map(|fault| {
            let name = text(fault, "name")?;
            let reason = text(fault, "reason").unwrap_or_default();
            // The users' side repeats the name in the reason: `"name" must be a string`.
            let reason = reason
                .strip_prefix(&format!("\"{name}\" "))
                .unwrap_or(&reason)
                .to_owned();
            Some(tidy(&format!("{name} {reason}")))
        })
        .collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}

fn text(body: &Value, key: &str) -> Option<String> {
    body.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Words from elsewhere for a message: on one line, of bounded length, without the full stop that ours goes on from.
fn tidy(text: &str) -> String {
    let text: String = text
        .chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim().trim_end_matches('.').to_owned()
}
