//! The pages: the studio's own, and the one that verifies. See [`crate::web`].

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::HeaderMap,
    response::{Redirect, Response},
    routing::get,
};

use super::Studio;
use crate::{
    pages::Verify,
    web::{VERIFY, asset, page},
};

/// What the studio's pages may load and ask: this server, and nothing inline. Pictures of a credential that is shown stand
/// in it as `data:` URLs.
const STUDIO: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'";

pub fn routes() -> Router<Arc<Studio>> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/studio/")))
        .route("/studio", get(async || Redirect::permanent("/studio/")))
        .route("/studio/", get(studio))
        .route("/studio/{*view}", get(studio))
        .route("/verify", get(async || Redirect::permanent("/verify/")))
        .route("/verify/", get(async |headers: HeaderMap| page("verify/index.html", VERIFY, &headers)))
        .route("/verify/config.json", get(verify_settings))
        .route("/assets/{*name}", get(asset))
}

/// One page: which view of it is shown, it reads from its own address.
async fn studio(headers: HeaderMap) -> Response {
    page("studio/index.html", STUDIO, &headers)
}

/// What the page that verifies asks and recognises: as on the learners' pages.
async fn verify_settings(State(studio): State<Arc<Studio>>) -> Json<Verify> {
    Json(studio.config.share.as_ref().map(|share| share.verify.clone()).unwrap_or_default())
}
