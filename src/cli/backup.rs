//! `backup`: a copy of everything that is kept, while the service runs.

use std::path::PathBuf;

use clap::Args;

use super::{Handles, Outcome, account::wait_for};
use crate::{
    settings::{self, Sources},
    store,
};

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; one that is there already is never overwritten
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Writes the copy.
///
/// # Errors
/// When the settings are faulty, the database is not there or not SQLite, or the file is there or can't be written.
pub fn run(
    args: &BackupArgs,
    sources: &Sources,
    handles: &mut Handles<'_>,
) -> anyhow::Result<Outcome> {
    let url = settings::load(sources)?.settings.database.url;
    let bytes = wait_for(async { Ok(store::back_up(&url, &args.file).await?) })?;
    writeln!(handles.out, "{}: {bytes} bytes", args.file.display())?;
    Ok(Outcome::Done)
}
