//! `completions` and `man`: what the command line is, for shells and for `man`.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use super::{Cli, Handles, Outcome};

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  click-to-call completions bash > /etc/bash_completion.d/click-to-call
  click-to-call completions zsh > \"${fpath[1]}/_click-to-call\"
  click-to-call completions fish > ~/.config/fish/completions/click-to-call.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: KnownShell,
}

/// Shells that are completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KnownShell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  click-to-call man | man -l -
  click-to-call man numbers buy | man -l -
  click-to-call man --out /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The command whose page is printed [default: the program]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Vec<String>,

    /// Write all pages into this folder
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// Runs `completions`.
///
/// # Errors
/// When a handle can't be written.
pub fn complete(args: &CompletionsArgs, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let shell = match args.shell {
        KnownShell::Bash => Shell::Bash,
        KnownShell::Zsh => Shell::Zsh,
        KnownShell::Fish => Shell::Fish,
    };
    // Into memory first: the generator panics when its output breaks off.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "click-to-call", &mut script);
    handles.out.write_all(&script)?;
    Ok(Outcome::Done)
}

/// Runs `man`.
///
/// # Errors
/// When there is no such command, or a page can't be written.
pub fn man(args: &ManArgs, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let mut program = Cli::command();
    program.build();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(program, folder))
            .with_context(|| format!("the pages can't be written to {}", folder.display()))?;
        writeln!(handles.err, "the pages are in {}", folder.display())?;
        return Ok(Outcome::Done);
    }
    let command = args
        .command
        .iter()
        .try_fold(&program, |command, name| command.find_subcommand(name))
        .with_context(|| format!("there is no command {:?}", args.command.join(" ")))?;
    clap_mangen::Man::new(command.clone()).render(handles.out)?;
    Ok(Outcome::Done)
}
