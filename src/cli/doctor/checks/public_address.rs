//! `public-address` and `proxy`: the address that Vonage and visitors use leads here, and says who they are.

use std::net::IpAddr;

use futures_util::FutureExt;
use url::Url;

use crate::{
    cli::doctor::{
        check::{Check, Trouble, Verdict},
        context::Context,
        reach::{Astray, CertificateFault},
    },
    domain::installation::AddressSource,
    settings,
};

pub(in crate::cli::doctor) const CHECK: Check = Check {
    name: "public-address",
    matters: "visitors open it, and Vonage sends its webhooks there: if it leads elsewhere, no call connects",
    look: |context| look(context).boxed(),
};

pub(in crate::cli::doctor) const PROXY: Check = Check {
    name: "proxy",
    matters: "when a proxy hides who asks, all visitors count as one address, and a few of them use up everybody's limit",
    look: |context| look_at_proxy(context).boxed(),
};

async fn look(context: &Context) -> Verdict {
    let url = context.public_url()?;
    match context.public().await? {
        Ok(_presence) => Ok(format!(
            "{} leads to this installation",
            url.origin().ascii_serialization()
        )),
        Err(astray) => Err(explain(astray, url, is_running(context).await)),
    }
}

async fn is_running(context: &Context) -> bool {
    matches!(context.here().await, Ok(Ok(_)))
}

fn explain(astray: &Astray, url: &Url, is_running: bool) -> Trouble {
    let host = url.host_str().unwrap_or_default();
    let address = url.origin().ascii_serialization();
    let (problem, remedy) = match astray {
        Astray::Name(reason) => (
            format!("{host} leads to no address ({reason})"),
            format!("make a DNS record (A or AAAA) for {host}, or correct PUBLIC_URL; a new record can take as long as the \
                     old one's TTL"),
        ),
        Astray::Refused(at) => (
            format!("nothing listens on {at}, where {host} leads"),
            format!("start the proxy or tunnel there, or correct the DNS record of {host}; {FROM_INSIDE}"),
        ),
        Astray::Silent(reason) => (
            format!("{address} does not answer ({reason})"),
            format!("open the port in the firewall before it; {FROM_INSIDE}"),
        ),
        Astray::Certificate(fault) => explain_certificate(fault, host),
        Astray::Tls(reason) => (
            format!("no TLS connection can be made to {host} ({reason})"),
            "see that the proxy speaks TLS on that port (1.2 or 1.3), and that PUBLIC_URL has the right scheme and port"
                .to_owned(),
        ),
        Astray::Redirect(to) => (
            format!("{address} redirects to {to}, and Vonage does not follow"),
            "set PUBLIC_URL to the address that it redirects to, and let the proxy pass /webhooks/ on without a redirect"
                .to_owned(),
        ),
        Astray::Gateway(status) if is_running => (
            format!("a proxy answers {} for {address}: it can't reach the service", status.as_u16()),
            "point the proxy to the address and port that the service listens on".to_owned(),
        ),
        Astray::Gateway(status) => (
            format!("a proxy answers {} for {address}: the service does not run", status.as_u16()),
            "start the service: click-to-call serve".to_owned(),
        ),
        Astray::Stranger(what) => (
            format!("another server answers under {address} ({what})"),
            format!("let the proxy pass everything for {host} on to the service, or correct PUBLIC_URL"),
        ),
        Astray::ChangedPath => (
            format!("{address} leads to click-to-call, but a proxy on the way changes the path"),
            "let the proxy pass the path on as it is: nginx, `proxy_pass http://127.0.0.1:3000;` without a path behind \
             the port; Traefik, no StripPrefix"
                .to_owned(),
        ),
        Astray::OtherInstallation => (
            format!("another installation of click-to-call answers under {address}"),
            "correct PUBLIC_URL or where the proxy leads; replicas of one installation share SESSION_SECRET or the \
             database"
                .to_owned(),
        ),
        Astray::Unrecognised => (
            format!("{address} leads here, but a proxy takes the Authorization header away"),
            "let the proxy pass the header on: Vonage's signature is in it, and a webhook without it is refused".to_owned(),
        ),
        Astray::TooOften => {
            return Trouble::skipped("it was asked too often; run doctor again in a minute");
        }
    };
    Trouble::failed(problem, remedy)
}

const FROM_INSIDE: &str = "if another network reaches it (`curl -i` from there), this one only lacks the way back to its \
                           own public address, and nothing is wrong";

fn explain_certificate(fault: &CertificateFault, host: &str) -> (String, String) {
    match fault {
        CertificateFault::Name => (
            format!("the certificate is not for {host}"),
            format!("get one for {host} (`certbot --nginx -d {host}`; Caddy does it by itself), or correct PUBLIC_URL"),
        ),
        CertificateFault::Expired => (
            "the certificate has expired".to_owned(),
            "renew it (`certbot renew`), and let the proxy load it again".to_owned(),
        ),
        CertificateFault::NotYetValid => (
            "the certificate is not valid yet".to_owned(),
            "set the clocks of this machine and of the one that made it, and make it again".to_owned(),
        ),
        CertificateFault::SelfSigned => (
            "the certificate is signed by itself, so nobody vouches for it".to_owned(),
            format!("get one from an authority that browsers know (`certbot --nginx -d {host}`; Caddy does it by itself)"),
        ),
        CertificateFault::NoIntermediate => (
            "the server sends its certificate alone, without the intermediate certificate that it was issued by".to_owned(),
            "give the proxy the full chain (certbot: fullchain.pem, not cert.pem): browsers may help themselves, Vonage \
             does not"
                .to_owned(),
        ),
        CertificateFault::Untrusted => (
            "the certificate goes back to an authority that this machine does not know".to_owned(),
            format!("get one from an authority that browsers know (`certbot --nginx -d {host}`; Caddy does it by itself)"),
        ),
        CertificateFault::Other(reason) => (
            format!("the certificate can't be used ({reason})"),
            format!("get a new one (`certbot --nginx -d {host}`; Caddy does it by itself)"),
        ),
    }
}

async fn look_at_proxy(context: &Context) -> Verdict {
    let url = context.public_url()?;
    let Ok(presence) = context.public().await? else {
        return Err(Trouble::skipped(
            "the public address does not lead here: see public-address",
        ));
    };
    // The service itself speaks no TLS.
    let must_be_there = url.scheme() == "https";
    match presence.client {
        AddressSource::Forwarded => Ok("visitors' addresses come from X-Forwarded-For".to_owned()),
        AddressSource::Connection if !must_be_there || settings::is_loopback(url) => {
            Ok("there is none: visitors' addresses are those of their connections".to_owned())
        }
        AddressSource::Untrusted => Err(Trouble::failed(
            format!(
                "X-Forwarded-For comes from {}, which is not in http.trusted_proxies",
                presence.peer
            ),
            format!(
                "set CLICK_TO_CALL__HTTP__TRUSTED_PROXIES={} and restart the service, if that is your proxy",
                network(presence.peer)
            ),
        )),
        AddressSource::Connection | AddressSource::Missing => Err(Trouble::failed(
            format!("the proxy at {} sends no X-Forwarded-For", presence.peer),
            format!(
                "let it add the header: nginx, `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`; and name it \
                 in CLICK_TO_CALL__HTTP__TRUSTED_PROXIES={}",
                network(presence.peer)
            ),
        )),
    }
}

/// One address, as a network.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(_) => format!("{address}/32"),
        IpAddr::V6(_) => format!("{address}/128"),
    }
}
