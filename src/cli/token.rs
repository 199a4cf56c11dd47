//! `token`: makes a token as the service does.

use std::time::Duration;

use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};

use super::{
    Handles, Outcome,
    inspect::{self, InspectArgs},
};
use crate::{
    domain::clock::Clock,
    settings::{self, Sources},
    vonage::jwt::{self, Claims},
};

/// Arguments of `token`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct TokenArgs {
    /// Name of the Vonage user; the user must exist for Vonage to take the token
    #[arg(long, value_name = "NAME", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub user: Option<String>,

    /// Life of the token, 30 to 86400 seconds [default: that of the settings]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(30..=86_400))]
    pub ttl_seconds: Option<u64>,

    /// What else to do with tokens
    #[command(subcommand)]
    pub command: Option<TokenCommand>,
}

/// What else can be done with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Read a token and say what is wrong with it; needs no settings unless it is to be judged by them
    Inspect(InspectArgs),
}

/// Runs `token`. The settings' sources are asked for only if they are needed.
///
/// # Errors
/// When the settings or the key are not usable, or what is to be inspected is no token.
pub fn run(
    args: &TokenArgs,
    sources: &dyn Fn() -> Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    match (&args.command, &args.user) {
        (Some(TokenCommand::Inspect(args)), _) => inspect::run(args, sources, clock.now(), handles),
        (None, Some(user)) => mint(user, args.ttl_seconds, &sources(), clock, handles),
        (None, None) => anyhow::bail!("--user is missing"),
    }
}

fn mint(
    user: &str,
    ttl_seconds: Option<u64>,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let (loaded, key) = settings::load_with_key(sources)?;
    let settings = loaded.settings;
    let claims = Claims::for_user(
        settings.vonage.application_id,
        user,
        settings.token.acl_paths,
        clock.now(),
        ttl_seconds.map_or(settings.token.ttl, Duration::from_secs),
    );
    writeln!(handles.out, "{}", jwt::mint(&key, &claims)?)?;
    Ok(Outcome::Done)
}
