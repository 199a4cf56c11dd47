//! Loads the settings: lays the sources over each other, reads every key, looks for contradictions.

use super::{
    Faults, Loaded, PrivateKeySource, Settings, checks,
    fault::Fault,
    layers,
    reader::{Noted, Reader},
    sections::{
        calls, database, http, line, log, metrics, page, retention, telemetry, token, visitors,
        vonage, webhooks,
    },
    sources::Sources,
    table,
};
use crate::vonage::key::ApplicationKey;

/// Loads the settings.
///
/// # Errors
/// All faults together: values that can't be taken, required keys without one, unknown keys, files that can't be
/// read.
pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
    let (outcome, _private_key) = read(sources);
    outcome
}

/// Loads the settings and the application's key, with whose fault the others are told.
///
/// # Errors
/// As [`load`], and when the key is not usable.
pub fn load_with_key(sources: &Sources) -> Result<(Loaded, ApplicationKey), Faults> {
    let (outcome, private_key) = read(sources);
    let key = private_key.map(|source| ApplicationKey::load(&source));
    match (outcome, key) {
        (Ok(mut loaded), Some(Ok((key, warnings)))) => {
            loaded.warnings.extend(warnings);
            Ok((loaded, key))
        }
        (outcome, key) => {
            let mut faults = outcome.err().map_or_else(Vec::new, |faults| faults.0);
            if let Some(Err(error)) = key {
                faults.push(Fault::of_key(&error));
            }
            Err(Faults(faults))
        }
    }
}

fn read(sources: &Sources) -> (Result<Loaded, Faults>, Option<PrivateKeySource>) {
    let mut reader = Reader::new(layers::merge(sources));
    let private_key = vonage::read_private_key(&mut reader);
    let settings = read_sections(&mut reader, private_key.clone(), sources.stdout_is_terminal);
    let Reader {
        faults,
        mut warnings,
        mut entries,
        ..
    } = reader;
    let outcome = match settings {
        Ok(settings) if faults.is_empty() => {
            warnings.extend(checks::contradictions(&settings));
            // In the order of the manual, whatever the order of reading.
            entries
                .sort_by_key(|entry| table::keys().position(|spec| std::ptr::eq(spec, entry.spec)));
            Ok(Loaded {
                settings,
                warnings,
                entries,
            })
        }
        _ => Err(Faults(faults)),
    };
    (outcome, private_key.ok())
}

fn read_sections(
    reader: &mut Reader,
    private_key: Result<PrivateKeySource, Noted>,
    stdout_is_terminal: bool,
) -> Result<Settings, Noted> {
    let http = http::read(reader);
    let webhooks = webhooks::read(reader);
    let signatures = match &webhooks {
        Ok(webhooks) => Ok(webhooks.signatures),
        Err(Noted) => Err(Noted),
    };
    let vonage = vonage::read(reader, private_key, signatures);
    let token = token::read(reader);
    let visitors = visitors::read(reader);
    let calls = calls::read(reader);
    let line = line::read(reader);
    let database = database::read(reader);
    let retention = retention::read(reader);
    let page = page::read(reader);
    let log = log::read(reader, stdout_is_terminal);
    let metrics = metrics::read(reader);
    let telemetry = telemetry::read(reader);
    if let (Ok(vonage), Ok(line)) = (&vonage, &line) {
        checks::destination_is_not_ours(reader, vonage, line);
    }
    Ok(Settings {
        http: http?,
        vonage: vonage?,
        token: token?,
        visitors: visitors?,
        calls: calls?,
        line: line?,
        webhooks: webhooks?,
        database: database?,
        retention: retention?,
        page: page?,
        log: log?,
        metrics: metrics?,
        telemetry: telemetry?,
    })
}
