//! What a check is, and what it can find.

use std::fmt;

use anstyle::Style;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::{context::Context, fix::Fix};
use crate::cli::style;

/// One thing that a call depends on.
pub(super) struct Check {
    /// Its name, the same in every release: scripts read it.
    pub(super) name: &'static str,
    /// What happens to callers or operators when it is not in order.
    pub(super) matters: &'static str,
    /// Looks at it. Changes nothing.
    pub(super) look: Look,
}

/// Looks at one thing.
pub(super) type Look = for<'a> fn(&'a Context) -> BoxFuture<'a, Verdict>;

/// What was found: in order, with a word about it, or not.
pub(super) type Verdict = Result<String, Trouble>;

/// What keeps a check from being in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It works, but not as well or as safely as it should.
    Warning(Complaint),
    /// It does not work.
    Failed(Complaint),
    /// It could not be looked at, and why.
    Skipped(String),
}

/// What is wrong, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// What is wrong, with what was found and what was expected.
    pub(super) problem: String,
    /// The command to type or the place to click.
    pub(super) remedy: String,
    /// What `--fix` does about it.
    pub(super) fix: Option<Fix>,
}

impl Trouble {
    /// It does not work.
    pub(super) fn failed(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed(Complaint {
            problem: problem.into(),
            remedy: remedy.into(),
            fix: None,
        })
    }

    /// It works, but not as it should.
    pub(super) fn warning(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Warning(Complaint {
            problem: problem.into(),
            remedy: remedy.into(),
            fix: None,
        })
    }

    /// It does not work, as an error says: our errors name the fault and, after a semicolon, what mends it.
    pub(super) fn of_error(error: &dyn fmt::Display) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((problem, remedy)) => Self::failed(problem, remedy),
            None => Self::failed(
                text,
                "run doctor again; if it stays, the message above is what to ask for help with",
            ),
        }
    }

    /// It could not be looked at.
    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped(why.into())
    }

    /// The same trouble, which `--fix` can mend in this way.
    pub(super) fn mended_by(mut self, way: Fix) -> Self {
        match &mut self {
            Self::Warning(complaint) | Self::Failed(complaint) => complaint.fix = Some(way),
            Self::Skipped(_) => {}
        }
        self
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// In order.
    Ok,
    /// In order as far as it goes.
    Warning,
    /// Not in order.
    Failed,
    /// Not looked at.
    Skipped,
}

impl Status {
    /// As it is written.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// How it is shown on a terminal.
    pub(super) fn style(self) -> Style {
        match self {
            Self::Ok => style::GOOD,
            Self::Warning => style::WARNING,
            Self::Failed => style::BAD,
            Self::Skipped => style::FAINT,
        }
    }
}

/// A check and what it found.
pub(super) struct Finding {
    /// The check.
    pub(super) check: &'static Check,
    /// What it found.
    pub(super) verdict: Verdict,
}

impl Finding {
    /// How the check ended.
    pub(super) fn status(&self) -> Status {
        match &self.verdict {
            Ok(_) => Status::Ok,
            Err(Trouble::Warning(_)) => Status::Warning,
            Err(Trouble::Failed(_)) => Status::Failed,
            Err(Trouble::Skipped(_)) => Status::Skipped,
        }
    }

    /// What was found, in words.
    pub(super) fn words(&self) -> &str {
        match &self.verdict {
            Ok(words) | Err(Trouble::Skipped(words)) => words,
            Err(Trouble::Warning(complaint) | Trouble::Failed(complaint)) => &complaint.problem,
        }
    }

    /// What is wrong, if something is.
    pub(super) fn complaint(&self) -> Option<&Complaint> {
        match &self.verdict {
            Err(Trouble::Warning(complaint) | Trouble::Failed(complaint)) => Some(complaint),
            Ok(_) | Err(Trouble::Skipped(_)) => None,
        }
    }
}
