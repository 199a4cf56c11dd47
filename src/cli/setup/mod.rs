//! `setup`: from an account to a service that can be started.
//!
//! Each step looks first and does only what is missing, so it can be run again whenever it was stopped, and undoes nothing.
//! There is no journal: how far an earlier run came is read from the files and from Vonage. The one thing that could be
//! lost between the two, an application whose id was not written down, is found again by our public key.

mod answers;
mod application;
mod files;
mod number;
mod report;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use url::Url;

use self::report::{Report, Standing, Step};
use super::{Handles, Outcome, account, prompt::Prompt};
use crate::{
    domain::{clock::Clock, phone_number::PhoneNumber},
    settings::{
        self, Faults, Flag, Region, Sources, UserMode,
        so_far::{SettingsSoFar, load_so_far},
    },
};

/// Arguments of `setup`. What is not given is asked for, unless the settings have it already.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  click-to-call setup
  click-to-call setup --public-url https://calls.example.com --destination 447700900001 --country GB
  click-to-call setup --yes --public-url https://calls.example.com --destination 447700900001 --number 442079460000

The API secret is read from VONAGE_API_SECRET, VONAGE_API_SECRET_FILE or .env, or asked for; the signature secret from \
VONAGE_SIGNATURE_SECRET and so on. Run it again whenever it was stopped: it goes on where it was.")]
pub struct SetupArgs {
    /// Address under which visitors and Vonage reach the service, like `https://calls.example.com`
    #[arg(long, value_name = "URL", value_parser = settings::parse_origin)]
    pub public_url: Option<Url>,

    /// The telephone that is to ring, with its country code
    #[arg(long, value_name = "NUMBER")]
    pub destination: Option<PhoneNumber>,

    /// The Vonage number to use: one of the account's, or with --country one to buy
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<PhoneNumber>,

    /// Country to look for a number in, two letters; with --yes, the cheapest of its first hundred is bought if the account has no free one
    #[arg(long, value_name = "CC", value_parser = super::numbers::parse_country)]
    pub country: Option<String>,

    /// Id of an application to use in place of a new one; it is changed where the service needs it
    #[arg(long, value_name = "ID")]
    pub application: Option<uuid::Uuid>,

    /// Name of the new application
    #[arg(long, value_name = "NAME", default_value = "click-to-call")]
    pub name: String,

    /// Where users and calls live
    #[arg(long, value_enum)]
    pub region: Option<RegionArg>,

    /// One Vonage user for each visitor, or one for all (for demonstrations only)
    #[arg(long, value_enum)]
    pub users: Option<UsersArg>,

    /// Connect people who telephone the number, too
    #[arg(long)]
    pub phone_line: bool,

    /// The account's API key
    #[arg(long, value_name = "KEY")]
    pub api_key: Option<String>,

    /// Ask nothing: agree to the price of a number and to changes of an application
    #[arg(long, short)]
    pub yes: bool,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// One JSON object for programs, at the end
    #[arg(long)]
    pub json: bool,
}

/// `--region`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RegionArg {
    /// Americas
    Us,
    /// Europe
    Eu,
    /// Asia and the Pacific
    Ap,
}

/// `--users`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UsersArg {
    /// One for each visitor
    PerVisitor,
    /// One for all
    Shared,
}

impl From<RegionArg> for Region {
    fn from(region: RegionArg) -> Self {
        match region {
            RegionArg::Us => Self::Us,
            RegionArg::Eu => Self::Eu,
            RegionArg::Ap => Self::Ap,
        }
    }
}

impl From<UsersArg> for UserMode {
    fn from(users: UsersArg) -> Self {
        match users {
            UsersArg::PerVisitor => Self::PerVisitor,
            UsersArg::Shared => Self::Shared,
        }
    }
}

/// `setup --json`
#[derive(Debug, Serialize)]
struct Summary<'a> {
    complete: bool,
    application_id: Option<&'a str>,
    number: Option<&'a str>,
    public_url: &'a str,
    steps: &'a [Step],
}

/// Runs `setup`.
///
/// # Errors
/// When a step fails; those before it stay done, and the next run goes on from there.
pub fn run(
    args: &SetupArgs,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let mut so_far = load_so_far(sources);
    if !so_far.faults.is_empty() {
        return Err(Faults(so_far.faults).into());
    }
    if let Some(given) = args.region.map(Region::from) {
        match so_far.region {
            Some(set) if so_far.region_is_set && set != given => {
                return Err(conflict(
                    "--region",
                    given.as_str(),
                    "VONAGE_REGION",
                    set.as_str(),
                ));
            }
            _ => so_far = with_region(sources, given, &so_far),
        }
    }
    let mut setup = Setup {
        args,
        files: Files::of(sources),
        so_far,
        prompt: Prompt {
            handles,
            assume_yes: args.yes,
        },
        report: Report {
            json: args.json,
            ..Report::default()
        },
    };
    account::wait_for(setup.carry_out(sources, clock))
}

/// The settings with another region, which Vonage's hosts follow.
fn with_region(sources: &Sources, region: Region, before: &SettingsSoFar) -> SettingsSoFar {
    let mut sources = sources.clone();
    sources.flags.push(Flag {
        flag: "--region",
        key: "vonage.region",
        value: region.as_str().to_owned(),
    });
    SettingsSoFar {
        region_is_set: before.region_is_set,
        ..load_so_far(&sources)
    }
}

/// The files that are written.
#[derive(Debug)]
struct Files {
    env: PathBuf,
    config: PathBuf,
}

impl Files {
    fn of(sources: &Sources) -> Self {
        let env = sources.env_file.as_ref().map(|file| file.path.clone());
        let config = sources.config.last().map(|place| place.path.clone());
        let config = config.unwrap_or_else(|| "config".into());
        Self {
            env: env.unwrap_or_else(|| ".env".into()),
            config: if config.extension().is_some_and(|end| end == "toml") {
                config
            } else {
                config.join("local.toml")
            },
        }
    }
}

struct Setup<'a, 'h> {
    args: &'a SetupArgs,
    files: Files,
    /// What is set, this run's answers included.
    so_far: SettingsSoFar,
    prompt: Prompt<'a, 'h>,
    report: Report,
}

impl Setup<'_, '_> {
    async fn carry_out(&mut self, sources: &Sources, clock: &Clock) -> anyhow::Result<Outcome> {
        let client = self.account().await?;
        let public_url = self.public_url()?;
        let region = self.region()?;
        self.destination()?;
        self.users_mode()?;
        let public_key = self.key_pair()?;
        let application_id = self
            .application(&client, public_key, &public_url, region, sources)
            .await?;
        let number = self.number(&client, application_id.as_deref()).await?;
        self.shared_user(clock).await?;
        self.signature_secret()?;
        self.finish(
            sources,
            application_id.as_deref(),
            number.as_deref(),
            &public_url,
        )
    }

    /// Tells a step.
    fn tell(&mut self, standing: Standing, what: impl Into<String>) -> anyhow::Result<()> {
        self.report.tell(self.prompt.handles.out, standing, what)
    }

    /// Announces what takes a moment. `false`: nothing is to be done (`--dry-run`).
    fn begin(&mut self, what: &str) -> anyhow::Result<bool> {
        if self.args.dry_run {
            self.tell(Standing::WillDo, what)?;
            return Ok(false);
        }
        writeln!(self.prompt.handles.err, "{what} ...")?;
        Ok(true)
    }

    /// Writes variables to `.env` and tells that, without the values of secrets.
    fn write_variables(&mut self, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
        let what = format!("{} in {}", names.join(", "), self.files.env.display());
        if self.args.dry_run {
            return self.tell(Standing::WillDo, what);
        }
        files::add_variables(&self.files.env, variables)?;
        self.tell(Standing::Done, what)
    }

    /// Writes a key to the local settings file and tells that.
    fn write_key(&mut self, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
        let what = format!("{section}.{key} in {}", self.files.config.display());
        if self.args.dry_run {
            return self.tell(Standing::WillDo, what);
        }
        files::add_key(&self.files.config, section, key, value)?;
        self.tell(Standing::Done, what)
    }

    fn finish(
        &mut self,
        sources: &Sources,
        application_id: Option<&str>,
        number: Option<&str>,
        public_url: &Url,
    ) -> anyhow::Result<Outcome> {
        let public_url = public_url.origin().ascii_serialization();
        let complete = self.report.is_complete() && !self.args.dry_run;
        if complete {
            // What was written is read as the service will read it.
            settings::load_with_key(sources)?;
        }
        if self.args.json {
            let summary = Summary {
                complete,
                application_id,
                number,
                public_url: &public_url,
                steps: &self.report.steps,
            };
            account::print_json(self.prompt.handles, &summary)?;
        } else if complete {
            writeln!(
                self.prompt.handles.out,
                "\nEverything is set up. Start the service with `click-to-call serve`, open {public_url}/ and press \
                 Call.\n`click-to-call doctor` checks that everything leads where it should."
            )?;
        } else if !self.args.dry_run {
            writeln!(
                self.prompt.handles.out,
                "\nAlmost: do what is left \"by hand\" above, then run `click-to-call setup` again, or `click-to-call \
                 doctor` to see what is missing."
            )?;
        }
        let is_good = complete || self.args.dry_run;
        Ok(if is_good {
            Outcome::Done
        } else {
            Outcome::Failed
        })
    }
}

/// A flag and a setting that say different things: what is set is never overwritten.
fn conflict(flag: &str, given: &str, setting: &str, set: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{flag} says {given}, but {setting} is {set} already, and setup overwrites nothing; change it where it is set \
         (`click-to-call config show` says where), or leave {flag} out"
    )
}

/// Whether a path leads to a file or anything else.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
