//! The checks, one file for each subject, and the one list of them.

mod account;
mod application;
mod assets;
mod database;
pub(super) mod destination;
mod key;
mod number;
mod port;
mod public_address;
mod region;
mod settings;
mod signatures;
mod users;
mod vonage;
mod webhooks;

use super::check::Check;

/// Every check, in the order in which a person would mend what they find: this machine first, then the way to it, then
/// Vonage.
pub(super) static ALL: &[Check] = &[
    settings::CHECK,
    key::CHECK,
    database::CHECK,
    assets::CHECK,
    port::CHECK,
    public_address::CHECK,
    public_address::PROXY,
    vonage::CHECK,
    vonage::CLOCK,
    account::CHECK,
    account::BALANCE,
    application::CHECK,
    application::KEY,
    webhooks::CHECK,
    signatures::CALLBACKS,
    signatures::SECRET,
    application::PRIVACY,
    region::CHECK,
    number::CHECK,
    destination::CHECK,
    users::CHECK,
];
