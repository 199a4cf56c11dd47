//! `doctor --live`: asks Vonage itself what its documentation leaves open, with an application that exists only for that.
//!
//! [`stage`] makes the application and takes it away, [`wire`] asks, [`traces`] writes down without anything private
//! ([`redaction`]); one file for each group of questions; [`report`] tells what was found and what it means here.
//! Two [`calls`] are made within the [`budget`], and their webhooks come to a [`listener`] in the service's place.

mod application;
mod budget;
mod calls;
mod conversation;
mod finding;
mod leaving;
mod listener;
mod needs;
mod plan;
mod reach;
mod redaction;
mod report;
mod stage;
mod traces;
mod users;
mod webhooks;
mod wire;

use std::{io::Write, path::PathBuf, sync::Arc};

use chrono::TimeDelta;
use clap::Args;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use self::{
    calls::Ring,
    finding::{Finding, Question},
    needs::Needs,
    plan::Plan,
    redaction::Redactor,
    report::Report,
    stage::Stage,
    traces::Traces,
};
use crate::{
    cli::{Handles, Outcome, account::account_client, prompt::Prompt, serve},
    domain::clock::Clock,
    settings::Sources,
    vonage::signature::SignatureCheck,
};

/// How far a webhook's time may be from ours: what was sent in a run is judged at its end.
const SIGNATURE_AGE: TimeDelta = TimeDelta::minutes(10);

/// The flags of `doctor --live`.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// Try at Vonage what its documentation leaves open, with a temporary application; asks first
    #[arg(long, conflicts_with = "fix")]
    pub live: bool,

    /// With --live: ask nothing, neither before nor about what the telephone showed
    #[arg(long, short, requires = "live")]
    pub yes: bool,

    /// With --live: the most that may be spent, in euros; 0 makes no calls
    #[arg(long, value_name = "EUR", requires = "live", default_value = "1", value_parser = budget::parse)]
    pub budget: budget::Euros,

    /// With --live: the port that `PUBLIC_URL` leads to, if it is not that of the service
    #[arg(long, value_name = "PORT", requires = "live")]
    pub live_port: Option<u16>,

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
    &webhooks::GET_SIGNATURE,
    &webhooks::POST_SIGNATURE,
    &webhooks::RETRIES,
    &webhooks::PATIENCE,
    &conversation::PRESS_1,
    &conversation::RECORDING,
    &conversation::SYNCHRONOUS,
    &conversation::COPIES,
    &conversation::PRICES,
    &conversation::CALLER_ID,
];
/// Those of them that cost nothing come first.
const FREE: usize = 7;

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
    let with_calls = !args.budget.is_zero();
    let needs = Needs::read(sources, with_calls, args.live_port)?;
    let account = account_client(needs.account.clone())?;
    // A wrong key is told in the words that every other command has for it.
    account.balance().await?;
    let folder = args.traces.clone().unwrap_or_else(|| default_folder(clock));
    let traces = Arc::new(Traces::open(&folder, redactor(&needs))?);
    let plan = Plan::make(&needs, &account, &traces, args.budget).await?;
    if let Some(telephone) = &plan.telephone {
        let listener = &telephone.listener;
        writeln!(handles.err, "listening on {}", listener.address)?;
        listener.prove().await?;
    }
    plan.show(handles)?;
    let mut prompt = Prompt {
        handles,
        assume_yes: args.yes,
    };
    if !prompt.confirm("Go on?")? {
        writeln!(handles.err, "nothing was made and nothing was spent")?;
        return Ok(Outcome::Failed);
    }
    traces.make()?;
    // From here on a stop is kept until what was made is deleted.
    let stop = serve::stop_signals()?;
    // Whoever closes the terminal means a stop, too.
    let mut hangup = signal(SignalKind::hangup())?;
    let webhooks = plan.webhooks(&needs);
    let stage = Stage::set_up(needs, &webhooks, Arc::clone(&traces), clock.clone()).await?;
    let asked = tokio::select! {
        asked = ask_all(&stage, &plan, clock, handles.err) => Some(asked),
        () = stop.first => None,
        _ = hangup.recv() => None,
    };
    let listener = plan.telephone.as_ref().map(|telephone| &telephone.listener);
    let left_behind = tokio::select! {
        left_behind = stage.take_down(listener) => left_behind,
        // Whoever sends a second signal does not want to wait for Vonage any longer.
        () = stop.second => vec![stage.left_behind("stopped before it was deleted")],
    };
    if let Some(telephone) = &plan.telephone {
        telephone.listener.stop().await;
    }
    let is_interrupted = asked.is_none();
    let (mut findings, first) = match asked {
        Some(asked) => asked?,
        None => (Vec::new(), None),
    };
    if let (Some(telephone), Some(first)) = (&plan.telephone, first) {
        let read = if args.yes || first.failure.is_some() {
            None
        } else {
            let mut prompt = Prompt {
                handles,
                assume_yes: false,
            };
            // Without an answer nobody knows, and what was found out is told all the same.
            prompt
                .ask::<String>(
                    "Which number did the telephone show? (Enter: nobody knows)",
                    "say --yes to be asked nothing",
                )
                .ok()
        };
        let number = &telephone.needs.number;
        findings.push(conversation::caller_id(&first, number, read.as_deref()));
    }
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

/// Asks everything that needs no person to say what was seen. Of the calls, how the first went.
async fn ask_all(
    stage: &Stage,
    plan: &Plan,
    clock: &Clock,
    err: &mut dyn Write,
) -> anyhow::Result<(Vec<Finding>, Option<Ring>)> {
    let mut findings = ask_freely(stage).await;
    let Some(telephone) = &plan.telephone else {
        return Ok((findings, None));
    };
    let mut calls = telephone.calls(stage);
    writeln!(
        err,
        "call 1 of 2: answer it, and press 1 when you are asked"
    )?;
    let first = calls.first().await;
    let recording = conversation::recording(&calls, &first).await;
    // Whoever did not answer once is not rung at again.
    let second = match &first.failure {
        None => {
            writeln!(err, "call 2 of 2: answer it, and wait")?;
            calls.second().await
        }
        Some(why) => Ring {
            failure: Some(why.clone()),
        },
    };
    writeln!(err, "spent: {} at most", calls.budget.spent())?;
    let (listener, now) = (&telephone.listener, clock.now());
    let check = SignatureCheck::new(
        std::slice::from_ref(&telephone.needs.signature_secret),
        Some(stage.needs.account.api_key.clone()),
        stage.id.clone(),
        SIGNATURE_AGE,
    );
    findings.extend([
        webhooks::get_signature(listener, &first, &check, now),
        webhooks::post_signature(listener, &first, &check, now),
        webhooks::retries(listener, &first),
        webhooks::patience(listener, &second),
        conversation::press_1(listener, &first),
        recording,
        conversation::synchronous(listener, &second),
        conversation::copies(listener, &first),
        conversation::prices(listener, &first),
    ]);
    Ok((findings, Some(first)))
}

async fn ask_freely(stage: &Stage) -> Vec<Finding> {
    let mut findings = vec![application::timeout_name(stage)];
    let (user, other) = match (stage.user().await, stage.user().await) {
        (Ok(user), Ok(other)) => (user, other),
        (Err(fault), _) | (_, Err(fault)) => {
            let rest = QUESTIONS.iter().take(FREE).skip(findings.len());
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

fn default_folder(clock: &Clock) -> PathBuf {
    let time = clock.now().format("%Y%m%dT%H%M%SZ").to_string();
    PathBuf::from("live-traces").join(time)
}

/// What the settings know to be private. Whatever else is, is known by its form.
fn redactor(needs: &Needs) -> Redactor {
    let account = &needs.account;
    let origin = needs.public_url.origin().ascii_serialization();
    let host = needs.public_url.host_str().unwrap_or_default().to_owned();
    let mut known = vec![
        (account.api_key.clone(), "abcd1234"),
        (account.api_secret.expose_secret().to_owned(), "[secret]"),
        (origin, "https://calls.example.com"),
        (host, "calls.example.com"),
    ];
    if let Some(calls) = &needs.calls {
        let secret = calls.signature_secret.expose_secret();
        known.push((secret.to_owned(), "[secret]"));
        known.push((calls.number.as_str().to_owned(), "442079460000"));
        known.push((calls.destination.as_str().to_owned(), "447700900000"));
    }
    Redactor::new(known)
}
