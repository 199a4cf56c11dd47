//! `make bench`: what the service does, beside what the machine can do, in one run.
//!
//! The service is the released program as a process of its own, with its log on, and the load comes from here over
//! loopback. A machine's speed says little about a program, so every figure that depends on it is
//! judged as a ratio to a reference that was timed in the same run, in turns, and the median counts. Each has a goal,
//! and a guard that holds on a busy machine too: only a missed guard fails the run.
//! What the rows mean is in docs/PERFORMANCE.md.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a failed step is a failed run, and the table is printed"
)]

mod answers;
mod append_log;
#[path = "../../tests/support/postgres.rs"]
#[expect(dead_code, reason = "the tests of the store use the rest")]
mod cluster;
mod events;
mod footprint;
#[path = "../../tests/support/load/mod.rs"]
mod load;
mod mint;
#[path = "../../tests/cli/place.rs"]
#[expect(dead_code, reason = "the tests of the command line use all of it")]
mod place;
#[path = "../../tests/cli/service.rs"]
#[expect(dead_code, reason = "the tests of the command line use all of it")]
mod service;
mod slow_disk;
mod stage;
mod table;
mod tokens;

use std::process::ExitCode;

use table::{Row, Table};

/// Times something and says what it found.
type Group = fn() -> Vec<Row>;

/// Each by the name with which it can be run alone: `cargo bench --bench service -- mint`.
const GROUPS: &[(&str, Group)] = &[
    ("mint", mint::rows),
    ("tokens", tokens::rows),
    ("answers", answers::rows),
    ("events", events::rows),
    ("footprint", footprint::rows),
];

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut table = Table::default();
    for (name, rows) in GROUPS {
        if is_wanted(name) {
            eprintln!("{name} …");
            table.add(rows());
        }
    }
    println!("{table}");
    let mut keeps_its_guards = table.keeps_its_guards();
    if !slow_disk::is_here() && is_wanted("events") {
        println!("With a flush of {} ms:\n", slow_disk::FLUSH);
        keeps_its_guards &= slow_disk::run("events").success();
    }
    if keeps_its_guards {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
