//! The same disk with a slower flush.
//!
//! How many events a disk can take is a matter of its flushes, and goals that are shares of what a bare log does on it
//! were set where a flush takes some milliseconds. On a disk that needs a tenth of one nothing is left to be hidden
//! behind it, and such a share says how much more a database does than a log. So the same is timed twice: on the disk as
//! it is, and with flushes of a length that is the same on every machine.

use std::{
    env,
    process::{Command, ExitStatus},
};

/// Milliseconds of a flush: what shared and network disks take when they are busy.
pub(crate) const FLUSH: &str = "4";

const VARIABLES: [&str; 2] = ["LD_PRELOAD", "BENCH_FLUSH_MS"];

/// Whether this process runs on it.
#[expect(clippy::disallowed_methods, reason = "it is no setting of the service")]
pub(crate) fn is_here() -> bool {
    env::var_os("BENCH_FLUSH_MS").is_some()
}

/// What puts another process on the disk on which this one is.
#[expect(
    clippy::disallowed_methods,
    reason = "they are no settings of the service"
)]
pub(crate) fn variables() -> impl Iterator<Item = (&'static str, String)> {
    VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, env::var(name).ok()?)))
}

/// Runs a group once more, on it.
pub(crate) fn run(group: &str) -> ExitStatus {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("slow_disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/service/slow_disk.c");
    let compiled = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status()
        .unwrap();
    assert!(compiled.success(), "cc could not compile {source}");
    Command::new(env::current_exe().unwrap())
        .arg(group)
        .env("LD_PRELOAD", &library)
        .env("BENCH_FLUSH_MS", FLUSH)
        .status()
        .unwrap()
}
