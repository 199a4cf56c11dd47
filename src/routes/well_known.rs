//! `GET /.well-known/click-to-call/{nonce}`: proves that an address leads to this installation. `doctor` asks it.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Path, ServiceConfig},
};
use serde::{Deserialize, Serialize};

use super::{
    error::{ApiError, ProblemKind},
    limits, visit,
};
use crate::{
    domain::installation::{Nonce, Presence},
    state::AppState,
};

/// Where the proof is asked for; the nonce follows.
pub const PATH: &str = "/.well-known/click-to-call/";

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The nonce and what is told, under the installation's secret.
    pub proof: String,
    /// What is told, to those who hold the secret themselves.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource(format!("{PATH}{{nonce}}"))
            .route(web::get().to(prove))
            .route(web::head().to(prove)),
    );
}

/// Strangers are told nothing but the proof, which is worth nothing to them. Where the proxies stand, and which version
/// this is, is for those who show that they hold the secret.
async fn prove(
    request: HttpRequest,
    nonce: Path<String>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    limits::check_proofs(&request, &state)?;
    let nonce: Nonce = nonce
        .parse()
        .map_err(|_not_a_nonce| ApiError::new(ProblemKind::NotFound))?;
    let seal = &state.installation;
    let presence = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .filter(|question| seal.is_question(&nonce, question))
        .map(|_question| presence(&request, &state));
    Ok(HttpResponse::Ok().json(Proof {
        proof: seal.proof(&nonce, presence.as_ref()),
        presence,
    }))
}

fn presence(request: &HttpRequest, state: &AppState) -> Presence {
    let unknown = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    Presence {
        process: state.process,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        peer: request
            .peer_addr()
            .map_or(unknown, |peer| peer.ip().to_canonical()),
        client: visit::address_source(request, &state.site.trusted_proxies),
    }
}
