//! What stands in a token, in words.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

/// What a path of the `acl` opens.
///
/// Source: <https://developer.vonage.com/en/conversation/guides/jwt-acl>
pub(super) fn purpose(path: &str) -> &'static str {
    match path.split('/').nth(2).unwrap_or_default() {
        "sessions" => "logs in",
        "users" => "reads and changes users",
        "conversations" => "joins conversations, reads and sends their events",
        "knocking" => "starts a call",
        "legs" => "sees and ends legs of a call",
        "rtc" => "sends and receives sound",
        "devices" | "push" => "is told of calls by push notification",
        "image" => "sends and receives pictures",
        "media" => "sends and receives recordings",
        "applications" => "uploads push certificates",
        _ => "",
    }
}

/// A value from outside, on one line and without effect on the terminal.
pub(super) fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| format!("{text:?}"))
}

/// `2026-11-22T15:00:00Z, 3 min ago`.
pub(super) fn moment(seconds: i64, now: DateTime<Utc>) -> String {
    let Some(time) = DateTime::from_timestamp(seconds, 0) else {
        return format!("{seconds}, which is no time");
    };
    let time_text = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    match seconds - now.timestamp() {
        0 => format!("{time_text}, now"),
        ahead @ 1.. => format!("{time_text}, in {}", span(ahead)),
        ago => format!("{time_text}, {} ago", span(-ago)),
    }
}

/// The two largest units of a time span.
pub(super) fn span(seconds: i64) -> String {
    let units = [("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units {
        let count = rest / length;
        rest %= length;
        if count != 0 {
            let unit = if unit == "days" && count == 1 {
                "day"
            } else {
                unit
            };
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() {
        return "0 s".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::acl;

    #[test]
    fn every_path_of_a_preset_has_a_purpose() {
        for preset in ["client-sdk", "call-only"] {
            for path in acl::preset(preset).unwrap() {
                assert_ne!(purpose(&path), "", "{path}");
            }
        }
        assert_eq!(purpose("/*/calls/**"), "");
    }

    #[test]
    fn spans_are_told_in_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (900, "15 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 day"),
            (200_000, "2 days 7 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
