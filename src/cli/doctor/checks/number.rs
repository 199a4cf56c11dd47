//! `number`: it is the account's, can be telephoned, and leads to the application.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    vonage::account::Cause,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "number",
    matters: "the desk sees this number as the caller, and carriers refuse a call that shows somebody else's",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let wanted = context.number()?;
    let application_id = context.application_id()?;
    let number = context.account()?.owned_number(wanted.as_str()).await;
    let number = number.map_err(|error| {
        if matches!(error.cause, Cause::Credentials | Cause::Unreachable { .. }) {
            Trouble::skipped("the account can't be asked: see account")
        } else {
            Trouble::of_error(&error)
        }
    })?;
    let Some(number) = number else {
        return Err(Trouble::failed(
            format!("the account has no number {}", wanted.as_str()),
            "set VONAGE_NUMBER to one of `click-to-call numbers list`, or buy one with `click-to-call numbers search` \
             and `numbers buy`",
        ));
    };
    if !number.has_voice() {
        return Err(Trouble::failed(
            format!(
                "{} can't be telephoned: it has no VOICE feature",
                number.msisdn
            ),
            "set VONAGE_NUMBER to another one of `click-to-call numbers list`",
        ));
    }
    let link = format!(
        "`click-to-call numbers link {}`, or dashboard, Numbers, Your numbers, Edit",
        number.msisdn
    );
    if let Some((kind, _address)) = number.diversion() {
        return Err(Trouble::warning(
            format!(
                "calls to {} go to a {kind} address, past the application",
                number.msisdn
            ),
            link,
        ));
    }
    match number.app_id.as_deref() {
        Some(linked) if linked == application_id => {
            Ok(format!("{} leads to the application", number.msisdn))
        }
        Some(other) => Err(Trouble::failed(
            format!("{} leads to another application, {other}", number.msisdn),
            format!("{link}; the other application loses it"),
        )),
        None => Err(
            Trouble::failed(format!("{} leads to no application", number.msisdn), link)
                .mended_by(Fix::LinkNumber),
        ),
    }
}
