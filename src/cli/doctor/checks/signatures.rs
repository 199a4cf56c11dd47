//! `signed-callbacks` and `signature-secret`: Vonage signs what it sends, and the service can tell.

use futures_util::FutureExt;
use secrecy::ExposeSecret;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    settings::SignaturePolicy,
    vonage::account::applications::{self, Signed, has_webhooks_elsewhere},
};

/// HS256 wants a key as long as its hash (RFC 7518 section 3.2).
const PLAUSIBLE: usize = 32;
const WHERE: &str = "copy the signature secret from https://dashboard.nexmo.com/settings (method: SHA-256 HMAC) into \
                     VONAGE_SIGNATURE_SECRET; no API tells it, so it has to be done by hand";

pub(in crate::cli::doctor) const CALLBACKS: Check = Check {
    name: "signed-callbacks",
    matters: "a webhook without a signature is refused, because anybody could have sent it",
    look: |context| look_at_callbacks(context).boxed(),
};

pub(in crate::cli::doctor) const SECRET: Check = Check {
    name: "signature-secret",
    matters: "with a wrong secret every webhook is refused and no call connects; with a short one somebody can guess it \
              and make the telephone ring at your expense",
    look: |context| async move { look_at_secret(context) }.boxed(),
};

async fn look_at_callbacks(context: &Context) -> Verdict {
    let policy = context.signatures()?;
    let application = context.application().await?;
    // A capability without webhooks is the fault of `webhooks` alone, whose mending signs it.
    let problem = match applications::unsigned(application).first() {
        Some(Signed::Voice) => "the application's webhooks are not signed",
        Some(Signed::Rtc) => "the application's RTC webhooks are not signed",
        None if applications::has_webhooks(application) => {
            return Ok("Vonage signs the webhooks".to_owned());
        }
        None => return Err(Trouble::skipped("no webhook is set yet: see webhooks")),
    };
    // Whoever else is asked may not expect it.
    let is_ours = context
        .reachable_url()
        .is_ok_and(|here| !has_webhooks_elsewhere(application, here));
    let place =
        "dashboard, Applications, your application, Edit, Voice and RTC, Use signed webhooks: on";
    let remedy = if is_ours {
        format!("`click-to-call doctor --fix`, or {place}")
    } else {
        format!("mend webhooks first; or {place}")
    };
    let trouble = match policy {
        SignaturePolicy::Required => Trouble::failed(problem, remedy),
        SignaturePolicy::Off => Trouble::warning(problem, remedy),
    };
    Err(if is_ours {
        trouble.mended_by(Fix::SignedCallbacks)
    } else {
        trouble
    })
}

fn look_at_secret(context: &Context) -> Verdict {
    if context.signatures()? == SignaturePolicy::Off {
        return Err(Trouble::warning(
            "webhooks.signatures is \"off\": whoever knows the address can make the telephone ring",
            WHERE,
        ));
    }
    let secret = context.signature_secret()?.expose_secret();
    let is_api_secret = context
        .api_secret()
        .is_some_and(|api_secret| api_secret.expose_secret() == secret);
    if is_api_secret {
        return Err(Trouble::failed(
            "VONAGE_SIGNATURE_SECRET is the same as VONAGE_API_SECRET, which is another secret of the account's",
            WHERE,
        ));
    }
    if secret.len() < PLAUSIBLE {
        return Err(Trouble::warning(
            format!(
                "VONAGE_SIGNATURE_SECRET has {} characters, fewer than {PLAUSIBLE}",
                secret.len()
            ),
            WHERE,
        ));
    }
    Ok("present, and long enough; only a signed webhook proves it right".to_owned())
}
