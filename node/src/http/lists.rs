//! `GET /v1/issuers/{issuer}/status/{purpose}/lists…`: whole lists, from which nobody learns which bit matters.

use std::{fmt::Write, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use testamur_core::ListNumber;
use tokio::task::spawn_blocking;

use super::{
    accept,
    extract::{Parameters, Segments},
    problem::{Kind, Problem},
    status::{At, StatusReads, Wanted, When, answer, caching},
};
use crate::lists::{Form, Source, tag};

/// List numbers on a page.
const PAGE: usize = 10_000;
/// What JSON-LD libraries ask for, and what W3C's credential is as well.
const JSON_LD: &str = "application/ld+json";

/// Which numbers.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Only numbers above this one.
    after: Option<u32>,
    /// `head` (unless stated) or `settled`.
    #[serde(default)]
    at: At,
}

/// A status list: 131,072 bits.
///
/// `Accept` decides in which format: W3C's credential (with a Data Integrity proof or as a JWT), IETF's Token Status List
/// (JWT or CWT), or our own JSON. Each carries its path to the root on chain (`urn:testamur:anchored`), so that it needs no trust
/// in its signer. Purposes other than revocation and suspension have the JSON only.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status/{purpose}/lists/{list}", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account, 0x and 40 hex digits"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"),
        ("list" = u32, Path, description = "The list, below 2^23: a status index divided by 131,072"), When,
    ),
    responses(
        (status = 200, description = "The list", content(
            (super::api::status::StatusListCredential = "application/vc"), (String = "application/vc+jwt"),
            (String = "application/statuslist+jwt"), (String = "application/statuslist+cwt"),
            (super::api::status::StatusList = "application/json"),
        )),
        (status = 304, description = "Unchanged (If-None-Match)"),
        (status = "4XX", body = super::api::Problem),
    ),
)]
pub async fn list(
    State(reads): State<Arc<StatusReads>>,
    Segments((issuer, purpose, list)): Segments<(String, String, String)>,
    Parameters(when): Parameters<When>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let list = parse_list(&list)?;
    let wanted = Wanted::find(&reads, &issuer, &purpose, when.at).await?;
    let (media_type, form) = choose(&wanted, &headers)?;
    let at = wanted.tree()?;
    let tag = tag(form, at);
    let metadata = [
        (header::ETAG, HeaderValue::try_from(&tag).map_err(|error| Problem::internal(&error))?),
        (header::CACHE_CONTROL, caching(at)),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, metadata).into_response());
    }
    let source = source(&reads, &wanted, list, when.at);
    let document = match reads.lists.kept(&source, &tag) {
        Some(document) => document,
        None => {
            let (reads, at) = (reads.clone(), at.clone());
            let made = spawn_blocking(move || reads.lists.make(form, source, list, &at));
            made.await.map_err(|error| Problem::internal(&error))?
        }
    };
    Ok((metadata, [(header::CONTENT_TYPE, media_type)], document).into_response())
}

/// Which lists have a set bit. Of all others every bit is 0.
#[utoipa::path(
    get, path = "/v1/issuers/{issuer}/status/{purpose}/lists", tag = "read",
    params(
        ("issuer" = String, Path, description = "The issuer's account"),
        ("purpose" = String, Path, description = "`revocation`, `suspension` or a number up to 255"), Paging,
    ),
    responses((status = 200, body = super::api::status::ListNumbers), (status = "4XX", body = super::api::Problem)),
)]
pub async fn numbers(
    State(reads): State<Arc<StatusReads>>,
    Segments((issuer, purpose)): Segments<(String, String)>,
    Parameters(paging): Parameters<Paging>,
) -> Result<Response, Problem> {
    let wanted = Wanted::find(&reads, &issuer, &purpose, paging.at).await?;
    let at = wanted.tree()?;
    let beyond = |list: &ListNumber| paging.after.is_none_or(|after| list.get() > after);
    let mut numbers: Vec<_> = at.tree.lists().filter(beyond).take(PAGE + 1).map(ListNumber::get).collect();
    let more = numbers.len() > PAGE;
    numbers.truncate(PAGE);
    let mut json = wanted.preamble(&reads, at);
    // Writing to a string cannot fail.
    let _ = write!(json, r#","lists":{}"#, json!(numbers));
    if let Some(last) = numbers.last().filter(|_| more) {
        let _ = write!(json, r#","next":{last}"#);
    }
    json.push('}');
    Ok(answer(at, json))
}

/// The public key that signs lists, as a JSON Web Key Set (RFC 7517).
///
/// It is this server's. To trust the lists it signs, look at their path to the root on chain instead.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "read", responses((status = 200, body = super::api::status::Keys)))]
pub async fn keys(State(reads): State<Arc<StatusReads>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, Json(json!({ "keys": [reads.lists.key().jwk()] }))).into_response()
}

/// The form that the request likes best among those that there are.
fn choose(wanted: &Wanted, headers: &HeaderMap) -> Result<(&'static str, Form), Problem> {
    let mut offers: Vec<_> = Form::ALL.iter().map(|form| (form.media_type(), *form)).collect();
    offers.insert(1, (JSON_LD, Form::Credential));
    offers.retain(|(_, form)| form.has(wanted.purpose));
    accept::choose(headers, &offers).ok_or_else(|| {
        let names: Vec<_> = offers.iter().map(|(name, _)| *name).collect();
        let detail = format!("of {} lists there are {}", wanted.purpose, names.join(", "));
        Problem::new(Kind::NotAcceptable, detail)
    })
}

fn source(reads: &StatusReads, wanted: &Wanted, list: ListNumber, at: At) -> Source {
    let (issuer, purpose) = (wanted.issuer, wanted.purpose);
    let mut url = format!("{}/v1/issuers/{issuer}/status/{}/lists/{list}", reads.public_url, purpose.name());
    if at == At::Settled {
        url.push_str("?at=settled");
    }
    Source { chain: reads.chain, registry: reads.registry, issuer, purpose, url }
}

/// Whether `If-None-Match` names the tag (RFC 9110, 13.1.2: compared weakly).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut names = values.flat_map(|value| value.split(',')).map(str::trim);
    names.any(|name| name == "*" || name.strip_prefix("W/").unwrap_or(name) == tag)
}

fn parse_list(text: &str) -> Result<ListNumber, Problem> {
    let wrong = || Problem::new(Kind::BadRequest, "the list in the path must be a number below 2^23");
    text.parse().ok().and_then(|number| ListNumber::new(number).ok()).ok_or_else(wrong)
}
