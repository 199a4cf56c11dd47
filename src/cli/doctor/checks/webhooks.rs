//! `webhooks`: the application asks this service about calls, by POST, and does not wait for too long.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    vonage::account::applications::{
        Wanted, WebhookKind, has_webhooks_elsewhere, lead_own_webhooks,
    },
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "webhooks",
    matters: "Vonage asks these addresses what to do with a call; while they lead elsewhere, every call ends at once or \
              rings somewhere else",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let application = context.application().await?;
    let public_url = context.reachable_url()?;
    let origin = public_url.origin().ascii_serialization();
    let wanted = Wanted {
        public_url: Some(public_url.clone()),
        ..Wanted::default()
    };
    let kinds = WebhookKind::ALL.map(|kind| kind.to_string());
    let differences: Vec<String> = wanted
        .differences(application)
        .into_iter()
        .filter(|change| kinds.contains(&change.what))
        .map(|change| {
            let found = change.from.as_deref().unwrap_or("not set");
            format!("the {} is {found}, not {}", change.what, change.to)
        })
        .collect();
    if differences.is_empty() {
        return Ok(format!("all of them lead to {origin}"));
    }
    let place = "dashboard, Applications, your application, Edit, Voice and RTC";
    let remedy = if has_webhooks_elsewhere(application, public_url) {
        format!(
            "if nobody needs them where they lead now: `click-to-call app update --public-url {origin}`, or {place}; \
             `--fix` leaves those alone"
        )
    } else {
        format!("`click-to-call doctor --fix`, or {place}")
    };
    let trouble = Trouble::failed(differences.join("\n"), remedy);
    Err(
        if lead_own_webhooks(&mut application.clone(), public_url).is_empty() {
            trouble
        } else {
            trouble.mended_by(Fix::Webhooks)
        },
    )
}
