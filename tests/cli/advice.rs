//! Whatever anybody is advised to type is understood: every command in the documents, the manual of the settings, the
//! help, and the source's messages is read by the program's own definition of its command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};
use click_to_call::cli::Cli;

const PROGRAM: &str = "click-to-call ";
/// What a placeholder may stand for: one of these, or nothing.
const VALUES: &[&str] = &[
    "",
    "442079460000",
    "https://calls.example.com",
    "78d335fa-323d-0114-9c3d-d6f0d48968cf",
    "GB",
    "eu",
];

/// A command, and where it is advised.
struct Advice {
    place: String,
    command: String,
}

#[test]
fn every_advised_command_is_understood() {
    let mut all = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let is_source = path.extension().is_some_and(|end| end == "rs");
        let text = if is_source { joined(&text) } else { text };
        let place = path.display().to_string();
        let found = backticked(&text).chain(lines(&text).filter(|_| !is_source));
        all.extend(found.map(|command| Advice {
            place: place.clone(),
            command,
        }));
    }
    examples(&Cli::command(), &mut all);
    assert!(all.len() > 100, "only {} were found", all.len());

    let wrong: Vec<String> = all.iter().filter_map(refused).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn advice_that_is_wrong_is_found() {
    for (text, is_wrong) in [
        ("run `click-to-call doctor --fix`", false),
        ("run `click-to-call numbers link {msisdn} --yes`", false),
        ("run `click-to-call doctor --repair`", true),
        ("run `click-to-call number list`", true),
        (
            "run `click-to-call keygen && click-to-call app renew`",
            true,
        ),
        ("run `click-to-call setup --region mars`", true),
    ] {
        let found = backticked(text).any(|command| {
            let place = String::new();
            refused(&Advice { place, command }).is_some()
        });
        assert_eq!(found, is_wrong, "{text}");
    }
}

/// Documents, settings and sources.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs"), root.join("config"), root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|end| ["md", "toml", "rs"].iter().any(|known| end == *known))
            {
                files.push(path);
            }
        }
    }
    files
}

/// Source whose texts go on over the ends of lines.
fn joined(source: &str) -> String {
    let mut parts = source.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// Commands between backticks. Fences are no quotation marks.
fn backticked(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("```", "");
    text.match_indices(&format!("`{PROGRAM}"))
        .filter_map(|(start, _)| {
            let command = text.get(start + 1..)?;
            let end = command.find('`')?;
            command.get(..end).map(str::to_owned)
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// Commands that have a line of their own, in fences and examples. What follows two blanks explains them.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with(PROGRAM))
        .filter_map(|line| line.split("  ").next())
        .map(str::to_owned)
}

/// The examples below the help of each command.
fn examples(command: &clap::Command, all: &mut Vec<Advice>) {
    if let Some(help) = command.get_after_help() {
        all.extend(lines(&help.to_string()).map(|line| Advice {
            place: format!("help of {}", command.get_name()),
            command: line,
        }));
    }
    for below in command.get_subcommands() {
        examples(below, all);
    }
}

/// Why an advice is not understood, if it is not.
fn refused(advice: &Advice) -> Option<String> {
    let command = without_substitutions(&advice.command);
    let refused = command
        .split(['|', ';', '&', '>'])
        .map(str::trim)
        .filter(|part| part.starts_with(PROGRAM) && !is_left_out(part))
        .find(|part| !VALUES.iter().any(|value| is_understood(part, value)))?;
    Some(format!("{}: `{refused}`", advice.place))
}

/// The command without what a shell would put in place of `$(…)`.
fn without_substitutions(command: &str) -> String {
    let mut parts = command.split("$(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(')').map_or(part, |(_, rest)| rest)
    })
}

/// A command of what the released program does not have.
fn is_left_out(command: &str) -> bool {
    let simulates = ["demo", "simulate"].contains(&command.split_whitespace().nth(1).unwrap());
    simulates && !cfg!(feature = "simulator")
}

/// Whether a command is one with this value in place of its placeholders. Naming a command without what it needs is
/// fine; naming one that does not exist is not.
fn is_understood(command: &str, value: &str) -> bool {
    let words = command
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .map(|word| {
            if word.contains(['{', '…', '<']) {
                value
            } else {
                word
            }
        })
        .filter(|word| !word.is_empty());
    match Cli::try_parse_from(words) {
        Ok(_) => true,
        Err(error) => [
            ErrorKind::MissingRequiredArgument,
            ErrorKind::MissingSubcommand,
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ]
        .contains(&error.kind()),
    }
}
