//! The hosts that may be sent one of our tokens, and those that the page talks to.

use url::Url;

/// Where users and calls live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Americas.
    Us,
    /// Europe.
    Eu,
    /// Asia and the Pacific.
    Ap,
}

impl Region {
    /// As it stands in host names, settings and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Ap => "ap",
        }
    }
}

/// Regional API hosts, in the order in which a call of unknown region is looked for.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/concepts/regions>
const REGIONAL_HOSTS: [&str; 6] = [
    "api-us-3.vonage.com",
    "api-eu-3.vonage.com",
    "api-ap-3.vonage.com",
    "api-us-4.vonage.com",
    "api-eu-4.vonage.com",
    "api-ap-4.vonage.com",
];

/// Where a token may go: Vonage's own hosts and the origins that the operator has set.
///
/// A call's `region_url` comes in a webhook; without this list a forged one would collect tokens.
#[derive(Debug, Clone)]
pub struct TrustedHosts {
    configured: Vec<Url>,
}

impl TrustedHosts {
    /// Vonage's hosts and these; the first is the one that is asked by default.
    pub fn new(api_url: &Url, rest_url: &Url) -> Self {
        Self {
            configured: vec![api_url.clone(), rest_url.clone()],
        }
    }

    /// The origin of this address, if it may be sent a token.
    pub fn trust(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let known = self
            .configured
            .iter()
            .any(|host| host.origin() == url.origin())
            || is_vonage(&url);
        let origin = url.origin().ascii_serialization();
        known.then(|| Url::parse(&origin).ok()).flatten()
    }

    /// Where to look for a call, best first. The call's own region, if it may be trusted, then the configured host,
    /// then Vonage's other regions, unless the operator's host is not one of Vonage's.
    pub fn to_control(&self, region_url: Option<&str>) -> Vec<Url> {
        let mut hosts: Vec<Url> = region_url
            .and_then(|address| self.trust(address))
            .into_iter()
            .collect();
        if let Some(configured) = self.configured.first() {
            hosts.push(configured.clone());
            if is_vonage(configured) {
                let regional = REGIONAL_HOSTS
                    .iter()
                    .filter_map(|host| Url::parse(&format!("https://{host}")).ok());
                hosts.extend(regional);
            }
        }
        let mut unique: Vec<Url> = Vec::with_capacity(hosts.len());
        for host in hosts {
            if !unique.iter().any(|seen| seen.origin() == host.origin()) {
                unique.push(host);
            }
        }
        unique
    }
}

/// `https` on the default port of `api.nexmo.com`, `rest.nexmo.com` or a regional `api-XX[-N]` host of Vonage's two domains.
fn is_vonage(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let Some(name) = host
        .strip_suffix(".vonage.com")
        .or_else(|| host.strip_suffix(".nexmo.com"))
    else {
        return false;
    };
    let regional = name.strip_prefix("api-").is_some_and(|rest| {
        let (region, number) = rest.split_once('-').unwrap_or((rest, "1"));
        matches!(region, "us" | "eu" | "ap" | "sg")
            && number.bytes().all(|b| b.is_ascii_digit())
            && !number.is_empty()
    });
    url.scheme() == "https" && url.port().is_none() && (regional || matches!(name, "api" | "rest"))
}

/// The host of the Applications API, which has no regions: `https://api.nexmo.com`, unless `api_url` is not one of
/// Vonage's hosts. Whatever the operator has put there stands for all of Vonage.
///
/// Source: <https://developer.vonage.com/en/api/application.v2>
pub fn of_applications(api_url: &Url) -> Url {
    let mut url = api_url.clone();
    if is_vonage(api_url) && url.set_host(Some("api.nexmo.com")).is_err() {
        // An https address takes any host name.
        return api_url.clone();
    }
    url
}

/// The region of a regional API host, read from an address such as a user's `_links.self.href`.
pub fn region_of(address: &str) -> Option<Region> {
    let url = Url::parse(address).ok().filter(is_vonage)?;
    match url.host_str()?.split(['-', '.']).nth(1)? {
        "us" => Some(Region::Us),
        "eu" => Some(Region::Eu),
        "ap" | "sg" => Some(Region::Ap),
        _ => None,
    }
}

/// A client host (`https://api-us.vonage.com`, `https://ws-us.vonage.com`) as it is called in another region. Any other host
/// stays what it is.
pub fn in_region(origin: &str, region: Region) -> String {
    let code = region.as_str();
    for service in ["api", "ws"] {
        for known in ["us", "eu", "ap"] {
            if origin == format!("https://{service}-{known}.vonage.com") {
                return format!("https://{service}-{code}.vonage.com");
            }
        }
    }
    origin.to_owned()
}

/// Everything that the page's SDK must be allowed to reach, as sources of a content security policy.
///
/// `https://ws-…` does not cover the socket, so that origin stands there twice, with `wss:` (or `ws:`).
pub fn page_sources(client_api_url: &Url, websocket_url: &Url) -> Vec<String> {
    let api = client_api_url.origin().ascii_serialization();
    let socket = websocket_url.origin().ascii_serialization();
    let mut sources = vec![api, socket.replacen("http", "ws", 1), socket];
    if is_vonage(client_api_url) {
        // All regions: where users live is known for sure only when the first one has been made.
        for region in [Region::Us, Region::Eu, Region::Ap] {
            let region = region.as_str();
            sources.extend(
                ["", "-3", "-4"].map(|number| format!("https://api-{region}{number}.vonage.com")),
            );
            sources.extend(
                ["https", "wss"].map(|scheme| format!("{scheme}://ws-{region}.vonage.com")),
            );
        }
    }
    sources.sort();
    sources.dedup();
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> TrustedHosts {
        let url = |text| Url::parse(text).unwrap();
        TrustedHosts::new(
            &url("https://api-eu-3.vonage.com"),
            &url("https://rest.nexmo.com"),
        )
    }

    #[test]
    fn only_vonages_hosts_and_the_configured_ones_are_trusted() {
        for good in [
            "https://api-us-3.vonage.com",
            "https://api-ap-4.vonage.com/v1/",
            "https://api.nexmo.com",
            "https://api-sg-1.nexmo.com",
        ] {
            assert!(hosts().trust(good).is_some(), "{good}");
        }
        for bad in [
            "http://api-us-3.vonage.com",
            "https://api-us-3.vonage.com:8443",
            "https://api-us-3.vonage.com.evil.example",
            "https://evil.example/api-us-3.vonage.com",
            "https://user@api-us-3.vonage.com",
            "https://api-us-3.vonage.com@evil.example",
            "https://evilvonage.com",
            "https://api-us-x.vonage.com",
            "https://dashboard.nexmo.com",
            "https://169.254.169.254",
            "file:///etc/passwd",
            "",
        ] {
            assert!(hosts().trust(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_call_is_looked_for_in_its_region_first_and_then_everywhere() {
        let names: Vec<_> = hosts()
            .to_control(Some("https://api-us-4.vonage.com"))
            .iter()
            .map(|url| url.host_str().unwrap().to_owned())
            .collect();
        assert_eq!(names[..2], ["api-us-4.vonage.com", "api-eu-3.vonage.com"]);
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn a_host_of_the_operators_own_is_the_only_one() {
        let own = Url::parse("http://127.0.0.1:4000").unwrap();
        let hosts = TrustedHosts::new(&own, &own);
        assert_eq!(
            hosts.to_control(Some("https://evil.example")),
            std::slice::from_ref(&own)
        );
        assert_eq!(hosts.to_control(None), [own]);
    }

    #[test]
    fn the_region_is_in_the_host() {
        assert_eq!(
            region_of("https://api-eu-3.vonage.com/v1/users/USR-1"),
            Some(Region::Eu)
        );
        assert_eq!(region_of("https://api.nexmo.com/v1/users/USR-1"), None);
        assert_eq!(region_of("nonsense"), None);
    }

    #[test]
    fn the_socket_is_allowed_as_a_socket() {
        let url = |text| Url::parse(text).unwrap();
        let sources = page_sources(
            &url("https://api-us.vonage.com"),
            &url("https://ws-us.vonage.com"),
        );
        assert!(sources.contains(&"wss://ws-us.vonage.com".to_owned()));
        assert!(sources.contains(&"https://api-us-4.vonage.com".to_owned()));
        assert!(sources.contains(&"wss://ws-eu.vonage.com".to_owned()));
        let sources = page_sources(&url("http://127.0.0.1:4000"), &url("http://127.0.0.1:4000"));
        assert_eq!(sources, ["http://127.0.0.1:4000", "ws://127.0.0.1:4000"]);
    }
}
