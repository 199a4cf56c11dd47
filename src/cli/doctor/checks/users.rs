//! `users`: a visitor can be given a user and a token that Vonage takes.

use futures_util::FutureExt;
use reqwest::StatusCode;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        fix::Fix,
    },
    settings::UserMode,
    vonage::account::{AccountError, Cause},
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "users",
    matters: "a visitor logs in as a Vonage user: without one, or with a token that Vonage refuses, the button does nothing",
    look: |context| look(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let probe = match context.probe().await? {
        Ok(probe) => probe,
        Err(error) => return Err(refused(error, context).await),
    };
    let Some(user) = &probe.user else {
        let name = &context.visitors()?.shared_user;
        return Err(Trouble::failed(
            format!("the shared user {name:?} is not there"),
            "`click-to-call doctor --fix` makes it",
        )
        .mended_by(Fix::SharedUser));
    };
    match probe.token {
        Some(status) if status.is_success() => {}
        Some(StatusCode::UNAUTHORIZED) => {
            return Err(Trouble::failed(
                format!("Vonage refuses a token for {user:?}"),
                "see application-key, region and clock; `click-to-call token --user NAME | click-to-call token inspect` \
                 says what the token has",
            ));
        }
        Some(StatusCode::FORBIDDEN) => {
            return Err(Trouble::failed(
                format!("Vonage takes a token for {user:?}, but does not let it read its own user"),
                "set token.acl to \"client-sdk\", which is the list that Vonage documents",
            ));
        }
        other => {
            let what = other.map_or_else(
                || "could not be asked".to_owned(),
                |status| format!("answers {status}"),
            );
            return Err(Trouble::warning(
                format!(
                    "users can be made, but whether their tokens are good is not known: the client host {what}"
                ),
                "compare VONAGE_CLIENT_API_URL with the region's host, and run doctor again",
            ));
        }
    }
    if let Some(error) = &probe.left_behind {
        return Err(Trouble::warning(
            format!("users can be made and used, but not deleted: {error}"),
            "nothing: Vonage forgets them when their time is over",
        ));
    }
    Ok(match context.visitors()?.users {
        UserMode::Shared => format!("the shared user {user:?} is there, and its token was taken"),
        UserMode::PerVisitor => "a user was made, its token taken, and the user deleted".to_owned(),
    })
}

async fn refused(error: &AccountError, context: &Context) -> Trouble {
    match told_elsewhere(&error.cause, context).await {
        Some(check) => Trouble::skipped(format!(
            "Vonage does not let the application in: see {check}"
        )),
        None => Trouble::of_error(error),
    }
}

/// The check that has found the reason.
async fn told_elsewhere(cause: &Cause, context: &Context) -> Option<&'static str> {
    if matches!(cause, Cause::Unreachable { .. }) {
        return Some("vonage");
    }
    if !matches!(cause, Cause::Token) || context.account().is_err() {
        return None;
    }
    let key = context.key().ok()?;
    match context.application().await {
        Err(_) => Some("application"),
        Ok(application) if !application.has_public_key(&key.public_key_pem()) => {
            Some("application-key")
        }
        Ok(_) => None,
    }
}
