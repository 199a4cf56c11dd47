//! What a process uses, as Linux counts it.

use std::{fs, time::Duration};

/// `USER_HZ`: what `/proc` counts processor time in, on every Linux.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of a process so far, all its threads together.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in brackets, may hold anything; utime and stime are the 12th and 13th fields behind it.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// Memory of a process, in KiB: `VmRSS:` is in use, `RssFile:` of it parts of its files, `VmHWM:` the most so far.
pub(crate) fn memory_kib(pid: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
