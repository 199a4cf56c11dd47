//! `GET /static/{version}/{path}` and `GET /embed.js`: files from memory, compressed when the program was built.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderName},
    web::{self, Data, Path, ServiceConfig},
};
use serde_json::json;

use super::error::{ApiError, ProblemKind};
use crate::{
    assets::{self, Asset},
    domain::phone_number::PhoneNumber,
    state::AppState,
    words,
};

/// A year, the longest that caches honour. The version in the address makes it safe.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/static/{version}/{path:.*}")
            .route(web::get().to(file))
            .route(web::head().to(file)),
    )
    .service(
        web::resource("/embed.js")
            .route(web::get().to(embed))
            .route(web::head().to(embed)),
    );
}

async fn file(
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (version, path) = path.into_inner();
    let asset = assets::find(&path).ok_or_else(|| ApiError::new(ProblemKind::NotFound))?;
    // A page of the release before asks for its own version once more: it gets the file, but does not keep it.
    let cache = if version == assets::VERSION {
        IMMUTABLE
    } else {
        "no-cache"
    };
    Ok(serve(&request, asset, cache))
}

fn serve(request: &HttpRequest, asset: &'static Asset, cache: &'static str) -> HttpResponse {
    let (body, coding) = asset.best_for(text(request, &header::ACCEPT_ENCODING));
    let etag = format!("\"{}{}\"", asset.etag, coding.unwrap_or_default());
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::ETAG, etag.clone()))
        .insert_header((header::VARY, "accept-encoding"))
        // Other websites load the element from here; nothing in these files is anybody's secret.
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("cross-origin-resource-policy", "cross-origin"));
    if assets::has_etag(text(request, &header::IF_NONE_MATCH), &etag) {
        return response
            .status(actix_web::http::StatusCode::NOT_MODIFIED)
            .finish();
    }
    if let Some(coding) = coding {
        response.insert_header((header::CONTENT_ENCODING, coding));
    }
    response
        .insert_header((header::CONTENT_TYPE, asset.mime))
        .body(body)
}

fn text<'a>(request: &'a HttpRequest, name: &HeaderName) -> &'a str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The one script that a website includes. It differs per deployment, so it is made here, and is never kept unasked.
///
/// It names no host: the element takes every address from its own, so that all of it stays one origin, whatever name the
/// visitor has typed.
async fn embed(state: Data<AppState>) -> HttpResponse {
    let module = assets::address("js/click-to-call.js");
    let config = json!({
        "sdk": assets::SDK_INTEGRITY.map(|integrity| json!({ "integrity": integrity })),
        "phone": state.site.phone.as_ref().map(PhoneNumber::to_international),
        "languages": words::codes(),
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("cross-origin-resource-policy", "cross-origin"))
        .body(format!(
            "import {{ define }} from \".{module}\";\ndefine({config});\n"
        ))
}
