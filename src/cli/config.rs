//! `config check`, `config show`, `config manual`.

use std::io::Write;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Handles, Outcome};
use crate::settings::{self, Entry, Faults, Sources, manual};

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do with the settings
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report everything that is wrong with the settings and the key, at once
    Check,
    /// Print every key with its value and where it comes from; secrets are left out
    Show {
        /// One JSON array for programs
        #[arg(long)]
        json: bool,
    },
    /// Print what every key means, in the form of a settings file
    Manual,
}

/// An entry of `config show --json`.
#[derive(Debug, Serialize)]
struct ShownEntry<'a> {
    key: &'a str,
    value: Option<&'a str>,
    secret: bool,
    origin: &'a str,
}

/// Runs `config`.
///
/// # Errors
/// When a handle can't be written.
pub fn run(
    args: &ConfigArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    match args.command {
        ConfigCommand::Check => check(sources, handles),
        ConfigCommand::Show { json } => show(sources, json, handles),
        ConfigCommand::Manual => {
            handles.out.write_all(manual::render().as_bytes())?;
            Ok(Outcome::Done)
        }
    }
}

fn check(sources: &Sources, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    match settings::load_with_key(sources) {
        Ok((loaded, key)) => {
            for warning in &loaded.warnings {
                writeln!(handles.err, "warning: {warning}")?;
            }
            writeln!(
                handles.out,
                "the settings are in order; the application's key has {} bits",
                key.bits()
            )?;
            Ok(Outcome::Done)
        }
        Err(faults) => report(&faults, handles),
    }
}

fn show(sources: &Sources, json: bool, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let loaded = match settings::load(sources) {
        Ok(loaded) => loaded,
        Err(faults) => return report(&faults, handles),
    };
    if json {
        let entries: Vec<ShownEntry<'_>> = loaded.entries.iter().map(shown).collect();
        serde_json::to_writer_pretty(&mut *handles.out, &entries)?;
        writeln!(handles.out)?;
    } else {
        write_table(&loaded.entries, handles.out)?;
    }
    Ok(Outcome::Done)
}

fn shown(entry: &Entry) -> ShownEntry<'_> {
    ShownEntry {
        key: entry.spec.name,
        value: entry.value.as_deref(),
        secret: entry.spec.secret,
        origin: &entry.origin,
    }
}

fn write_table(entries: &[Entry], out: &mut dyn Write) -> anyhow::Result<()> {
    let longest = entries.iter().map(|entry| entry.spec.name.len()).max();
    let width = longest.unwrap_or(0);
    let mut section = "";
    for entry in entries {
        if !section.is_empty() && section != entry.spec.section() {
            writeln!(out)?;
        }
        section = entry.spec.section();
        let name = entry.spec.name;
        match &entry.value {
            Some(value) => writeln!(out, "{name:width$} = {value}  ({})", entry.origin)?,
            None => writeln!(out, "{name:width$}   ({})", entry.origin)?,
        }
    }
    Ok(())
}

fn report(faults: &Faults, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    writeln!(handles.err, "error: {faults}")?;
    Ok(Outcome::Failed)
}
