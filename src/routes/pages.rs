//! The visitor's page.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Data, Query, ServiceConfig},
};
use serde::Deserialize;

use super::error::{ApiError, ProblemKind};
use crate::{assets, state::AppState, views::FixedPage, words};

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/")
            .route(web::get().to(index))
            .route(web::head().to(index)),
    )
    .service(
        web::resource("/problems")
            .route(web::get().to(problems))
            .route(web::head().to(problems)),
    );
}

#[derive(Debug, Deserialize)]
struct Wish {
    line: Option<String>,
}

async fn index(
    request: HttpRequest,
    wish: Option<Query<Wish>>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let line = wish.and_then(|wish| wish.into_inner().line);
    if line.is_some_and(|line| line != state.line.id) {
        return Err(ApiError::new(ProblemKind::UnknownLine));
    }
    let language = language(&request);
    let page = state
        .pages
        .index(language)
        .ok_or_else(|| ApiError::new(ProblemKind::NotFound))?;
    Ok(serve(&request, &state, page, language))
}

/// What each problem means and what to do about it: where the `type` of a problem leads.
async fn problems(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    serve(&request, &state, state.pages.problems(), words::DEFAULT)
}

fn serve(
    request: &HttpRequest,
    state: &AppState,
    page: &FixedPage,
    language: &'static str,
) -> HttpResponse {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let compressed = assets::accepts(header(header::ACCEPT_ENCODING), "gzip");
    let etag = format!("\"{}{}\"", page.etag, if compressed { "gzip" } else { "" });
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_LANGUAGE, language))
        .insert_header((header::VARY, "accept-encoding, accept-language"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            state.site.page_policy.clone(),
        ));
    if assets::has_etag(header(header::IF_NONE_MATCH), &etag) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
    if compressed {
        response
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(page.gzip.clone())
    } else {
        response.body(page.html.clone())
    }
}

/// `?lang=`, then `Accept-Language`, then English.
pub(crate) fn language(request: &HttpRequest) -> &'static str {
    let asked = url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(key, _)| key == "lang")
        .and_then(|(_, value)| words::best(&value));
    let accepted = || {
        let header = request
            .headers()
            .get(header::ACCEPT_LANGUAGE)?
            .to_str()
            .ok()?;
        words::best(header)
    };
    asked.or_else(accepted).unwrap_or(words::DEFAULT)
}
