//! `POST /oid4vci/token` (section 6): a code becomes an access token.

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testamur_core::UnixSeconds;

use super::{CONFIGURATION, bearer::Bearer, refusal::Refusal};
use crate::pages::{
    Shared,
    access::Counted,
    body::{self, SMALL},
    secret::Secret,
    store::ShareError,
};

/// The grant (section 4.1.1).
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// How long an access token is good.
const SECONDS: u64 = 300;

/// The parameters that count; others are ignored (RFC 6749, 3.2), none may come twice.
#[derive(Deserialize)]
struct Form {
    grant_type: Option<String>,
    #[serde(rename = "pre-authorized_code")]
    code: Option<String>,
    tx_code: Option<String>,
    authorization_details: Option<String>,
}

#[derive(Serialize)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<Value>,
}

/// What a wallet may ask for in detail (section 5.1.1).
#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "type")]
    kind: String,
    credential_configuration_id: Option<String>,
}

pub async fn token(State(shared): State<Shared>, request: Request<Body>) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // Whoever guesses is stopped by the length of a code; whoever floods, here.
    shared.rates().count(Counted::Claim, &parts.extensions, &parts.headers)?;
    if body::media_type(&parts.headers) != "application/x-www-form-urlencoded" {
        return Err(Refusal::new("invalid_request", "Content-Type must be application/x-www-form-urlencoded"));
    }
    let (bearer, details) = read(&body::whole(body, SMALL).await?)?;
    let Bearer { id, key, secret: code } = bearer;
    let (token, now) = (Secret::random(), shared.now());
    let (code, hash, expires) = (code.hash(), token.hash(), UnixSeconds(now.0 + SECONDS));
    let redeemed = shared.with_store(move |store| store.redeem(&id, &code, &hash, now, expires)).await;
    redeemed.map_err(|error| match error {
        ShareError::Store(error) => {
            tracing::error!(%error, "a code could not be redeemed");
            Refusal::server()
        }
        _ => Refusal::new("invalid_grant", "the code is unknown, was used, or is too old: take a new offer"),
    })?;
    let access_token = Bearer { id, key, secret: token }.reveal().to_string();
    let token = Token { access_token, token_type: "Bearer", expires_in: SECONDS, authorization_details: details };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)).into_response())
}

/// The code, and the details that are granted where some were asked for.
fn read(body: &[u8]) -> Result<(Bearer, Option<Value>), Refusal> {
    let form: Form = serde_urlencoded::from_bytes(body)
        .map_err(|_| Refusal::new("invalid_request", "the body is no form, or has a parameter twice"))?;
    match form.grant_type.as_deref() {
        Some(GRANT) => {}
        Some(_) => return Err(Refusal::new("unsupported_grant_type", "only pre-authorized_code is taken")),
        None => return Err(Refusal::new("invalid_request", "grant_type is missing")),
    }
    if form.tx_code.is_some() {
        return Err(Refusal::new("invalid_request", "no transaction code is expected"));
    }
    let code = form.code.ok_or(Refusal::new("invalid_request", "pre-authorized_code is missing"))?;
    let details = form.authorization_details.as_deref().map(details).transpose()?;
    let bearer = Bearer::parse(&code).ok_or(Refusal::new("invalid_grant", "this is no code of this server"))?;
    Ok((bearer, details))
}

fn details(text: &str) -> Result<Value, Refusal> {
    let refused = Refusal::new("invalid_authorization_details", "only the offered configuration can be asked for");
    let details: Vec<Detail> = serde_json::from_str(text).map_err(|_| refused.clone())?;
    let is_offered = |detail: &Detail| {
        detail.kind == "openid_credential" && detail.credential_configuration_id.as_deref() == Some(CONFIGURATION)
    };
    if details.is_empty() || !details.iter().all(is_offered) {
        return Err(refused);
    }
    Ok(json!([{
        "type": "openid_credential",
        "credential_configuration_id": CONFIGURATION,
        "credential_identifiers": [CONFIGURATION],
    }]))
}
