//! What the commands about the account have in common: the settings they need, and a runtime to wait on.

use std::{
    future::Future,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::Context as _;
use url::Url;

use super::Handles;
use crate::{
    domain::clock::Clock,
    settings::{
        self,
        so_far::{AccountAccess, ApplicationAccess},
    },
    vonage::{
        account::{AccountClient, users::UsersClient},
        key::ApplicationKey,
    },
};

/// What is said of an address that leads to this machine or its network only. It follows the address.
pub(super) const OUT_OF_REACH: &str = "leads to this machine or its network only, where Vonage can't reach it; give the https address \
                                       under which the world reaches the service, or on your own machine that of a tunnel";

/// Refuses an address that Vonage, where it is asked at `vonage`, can't reach.
pub(super) fn ensure_in_reach(public_url: &Url, vonage: &Url) -> anyhow::Result<()> {
    anyhow::ensure!(
        !settings::is_out_of_reach(public_url, vonage),
        "{} {OUT_OF_REACH}",
        public_url.origin().ascii_serialization()
    );
    Ok(())
}

/// Runs what waits for the network.
pub(super) fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(work)
}

/// A client for the account.
pub(super) fn account_client(access: AccountAccess) -> anyhow::Result<AccountClient> {
    AccountClient::new(
        access.api_key,
        access.api_secret,
        &access.api_url,
        access.rest_url,
    )
    .map(|client| client.telling(tell_wait))
}

/// A client for the application's users. Warnings about its key are told.
pub(super) fn users_client(
    access: ApplicationAccess,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<UsersClient> {
    let (key, warnings) = ApplicationKey::load(&access.private_key)?;
    for warning in warnings {
        writeln!(handles.err, "warning: {warning}")?;
    }
    UsersClient::new(access.api_url, access.application_id, key, clock.clone())
        .map(|client| client.telling(tell_wait))
}

/// Goes to standard error itself, as the command that waits has lent out its handles.
pub(super) fn tell_wait(what: &str) {
    let mut err = io::stderr();
    // Over a line of progress, which is shorter.
    let start = if err.is_terminal() { "\r" } else { "" };
    // Nothing is lost with it.
    let _ = writeln!(err, "{start}{what} ...");
}

/// Prints a result for programs.
pub(super) fn print_json(
    handles: &mut Handles<'_>,
    value: &impl serde::Serialize,
) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *handles.out, value)?;
    writeln!(handles.out)?;
    Ok(())
}
