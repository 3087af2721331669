//! What everybody gets: the pages' HTML, sealed content, and files that say who the issuer is.

use axum::{
    Json,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Shared,
    access::{Counted, page_id},
    preview,
    problem::{Kind, Problem},
};
use crate::web;

/// Every view of the learners' pages is this one: which, it reads from its own address.
const PAGE: &str = "share/index.html";

/// `GET /claim/{id}`, `/manage/{id}`, `/p/{id}`: the same whatever the id is, so that fetching it changes and tells
/// nothing.
pub async fn page(headers: HeaderMap) -> Response {
    web::page(PAGE, web::VERIFY, &headers)
}

/// `GET /c/{id}`: with what the learner lets social sites show.
pub async fn shared_page(State(shared): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Ok(id) = page_id(&id) else { return page(headers).await };
    match shared.with_store(move |store| store.preview(&id)).await {
        Ok(preview) => {
            let url = format!("{}/c/{id}", shared.public_url.as_str());
            web::page_with(PAGE, web::VERIFY, &preview::tags(&preview.lines, &url))
        }
        Err(_) => page(headers).await,
    }
}

/// The sealed credential or portfolio, while it is published.
#[utoipa::path(
    get, path = "/v1/pages/{id}/sealed",
    responses((status = 200, content_type = "application/octet-stream"), (status = 404), (status = 410))
)]
pub async fn sealed(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = page_id(&id)?;
    let sealed = shared.with_store(move |store| store.sealed(&id)).await?;
    let kept = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kept, sealed).into_response())
}

/// The page could open it: one view more, whoever it was.
#[utoipa::path(post, path = "/v1/pages/{id}/views", responses((status = 204), (status = 404)))]
pub async fn view(State(shared): State<Shared>, Path(id): Path<String>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    shared.rates.count(Counted::Change, &parts.extensions, &parts.headers)?;
    let id = page_id(&id)?;
    shared.with_store(move |store| store.view(&id)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

/// `GET /verify/config.json`: whom the page that verifies asks and recognises.
pub async fn verify_settings(State(shared): State<Shared>) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(&shared.verify)).into_response()
}

/// `GET /.well-known/did.json`: the issuer's keys and accounts.
pub async fn did(State(shared): State<Shared>) -> Result<Response, Problem> {
    let document = (shared.did)().ok_or_else(|| Problem::new(Kind::NoSuchPath, "the issuer has no document here"))?;
    let kept = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/did+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok((kept, document.to_string()).into_response())
}

/// What every answer has, whatever it is.
pub fn guard(shared: &Shared, response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // Data is no page: nothing in it runs.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    if shared.public_url.is_https() {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static("max-age=31536000"));
    }
}
