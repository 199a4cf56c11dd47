//! `balance`: what the account has left.

use clap::Args;

use super::{
    Handles, Outcome,
    account::{account_client, print_json, wait_for},
};
use crate::settings::{Sources, so_far::load_so_far};

/// Arguments of `balance`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  click-to-call balance\n  click-to-call balance --json")]
pub struct BalanceArgs {
    /// One JSON object for programs
    #[arg(long)]
    pub json: bool,
}

/// Runs `balance`.
///
/// # Errors
/// When Vonage does not say.
pub fn run(
    args: &BalanceArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let client = account_client(load_so_far(sources).account()?)?;
    let balance = wait_for(async { Ok(client.balance().await?) })?;
    if args.json {
        print_json(handles, &balance)?;
        return Ok(Outcome::Done);
    }
    let reload = if balance.auto_reload {
        ", and tops itself up"
    } else {
        ""
    };
    writeln!(
        handles.out,
        "the account has EUR {:.2}{reload}",
        balance.value
    )?;
    Ok(Outcome::Done)
}
