//! `/v1/pages/{id}` and below, for the owner: `Authorization: Owner <22 letters>`.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use testamur_core::UnixSeconds;
use testamur_credentials::sealed::{self, MAX_SEALED};

use super::{
    Shared,
    access::{Counted, owner, page_id},
    body::{self, SMALL},
    preview,
    problem::{Kind, Problem},
    secret::Secret,
    store::{self, Lines, NewPage, Page, Quota},
};
use crate::certificate::Language;

/// A portfolio names a hundred credentials at most, in some ten KiB: this is the fifth class of sealed content.
const MAX_PORTFOLIO: usize = (64 << 10) + 64;
/// A body that holds sealed content in base64.
const MAX_BODY: usize = MAX_SEALED.div_ceil(3) * 4 + SMALL;
/// How long a wallet may take until it shows the code of an offer.
const OFFER_SECONDS: u64 = 600;

/// Whether everybody with the link may read it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    published: bool,
}

/// What social sites may show.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPreview {
    /// `achievement`, `issuer`, `name`, `date`: those that the learner allows.
    #[schema(value_type = Object)]
    lines: Lines,
    /// The language of the picture's own words: `en` or `es`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
}

/// A further page of the same learner's.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPageRequest {
    /// ID, drawn by the browser.
    id: String,
    /// OWNER of the new page: the same as the claimed page's, or another one.
    owner: String,
    /// The sealed content, base64 with padding.
    sealed: String,
    /// What is sealed.
    #[schema(value_type = String)]
    kind: store::Kind,
}

/// A code for a wallet.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Offer {
    /// CODE: 22 letters of base64url.
    code: String,
    /// Until when it is good, in seconds since 1970.
    #[schema(value_type = u64)]
    expires: UnixSeconds,
}

/// The page.
#[utoipa::path(get, path = "/v1/pages/{id}", responses((status = 200, body = Page)))]
pub async fn page(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, owner) = (page_id(&id)?, owner(&headers)?);
    Ok(secret(Json(shared.with_store(move |store| store.page(&id, &owner)).await?)))
}

/// A part of it, as it is sealed.
#[utoipa::path(get, path = "/v1/pages/{id}/parts/{part}", responses((status = 200, content_type = "application/octet-stream")))]
pub async fn part(
    State(shared): State<Shared>,
    Path((id, part)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, owner) = (page_id(&id)?, owner(&headers)?);
    let sealed = shared.with_store(move |store| store.part(&id, &owner, &part)).await?;
    Ok(secret(([(header::CONTENT_TYPE, "application/octet-stream")], sealed)))
}

/// Other content under the same link: of a portfolio, which its learner sealed. The body is the sealed content.
#[utoipa::path(put, path = "/v1/pages/{id}/parts/{part}", responses((status = 200, body = Page), (status = 413)))]
pub async fn rewrite(
    State(shared): State<Shared>,
    Path((id, part)): Path<(String, String)>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    shared.rates.count(Counted::Change, &parts.extensions, &parts.headers)?;
    let (id, owner) = (page_id(&id)?, owner(&parts.headers)?);
    if part != store::Kind::Portfolio.name() {
        return Err(Problem::new(Kind::NoPart, "only a portfolio can be changed"));
    }
    // A body is read for owners only.
    shared.with_store(move |store| store.page(&id, &owner)).await?;
    let sealed = body::whole(body, MAX_PORTFOLIO).await?;
    sealed::check_shape(&sealed).map_err(|fault| Problem::new(Kind::NotSealed, fault.to_string()))?;
    Ok(secret(Json(shared.with_store(move |store| store.rewrite(&id, &owner, &sealed)).await?)))
}

/// Shows it to everybody with the link, or to nobody.
#[utoipa::path(put, path = "/v1/pages/{id}/published", request_body = Published, responses((status = 200, body = Page)))]
pub async fn publish(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let (id, owner) = (page_id(&id)?, owner(&parts.headers)?);
    let Published { published } = body::json(&parts.headers, body, SMALL).await?;
    Ok(secret(Json(shared.with_store(move |store| store.publish(&id, &owner, published)).await?)))
}

/// Lets social sites show these lines.
#[utoipa::path(put, path = "/v1/pages/{id}/preview", request_body = NewPreview, responses((status = 200, body = Page)))]
pub async fn set_preview(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    shared.rates.count(Counted::Change, &parts.extensions, &parts.headers)?;
    let (id, owner) = (page_id(&id)?, owner(&parts.headers)?);
    let NewPreview { lines, language } = body::json(&parts.headers, body, SMALL).await?;
    preview::check(&lines)?;
    // Nothing is painted for whoever does not own the page.
    shared.with_store(move |store| store.page(&id, &owner)).await?;
    let (lines, png) = preview::paint(&shared, lines, language).await?;
    Ok(secret(Json(shared.with_store(move |store| store.set_preview(&id, &owner, &lines, &png)).await?)))
}

/// Lets social sites show nothing.
#[utoipa::path(delete, path = "/v1/pages/{id}/preview", responses((status = 200, body = Page)))]
pub async fn drop_preview(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, owner) = (page_id(&id)?, owner(&headers)?);
    Ok(secret(Json(shared.with_store(move |store| store.drop_preview(&id, &owner)).await?)))
}

/// Deletes it for good.
#[utoipa::path(delete, path = "/v1/pages/{id}", responses((status = 204)))]
pub async fn delete(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, owner) = (page_id(&id)?, owner(&headers)?);
    shared.with_store(move |store| store.delete(&id, &owner)).await?;
    Ok(secret(StatusCode::NO_CONTENT))
}

/// Keeps a further page of the learner who owns the one that the header `Testamur-Page` names.
#[utoipa::path(
    post, path = "/v1/pages", request_body = NewPageRequest, params(("Testamur-Page" = String, Header)),
    responses((status = 201, body = Page), (status = 409, description = "id-used, too-many-pages"), (status = 413))
)]
pub async fn add(State(shared): State<Shared>, request: Request<Body>) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    shared.rates.count(Counted::Change, &parts.extensions, &parts.headers)?;
    let owner = owner(&parts.headers)?;
    let parent = parts.headers.get("testamur-page").and_then(|value| value.to_str().ok());
    let parent =
        parent.ok_or_else(|| Problem::new(Kind::BadRequest, "the header Testamur-Page names a claimed page"))?;
    let parent = page_id(parent)?;
    // A large body is read for owners only.
    shared.with_store(move |store| store.page(&parent, &owner)).await?;
    let new = new_page(body::json(&parts.headers, body, MAX_BODY).await?)?;
    let (quota, now) = (Quota { pages: shared.limits.pages, bytes: shared.limits.bytes }, shared.now());
    let place = format!("/v1/pages/{}", new.id);
    let page = shared.with_store(move |store| store.add(&parent, &owner, &new, quota, now)).await?;
    Ok(secret((StatusCode::CREATED, [(header::LOCATION, place)], Json(page))))
}

/// Offers the credential to a wallet, which shows the code at `/oid4vci/token`. An offer before it is void.
#[utoipa::path(post, path = "/v1/pages/{id}/offers", responses((status = 201, body = Offer)))]
pub async fn offer(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    shared.rates.count(Counted::Change, &parts.extensions, &parts.headers)?;
    let (id, owner) = (page_id(&id)?, owner(&parts.headers)?);
    let (code, expires) = (Secret::random(), UnixSeconds(shared.now().0 + OFFER_SECONDS));
    let hash = code.hash();
    shared.with_store(move |store| store.offer(&id, &owner, &hash, expires)).await?;
    Ok(secret((StatusCode::CREATED, Json(Offer { code: code.reveal().to_string(), expires }))))
}

/// Nobody keeps it on its way.
fn secret(response: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], response).into_response()
}

fn new_page(request: NewPageRequest) -> Result<NewPage, Problem> {
    let NewPageRequest { id, owner, sealed, kind } = request;
    let wrong = |what: &str| Problem::new(Kind::BadRequest, what);
    let id = testamur_credentials::sealed::SealedId::parse(&id)
        .ok_or_else(|| wrong("`id` must be 22 letters of base64url: 16 random bytes"))?;
    let owner = Secret::parse(&owner).ok_or_else(|| wrong("`owner` must be 22 letters of base64url"))?.hash();
    let sealed = STANDARD.decode(sealed).map_err(|_| wrong("`sealed` must be base64 with padding"))?;
    sealed::check_shape(&sealed).map_err(|fault| Problem::new(Kind::NotSealed, fault.to_string()))?;
    if kind == store::Kind::Portfolio && sealed.len() > MAX_PORTFOLIO {
        return Err(Problem::new(Kind::TooLarge, format!("a portfolio has {MAX_PORTFOLIO} bytes at most")));
    }
    Ok(NewPage { id, owner, kind, sealed })
}
