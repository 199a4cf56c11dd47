//! `destination`: the telephone that rings is one that an ordinary call can reach.

use futures_util::FutureExt;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
    },
    domain::phone_number::PhoneNumber,
};

/// Country codes that are no country's: satellites, and services that cost what their owner asks.
///
/// Source: ITU-T E.164, list of assigned country codes.
const NOT_COUNTRIES: &[(&str, &str)] = &[
    ("870", "Inmarsat satellites"),
    ("878", "universal personal numbers"),
    ("881", "satellite networks"),
    ("882", "international networks"),
    ("883", "international networks"),
    ("888", "disaster relief"),
    ("979", "international premium rate"),
];

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "destination",
    matters: "every call goes there, at your expense",
    look: |context| async move { look(context) }.boxed(),
};

fn look(context: &Context) -> Verdict {
    let destination = context.destination()?;
    if context.number().is_ok_and(|number| number == destination) {
        return Err(Trouble::failed(
            "DESTINATION_PHONE_NUMBER is the same as VONAGE_NUMBER: the call would ring at itself",
            "set DESTINATION_PHONE_NUMBER to the support desk's own telephone",
        ));
    }
    if let Some(why) = no_country(destination) {
        return Err(Trouble::failed(
            why,
            "set DESTINATION_PHONE_NUMBER to the support desk's telephone, with its country code",
        ));
    }
    Ok(format!("{} is a number of a country", destination.masked()))
}

/// Why a call there may cost anything.
pub(in crate::cli::doctor) fn no_country(number: &PhoneNumber) -> Option<String> {
    let (code, name) = NOT_COUNTRIES
        .iter()
        .find(|(code, _name)| number.as_str().starts_with(code))?;
    Some(format!(
        "{} begins with +{code}, {name}: no country, and as dear as its owner likes",
        number.masked()
    ))
}
