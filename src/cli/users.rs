//! `users`: create, list, delete, prune.

use std::{num::NonZeroU32, time::Duration};

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::json;

use super::{
    Handles, Outcome,
    account::{print_json, users_client, wait_for},
    prompt::Prompt,
};
use crate::{
    domain::{clock::Clock, ids::VisitorId, store::Store},
    settings::{
        Sources,
        so_far::{SettingsSoFar, load_so_far},
    },
    store::{self, Access},
    vonage::account::users::{User, UsersClient},
};

/// Begins the names of the users that the service makes for visitors.
const VISITOR_PREFIX: &str = "visitor-";
/// No visitor's user lives longer: a token's day, and a day of grace.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(2);
/// Expired visitors that are looked at in one go; what is left is found by the next run.
const VISITORS: u32 = 10_000;
/// How often it is told how far the deleting has come.
const TOLD_EVERY: usize = 25;

/// Arguments of `users`.
#[derive(Debug, Args)]
pub struct UsersArgs {
    /// What to do with the application's users
    #[command(subcommand)]
    pub command: UsersCommand,
}

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make a user, so that tokens for it work
    #[command(
        after_help = "Examples:\n  click-to-call users create supportuser\n  click-to-call users create probe \
                            --ttl-seconds 3600 --json"
    )]
    Create {
        /// Its name, which is what tokens carry
        #[arg(value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Let Vonage delete it after this time [default: never]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
        ttl_seconds: Option<u64>,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
    /// Show all users of the application
    #[command(after_help = "Example:\n  click-to-call users list --json")]
    List {
        /// One JSON array for programs
        #[arg(long)]
        json: bool,
    },
    /// Delete users; their tokens end
    #[command(after_help = "Example:\n  click-to-call users delete supportuser")]
    Delete {
        /// Names, or ids (USR-...)
        #[arg(value_name = "NAME", required = true, value_parser = NonEmptyStringValueParser::new())]
        names: Vec<String>,
        /// Agree beforehand
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete the users of visitors whose time is over, at the pace that Vonage takes
    #[command(after_help = "\
The service does this by itself while it runs. By hand it is for what was left behind: users of visitors that the store says have
expired, and users named visitor-... that are older than any visitor's user gets.

Example:
  click-to-call users prune --yes")]
    Prune {
        /// Agree beforehand
        #[arg(long, short)]
        yes: bool,
        /// One JSON object for programs
        #[arg(long)]
        json: bool,
    },
}

/// Runs `users`.
///
/// # Errors
/// When Vonage does not do it, a deletion is not agreed to, or (`prune`) the store can't be opened.
pub fn run(
    args: &UsersArgs,
    sources: &Sources,
    clock: &Clock,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let so_far = load_so_far(sources);
    let client = users_client(so_far.application()?, clock, handles)?;
    wait_for(async {
        match &args.command {
            UsersCommand::Create {
                name,
                ttl_seconds,
                json,
            } => {
                let ttl = ttl_seconds.map(Duration::from_secs);
                create(&client, name, ttl, *json, handles).await
            }
            UsersCommand::List { json } => list(&client, *json, handles).await,
            UsersCommand::Delete { names, yes } => delete(&client, names, *yes, handles).await,
            UsersCommand::Prune { yes, json } => {
                prune(&client, &so_far, clock.now(), *yes, *json, handles).await
            }
        }
    })
}

async fn create(
    client: &UsersClient,
    name: &str,
    ttl: Option<Duration>,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let (user, said) = match client.find(name).await? {
        Some(user) => (user, "is there already"),
        None => (client.create(name, ttl).await?, "is made"),
    };
    if json {
        print_json(handles, &user)?;
    } else {
        writeln!(handles.out, "the user {} ({}) {said}", user.name, user.id)?;
    }
    Ok(Outcome::Done)
}

async fn list(
    client: &UsersClient,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.page(cursor.as_deref()).await?;
        for user in page.users {
            if json {
                all.push(user);
            } else {
                writeln!(handles.out, "{}  {}", user.id, user.name)?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        print_json(handles, &all)?;
    }
    Ok(Outcome::Done)
}

async fn delete(
    client: &UsersClient,
    names: &[String],
    yes: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let question = format!("Delete {}? Their tokens end", names.join(", "));
    let mut prompt = Prompt {
        handles,
        assume_yes: yes,
    };
    if !prompt.confirm(&question)? {
        bail!("nothing was deleted");
    }
    let mut outcome = Outcome::Done;
    for name in names {
        let id = if name.starts_with("USR-") {
            Some(name.clone())
        } else {
            client.find(name).await?.map(|user| user.id)
        };
        if let Some(id) = id {
            client.delete(&id).await?;
            writeln!(handles.out, "deleted {name}")?;
        } else {
            writeln!(handles.err, "there is no user {name}")?;
            outcome = Outcome::Failed;
        }
    }
    Ok(outcome)
}

/// A user whose time is over.
struct Expired {
    /// Vonage's id, if it is known.
    id: Option<String>,
    /// The visitor in the store, if it is one.
    visitor: Option<VisitorId>,
}

async fn prune(
    client: &UsersClient,
    so_far: &SettingsSoFar,
    now: DateTime<Utc>,
    yes: bool,
    json: bool,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let Some(database) = &so_far.database else {
        bail!("DATABASE_URL is not usable; `click-to-call config check` says why");
    };
    let store = store::connect(database, Access::Beside).await?;
    let mut expired = Vec::new();
    for visitor in store.list_expired_visitors(now, VISITORS).await? {
        expired.push(Expired {
            id: visitor.user.id.filter(|_| visitor.owns_user),
            visitor: Some(visitor.id),
        });
    }
    let visitors = expired.len();
    writeln!(handles.err, "looking through the users at Vonage ...")?;
    add_orphans(client, now, &mut expired).await?;
    let orphans = expired.len() - visitors;
    if !expired.is_empty() {
        let question = format!(
            "Delete the users of {visitors} expired visitors and {orphans} that were left behind?"
        );
        let mut prompt = Prompt {
            handles,
            assume_yes: yes,
        };
        if !prompt.confirm(&question)? {
            bail!("nothing was deleted");
        }
        let pace = so_far.users_per_second.and_then(NonZeroU32::new);
        let turns = RateLimiter::direct(Quota::per_second(pace.unwrap_or(NonZeroU32::MIN)));
        forget(client, &*store, &turns, expired, handles).await?;
    }
    store.close().await;
    if json {
        print_json(
            handles,
            &json!({ "expired_visitors": visitors, "left_behind": orphans }),
        )?;
    } else {
        writeln!(
            handles.out,
            "deleted: {visitors} of expired visitors, {orphans} that were left behind"
        )?;
    }
    Ok(Outcome::Done)
}

/// Visitors' users at Vonage that should have ended, and that the store does not speak of.
async fn add_orphans(
    client: &UsersClient,
    now: DateTime<Utc>,
    expired: &mut Vec<Expired>,
) -> anyhow::Result<()> {
    let mut cursor = None;
    loop {
        let page = client.page(cursor.as_deref()).await?;
        for user in page.users {
            let is_known = expired
                .iter()
                .any(|known| known.id.as_ref() == Some(&user.id));
            if !is_known && is_over(&user, now) {
                expired.push(Expired {
                    id: Some(user.id),
                    visitor: None,
                });
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Whether a user is a visitor's and older than it should get. One whose age Vonage does not tell is left alone.
fn is_over(user: &User, now: DateTime<Utc>) -> bool {
    let life = user.ttl().and_then(|ttl| TimeDelta::from_std(ttl).ok());
    let life = life.map_or(LONGEST_LIFE, |life| life.min(LONGEST_LIFE));
    let made = user.created();
    user.name.starts_with(VISITOR_PREFIX) && made.is_some_and(|made| made + life < now)
}

/// Deletes users one after the other. What is done stays done when it is stopped.
async fn forget(
    client: &UsersClient,
    store: &dyn Store,
    turns: &DefaultDirectRateLimiter,
    expired: Vec<Expired>,
    handles: &mut Handles<'_>,
) -> anyhow::Result<()> {
    let count = expired.len();
    for (done, user) in expired.into_iter().enumerate() {
        if let Some(id) = &user.id {
            turns.until_ready().await;
            client.delete(id).await?;
        }
        if let Some(visitor) = user.visitor {
            store.delete_visitor(visitor).await?;
        }
        if (done + 1) % TOLD_EVERY == 0 {
            writeln!(handles.err, "{} of {count} deleted ...", done + 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visitors_users_that_are_older_than_their_life_are_over() {
        let now = DateTime::parse_from_rfc3339("2026-05-04T12:00:00Z")
            .unwrap()
            .to_utc();
        let over = |name: &str, created: Option<&str>, ttl: Option<u64>| {
            let user = json!({
                "id": "USR-1",
                "name": name,
                "timestamp": { "created": created },
                "properties": { "ttl": ttl },
            });
            is_over(&serde_json::from_value(user).unwrap(), now)
        };
        assert!(over("visitor-1", Some("2026-05-02T11:59:59Z"), None));
        assert!(!over("visitor-1", Some("2026-05-02T12:00:01Z"), None));
        assert!(over("visitor-1", Some("2026-05-04T11:00:00Z"), Some(3_599)));
        assert!(!over(
            "visitor-1",
            Some("2026-05-04T11:00:00Z"),
            Some(3_600)
        ));
        assert!(!over("visitor-1", None, Some(1)));
        assert!(!over("supportuser", Some("2020-01-01T00:00:00Z"), Some(1)));
    }
}
