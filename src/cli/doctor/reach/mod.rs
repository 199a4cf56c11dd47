//! Asks an address whether it leads to this installation, and tells apart the ways in which it does not.

mod certificate;

use std::{io, net::SocketAddr, time::Duration};

use reqwest::{StatusCode, header};
use tokio::net::TcpStream;
use url::Url;

pub(super) use self::certificate::CertificateFault;
use crate::{
    domain::installation::{InstallationSeal, Nonce, Presence},
    error_chain::with_causes,
    routes::well_known::{self, Proof},
};

/// Time for each step: the name, the connection, the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is ours.
const MAX_ANSWER_BYTES: usize = 4 * 1024;

/// Why an address was not found to lead here.
#[derive(Debug)]
pub(super) enum Astray {
    /// The name leads to no address.
    Name(String),
    /// Nothing listens there.
    Refused(SocketAddr),
    /// Nothing answers there.
    Silent(String),
    /// The certificate is not one that browsers and Vonage take.
    Certificate(CertificateFault),
    /// There is no TLS, or another fault of it.
    Tls(String),
    /// Leads to another address.
    Redirect(String),
    /// A proxy answers that what is behind it does not.
    Gateway(StatusCode),
    /// Something else answers.
    Stranger(String),
    /// A click-to-call answers, but was asked for another path.
    ChangedPath,
    /// Another installation of click-to-call answers.
    OtherInstallation,
    /// It answers, and has taken away the question's bearer.
    Unrecognised,
    /// It has been asked too often.
    TooOften,
}

/// Asks `base` for a proof under this seal.
pub(super) async fn ask(seal: &InstallationSeal, base: &Url) -> Result<Presence, Astray> {
    connect(&look_up(base).await?).await?;
    let nonce = Nonce::random();
    let mut url = base.clone();
    url.set_path(&format!("{}{}", well_known::PATH, nonce.as_str()));
    let client = client().map_err(|error| Astray::Silent(with_causes(&error)))?;
    let answer = client
        .get(url)
        .bearer_auth(seal.question(&nonce))
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(not_sent(&error, base).await),
    };
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
        return Err(Astray::Redirect(to.to_owned()));
    }
    let server = answer
        .headers()
        .get(header::SERVER)
        .and_then(|name| name.to_str().ok())
        .map(|name| format!(", Server: {name:?}"))
        .unwrap_or_default();
    let body = body(answer).await?;
    if let Ok(proof) = serde_json::from_slice::<Proof>(&body) {
        return examine(seal, &nonce, proof);
    }
    Err(match status {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Astray::Gateway(status)
        }
        StatusCode::TOO_MANY_REQUESTS => Astray::TooOften,
        StatusCode::NOT_FOUND if is_our_problem(&body) => Astray::ChangedPath,
        _ => Astray::Stranger(format!("HTTP {}{server}", status.as_u16())),
    })
}

fn examine(seal: &InstallationSeal, nonce: &Nonce, answer: Proof) -> Result<Presence, Astray> {
    if !seal.is_proof(nonce, answer.presence.as_ref(), &answer.proof) {
        return Err(Astray::OtherInstallation);
    }
    answer.presence.ok_or(Astray::Unrecognised)
}

/// The "not found" of a click-to-call (`docs/PROBLEMS.md`).
fn is_our_problem(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|problem| {
            let kind = problem.get("type")?.as_str()?;
            Some(kind.ends_with("/problems#not-found"))
        })
        .unwrap_or(false)
}

/// Connects straight to the address that the name leads to: a proxy for outgoing requests is no part of the way in.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!(
            "click-to-call/",
            env!("CARGO_PKG_VERSION"),
            " doctor"
        ))
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

async fn look_up(base: &Url) -> Result<Vec<SocketAddr>, Astray> {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = base.port_or_known_default().unwrap_or(443);
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, port))).await;
    match found {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(Astray::Name(error.to_string())),
        Err(_elapsed) => Err(Astray::Name("no name server answers in time".to_owned())),
    }
}

/// One of a name's addresses is enough: what asks tries them all. Told is what is wrong with the first.
async fn connect(addresses: &[SocketAddr]) -> Result<(), Astray> {
    let mut first = None;
    for address in addresses {
        match connect_to(*address).await {
            Ok(()) => return Ok(()),
            Err(astray) => first = first.or(Some(astray)),
        }
    }
    Err(first.unwrap_or_else(|| Astray::Name("the name has no address".to_owned())))
}

async fn connect_to(address: SocketAddr) -> Result<(), Astray> {
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
    match connected {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Err(Astray::Refused(address))
        }
        Ok(Err(error)) => Err(Astray::Silent(format!("{address}: {error}"))),
        Err(_elapsed) => Err(Astray::Silent(format!(
            "{address} does not answer within {} seconds",
            PATIENCE.as_secs()
        ))),
    }
}

async fn not_sent(error: &reqwest::Error, base: &Url) -> Astray {
    match certificate::tls_error(error) {
        Some(rustls::Error::InvalidCertificate(fault)) => {
            Astray::Certificate(certificate::explain(fault, base, PATIENCE).await)
        }
        Some(other) => Astray::Tls(other.to_string()),
        None => Astray::Silent(with_causes(error)),
    }
}

async fn body(mut answer: reqwest::Response) -> Result<Vec<u8>, Astray> {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(Astray::Silent(with_causes(&error))),
        }
    }
    Ok(body)
}

/// Fetches a file from the public address: status and body.
pub(super) async fn fetch(url: Url) -> Result<(StatusCode, Vec<u8>), String> {
    let failed = |error: reqwest::Error| with_causes(&error.without_url());
    let answer = client()
        .map_err(failed)?
        .get(url)
        .send()
        .await
        .map_err(failed)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(failed)?;
    Ok((status, body.to_vec()))
}
