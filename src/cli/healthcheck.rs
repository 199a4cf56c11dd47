//! `healthcheck`: asks the running service whether it is ready, for images without a shell or curl.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::Context as _;

use super::{Handles, Outcome};
use crate::settings::{self, Sources};

/// Time for each step of the question.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks `/readyz` at the port that the settings name.
///
/// # Errors
/// When the settings are faulty, or nothing answers.
pub fn run(sources: &Sources, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let http = settings::load(sources)?.settings.http;
    let address = http.local_address();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("nothing listens on {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream
        .take(16 * 1024)
        .read_to_string(&mut answer)
        .context("no answer in time")?;
    let status = answer.split_whitespace().nth(1).unwrap_or_default();
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.trim())
        .unwrap_or_default();
    if status != "200" {
        writeln!(handles.err, "{address} answers {status}: {body}")?;
        return Ok(Outcome::Failed);
    }
    writeln!(handles.out, "ready")?;
    Ok(Outcome::Done)
}
