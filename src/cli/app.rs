//! `app`: create, show, update.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::json;
use url::Url;

use super::{
    Handles, Outcome,
    account::{account_client, ensure_in_reach, print_json, wait_for},
    prompt::Prompt,
    setup::RegionArg,
};
use crate::{
    settings::{
        self, Region, Sources,
        so_far::{SettingsSoFar, load_so_far},
    },
    vonage::{
        account::{
            AccountClient,
            applications::{Application, Change, Wanted, WebhookKind},
        },
        key::ApplicationKey,
    },
};

/// Arguments of `app`.
#[derive(Debug, Args)]
pub struct AppArgs {
    /// What to do with applications
    #[command(subcommand)]
    pub command: AppCommand,
}

/// What can be done with applications.
#[derive(Debug, Subcommand)]
pub enum AppCommand {
    /// Create an application that has everything the service needs
    #[command(
        after_help = "Examples:\n  click-to-call app create --public-url https://calls.example.com\n  click-to-call app \
                            create --public-url https://calls.example.com --public-key key.pub --name support"
    )]
    Create {
        /// Its name
        #[arg(long, value_name = "NAME", default_value = "click-to-call")]
        name: String,
        /// What it is given
        #[command(flatten)]
        form: FormArgs,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
    /// Show an application, or all of the account when none is set
    #[command(
        after_help = "Examples:\n  click-to-call app show\n  click-to-call app show --all\n  click-to-call app show \
                            78d335fa-323d-0114-9c3d-d6f0d48968cf --json"
    )]
    Show {
        /// Its id [default: that of the settings]
        #[arg(value_name = "ID", conflicts_with = "all")]
        application: Option<uuid::Uuid>,
        /// All applications of the account
        #[arg(long)]
        all: bool,
        /// What Vonage answers, for programs
        #[arg(long)]
        json: bool,
    },
    /// Make an application what the service needs; what else is in it stays
    #[command(
        after_help = "Examples:\n  click-to-call app update --public-url https://calls.example.com\n  click-to-call app \
                            update --public-key private.key.next.pub"
    )]
    Update {
        /// Its id [default: that of the settings]
        #[arg(value_name = "ID")]
        application: Option<uuid::Uuid>,
        /// A new name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What it is given
        #[command(flatten)]
        form: FormArgs,
        /// Agree to the changes beforehand
        #[arg(long, short)]
        yes: bool,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
}

/// What an application is given.
#[derive(Debug, Args)]
pub struct FormArgs {
    /// Address of the service, to which the webhooks lead [create: that of the settings]
    #[arg(long, value_name = "URL", value_parser = settings::parse_origin)]
    pub public_url: Option<Url>,

    /// File with the public half of its key, PEM [create: that of the private key]
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,

    /// Where its calls are handled [create: as in the settings]
    #[arg(long, value_enum)]
    pub region: Option<RegionArg>,
}

/// Runs `app`.
///
/// # Errors
/// When Vonage does not do it, or a change is not agreed to.
pub fn run(
    args: &AppArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let so_far = load_so_far(sources);
    let access = so_far.account()?;
    if let Some(public_url) = args.command.public_url(&so_far) {
        ensure_in_reach(public_url, &access.api_url)?;
    }
    let client = account_client(access)?;
    wait_for(async {
        match &args.command {
            AppCommand::Create { name, form, json } => {
                create(&client, name, form, &so_far, *json, handles).await
            }
            AppCommand::Show {
                application,
                all,
                json,
            } => {
                let id = application
                    .map(|id| id.to_string())
                    .or(so_far.application_id);
                match id.filter(|_| !all) {
                    Some(id) => show(&client.application(&id).await?, *json, handles),
                    None => list(&client.applications().await?, *json, handles),
                }
            }
            AppCommand::Update {
                application,
                name,
                form,
                yes,
                json,
            } => {
                let id = application
                    .map(|id| id.to_string())
                    .or(so_far.application_id);
                let id =
                    id.context("no application is set; name its id, or set VONAGE_APPLICATION_ID")?;
                let wanted = Wanted {
                    name: name.clone(),
                    public_key: form.public_key()?,
                    public_url: form.public_url.clone(),
                    region: form.region.map(Region::from),
                };
                update(&client, &id, &wanted, *yes, *json, handles).await
            }
        }
    })
}

impl AppCommand {
    /// Where the webhooks are to lead.
    fn public_url<'a>(&'a self, so_far: &'a SettingsSoFar) -> Option<&'a Url> {
        match self {
            Self::Create { form, .. } => form.public_url.as_ref().or(so_far.public_url.as_ref()),
            Self::Update { form, .. } => form.public_url.as_ref(),
            Self::Show { .. } => None,
        }
    }
}

impl FormArgs {
    fn public_key(&self) -> anyhow::Result<Option<String>> {
        let Some(path) = &self.public_key else {
            return Ok(None);
        };
        let pem = fs::read_to_string(path)
            .with_context(|| format!("the public key {} can't be read", path.display()))?;
        if pem.contains("PRIVATE KEY") {
            bail!(
                "{} holds a private key, which never leaves this machine; `click-to-call keygen --public --out {}` prints its \
                 public half",
                path.display(),
                path.display()
            );
        }
        if rsa::RsaPublicKey::from_public_key_pem(pem.trim()).is_err() {
            bail!(
                "{} is no RSA public key in PEM form (BEGIN PUBLIC KEY)",
                path.display()
            );
        }
        Ok(Some(pem))
    }
}

async fn create(
    client: &AccountClient,
    name: &str,
    form: &FormArgs,
    so_far: &SettingsSoFar,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let public_url = form
        .public_url
        .clone()
        .or_else(|| so_far.public_url.clone());
    let public_key = match (form.public_key()?, &so_far.private_key) {
        (Some(given), _) => given,
        (None, Some(source)) => ApplicationKey::load(source)
            .context("the new application needs a public key: make a pair with `click-to-call keygen`, or give --public-key")?
            .0
            .public_key_pem(),
        (None, None) => bail!("the new application needs a public key; give --public-key"),
    };
    let wanted = Wanted::for_service(
        public_key,
        public_url
            .context("where is the service to be reached? Give --public-url, or set PUBLIC_URL")?,
        form.region
            .map(Region::from)
            .or(so_far.region)
            .unwrap_or(Region::Us),
    );
    // A run whose answer was lost may have made it.
    let all = client.applications().await?;
    let ours = all.into_iter().find(|application| {
        let public_key = wanted.public_key.as_deref();
        public_key.is_some_and(|public_key| application.has_public_key(public_key))
    });
    if let Some(ours) = ours {
        return found(&ours, &wanted, json, handles);
    }
    writeln!(handles.err, "creating the application {name:?} ...")?;
    let made = client.create_application(name, &wanted).await?;
    if json {
        print_json(handles, &made.to_json())?;
        return Ok(Outcome::Done);
    }
    show(&made, false, handles)?;
    writeln!(
        handles.err,
        "\nNext: put VONAGE_APPLICATION_ID={} into .env, and link a number: click-to-call numbers link NUMBER --application {}",
        made.id(),
        made.id()
    )?;
    Ok(Outcome::Done)
}

/// An application with the public key is there: no second one is made, and this one is left as it is.
fn found(
    ours: &Application,
    wanted: &Wanted,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let (name, id) = (ours.name(), ours.id());
    writeln!(
        handles.err,
        "the application {name:?} has this public key already: {id}; no second one is made"
    )?;
    let differences = wanted.differences(ours);
    if !differences.is_empty() {
        writeln!(
            handles.err,
            "it differs from what was asked for; `click-to-call app update {id}` with --public-url and --region changes it:"
        )?;
    }
    for difference in differences {
        writeln!(handles.err, "  {difference}")?;
    }
    show(ours, json, handles)
}

async fn update(
    client: &AccountClient,
    id: &str,
    wanted: &Wanted,
    yes: bool,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let mut application = client.application(id).await?;
    let changes = wanted.apply(&mut application);
    for change in &changes {
        writeln!(handles.err, "  {change}")?;
    }
    if !changes.is_empty() {
        let ends_tokens = wanted.public_key.is_some() && has_key_change(&changes);
        let warning = if ends_tokens {
            " Every token that was signed with the key before ends at once."
        } else {
            ""
        };
        let question = format!(
            "Change the application {:?} so?{warning}",
            application.name()
        );
        let mut prompt = Prompt {
            handles,
            assume_yes: yes,
        };
        if !prompt.confirm(&question)? {
            bail!("the application {id} was left as it is");
        }
        client.replace_application(&application).await?;
    }
    if json {
        print_json(
            handles,
            &json!({ "application_id": id, "changes": changes }),
        )?;
    } else if changes.is_empty() {
        writeln!(handles.out, "the application {id} is so already")?;
    } else {
        writeln!(handles.out, "the application {id} is changed")?;
    }
    Ok(Outcome::Done)
}

fn has_key_change(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.what == "public key")
}

fn show(
    application: &Application,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    if json {
        print_json(handles, &application.to_json())?;
        return Ok(Outcome::Done);
    }
    let mut lines = vec![
        ("id".to_owned(), application.id().to_owned()),
        ("name".to_owned(), application.name().to_owned()),
        (
            "region".to_owned(),
            application.voice_region().unwrap_or("not set").to_owned(),
        ),
    ];
    for kind in WebhookKind::ALL {
        let webhook = application.webhook(kind);
        let shown = webhook.map_or_else(|| "not set".to_owned(), |webhook| webhook.to_string());
        lines.push((kind.to_string(), shown));
    }
    let switch = |on: Option<bool>| {
        on.map_or("not said", |on| if on { "on" } else { "off" })
            .to_owned()
    };
    lines.push((
        "signed callbacks".to_owned(),
        switch(application.signs_callbacks()),
    ));
    lines.push((
        "signed RTC callbacks".to_owned(),
        switch(application.signs_rtc_callbacks()),
    ));
    lines.push((
        "use for Vonage's AI".to_owned(),
        switch(application.improves_ai()),
    ));
    for (what, value) in lines {
        writeln!(handles.out, "{what:<20} {value}")?;
    }
    if let Some(key) = application.public_key() {
        writeln!(handles.out, "{}", key.trim_end())?;
    }
    Ok(Outcome::Done)
}

fn list(
    applications: &[Application],
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    if json {
        let all: Vec<_> = applications.iter().map(Application::to_json).collect();
        print_json(handles, &all)?;
        return Ok(Outcome::Done);
    }
    if applications.is_empty() {
        writeln!(
            handles.err,
            "the account has no applications; `click-to-call app create` makes one"
        )?;
    }
    for application in applications {
        let answer = application.webhook(WebhookKind::Answer);
        let leads = answer.map_or_else(|| "no voice".to_owned(), |webhook| webhook.address);
        writeln!(
            handles.out,
            "{}  {}  {leads}",
            application.id(),
            application.name()
        )?;
    }
    Ok(Outcome::Done)
}
