//! `keygen`: makes the application's key pair here, so that the private half never travels.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};

use super::{Handles, Outcome};
use crate::{settings::PrivateKeySource, vonage::key::ApplicationKey};

/// Arguments of `keygen`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  click-to-call keygen\n  click-to-call keygen --public > key.pub\n  click-to-call keygen --next"
)]
pub struct KeygenArgs {
    /// The file of the private key
    #[arg(long, value_name = "FILE", default_value = "private.key")]
    pub out: PathBuf,

    /// Length of the key; longer keys sign more slowly
    #[arg(
        long,
        default_value = "2048",
        value_parser = PossibleValuesParser::new(["2048", "3072", "4096"]).map(|bits| bits.parse::<usize>().unwrap_or(2048)),
    )]
    pub bits: usize,

    /// Make nothing: print the public half of the key that is in the file
    #[arg(long, conflicts_with = "bits")]
    pub public: bool,

    /// Make the pair that is to follow: FILE.next and its public half FILE.next.pub, and say how the switch is made
    #[arg(long, conflicts_with = "public")]
    pub next: bool,
}

/// Runs `keygen`.
///
/// # Errors
/// When the file is there already (it is never overwritten) or can't be written; with `--public`, when there is no
/// usable key in it.
pub fn run(args: &KeygenArgs, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    if args.public {
        let source = PrivateKeySource::File(args.out.clone());
        let (key, warnings) = ApplicationKey::load(&source)?;
        for warning in warnings {
            writeln!(handles.err, "warning: {warning}")?;
        }
        write!(handles.out, "{}", key.public_key_pem())?;
        return Ok(Outcome::Done);
    }
    if args.next {
        return make_next(args, handles);
    }
    let public_key = make(&args.out, args.bits)?;
    write!(handles.out, "{public_key}")?;
    writeln!(
        handles.err,
        "\nThe private key is in {}, readable by you alone. Keep it out of version control and images.\n\
         Next: give the public key above to your Vonage application (dashboard, Applications, your application, Edit, \
         Public key). Tokens made with another key end working when you save it.",
        args.out.display()
    )?;
    Ok(Outcome::Done)
}

/// The next pair lies beside the one in use until its public half is at Vonage: tokens that are signed with either key before
/// that are good, and the time in which fresh ones are refused is that between two commands.
fn make_next(args: &KeygenArgs, handles: &mut Handles<'_>) -> anyhow::Result<Outcome> {
    let private = with_ending(&args.out, "next");
    let public = with_ending(&private, "pub");
    let public_key = make(&private, args.bits)?;
    fs::write(&public, &public_key)
        .with_context(|| format!("{} can't be written", public.display()))?;
    write!(handles.out, "{public_key}")?;
    let (now, next, public) = (args.out.display(), private.display(), public.display());
    writeln!(
        handles.err,
        "\nThe next private key is in {next}, its public half in {public}. Nothing has changed yet. The switch, in one go:\n\n  \
         click-to-call app update --yes --public-key {public} && mv {next} {now} && kill -HUP \"$(pidof click-to-call)\"\n\n\
         Vonage takes the new key, the file follows, the service reads it again. Tokens of the old key end at the first of \
         the three: pages renew theirs by themselves, and calls that are under way go on. Then delete {public}."
    )?;
    Ok(Outcome::Done)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Makes a key, keeps it and returns its public half.
pub(super) fn make(path: &Path, bits: usize) -> anyhow::Result<String> {
    if path.symlink_metadata().is_ok() {
        bail!(already_there(path));
    }
    let key = RsaPrivateKey::new(&mut OsRng, bits).context("no key could be made")?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .context("the key could not be written as PEM")?;
    // What is kept is what the service will read, so it is judged by the service's own rules first.
    let public_key = ApplicationKey::parse(&pem)
        .context("the new key is not usable")?
        .public_key_pem();
    write_new(path, pem.as_bytes())?;
    Ok(public_key)
}

/// Writes a file that only its owner can read, and that was not there before.
fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                anyhow::anyhow!(already_there(path))
            } else {
                anyhow::Error::new(error).context(format!("{} can't be made", path.display()))
            }
        })?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .inspect_err(|_error| {
            // Half a key would stand in the way of the next attempt.
            let _ = fs::remove_file(path);
        })
        .with_context(|| format!("{} can't be written", path.display()))
}

fn already_there(path: &Path) -> String {
    format!(
        "{} is there already and is never overwritten: a lost key ends every token; name another file with --out, or \
         see its public half with --public",
        path.display()
    )
}
