//! Refusals as OAuth has them (RFC 6749, 5.2; RFC 6750, 3; OpenID4VCI 1.0, 8.3.1).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::pages::problem::{Kind, Problem};

/// A refusal: a code for the wallet, and a sentence for whoever writes one. ASCII without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub error: &'static str,
    description: &'static str,
    status: StatusCode,
}

impl Refusal {
    /// The request is at fault: 400.
    pub fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description, status: StatusCode::BAD_REQUEST }
    }

    /// The access token is missing, wrong or too old: 401.
    pub fn token() -> Self {
        let description = "the access token is missing, unknown or too old: take a new offer";
        Self { error: "invalid_token", description, status: StatusCode::UNAUTHORIZED }
    }

    /// Too many requests: 429.
    pub fn too_many() -> Self {
        let description = "too many requests from this address: wait a moment";
        Self { error: "temporarily_unavailable", description, status: StatusCode::TOO_MANY_REQUESTS }
    }

    /// This server is at fault: 500. What happened is in its log.
    pub fn server() -> Self {
        let description = "try again later";
        Self { error: "server_error", description, status: StatusCode::INTERNAL_SERVER_ERROR }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem.kind {
            Kind::Internal => Self::server(),
            Kind::TooMany => Self::too_many(),
            _ => Self::new("invalid_request", "the body is too large, too slow, cut off, or of a wrong type"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { error, description, status } = self;
        let body = Json(json!({ "error": error, "error_description": description }));
        let mut response = (status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
