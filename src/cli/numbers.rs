//! `numbers`: search, buy, link, list, cancel.

use std::{fmt, str::FromStr};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Handles, Outcome,
    account::{account_client, print_json, wait_for},
    prompt::Prompt,
};
use crate::{
    domain::phone_number::PhoneNumber,
    settings::{Sources, so_far::load_so_far},
    vonage::account::{
        AccountClient,
        numbers::{Number, NumberQuery},
    },
};

/// Said before a number is bought: Vonage's interface does not say which number wants what.
pub(super) const PAPERS: &str = "\
Some countries want an address or identity papers before a number can be had. The dashboard's Buy numbers page
(https://dashboard.nexmo.com/buy-numbers) names the limitations of each number and takes the papers: give them there first.";

/// Arguments of `numbers`.
#[derive(Debug, Args)]
pub struct NumbersArgs {
    /// What to do with numbers
    #[command(subcommand)]
    pub command: NumbersCommand,
}

/// What can be done with numbers.
#[derive(Debug, Subcommand)]
pub enum NumbersCommand {
    /// Show numbers for sale that can be telephoned, with their prices
    #[command(
        after_help = "Examples:\n  click-to-call numbers search GB\n  click-to-call numbers search US --type landline \
                            --pattern 415 --count 20"
    )]
    Search {
        /// Two letters: GB, US, JP
        #[arg(value_name = "COUNTRY", value_parser = parse_country)]
        country: String,
        /// landline, mobile-lvn or landline-toll-free
        #[arg(long = "type", value_name = "TYPE", value_parser = ["landline", "mobile-lvn", "landline-toll-free"])]
        kind: Option<String>,
        /// Digits that the number contains
        #[arg(long, value_name = "DIGITS")]
        pattern: Option<String>,
        /// How many to show, 1 to 100
        #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=100))]
        count: u32,
        /// One JSON array for programs
        #[arg(long)]
        json: bool,
    },
    /// Buy a number: shows the price and asks first
    #[command(after_help = "Example:\n  click-to-call numbers buy GB 442079460000")]
    Buy {
        /// Two letters: GB, US, JP
        #[arg(value_name = "COUNTRY", value_parser = parse_country)]
        country: String,
        /// The number, as `numbers search` shows it
        number: PhoneNumber,
        /// Agree to the price beforehand
        #[arg(long, short)]
        yes: bool,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
    /// Let a number lead to an application
    #[command(
        after_help = "Examples:\n  click-to-call numbers link 442079460000\n  click-to-call numbers link 442079460000 \
                            --application 78d335fa-323d-0114-9c3d-d6f0d48968cf"
    )]
    Link {
        /// One of the account's numbers
        number: PhoneNumber,
        /// The application [default: that of the settings]
        #[arg(long, value_name = "ID")]
        application: Option<uuid::Uuid>,
        /// Agree beforehand to take it from where it leads now
        #[arg(long, short)]
        yes: bool,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
    /// Show the account's numbers and where they lead
    #[command(after_help = "Example:\n  click-to-call numbers list --json")]
    List {
        /// One JSON array for programs
        #[arg(long)]
        json: bool,
    },
    /// Give a number back: asks first, as somebody else can have it then
    #[command(after_help = "Example:\n  click-to-call numbers cancel 442079460000")]
    Cancel {
        /// One of the account's numbers
        number: PhoneNumber,
        /// Agree beforehand
        #[arg(long, short)]
        yes: bool,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
}

/// A country as Vonage names it: two letters (ISO 3166-1).
#[derive(Debug, Clone)]
pub(super) struct Country(pub(super) String);

impl FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_country(text).map(Self)
    }
}

/// Reads a country's two letters.
pub(super) fn parse_country(text: &str) -> Result<String, String> {
    // Everybody's guess, and no country's code (ISO 3166-1 reserves it).
    if text.eq_ignore_ascii_case("UK") {
        return Err("is no country: the United Kingdom's letters are GB".to_owned());
    }
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("is no country: write its two letters, like GB, US or JP".to_owned())
    }
}

/// Runs `numbers`.
///
/// # Errors
/// When Vonage does not do it, or what costs or changes something is not agreed to.
pub fn run(
    args: &NumbersArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let so_far = load_so_far(sources);
    let client = account_client(so_far.account()?)?;
    wait_for(async {
        match &args.command {
            NumbersCommand::Search {
                country,
                kind,
                pattern,
                count,
                json,
            } => {
                let query = NumberQuery {
                    country: country.clone(),
                    kind: kind.clone(),
                    pattern: pattern.clone(),
                    size: *count,
                };
                let found = client.search_numbers(&query).await?;
                let none = format!("no such number with voice is for sale in {country}");
                show(&found, *json, &none, handles)
            }
            NumbersCommand::List { json } => {
                let owned = client.owned_numbers().await?;
                show(&owned, *json, "the account has no numbers", handles)
            }
            NumbersCommand::Buy {
                country,
                number,
                yes,
                json,
            } => buy(&client, country, number, *yes, handles)
                .await?
                .print(*json, handles),
            NumbersCommand::Link {
                number,
                application,
                yes,
                json,
            } => {
                let application = application
                    .map(|id| id.to_string())
                    .or(so_far.application_id);
                let application = application.context(
                    "no application is set; name it with --application, or set VONAGE_APPLICATION_ID",
                )?;
                link(&client, number, &application, *yes, handles)
                    .await?
                    .print(*json, handles)
            }
            NumbersCommand::Cancel { number, yes, json } => cancel(&client, number, *yes, handles)
                .await?
                .print(*json, handles),
        }
    })
}

/// What became of an order.
#[derive(Debug)]
struct Ordered {
    number: String,
    /// Whether something was done; otherwise it was so before.
    done: bool,
    what: String,
}

impl Ordered {
    fn print(&self, json: bool, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
        if json {
            let Self { number, done, what } = self;
            print_json(
                handles,
                &json!({ "number": number, "done": done, "what": what }),
            )?;
        } else {
            writeln!(handles.out, "{}", self.what)?;
        }
        Ok(Outcome::Done)
    }
}

async fn buy(
    client: &AccountClient,
    country: &str,
    number: &PhoneNumber,
    yes: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Ordered> {
    let msisdn = number.as_str();
    if let Some(owned) = client.owned_number(msisdn).await? {
        return Ok(Ordered {
            number: msisdn.to_owned(),
            done: false,
            what: format!("{owned} is the account's already"),
        });
    }
    let Some(offer) = client.number_for_sale(country, msisdn).await? else {
        bail!(
            "{msisdn} is not for sale in {country}; see which are with `click-to-call numbers search {country}`"
        );
    };
    writeln!(handles.err, "{PAPERS}")?;
    check_price(&offer, yes)?;
    let mut prompt = Prompt {
        handles,
        assume_yes: yes,
    };
    if !prompt.confirm(&format!("Buy {offer} for {}?", offer.price()))? {
        bail!("nothing was bought");
    }
    writeln!(handles.err, "buying {offer} for {} ...", offer.price())?;
    client.buy_number(country, msisdn).await?;
    Ok(Ordered {
        number: msisdn.to_owned(),
        done: true,
        what: format!(
            "bought {offer} for {}; next: click-to-call numbers link {msisdn}",
            offer.price()
        ),
    })
}

async fn link(
    client: &AccountClient,
    number: &PhoneNumber,
    application: &str,
    yes: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Ordered> {
    let owned = find_owned(client, number).await?;
    let msisdn = owned.msisdn.clone();
    if owned.app_id.as_deref() == Some(application) && owned.diversion().is_none() {
        return Ok(Ordered {
            number: msisdn,
            done: false,
            what: format!("{owned} leads to the application {application} already"),
        });
    }
    // Named here, rather than by "method failed", when it isn't there.
    client.application(application).await?;
    if let Some(elsewhere) = leads_elsewhere(&owned, application) {
        let mut prompt = Prompt {
            handles,
            assume_yes: yes,
        };
        if !prompt.confirm(&format!(
            "{msisdn} {elsewhere}. Lead its calls to {application}?"
        ))? {
            bail!("{msisdn} was left as it is");
        }
    }
    client.link_number(&owned, application).await?;
    Ok(Ordered {
        what: format!("{owned} leads to the application {application} now"),
        number: msisdn,
        done: true,
    })
}

async fn cancel(
    client: &AccountClient,
    number: &PhoneNumber,
    yes: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Ordered> {
    let owned = find_owned(client, number).await?;
    let mut prompt = Prompt {
        handles,
        assume_yes: yes,
    };
    let question =
        format!("Give {owned} back? It can't be had again for sure, and calls to it end nowhere");
    if !prompt.confirm(&question)? {
        bail!("{} was kept", owned.msisdn);
    }
    client.cancel_number(&owned.country, &owned.msisdn).await?;
    Ok(Ordered {
        what: format!("{owned} is not the account's any more"),
        number: owned.msisdn,
        done: true,
    })
}

async fn find_owned(client: &AccountClient, number: &PhoneNumber) -> anyhow::Result<Number> {
    let owned = client.owned_number(number.as_str()).await?;
    owned.with_context(|| {
        format!(
            "{} is not one of the account's numbers; `click-to-call numbers list` shows them",
            number.as_str()
        )
    })
}

/// A price that is not told can't be agreed to beforehand.
pub(super) fn check_price(number: &Number, assume_yes: bool) -> anyhow::Result<()> {
    if number.price().is_empty() && assume_yes {
        bail!(
            "Vonage does not say what {number} costs, so it is not bought with --yes; look in the dashboard"
        );
    }
    Ok(())
}

/// Where a number's calls go that is not this application, in words.
pub(super) fn leads_elsewhere(number: &Number, application: &str) -> Option<String> {
    if let Some((kind, address)) = number.diversion() {
        return Some(format!("leads to {kind} {address}"));
    }
    let other = number.app_id.as_deref().filter(|id| *id != application)?;
    Some(format!("leads to the application {other}"))
}

fn show(
    numbers: &[Number],
    json: bool,
    none: &str,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    if json {
        print_json(handles, &numbers)?;
        return Ok(Outcome::Done);
    }
    if numbers.is_empty() {
        writeln!(handles.err, "{none}")?;
    }
    for number in numbers {
        writeln!(handles.out, "{}", Line(number))?;
    }
    Ok(Outcome::Done)
}

/// A number on one line of a list.
struct Line<'a>(&'a Number);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        let features = number.features.join("+");
        let (msisdn, country, kind) = (&number.msisdn, &number.country, &number.kind);
        write!(
            f,
            "{msisdn:<15}  {country}  {kind:<18}  {features:<13}  {}",
            number.price()
        )?;
        match (number.diversion(), &number.app_id) {
            (Some((kind, address)), _) => write!(f, "leads to {kind} {address}"),
            (None, Some(application)) => write!(f, "leads to the application {application}"),
            (None, None) if number.cost.is_none() => f.write_str("leads nowhere"),
            (None, None) => Ok(()),
        }
    }
}
