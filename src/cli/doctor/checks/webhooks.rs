//! `webhooks`: the application asks this service about calls, by POST, and does not wait for too long.

use futures_util::FutureExt;
use url::Url;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    settings,
    vonage::account::applications::{Wanted, WebhookKind},
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "webhooks",
    matters: "Vonage asks these addresses what to do with a call; while they lead elsewhere, every call ends at once or \
              rings somewhere else",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let public_url = context.public_url()?;
    let application = context.application().await?;
    if is_out_of_reach(public_url, context.api_url()?) {
        return Err(Trouble::failed(
            format!("PUBLIC_URL is {public_url}, which Vonage can't reach"),
            "set PUBLIC_URL to the https address under which the world reaches this service; on your own machine, to \
             that of a tunnel",
        ));
    }
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
        return Ok(format!(
            "all of them lead to {}",
            public_url.origin().ascii_serialization()
        ));
    }
    Err(Trouble::failed(
        differences.join("\n"),
        "`click-to-call doctor --fix`, or dashboard, Applications, your application, Edit, Voice and RTC",
    )
    .mended_by(Fix::Webhooks))
}

/// An address of this machine alone, while Vonage is elsewhere.
fn is_out_of_reach(public_url: &Url, api_url: &Url) -> bool {
    settings::is_loopback(public_url) && !settings::is_loopback(api_url)
}
