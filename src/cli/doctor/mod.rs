//! `doctor`: looks at everything that a call depends on, and says what is wrong, why it matters and what mends it.
//!
//! [`checks`] has one file for each subject and the one list of all; [`context`] what they share, asked for once;
//! [`key_file`] who may read the key; [`reach`] asks an address whether it leads here; [`fix`] mends; [`report`] tells.

mod check;
mod checks;
mod context;
mod fix;
mod key_file;
mod live;
mod probe;
mod reach;
mod report;

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use futures_util::{StreamExt, stream::FuturesUnordered};

use self::{
    check::{Check, Finding, Status, Trouble, Verdict},
    context::Context,
};
use super::{Handles, Outcome};
use crate::{domain::clock::Clock, settings::Sources};

/// Time for one check. A server that says nothing must not hold up the others' verdicts for longer.
const DEADLINE: Duration = Duration::from_secs(20);

/// Shown below the help.
pub const EXAMPLES: &str = "\
Examples:
  click-to-call doctor            what is wrong, why it matters, what mends it
  click-to-call doctor --fix      mends webhooks that lead nowhere else, the number's link, the key file and the shared user
  click-to-call doctor --json     the same for scripts; exit code 1 when something has failed
  click-to-call doctor --live     asks Vonage what its documentation leaves open, after asking you; calls the desk twice
  click-to-call doctor --live --budget 0     only what costs nothing";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Mend what can be mended without risk (nothing is bought), say what was done, and look again
    #[arg(long)]
    pub fix: bool,

    /// One JSON object for programs
    #[arg(long)]
    pub json: bool,

    #[expect(missing_docs, reason = "it would be shown as help")]
    #[command(flatten)]
    pub live: live::LiveArgs,
}

/// Runs `doctor`. [`Outcome::Failed`] when something does not work; warnings alone are no failure.
///
/// # Errors
/// When a handle can't be written.
pub fn run(
    args: &DoctorArgs,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        if args.live.live {
            live::run(&args.live, args.json, sources, clock, handles).await
        } else {
            doctor(args, sources, clock, handles).await
        }
    });
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
    outcome
}

async fn doctor(
    args: &DoctorArgs,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let context = Context::new(sources, clock);
    let mut findings = look(&context, handles.err).await?;
    let mut mended = Vec::new();
    if args.fix {
        mended = fix::mend(&context, &findings).await;
    }
    if mended.iter().any(fix::Mended::is_done) {
        let context = Context::new(sources, clock);
        findings = look(&context, handles.err).await?;
    }
    if args.json {
        report::write_json(&findings, &mended, handles.out)?;
    } else {
        report::write_text(&findings, &mended, handles.out)?;
    }
    let has_failed = findings
        .iter()
        .any(|finding| finding.status() == Status::Failed);
    Ok(if has_failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// Looks at everything at once, in the order of the list.
async fn look(context: &Context, err: &mut dyn Write) -> io::Result<Vec<Finding>> {
    let shows_progress = io::stderr().is_terminal();
    let all = checks::ALL;
    let mut looking: FuturesUnordered<_> = all
        .iter()
        .enumerate()
        .map(|(place, check)| async move { (place, check, verdict(check, context).await) })
        .collect();
    let mut found = Vec::with_capacity(all.len());
    while let Some((place, check, verdict)) = looking.next().await {
        found.push((place, Finding { check, verdict }));
        if shows_progress {
            write!(err, "\r{}/{} looked at", found.len(), all.len())?;
            err.flush()?;
        }
    }
    if shows_progress {
        write!(err, "\r{:30}\r", "")?;
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, finding)| finding).collect())
}

async fn verdict(check: &Check, context: &Context) -> Verdict {
    tokio::time::timeout(DEADLINE, (check.look)(context))
        .await
        .unwrap_or_else(|_elapsed| {
            Err(Trouble::failed(
                format!("there was no answer within {} seconds", DEADLINE.as_secs()),
                after_deadline(check.name),
            ))
        })
}

/// What to look at when a check has come to no end.
fn after_deadline(check: &str) -> &'static str {
    match check {
        "settings" | "key" => "see that the disk with the settings and the key answers",
        "database" => {
            "see that the database's disk or server answers, and that nothing holds it locked"
        }
        "port" | "public-address" | "proxy" | "assets" => {
            "see database first; then the service's log, and the network between this machine and its address"
        }
        _ => {
            "look at the network between this machine and Vonage (firewall, proxy, DNS), and run doctor again"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vonage_has_no_part_in_does_not_blame_the_way_to_it() {
        for check in checks::ALL {
            let is_local = [
                "settings",
                "key",
                "database",
                "assets",
                "port",
                "public-address",
                "proxy",
            ]
            .contains(&check.name);
            let remedy = after_deadline(check.name);
            assert_eq!(remedy.contains("Vonage"), !is_local, "{}", check.name);
        }
    }
}
