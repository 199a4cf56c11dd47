//! Tells what was found: to people, and to programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    check::{Finding, Status},
    fix::Mended,
};

/// Width of the column of names and of that of statuses.
const NAME: usize = 17;
const STATUS: usize = 8;

/// Text for people: a line for each check, and below it why it matters and what mends it.
pub(super) fn write_text(
    findings: &[Finding],
    mended: &[Mended],
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        let status = finding.status();
        let (style, status) = (status.style(), status.as_str());
        writeln!(
            out,
            "{style}{status:STATUS$}{style:#} {:NAME$} {}",
            finding.check.name,
            indented(finding.words())
        )?;
        if let Some(complaint) = finding.complaint() {
            let blank = "";
            writeln!(
                out,
                "{blank:STATUS$} {:NAME$} {}",
                "  why", finding.check.matters
            )?;
            let remedy = indented(&complaint.remedy);
            writeln!(out, "{blank:STATUS$} {:NAME$} {remedy}", "  mend")?;
        }
    }
    if !mended.is_empty() {
        writeln!(out)?;
    }
    for mended in mended {
        match &mended.outcome {
            Ok(done) => writeln!(out, "mended: {done}")?,
            Err(error) => writeln!(out, "not mended: {error}")?,
        }
    }
    let count = |status| findings.iter().filter(|f| f.status() == status).count();
    writeln!(
        out,
        "\n{} in order, {} with a warning, {} failed, {} not looked at",
        count(Status::Ok),
        count(Status::Warning),
        count(Status::Failed),
        count(Status::Skipped)
    )?;
    let fixable = findings
        .iter()
        .filter_map(Finding::complaint)
        .filter(|complaint| complaint.fix.is_some())
        .count();
    if fixable > 0 && mended.is_empty() {
        writeln!(
            out,
            "click-to-call doctor --fix can mend {fixable} of them."
        )?;
    }
    Ok(())
}

/// The lines after the first start below its words.
fn indented(text: &str) -> String {
    let margin = " ".repeat(STATUS + NAME + 2);
    text.lines()
        .collect::<Vec<_>>()
        .join(&format!("\n{margin}"))
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Nothing has failed.
    ok: bool,
    checks: Vec<ReportedCheck<'a>>,
    /// What `--fix` did.
    mended: Vec<ReportedFix<'a>>,
}

#[derive(Debug, Serialize)]
struct ReportedCheck<'a> {
    name: &'a str,
    status: Status,
    /// What was found.
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    matters: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    /// Whether `--fix` can mend it.
    fixable: bool,
}

#[derive(Debug, Serialize)]
struct ReportedFix<'a> {
    done: bool,
    what: &'a str,
}

/// One JSON object for programs.
pub(super) fn write_json(
    findings: &[Finding],
    mended: &[Mended],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let report = Report {
        ok: findings.iter().all(|f| f.status() != Status::Failed),
        checks: findings
            .iter()
            .map(|finding| {
                let complaint = finding.complaint();
                ReportedCheck {
                    name: finding.check.name,
                    status: finding.status(),
                    found: finding.words(),
                    matters: complaint.map(|_| finding.check.matters),
                    remedy: complaint.map(|complaint| complaint.remedy.as_str()),
                    fixable: complaint.is_some_and(|complaint| complaint.fix.is_some()),
                }
            })
            .collect(),
        mended: mended
            .iter()
            .map(|mended| ReportedFix {
                done: mended.is_done(),
                what: match &mended.outcome {
                    Ok(text) | Err(text) => text,
                },
            })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)?;
    Ok(())
}
