//! Forms of addresses: of this machine, of networks, of web sites.

use std::{
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ipnet::IpNet;
use url::{Host, ParseError, Url};

use super::{
    forms::each,
    key::{Form, Raw},
};

/// A TCP port.
pub(super) const fn port() -> Form<u16> {
    Form {
        expected: || "a port from 0 to 65535".to_owned(),
        parse: |raw| parse_text(raw, "is not a port"),
    }
}

/// An address of this machine.
pub(super) const fn ip_address() -> Form<IpAddr> {
    Form {
        expected: || "an IP address, like 127.0.0.1 or ::".to_owned(),
        parse: |raw| parse_text(raw, "is not an IP address"),
    }
}

fn parse_text<T: FromStr>(raw: &Raw, reason: &str) -> Result<T, String> {
    raw.one()?
        .trim()
        .parse()
        .map_err(|_error| reason.to_owned())
}

/// Addresses and networks.
pub(super) const fn networks() -> Form<Vec<IpNet>> {
    Form {
        expected: || "a list of IP addresses and networks, like 10.0.0.0/8".to_owned(),
        parse: |raw| each(raw, network),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_not_one) => text
            .parse()
            .map_err(|_error| "is not an IP address or network".to_owned())?,
    };
    if network.prefix_len() == 0 {
        return Err("is everybody: any visitor could claim any address".to_owned());
    }
    Ok(network)
}

/// Scheme, host and port, nothing else.
pub(super) const fn origin() -> Form<Url> {
    Form {
        expected: || "scheme, host and port, like https://calls.example.com".to_owned(),
        parse: |raw| parse_origin(raw.one()?.trim()),
    }
}

/// An address of a web site: scheme, host and port, nothing else.
///
/// # Errors
/// What is wrong with it, in words that follow the text: "has the path … in it".
pub fn parse_origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        if error == ParseError::RelativeUrlWithoutBase {
            "is not an address: it begins with neither https:// nor http://".to_owned()
        } else {
            format!("is not an address: {error}")
        }
    })?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("begins with neither https:// nor http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or password in it, which has no place there".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or fragment in it (? or #), which has no place there".to_owned());
    }
    if url.path() != "/" {
        return Err(format!(
            "has the path {} in it; the service answers at the root of its host, so give it a host of its own",
            url.path()
        ));
    }
    Ok(url)
}

/// Whether an address leads nowhere from the internet: to this machine alone, or to one of its own network.
///
/// A name without a dot is one of this network or of this machine's containers.
/// Sources: RFC 6890 (addresses), RFC 6761, 6762, 8375 and ICANN's reservation of `.internal` (names).
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let last = name.rsplit('.').next().unwrap_or_default();
            !name.contains('.')
                || ["localhost", "local", "internal", "test", "invalid"].contains(&last)
                || name.ends_with(".home.arpa")
        }
        Some(Host::Ipv4(address)) => is_private_v4(address),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => is_private_v4(address),
            None => {
                address.is_loopback()
                    || address.is_unspecified()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
        None => false,
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    // Of a provider for its customers.
    let is_shared = |[first, second, ..]: [u8; 4]| first == 100 && (64..128).contains(&second);
    address.is_loopback()
        || address.is_unspecified()
        || address.is_private()
        || address.is_link_local()
        || is_shared(address.octets())
}

/// Whether Vonage, where it is asked at `vonage`, can't reach this address. A simulated one nearby can.
pub fn is_out_of_reach(public_url: &Url, vonage: &Url) -> bool {
    is_private(public_url) && !is_private(vonage)
}

/// Origins exactly as a browser sends them.
pub(super) const fn browser_origins() -> Form<Vec<String>> {
    Form {
        expected: || {
            "a list of origins exactly as browsers send them, like https://www.example.com"
                .to_owned()
        },
        parse: |raw| each(raw, browser_origin),
    }
}

fn browser_origin(text: &str) -> Result<String, String> {
    if text == "null" {
        return Err(
            "null is every sandboxed frame and local file, so it can't be allowed".to_owned(),
        );
    }
    if text.contains('*') {
        return Err("wildcards are not taken; name each origin".to_owned());
    }
    let origin = parse_origin(text)?.origin().ascii_serialization();
    if origin != text {
        return Err(format!("browsers send it as {origin}; write it so"));
    }
    Ok(origin)
}

/// Whether an address is reached without leaving this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_route_leads_to_is_private() {
        let is_private = |host: &str| is_private(&Url::parse(&format!("http://{host}")).unwrap());
        for host in [
            "localhost:3000",
            "desk.localhost",
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.20:3000",
            "169.254.1.1",
            "100.64.0.1",
            "[::1]",
            "[::]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:192.168.1.1]",
            "raspberrypi",
            "raspberrypi.local",
            "calls.corp.internal.",
            "box.home.arpa",
        ] {
            assert!(is_private(host), "{host}");
        }
        for host in [
            "calls.example.com",
            "localhost.example.com",
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "[2001:4860:4860::8888]",
            "[::ffff:8.8.8.8]",
        ] {
            assert!(!is_private(host), "{host}");
        }
    }
}
