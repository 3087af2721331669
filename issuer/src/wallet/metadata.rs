//! What wallets read first (section 12).

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{CONFIGURATION, token::GRANT};
use crate::{credential::CONTEXTS, pages::Shared};

/// `GET /.well-known/openid-credential-issuer` (12.2).
pub async fn issuer(State(shared): State<Shared>) -> Response {
    let url = shared.public_url();
    let display = |locale: &str, name: &str| json!({ "name": name, "locale": locale });
    answer(json!({
        "credential_issuer": url,
        "credential_endpoint": format!("{url}/oid4vci/credential"),
        "display": [{ "name": shared.issuer_name() }],
        "credential_configurations_supported": {
            CONFIGURATION: {
                "format": "ldp_vc",
                "credential_signing_alg_values_supported": ["eddsa-jcs-2022", "eddsa-rdfc-2022"],
                "credential_definition": {
                    "@context": CONTEXTS,
                    "type": ["VerifiableCredential", "OpenBadgeCredential"],
                },
                "credential_metadata": {
                    "display": [display("en", "Diploma or badge"), display("es", "Diploma o insignia")],
                },
            },
        },
    }))
}

/// `GET /.well-known/oauth-authorization-server` (12.3, RFC 8414). Wallets need no registration.
pub async fn server(State(shared): State<Shared>) -> Response {
    let url = shared.public_url();
    answer(json!({
        "issuer": url,
        "token_endpoint": format!("{url}/oid4vci/token"),
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_details_types_supported": ["openid_credential"],
        "pre-authorized_grant_anonymous_access_supported": true,
    }))
}

fn answer(metadata: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(metadata)).into_response()
}
