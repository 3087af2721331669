//! `POST /oid4vci/credential` (section 8): the wallet takes the credential.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use testamur_credentials::sealed;

use super::{CONFIGURATION, bearer::Bearer, refusal::Refusal};
use crate::pages::{
    Shared,
    body::{self, SMALL},
    store::ShareError,
};

/// A wallet may send proofs that nobody asked for; they are large.
const MAX_BODY: usize = 16 * SMALL;

pub async fn credential(State(shared): State<Shared>, request: Request<Body>) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let bearer = bearer(&parts.headers).ok_or(Refusal::token())?;
    let Bearer { id, key, secret } = bearer;
    let (token, now) = (secret.hash(), shared.now());
    let offered = shared.with_store(move |store| store.offered(&id, &token, now)).await;
    let sealed = offered.map_err(|error| match error {
        ShareError::Store(error) => {
            tracing::error!(%error, "an offered credential could not be read");
            Refusal::server()
        }
        _ => Refusal::token(),
    })?;
    let malformed = Refusal::new("invalid_credential_request", "the body must be a JSON object");
    if body::media_type(&parts.headers) != "application/json" {
        return Err(Refusal::new("invalid_credential_request", "Content-Type must be application/json"));
    }
    let asked = serde_json::from_slice(&body::whole(body, MAX_BODY).await?).map_err(|_| malformed)?;
    check(&asked)?;
    let text = sealed::open(&sealed, &id, &key)
        .map_err(|_| Refusal::new("credential_request_denied", "the key in the offer does not open the credential"))?;
    answer(&text)
}

/// `Authorization: Bearer ID.KEY.SECRET`.
fn bearer(headers: &HeaderMap) -> Option<Bearer> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Bearer::parse(token.trim()))?
}

/// What must be asked for; members that are not known are ignored.
fn check(asked: &Map<String, Value>) -> Result<(), Refusal> {
    if asked.contains_key("credential_response_encryption") {
        return Err(Refusal::new("invalid_encryption_parameters", "answers are encrypted by TLS only"));
    }
    let refused = |what| Err(Refusal::new(what, "only the offered credential can be had"));
    match (asked.get("credential_configuration_id"), asked.get("credential_identifier")) {
        (Some(name), None) if name == CONFIGURATION => Ok(()),
        (None, Some(name)) if name == CONFIGURATION => Ok(()),
        (Some(_), None) => refused("unknown_credential_configuration"),
        (None, Some(_)) => refused("unknown_credential_identifier"),
        (Some(_), Some(_)) | (None, None) => Err(Refusal::new(
            "invalid_credential_request",
            "either credential_configuration_id or credential_identifier is needed",
        )),
    }
}

/// The document as it was issued, letter by letter: it must not be encoded anew (A.1.2.4).
fn answer(text: &str) -> Result<Response, Refusal> {
    if serde_json::from_str::<Map<String, Value>>(text).is_err() {
        return Err(Refusal::new(
            "credential_request_denied",
            "the credential is a JWT, which is offered as a file only",
        ));
    }
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, format!("{{\"credentials\":[{{\"credential\":{text}}}]}}")).into_response())
}
