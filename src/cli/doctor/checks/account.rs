//! `account` and `balance`: the API key is taken, and there is credit to call with.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
    },
    vonage::account::Cause,
};

/// Euros below which it is time to top up: about an hour's calls to a mobile telephone in Europe.
const LOW: f64 = 5.0;

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "account",
    matters: "application, number and credit can only be looked at with the account's API key and secret",
    look: |context| look(context).boxed(),
};

pub(in crate::cli::doctor) const BALANCE: Check = Check {
    name: "balance",
    matters: "Vonage connects no call without credit",
    look: |context| look_at_balance(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let key = context.account()?.api_key();
    match context.balance().await? {
        Ok(_balance) => Ok(format!("Vonage takes the API key {key}")),
        Err(error) if matches!(error.cause, Cause::Unreachable { .. }) => Err(Trouble::failed(
            error.to_string(),
            "compare VONAGE_REST_URL with https://rest.nexmo.com, and see vonage",
        )),
        Err(error) => Err(Trouble::of_error(error)),
    }
}

async fn look_at_balance(context: &Context) -> Verdict {
    let balance = context.balance().await?.as_ref();
    let balance =
        balance.map_err(|_error| Trouble::skipped("it could not be read: see account"))?;
    let words = format!("EUR {:.2} left", balance.value);
    let remedy =
        "top it up, or switch on auto-reload: https://dashboard.nexmo.com/billing-and-payments";
    if balance.value <= 0.0 {
        return Err(Trouble::failed(words, remedy));
    }
    if balance.value < LOW && !balance.auto_reload {
        return Err(Trouble::warning(words, remedy));
    }
    Ok(words)
}
