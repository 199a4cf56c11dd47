//! `fallback-ncco`: what `/webhooks/fallback` answers, for a copy on a host that stays up when this one does not.

use super::{Handles, Outcome};
use crate::{
    settings::{self, Sources},
    startup,
};

/// Prints the NCCO.
///
/// # Errors
/// When the settings are faulty or the output can't be written.
pub fn run(sources: &Sources, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let settings = settings::load(sources)?.settings;
    writeln!(
        handles.out,
        "{}",
        startup::fallback_ncco(&startup::line(&settings)?)
    )?;
    Ok(Outcome::Done)
}
