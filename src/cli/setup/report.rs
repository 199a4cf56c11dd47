//! What `setup` says of each of its steps.

use std::io::Write;

use serde::Serialize;

use crate::cli::style;

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// It was so before.
    AlreadyThere,
    /// It has been done now.
    Done,
    /// It would be done (`--dry-run`).
    WillDo,
    /// Only a person can do it.
    ByHand,
}

/// A step that has been told.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    standing: Standing,
    what: String,
}

/// Tells the steps one by one, and keeps them for `--json`.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) steps: Vec<Step>,
    pub(super) json: bool,
}

impl Report {
    /// Tells a step: to people at once, to programs at the end.
    pub(super) fn tell(
        &mut self,
        out: &mut dyn Write,
        standing: Standing,
        what: impl Into<String>,
    ) -> anyhow::Result<()> {
        let what = what.into();
        if !self.json {
            let (label, style) = match standing {
                Standing::AlreadyThere => ("already there", style::FAINT),
                Standing::Done => ("done", style::GOOD),
                Standing::WillDo => ("will do", style::FAINT),
                Standing::ByHand => ("by hand", style::WARNING),
            };
            writeln!(out, "{style}{label:>13}{style:#}  {what}")?;
            out.flush()?;
        }
        self.steps.push(Step { standing, what });
        Ok(())
    }

    /// Whether something is left that only a person can do.
    pub(super) fn is_complete(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|step| step.standing == Standing::ByHand)
    }
}
