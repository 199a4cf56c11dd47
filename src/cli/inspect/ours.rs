//! Judges a token by this installation: its key, its application, its account and its signature secret.

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Report, Token};
use crate::{
    settings::{self, Settings, Sources},
    vonage::{
        jwt,
        key::ApplicationKey,
        signature::{Payload, SignatureCheck, Verdict},
    },
};

/// What this installation signs with, and what it takes.
pub(super) struct Ours {
    settings: Settings,
    key: ApplicationKey,
}

impl Ours {
    /// As the settings say.
    ///
    /// # Errors
    /// When they have faults.
    pub(super) fn load(sources: &Sources) -> anyhow::Result<Self> {
        let (loaded, key) = settings::load_with_key(sources)?;
        Ok(Self {
            settings: loaded.settings,
            key,
        })
    }

    /// Adds what is wrong with the token here.
    pub(super) fn judge(&self, token: &Token, now: DateTime<Utc>, report: &mut Report) {
        let judged = if token.is_webhook() {
            self.judge_webhook(token, now, report)
        } else {
            self.judge_access(token, report);
            Ok(())
        };
        if let Err(error) = judged {
            report.problem(format!("it could not be judged: {error:#}"));
        }
    }

    fn judge_access(&self, token: &Token, report: &mut Report) {
        let ours = &self.settings.vonage.application_id;
        let theirs = token.claims.get("application_id").and_then(Value::as_str);
        if theirs.is_some_and(|theirs| theirs != ours) {
            report.problem(format!(
                "it is for another application than VONAGE_APPLICATION_ID, {ours}"
            ));
        }
        if token.algorithm() == "RS256" && jwt::verify(&self.key, &token.text).is_err() {
            report.problem(
                "it is not signed with this installation's key: made elsewhere, changed on the way, or from before a \
                 change of the key",
            );
        }
    }

    /// By the rules of the webhook addresses. The body that came with it is not known here, so its hash is not judged:
    /// for a query's nothing follows from it.
    fn judge_webhook(
        &self,
        token: &Token,
        now: DateTime<Utc>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let vonage = &self.settings.vonage;
        if vonage.signature_secrets.is_empty() {
            report.problem("webhooks.signatures is \"off\", so there is no secret to judge it by");
            return Ok(());
        }
        let check = SignatureCheck::new(
            &vonage.signature_secrets,
            vonage.api_key.clone(),
            vonage.application_id.clone(),
            TimeDelta::from_std(self.settings.webhooks.tolerance).context("no such tolerance")?,
        );
        let authorization = format!("Bearer {}", token.text);
        match check.verdict(Some(&authorization), Payload::Query(""), now) {
            Verdict::Genuine(_) | Verdict::Unchecked => {}
            Verdict::Missing => report.problem("it is no signature"),
            Verdict::Wrong(fault) => report.problem(fault.to_string()),
        }
        Ok(())
    }
}
