//! The API's own description: `/studio/api/openapi.json`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        RefOr,
        path::Operation,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

use super::{
    audit, changes, credentials, invitations, issuer, oidc, rosters, run_view::RunView, runs, session, templates, users,
};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Testamur studio",
        description = "Issuing, for an institution's staff. A session is a cookie. Roles: `viewer` reads; `issuer` also \
                       issues, revokes, re-issues and edits templates; `admin` also manages users and reads the audit \
                       log. Writes are taken from the studio's own pages, or from programs that send no `Origin`.",
    ),
    paths(
        session::whose, session::begin, session::end, session::change_password, oidc::start, oidc::callback,
        issuer::issuer, templates::list, templates::one, templates::preview, templates::save, templates::remove,
        rosters::upload, rosters::look, runs::ask, runs::list, runs::one, runs::events, runs::failed,
        credentials::list, credentials::one, credentials::file, changes::revoke, changes::reissue, invitations::invite,
        users::list, users::add, users::change, users::remove, audit::list,
    ),
    components(schemas(Problem, RunView)),
    modifiers(&Rest),
)]
pub struct Api;

/// What the annotations of the routes need not repeat.
struct Rest;

impl Modify for Rest {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("studio")));
        openapi.components.get_or_insert_default().add_security_scheme("session", cookie);
        for item in openapi.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            operations.into_iter().flatten().for_each(complete);
        }
    }
}

/// Every response has a description, and refusals have their media type.
fn complete(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let refusal = status.starts_with(['4', '5']);
        if refusal && let Some(content) = response.content.shift_remove("application/json") {
            response.content.insert("application/problem+json".to_owned(), content);
        }
        if response.description.is_empty() {
            response.description = if refusal { "A refusal" } else { "Done" }.to_owned();
        }
    }
}

/// A refusal (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    /// `urn:testamur:problem:…`: never changes.
    pub r#type: String,
    /// What kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, and what to do.
    pub detail: String,
}

/// `GET /studio/api/openapi.json`.
pub async fn openapi() -> Response {
    Json(Api::openapi()).into_response()
}
