//! Times as Vonage writes them.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::clock::Clock;

/// The machine's time: a simulated cloud has no other.
pub(super) fn now() -> DateTime<Utc> {
    Clock::system().now()
}

/// The present moment, ISO 8601 with milliseconds and `Z`.
pub(super) fn now_iso() -> String {
    iso(now())
}

/// ISO 8601 with milliseconds and `Z`.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The whole second, as `start_time` and `end_time` of a finished leg show it (`….000Z`).
pub(super) fn iso_second(time: DateTime<Utc>) -> String {
    format!("{}.000Z", time.format("%Y-%m-%dT%H:%M:%S"))
}

/// The present moment in Unix seconds.
pub(super) fn unix_now() -> i64 {
    now().timestamp()
}
