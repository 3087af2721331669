//! The API as OpenAPI 3.1 has it, for whoever writes another page for it.

use axum::Json;
use utoipa::OpenApi;

use super::{claims, manage, show};

#[derive(OpenApi)]
#[openapi(
    info(title = "Testamur learners' pages", description = "Sealed pages: see docs/sharing.md"),
    paths(
        claims::claim,
        manage::page,
        manage::part,
        manage::rewrite,
        manage::publish,
        manage::set_preview,
        manage::drop_preview,
        manage::delete,
        manage::add,
        manage::offer,
        show::sealed,
        show::view,
    )
)]
struct Api;

/// `GET /openapi.json`.
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Api::openapi())
}
