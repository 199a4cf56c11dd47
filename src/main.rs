//! The binary: parses the command line, runs it, turns the outcome into an exit code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use click_to_call::{
    cli::{Cli, Handles, Outcome, style::BAD},
    domain::clock::Clock,
};

/// Standard output, which remembers that its reader has gone: `config show | head` is no error. Colours go to
/// terminals only, and to none with `NO_COLOR`.
struct Output {
    stdout: anstream::Stdout,
    reader_is_gone: bool,
}

impl Output {
    fn noting<T>(&mut self, written: io::Result<T>) -> io::Result<T> {
        written.inspect_err(|error| {
            self.reader_is_gone |= error.kind() == io::ErrorKind::BrokenPipe;
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stdout.write(bytes);
        self.noting(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stdout.flush();
        self.noting(flushed)
    }
}

fn main() -> ExitCode {
    let mut out = Output {
        stdout: anstream::stdout(),
        reader_is_gone: false,
    };
    let mut handles = Handles {
        input: &mut io::stdin(),
        out: &mut out,
        err: &mut io::stderr(),
    };
    match Cli::parse().run(&Clock::system(), &mut handles) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(_) if out.reader_is_gone => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when this can't be written.
            let _ = writeln!(anstream::stderr(), "{BAD}error:{BAD:#} {error:#}");
            ExitCode::FAILURE
        }
    }
}
