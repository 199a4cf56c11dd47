//! Who a request comes from: which website, which session, which address.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv6Addr},
};

use actix_web::{
    FromRequest, HttpRequest,
    cookie::{Cookie, SameSite, time},
    dev::Payload,
    http::Method,
    web::Data,
};
use ipnet::IpNet;

use super::error::{ApiError, ProblemKind};
use crate::{
    domain::{
        installation::AddressSource,
        visitor::{SessionToken, Visitor},
    },
    state::AppState,
};

/// The session cookie on https. The prefix makes browsers refuse one that another host or plain http has set.
/// Source: RFC 6265bis, section 4.1.3.2.
const HTTPS_COOKIE: &str = "__Host-click-to-call";
const HTTP_COOKIE: &str = "click-to-call";

/// The website whose page made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Website {
    /// Our own.
    Own,
    /// One of `visitors.allowed_origins`.
    Allowed,
    /// None: an app, a server, a person at an address bar.
    None,
}

/// A request's origin and session. Extracting it refuses other websites.
#[derive(Debug)]
pub(super) struct Visit {
    /// The website.
    pub(super) site: Website,
    /// What was presented as proof of a session, well formed but not looked up yet.
    pub(super) session: Option<SessionToken>,
    /// The `Authorization` bearer, whatever it is.
    pub(super) bearer: Option<String>,
}

impl Visit {
    /// Whether the session is to be kept in a cookie: only our own pages can send one back.
    pub(super) fn uses_cookie(&self) -> bool {
        self.site == Website::Own && self.bearer.is_none()
    }

    /// The visitor whose session was presented, if it is anybody's.
    pub(super) async fn find_visitor(&self, state: &AppState) -> Result<Option<Visitor>, ApiError> {
        match &self.session {
            Some(session) => Ok(state
                .store
                .find_visitor(&session.hash(), state.clock.now())
                .await?),
            None => Ok(None),
        }
    }

    /// The visitor whose session was presented.
    pub(super) async fn visitor(&self, state: &AppState) -> Result<Visitor, ApiError> {
        let visitor = self.find_visitor(state).await?;
        visitor.ok_or_else(|| ApiError::new(ProblemKind::SessionRequired))
    }
}

impl FromRequest for Visit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<Data<AppState>>() else {
            return ready(Err(ApiError::new(ProblemKind::Internal)));
        };
        ready(visit(request, state))
    }
}

fn visit(request: &HttpRequest, state: &AppState) -> Result<Visit, ApiError> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("invalid"))
    };
    let fetch_site = header("sec-fetch-site");
    let origin = header("origin");
    let refused = || Err(ApiError::new(ProblemKind::OriginNotAllowed));

    // Browsers write both headers themselves; a page can forge neither.
    let site = match (origin, fetch_site) {
        (Some(origin), _) if origin == state.site.origin => Website::Own,
        (_, Some("same-origin")) => Website::Own,
        (Some(origin), _)
            if state
                .site
                .allowed_origins
                .iter()
                .any(|allowed| allowed == origin) =>
        {
            Website::Allowed
        }
        (Some(_), _) | (None, Some("cross-site" | "same-site")) => return refused(),
        (None, _) => Website::None,
    };
    let bearer = header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.to_owned());
    let cookie = request
        .cookie(cookie_name(state))
        .filter(|_| site != Website::Allowed);
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    if site == Website::None && cookie.is_some() && bearer.is_none() && !is_read {
        // A browser names the origin of everything that changes something.
        return refused();
    }
    let session = match (&bearer, &cookie) {
        (Some(bearer), _) => SessionToken::parse(bearer),
        (None, Some(cookie)) => SessionToken::parse(cookie.value()),
        (None, None) => None,
    };
    Ok(Visit {
        site,
        session,
        bearer,
    })
}

fn cookie_name(state: &AppState) -> &'static str {
    if state.site.is_https {
        HTTPS_COOKIE
    } else {
        HTTP_COOKIE
    }
}

/// The cookie that keeps a session for `seconds`.
pub(super) fn session_cookie(
    state: &AppState,
    token: &SessionToken,
    seconds: i64,
) -> Cookie<'static> {
    Cookie::build(cookie_name(state), token.expose().to_owned())
        .path("/")
        .http_only(true)
        .secure(state.site.is_https)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

/// How [`client_network`] comes to its address.
pub(super) fn address_source(request: &HttpRequest, trusted: &[IpNet]) -> AddressSource {
    let peer = request.peer_addr().map(|peer| canonical(peer.ip()));
    let is_trusted = peer.is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer)));
    let is_forwarded = request.headers().contains_key("x-forwarded-for");
    match (is_trusted, is_forwarded) {
        (true, true) => AddressSource::Forwarded,
        (true, false) => AddressSource::Missing,
        (false, true) => AddressSource::Untrusted,
        (false, false) => AddressSource::Connection,
    }
}

/// The address that a request counts against: an IPv4 address, or the /64 network of an IPv6 one, because that is
/// what a single customer is given.
pub(super) fn client_network(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let unknown = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let peer = request.peer_addr().map_or(unknown, |peer| peer.ip());
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = canonical(peer);
    // Each proxy adds the address it saw at the right, so only what stands right of the first
    // stranger was written by somebody we trust.
    for hop in request
        .headers()
        .get_all("x-forwarded-for")
        .collect::<Vec<_>>()
        .iter()
        .rev()
    {
        for address in hop.to_str().unwrap_or_default().rsplit(',') {
            if !is_trusted(&client) {
                return network(client);
            }
            match address.trim().parse::<IpAddr>() {
                Ok(address) => client = canonical(address),
                Err(_) => return network(client),
            }
        }
    }
    network(client)
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let bits = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = TestRequest::default().peer_addr(format!("{peer}:1").parse().unwrap());
        for value in forwarded {
            request = request.append_header(("x-forwarded-for", *value));
        }
        let trusted: Vec<_> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client_network(&request.to_http_request(), &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(from("192.0.2.7", &["198.51.100.1"], &[]), "192.0.2.7");
        assert_eq!(
            from("192.0.2.7", &["198.51.100.1"], &["10.0.0.0/8"]),
            "192.0.2.7"
        );
    }

    #[test]
    fn behind_a_trusted_proxy_the_rightmost_stranger_counts() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            from("10.0.0.1", &["6.6.6.6, 198.51.100.1"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(
            from("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(
            from("10.0.0.1", &["6.6.6.6", "198.51.100.1"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(from("10.0.0.1", &["nonsense"], &trusted), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        assert_eq!(from("[2001:db8:1:2:3:4:5:6]", &[], &[]), "2001:db8:1:2::");
        assert_eq!(from("[::ffff:192.0.2.7]", &[], &[]), "192.0.2.7");
    }
}
