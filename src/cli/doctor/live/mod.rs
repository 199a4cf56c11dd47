//! `doctor --live`: asks Vonage itself what its documentation leaves open, with an application that exists only for that.
//!
//! [`stage`] makes the application and takes it away, [`wire`] asks, [`traces`] writes down without anything private
//! ([`redaction`]); one file for each group of questions; [`report`] tells what was found and what it means here.

mod application;
mod finding;
mod needs;
mod reach;
mod redaction;
mod report;
mod stage;
mod traces;
mod users;
mod wire;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use secrecy::ExposeSecret;

use self::{
    finding::{Finding, Question},
    needs::Needs,
    redaction::Redactor,
    report::Report,
    stage::Stage,
    traces::Traces,
};
use crate::{
    cli::{Handles, Outcome, prompt::Prompt, serve},
    domain::clock::Clock,
    settings::Sources,
    vonage::account::AccountClient,
};

/// The flags of `doctor --live`.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// Try at Vonage what its documentation leaves open, with a temporary application; asks first
    #[arg(long, conflicts_with = "fix")]
    pub live: bool,

    /// With --live: ask nothing
    #[arg(long, short, requires = "live")]
    pub yes: bool,

    /// With --live: a new folder for what went to and fro, without anything private; live-traces/TIME without it
    #[arg(long, value_name = "FOLDER", requires = "live")]
    pub traces: Option<PathBuf>,
}

/// Everything that is asked, in the order in which it is told.
static QUESTIONS: &[&Question] = &[
    &application::TIMEOUT_NAME,
    &users::REGION,
    &users::BY_NAME,
    &users::DUPLICATE,
    &users::UNKNOWN,
    &reach::REACH,
    &reach::SMALLEST,
];

/// Runs `doctor --live`. [`Outcome::Failed`] when Vonage does something else than the service assumes, or something was left
/// behind there.
///
/// # Errors
/// When something is missing, nobody agrees, or the temporary application can't be made.
pub(super) async fn run(
    args: &LiveArgs,
    is_json: bool,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let needs = Needs::read(sources)?;
    let access = needs.account.clone();
    let account = AccountClient::new(
        access.api_key,
        access.api_secret,
        &access.api_url,
        access.rest_url,
    )?;
    // A wrong key is told in the words that every other command has for it.
    account.balance().await?;
    show_plan(handles)?;
    let mut prompt = Prompt {
        handles,
        assume_yes: args.yes,
    };
    if !prompt.confirm("Go on?")? {
        writeln!(handles.err, "nothing was made and nothing was spent")?;
        return Ok(Outcome::Failed);
    }
    let folder = args.traces.clone().unwrap_or_else(|| default_folder(clock));
    let traces = Arc::new(Traces::open(&folder, redactor(&needs))?);
    // From here on a stop is kept until what was made is deleted.
    let stop = serve::stop_signals()?;
    let stage = Stage::set_up(needs, Arc::clone(&traces), clock.clone()).await?;
    let findings = tokio::select! {
        findings = ask_all(&stage) => Some(findings),
        () = stop.first => None,
    };
    let left_behind = stage.take_down().await;
    let is_interrupted = findings.is_none();
    let mut findings = findings.unwrap_or_default();
    for finding in &mut findings {
        finding.found = traces.redact(&finding.found);
    }
    let report = Report::new(&findings, &left_behind, traces.folder());
    if is_json {
        report.write_json(handles.out)?;
    } else {
        report.write_text(handles.out)?;
    }
    if let Some(fault) = traces.fault() {
        anyhow::bail!("the traces in {} are not whole: {fault}", folder.display());
    }
    if is_interrupted {
        anyhow::bail!(if left_behind.is_empty() {
            "stopped; everything that was made is deleted"
        } else {
            "stopped; what is left behind is named above"
        });
    }
    Ok(if report.ok {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

async fn ask_all(stage: &Stage) -> Vec<Finding> {
    let mut findings = vec![application::timeout_name(stage)];
    let (user, other) = match (stage.user().await, stage.user().await) {
        (Ok(user), Ok(other)) => (user, other),
        (Err(fault), _) | (_, Err(fault)) => {
            let rest = QUESTIONS.iter().skip(findings.len());
            findings.extend(rest.map(|question| question.untried(&*fault)));
            return findings;
        }
    };
    findings.push(users::region(stage, &user));
    findings.push(users::by_name(stage, &user).await);
    findings.push(users::duplicate(stage, &user).await);
    findings.push(users::unknown(stage).await);
    findings.push(reach::reach(stage, &user, &other).await);
    findings.push(reach::smallest(stage, &user).await);
    findings
}

fn show_plan(handles: &mut Handles<'_>) -> anyhow::Result<()> {
    writeln!(
        handles.err,
        "A temporary application with two users is made at Vonage, asked these questions, and deleted. Nothing rings and \
         nothing is spent."
    )?;
    for question in QUESTIONS {
        writeln!(handles.err, "  {:16} {}", question.name, question.asks)?;
    }
    Ok(())
}

fn default_folder(clock: &Clock) -> PathBuf {
    let time = clock.now().format("%Y%m%dT%H%M%SZ").to_string();
    PathBuf::from("live-traces").join(time)
}

/// What the settings know to be private. Whatever else is, is known by its form.
fn redactor(needs: &Needs) -> Redactor {
    let account = &needs.account;
    let public_host = needs.public_url.origin().ascii_serialization();
    Redactor::new([
        (account.api_key.clone(), "abcd1234"),
        (account.api_secret.expose_secret().to_owned(), "[secret]"),
        (public_host, "https://calls.example.com"),
    ])
}
