//! The paths of a visitor's token: what it may do at Vonage.
//!
//! They are a control of money, not a formality: with `calls` among them a token can start telephone calls that
//! never pass our own rules. Source of the names:
//! <https://developer.vonage.com/en/conversation/guides/jwt-acl>.

/// The documented paths of a Client SDK user, and `rtc`, which the current SDK uses.
const CLIENT_SDK: [&str; 11] = [
    "/*/users/**",
    "/*/conversations/**",
    "/*/sessions/**",
    "/*/devices/**",
    "/*/image/**",
    "/*/media/**",
    "/*/applications/**",
    "/*/push/**",
    "/*/knocking/**",
    "/*/legs/**",
    "/*/rtc/**",
];

/// What the current SDK asks for during a call.
const CALL_ONLY: [&str; 6] = [
    "/*/sessions/**",
    "/*/users/**",
    "/*/conversations/**",
    "/*/knocking/**",
    "/*/legs/**",
    "/*/rtc/**",
];

/// What spends money or administrates.
const REFUSED: [&str; 4] = ["calls", "emergency", "messages", "files"];

/// The paths of a preset: `client-sdk` or `call-only`.
pub fn preset(name: &str) -> Option<Vec<String>> {
    let paths: &[&str] = match name {
        "client-sdk" => &CLIENT_SDK,
        "call-only" => &CALL_ONLY,
        _ => return None,
    };
    Some(paths.iter().map(|&path| path.to_owned()).collect())
}

/// Whether a path may stand in a visitor's token.
///
/// # Errors
/// Says in words why it may not.
pub fn check_path(path: &str) -> Result<(), String> {
    if path.chars().any(char::is_whitespace) {
        return Err("has a blank in it".to_owned());
    }
    let Some(inner) = path.strip_prefix('/') else {
        return Err("does not begin with /".to_owned());
    };
    let segments: Vec<&str> = inner.split('/').collect();
    let lower: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
    if let Some(name) = REFUSED.iter().find(|name| lower.iter().any(|s| s == *name)) {
        return Err(format!(
            "names {name}, which spends money or administrates and has no place in a visitor's token"
        ));
    }
    let &[version, name, ..] = segments.as_slice() else {
        return Err("names nothing: it would open everything".to_owned());
    };
    if name == "*" || name == "**" || version == "**" {
        return Err("is a wildcard over everything".to_owned());
    }
    let is_version = version == "*" || is_literal(version);
    let rest_is_plain = segments
        .iter()
        .skip(2)
        .all(|&s| s == "*" || s == "**" || is_literal(s));
    if !is_version || !is_literal(name) || !rest_is_plain {
        return Err("is not of the form /*/name/**".to_owned());
    }
    Ok(())
}

/// What a call needs and none of these paths opens.
pub fn missing_for_calls(paths: &[String]) -> Vec<&'static str> {
    CALL_ONLY
        .into_iter()
        .filter(|needed| !paths.iter().any(|path| path == needed))
        .collect()
}

/// A part of a path without wildcards: `users`, `v0.3`.
fn is_literal(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_lowercase())
        && segment
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_hold_their_own_rules() {
        for name in ["client-sdk", "call-only"] {
            let paths = preset(name).unwrap();
            assert!(paths.iter().all(|path| check_path(path).is_ok()), "{name}");
            assert!(missing_for_calls(&paths).is_empty(), "{name}");
        }
        assert!(preset("everything").is_none());
    }

    #[test]
    fn wide_and_costly_paths_are_refused() {
        for path in [
            "",
            "/",
            "/*",
            "/**",
            "/*/*",
            "/*/**",
            "/**/users/**",
            "/**/**",
            "/*/*/**",
            "/*/c*/**",
            "/*/*alls/**",
            "users",
            "*/users/**",
            "/*/us ers/**",
            "/*/users/**\n",
            "/*/calls/**",
            "/*/Calls/**",
            "/v1/calls",
            "/*/users/../calls",
            "/*/emergency/call",
            "/*/messages/**",
            "/v3/files/**",
            "/*/{users,legs}/**",
            "/*/users/../legs",
            "/*/%63alls/**",
            "//users",
            "/*/users//x",
        ] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
        for path in [
            "/*/users/**",
            "/v0.3/users/*",
            "/*/conversations/*/members/**",
        ] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_missing_path_is_named() {
        let paths: Vec<String> = preset("call-only").unwrap().into_iter().skip(1).collect();
        assert_eq!(missing_for_calls(&paths), ["/*/sessions/**"]);
    }
}
