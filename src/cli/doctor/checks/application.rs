//! `application`, `application-key` and `privacy`: it is there, it knows our key, and it keeps calls to itself.

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
    name: "application",
    matters: "tokens are for this application, and it is what Vonage asks about calls",
    look: |context| look(context).boxed(),
};

pub(in crate::cli::doctor) const KEY: Check = Check {
    name: "application-key",
    matters: "Vonage refuses every token that is not signed with the key whose public half the application has",
    look: |context| look_at_key(context).boxed(),
};

pub(in crate::cli::doctor) const PRIVACY: Check = Check {
    name: "privacy",
    matters: "unless it is switched off, Vonage may use what is said in your calls to train its own models",
    look: |context| look_at_privacy(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let error = match context.application_as_found().await? {
        Ok(application) => return Ok(format!("{:?}", application.name())),
        Err(error) => error,
    };
    Err(
        if matches!(error.cause, Cause::Credentials | Cause::Unreachable { .. }) {
            Trouble::skipped("the account can't be asked: see account and vonage")
        } else if matches!(error.cause, Cause::NotFound { .. }) {
            Trouble::failed(
                format!(
                    "the account has no application {}",
                    context.application_id()?
                ),
                "set VONAGE_APPLICATION_ID to one of `click-to-call app show --all`, or make one with `click-to-call setup`",
            )
        } else {
            Trouble::of_error(error)
        },
    )
}

async fn look_at_key(context: &Context) -> Verdict {
    let key = context.key()?;
    if context
        .application()
        .await?
        .has_public_key(&key.public_key_pem())
    {
        return Ok("the application has the public half of your key".to_owned());
    }
    Err(Trouble::failed(
        "the application has the public half of another key than yours",
        "put the application's own private key in the key's place; or give the application yours, which ends every \
         token of the other key: `click-to-call keygen --public > key.pub && click-to-call app update --public-key key.pub`",
    ))
}

async fn look_at_privacy(context: &Context) -> Verdict {
    if context.application().await?.improves_ai() == Some(false) {
        return Ok("Vonage may not use the calls' content".to_owned());
    }
    Err(Trouble::warning(
        "Vonage may use the calls' content to improve its AI",
        "`click-to-call doctor --fix`, or dashboard, Applications, your application, Edit, Improve AI: off",
    )
    .mended_by(Fix::Privacy))
}
