//! Tells what was found: to people, and to programs.

use std::{
    io::{self, Write},
    path::Path,
};

use serde::Serialize;

use super::finding::{Finding, Standing};

/// Width of the column of standings.
const STANDING: usize = 12;

/// Everything that came of a run.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    /// Every question was answered, or left out, without a contradiction.
    pub(super) ok: bool,
    pub(super) findings: &'a [Finding],
    /// What was made at Vonage and could not be deleted again, with the command that does.
    pub(super) left_behind: &'a [String],
    /// Where the traces are.
    pub(super) traces: &'a Path,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        findings: &'a [Finding],
        left_behind: &'a [String],
        traces: &'a Path,
    ) -> Self {
        Self {
            ok: left_behind.is_empty() && count(findings, Standing::Contradicts) == 0,
            findings,
            left_behind,
            traces,
        }
    }

    /// Text for people: each question, what Vonage did, and what that means.
    pub(super) fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for finding in self.findings {
            let standing = finding.standing.as_str();
            writeln!(
                out,
                "{standing:STANDING$} {}: {}",
                finding.name, finding.question
            )?;
            writeln!(out, "{:STANDING$}   {}", "", finding.found)?;
            if !finding.means.is_empty() {
                writeln!(out, "{:STANDING$}   -> {}", "", finding.means)?;
            }
        }
        for left in self.left_behind {
            writeln!(out, "left behind: {left}")?;
        }
        writeln!(
            out,
            "\n{} as the service assumes, {} otherwise, {} not found out; traces in {}",
            count(self.findings, Standing::Agrees),
            count(self.findings, Standing::Contradicts),
            count(self.findings, Standing::Untried),
            self.traces.display()
        )
    }

    /// One JSON object for programs.
    pub(super) fn write_json(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)?;
        Ok(())
    }
}

fn count(findings: &[Finding], standing: Standing) -> usize {
    findings
        .iter()
        .filter(|finding| finding.standing == standing)
        .count()
}
