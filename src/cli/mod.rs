//! The command line. One file per command; each writes to the handles it is given and nowhere else.

mod account;
pub mod app;
pub mod backup;
pub mod balance;
pub mod config;
#[cfg(feature = "simulator")]
pub mod demo;
pub mod doctor;
pub mod fallback_ncco;
pub mod healthcheck;
pub mod inspect;
pub mod keygen;
pub mod numbers;
mod prompt;
pub mod serve;
pub mod setup;
pub mod shell;
#[cfg(feature = "simulator")]
pub mod simulate;
pub mod style;
pub mod token;
pub mod users;

use std::{
    io::{Read, Write},
    path::PathBuf,
};

use clap::{Parser, Subcommand};

use crate::{domain::clock::Clock, settings::Sources};

/// Puts a working Call button on a website, with Vonage.
#[derive(Debug, Parser)]
#[command(name = "click-to-call", version, max_term_width = 100)]
pub struct Cli {
    /// A file or folder of settings in place of config/; may be given again, the later wins
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Vec<PathBuf>,

    /// A file of variables in place of .env
    #[arg(long, global = true, value_name = "PATH")]
    pub env_file: Option<PathBuf>,

    /// What to do; the service runs when nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service (default)
    Serve(serve::ServeArgs),
    /// Run the service beside a simulated Vonage: no account, no settings, nobody's telephone
    #[cfg(feature = "simulator")]
    Demo(demo::DemoArgs),
    /// Send played visitors to another instance of the service, and report how it did
    #[cfg(feature = "simulator")]
    Simulate(simulate::SimulateArgs),
    /// Look at everything that a call depends on, and say what mends what is wrong
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArgs),
    /// Go from an account to a service that can be started, step by step
    Setup(setup::SetupArgs),
    /// Search, buy, link, list or cancel telephone numbers
    Numbers(numbers::NumbersArgs),
    /// Create, show or update the Vonage application
    App(app::AppArgs),
    /// Create, list, delete or prune the application's users
    Users(users::UsersArgs),
    /// Show the account's credit
    Balance(balance::BalanceArgs),
    /// Check or show the settings
    Config(config::ConfigArgs),
    /// Make a token for a Vonage user, or read one
    Token(token::TokenArgs),
    /// Copy the database into a new file, while the service runs
    Backup(backup::BackupArgs),
    /// Make the application's key pair
    Keygen(keygen::KeygenArgs),
    /// Print what the fallback address answers, to be hosted elsewhere
    FallbackNcco,
    /// Print completions for a shell
    Completions(shell::CompletionsArgs),
    /// Print manual pages
    Man(shell::ManArgs),
    /// Ask the running service whether it is ready
    Healthcheck,
}

/// Where a command reads and writes.
#[expect(missing_debug_implementations, reason = "handles have nothing to show")]
pub struct Handles<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Results.
    pub out: &'a mut dyn Write,
    /// Everything said beside the results.
    pub err: &'a mut dyn Write,
}

/// How a command ended. Wrong usage is told by clap, with exit code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// What was asked for is not so, and the command has said why: exit code 1.
    Failed,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// When it could not be carried out: exit code 1.
    pub fn run(self, clock: &Clock, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
        let sources = || Sources::from_process(self.config.clone(), self.env_file.clone());
        let serve = Command::Serve(serve::ServeArgs::default());
        match self.command.as_ref().unwrap_or(&serve) {
            Command::Serve(args) => serve::run(args, sources()),
            #[cfg(feature = "simulator")]
            Command::Demo(args) => demo::run(args, sources(), clock, handles),
            #[cfg(feature = "simulator")]
            Command::Simulate(args) => simulate::run(args, &sources(), handles),
            Command::Doctor(args) => doctor::run(args, &sources(), clock, handles),
            Command::FallbackNcco => fallback_ncco::run(&sources(), handles),
            Command::Healthcheck => healthcheck::run(&sources(), handles),
            Command::Setup(args) => setup::run(args, &sources(), clock, handles),
            Command::Numbers(args) => numbers::run(args, &sources(), handles),
            Command::App(args) => app::run(args, &sources(), handles),
            Command::Users(args) => users::run(args, &sources(), clock, handles),
            Command::Completions(args) => shell::complete(args, handles),
            Command::Man(args) => shell::man(args, handles),
            Command::Balance(args) => balance::run(args, &sources(), handles),
            Command::Config(args) => config::run(args, &sources(), handles),
            Command::Token(args) => token::run(args, &sources, clock, handles),
            Command::Backup(args) => backup::run(args, &sources(), handles),
            Command::Keygen(args) => keygen::run(args, handles),
        }
    }
}
