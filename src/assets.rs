//! Static files, built into the program by `build.rs`.

/// One file, as it is and compressed.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) path: &'static str,
    pub(crate) mime: &'static str,
    pub(crate) etag: &'static str,
    raw: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

impl Asset {
    /// The smallest form that a client accepts, and its coding.
    pub(crate) fn best_for(&self, accept_encoding: &str) -> (&'static [u8], Option<&'static str>) {
        match (self.br, self.gz) {
            (Some(br), _) if accepts(accept_encoding, "br") => (br, Some("br")),
            (_, Some(gz)) if accepts(accept_encoding, "gzip") => (gz, Some("gzip")),
            _ => (self.raw, None),
        }
    }
}

/// Whether an `Accept-Encoding` names this coding and does not refuse it (RFC 9110, section 12.5.3).
pub(crate) fn accepts(accept_encoding: &str, coding: &str) -> bool {
    accept_encoding.split(',').any(|offer| {
        let (name, parameters) = offer.split_once(';').unwrap_or((offer, ""));
        let refused = matches!(parameters.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

/// Whether an `If-None-Match` names this tag (RFC 9110, section 13.1.2).
pub(crate) fn has_etag(if_none_match: &str, etag: &str) -> bool {
    if_none_match
        .split(',')
        .any(|known| known.trim().trim_start_matches("W/") == etag)
}

/// The file of this path.
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    let index = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(index)
}

/// The address of a file, with the version that lets browsers keep it.
pub(crate) fn address(path: &str) -> String {
    format!("/static/{VERSION}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_accepted_form_is_served() {
        let asset = find("js/click-to-call.js").unwrap();
        assert_eq!(asset.best_for("gzip, deflate, br").1, Some("br"));
        assert_eq!(asset.best_for("br;q=0, gzip").1, Some("gzip"));
        assert_eq!(asset.best_for("identity"), (asset.raw, None));
        assert!(find("../Cargo.toml").is_none());
    }
}
