//! The binary: parses the command line, runs it, turns the outcome into an exit code.

use std::{io, process::ExitCode};

use clap::Parser;
use click_to_call::{
    cli::{Cli, Handles, Outcome},
    domain::clock::Clock,
};

fn main() -> ExitCode {
    let mut handles = Handles {
        input: &mut io::stdin(),
        out: &mut io::stdout(),
        err: &mut io::stderr(),
    };
    match Cli::parse().run(&Clock::system(), &mut handles) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to be told when this can't be written.
            let _ = writeln!(handles.err, "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
