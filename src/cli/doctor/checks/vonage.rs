//! `vonage` and `clock`: Vonage can be reached from here, and agrees about the time.

use chrono::TimeDelta;
use futures_util::FutureExt;

use crate::cli::doctor::{
    check::{Check, Trouble, Verdict},
    context::Context,
};

/// More than this and tokens seem to come from the future, or to have ended.
const WRONG: TimeDelta = TimeDelta::seconds(30);
/// More than this and the clock is not kept right by anybody.
const ADRIFT: TimeDelta = TimeDelta::seconds(5);

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "vonage",
    matters: "visitors' users are made there, and calls hung up, by requests from this machine",
    look: |context| look(context).boxed(),
};

pub(in crate::cli::doctor) const CLOCK: Check = Check {
    name: "clock",
    matters: "Vonage refuses tokens whose time is wrong, and the service refuses webhooks whose time is",
    look: |context| look_at_clock(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let host = context.api_url()?.origin().ascii_serialization();
    match context.vonage().await? {
        Ok(_) => Ok(format!("{host} answers")),
        Err(reason) => Err(Trouble::failed(
            format!("{host} can't be reached: {reason}"),
            format!(
                "try `curl -i {host}/`; a firewall or proxy has to let this machine out to *.vonage.com and *.nexmo.com, port 443"
            ),
        )),
    }
}

async fn look_at_clock(context: &Context) -> Verdict {
    let ahead = match context.vonage().await? {
        Ok(Some(ahead)) => *ahead,
        Ok(None) => return Err(Trouble::skipped("Vonage's answer has no date")),
        Err(_reason) => return Err(Trouble::skipped("Vonage can't be reached: see vonage")),
    };
    let direction = if ahead < TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    let words = format!(
        "this machine's clock is {} s {direction} Vonage's",
        ahead.num_seconds().abs()
    );
    let remedy = "switch on time synchronisation: `sudo timedatectl set-ntp true`; in a virtual machine or container, \
                  on its host";
    match ahead.abs() {
        off if off > WRONG => Err(Trouble::failed(words, remedy)),
        off if off > ADRIFT => Err(Trouble::warning(words, remedy)),
        _ => Ok("agrees with Vonage's".to_owned()),
    }
}
