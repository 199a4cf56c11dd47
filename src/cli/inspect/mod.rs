//! `token inspect`: what a token says, and why Vonage (or this service) would refuse it.
//!
//! The rules are Vonage's: <https://developer.vonage.com/en/getting-started/concepts/authentication>. With `--ours` those
//! of this installation are added: its key, its application, its signature secret.

mod ours;
mod words;

use std::io::Read;

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::{
    ours::Ours,
    words::{moment, purpose, shown, span},
};
use super::{Handles, Outcome};
use crate::settings::{Sources, acl};

/// No token is longer; a wrong file must not fill the memory.
const MAX_BYTES: u64 = 64 * 1024;
/// Vonage's bounds of a life, and the life of a token without `exp`.
const SHORTEST: i64 = 30;
const LONGEST: i64 = 24 * 60 * 60;
const WITHOUT_EXP: i64 = 15 * 60;
/// A clock that is this far off is worth a word.
const CLOCK_SKEW: i64 = 60;

/// Arguments of `token inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The token; without it, or as -, it is read from standard input and stays out of the shell's history
    #[arg(value_name = "TOKEN", default_value = "-", hide_default_value = true)]
    pub token: String,

    /// Judge it by this installation's settings as well: its key, application and signature secret
    #[arg(long)]
    pub ours: bool,
}

/// Runs `token inspect`. A token with something wrong is told by [`Outcome::Failed`].
///
/// # Errors
/// When there is no token to read, or the settings that it is to be judged by have faults.
pub fn run(
    args: &InspectArgs,
    sources: &dyn Fn() -> Sources,
    now: DateTime<Utc>,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let mut text = args.token.clone();
    if text == "-" {
        text.clear();
        handles
            .input
            .take(MAX_BYTES)
            .read_to_string(&mut text)
            .context("the token can't be read from standard input")?;
    }
    let ours = args.ours.then(|| Ours::load(&sources())).transpose()?;
    let token = Token::decode(&text)?;
    let mut report = Report::default();
    token.describe(now, &mut report);
    if let Some(ours) = &ours {
        ours.judge(&token, now, &mut report);
    }
    for line in &report.lines {
        writeln!(handles.out, "{line}")?;
    }
    if report.problems.is_empty() {
        let rest = if ours.is_some() {
            "It is of this installation. Whether Vonage knows the user, and the public half of the key, `click-to-call \
             doctor` finds out."
        } else {
            "Whether its signature is right, and whether the application and the user are known, only Vonage can tell \
             (--ours compares it with this installation's key and application)."
        };
        writeln!(
            handles.out,
            "\nNothing is wrong with it as far as can be seen here. {rest}"
        )?;
        return Ok(Outcome::Done);
    }
    writeln!(handles.out, "\nWrong with it:")?;
    for problem in &report.problems {
        writeln!(handles.out, "  - {problem}")?;
    }
    Ok(Outcome::Failed)
}

/// A token and its parts. It is never shown whole, nor is its signature: that makes it a key to somebody's door.
struct Token {
    text: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signature_bytes: usize,
}

#[derive(Default)]
struct Report {
    lines: Vec<String>,
    problems: Vec<String>,
}

impl Report {
    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        self.lines.push(format!("{name:12} {value}"));
    }

    fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }
}

impl Token {
    /// Takes a token as it stands in an `Authorization` header or a JSON text, too.
    fn decode(text: &str) -> anyhow::Result<Self> {
        let text = text.trim().trim_matches('"');
        let text = text.strip_prefix("Bearer ").unwrap_or(text).trim();
        let parts: Vec<&str> = text.split('.').collect();
        let &[header, claims, signature] = parts.as_slice() else {
            anyhow::bail!(
                "this is no token: it has {} parts between dots, not 3",
                if text.is_empty() { 0 } else { parts.len() }
            );
        };
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .context("the signature is not base64url; was the token cut off?")?;
        ensure!(
            !signature.is_empty(),
            "the token has no signature; was it cut off?"
        );
        Ok(Self {
            header: decode_part(header).context("the header can't be read")?,
            claims: decode_part(claims).context("the claims can't be read")?,
            signature_bytes: signature.len(),
            text: text.to_owned(),
        })
    }

    fn algorithm(&self) -> &str {
        let algorithm = self.header.get("alg").and_then(Value::as_str);
        algorithm.unwrap_or("none")
    }

    /// Whether it came with a webhook.
    fn is_webhook(&self) -> bool {
        self.claims.contains_key("payload_hash")
            || (self.algorithm() == "HS256" && !self.claims.contains_key("acl"))
    }

    fn describe(&self, now: DateTime<Utc>, report: &mut Report) {
        report.line("header", Value::Object(self.header.clone()));
        if self.is_webhook() {
            self.describe_webhook(self.algorithm(), now, report);
        } else {
            self.describe_access(self.algorithm(), now, report);
        }
    }

    /// A token that we or another client of Vonage's sends to Vonage.
    fn describe_access(&self, algorithm: &str, now: DateTime<Utc>, report: &mut Report) {
        match self.claims.get("sub") {
            Some(sub) => {
                report.line("kind", "a user's token, for the Client SDK");
                report.line("user", shown(sub));
                match sub.as_str() {
                    Some("") | None => report.problem("sub must be the user's name, as text"),
                    Some(id) if id.starts_with("USR-") => {
                        report.problem("sub is the user's id; Vonage wants the user's name there");
                    }
                    Some(_) => {}
                }
            }
            None => report.line(
                "kind",
                "an application's own token (no sub), for a server's REST calls",
            ),
        }
        if algorithm != "RS256" {
            report.problem(format!(
                "alg is {algorithm:?}; Vonage takes RS256 only (system:error:invalid-token)"
            ));
        } else if !(256..=512).contains(&self.signature_bytes) {
            report.problem(format!(
                "the signature has {} bytes, which is no RSA signature; was it cut off?",
                self.signature_bytes
            ));
        }
        self.describe_application(report);
        self.describe_times(now, report);
        match self.claims.get("jti") {
            Some(Value::String(id)) if !id.is_empty() => report.line("id", format!("{id:?}")),
            _ => report
                .problem("jti is missing or no text; Vonage wants one that is never used again"),
        }
        if self.claims.contains_key("sub") || self.claims.contains_key("acl") {
            self.describe_acl(report);
        }
    }

    /// A token that Vonage sends with a signed webhook.
    fn describe_webhook(&self, algorithm: &str, now: DateTime<Utc>, report: &mut Report) {
        report.line("kind", "a webhook's signature, made by Vonage");
        if algorithm != "HS256" {
            report.problem(format!(
                "alg is {algorithm:?}; webhooks are signed with HS256"
            ));
        }
        for (name, claim) in [
            ("issuer", "iss"),
            ("account", "api_key"),
            ("application", "application_id"),
            ("id", "jti"),
            ("body", "payload_hash"),
        ] {
            if let Some(value) = self.claims.get(claim) {
                report.line(name, shown(value));
            }
        }
        match self.claims.get("iat").and_then(Value::as_i64) {
            Some(iat) => {
                report.line("issued", moment(iat, now));
                if now.timestamp().abs_diff(iat) > 300 {
                    report.problem(
                        "it was not issued within 5 minutes of now, so as a webhook it would be refused \
                         (webhooks.tolerance_seconds)",
                    );
                }
            }
            None => report.problem("iat is missing or no number: its age can't be told"),
        }
    }

    fn describe_application(&self, report: &mut Report) {
        match self.claims.get("application_id") {
            Some(id) => {
                report.line("application", shown(id));
                if id.as_str().is_none_or(|id| Uuid::try_parse(id).is_err()) {
                    report.problem("application_id is no UUID (system:error:invalid-token)");
                }
            }
            None => report.problem("application_id is missing (system:error:invalid-token)"),
        }
    }

    fn describe_times(&self, now: DateTime<Utc>, report: &mut Report) {
        let iat = self.seconds("iat", report);
        let exp = self.seconds("exp", report);
        if let Some(nbf) = self.seconds("nbf", report) {
            report.line("begins", moment(nbf, now));
            if nbf > now.timestamp() {
                report.problem("it has not begun: nbf is in the future");
            }
        }
        let Some(iat) = iat else {
            report.problem("iat is missing; Vonage wants the time of issue in seconds");
            return;
        };
        let end = exp.unwrap_or_else(|| iat.saturating_add(WITHOUT_EXP));
        let life = end.saturating_sub(iat);
        report.line("issued", moment(iat, now));
        report.line("ends", moment(end, now));
        let default = match exp {
            Some(_) => "",
            None => " (no exp: Vonage ends it then)",
        };
        report.line("life", format!("{}{default}", span(life)));
        if iat > now.timestamp() + CLOCK_SKEW {
            report.problem(
                "it was issued in the future: the clock of its maker is wrong, or this one",
            );
        }
        if life < SHORTEST {
            report.problem("it lives for less than 30 seconds, which Vonage refuses");
        }
        if life > LONGEST {
            report.problem("it lives for more than 24 hours, which Vonage refuses");
        }
        if end <= now.timestamp() {
            report.problem("it has ended (system:error:expired-token)");
        } else if now.timestamp().saturating_sub(iat) > LONGEST {
            report.problem("it was issued more than 24 hours ago, after which Vonage takes no token, whatever exp says");
        }
    }

    /// A claim in whole seconds. Text is read, too, but told.
    fn seconds(&self, claim: &str, report: &mut Report) -> Option<i64> {
        let value = self.claims.get(claim)?;
        let number = value.as_i64();
        if number.is_none() {
            report.problem(format!(
                "{claim} is {}, where a whole number of seconds belongs",
                shown(value)
            ));
        }
        number.or_else(|| value.as_str()?.parse().ok())
    }

    fn describe_acl(&self, report: &mut Report) {
        let Some(acl) = self.claims.get("acl") else {
            report.problem("acl is missing: it may do everything that the application may, calls to any number included");
            return;
        };
        let Some(paths) = acl.get("paths").and_then(Value::as_object) else {
            report
                .problem("acl has no paths in it; Vonage wants {\"paths\":{\"/*/users/**\":{},…}}");
            return;
        };
        let names: Vec<String> = paths.keys().cloned().collect();
        report.line("may use", preset_of(&names).unwrap_or_default());
        for (path, rule) in paths {
            let rule = match rule.as_object() {
                Some(rule) if rule.is_empty() => String::new(),
                _ => format!(" {rule}"),
            };
            let line = format!("  {:26} {}{rule}", format!("{path:?}"), purpose(path));
            report.lines.push(line.trim_end().to_owned());
            if let Err(reason) = acl::check_path(path) {
                report.problem(format!("{path:?} {reason}"));
            }
        }
        for missing in acl::missing_for_calls(&names) {
            report.problem(format!("{missing} is missing: the SDK needs it for a call"));
        }
    }
}

/// The list of `token.acl` that these paths are, whatever their order.
fn preset_of(paths: &[String]) -> Option<String> {
    let sorted = |mut paths: Vec<String>| {
        paths.sort();
        paths
    };
    let paths = sorted(paths.to_vec());
    let name = ["client-sdk", "call-only"]
        .into_iter()
        .find(|name| acl::preset(name).map(sorted).as_ref() == Some(&paths))?;
    Some(format!("what token.acl = {name:?} opens"))
}

fn decode_part(part: &str) -> anyhow::Result<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .context("it is not base64url")?;
    serde_json::from_slice(&json).context("it is no JSON object")
}
