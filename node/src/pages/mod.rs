//! The static pages of `web/`: embedded in the program, read from the folder where debug builds run. The explorer
//! asks this node's API and nobody else; the page that verifies asks the chain. They run no script but their own.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `scripts/setup-web` builds. Empty where it was not run.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Dist;

/// What the explorer's pages may load and ask: this server, and nothing inline.
const EXPLORE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                       base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/// The page that verifies also runs the verifier, and asks the endpoints that its visitor names, and whom else the
/// visitor allows. Pictures it takes from the credential itself only.
const VERIFY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      img-src 'self' data: blob:; connect-src 'self' https: http://127.0.0.1:* http://localhost:*; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Names of assets change with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Asked for anew each time, and sent if it has changed.
const WHILE_THE_SAME: &str = "no-cache";
const NOT_BUILT: &str = "The pages are not built into this node.\n\n\
    With Node.js 20 or newer, in the project's folder:\n\n    scripts/setup-web\n\nThen build the node again. \
    Its API works without: see /docs.\n";

/// The routes.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(async || Redirect::temporary("/explore")))
        .route("/explore", get(explore))
        .route("/explore/", get(explore))
        .route("/explore/{*view}", get(explore))
        .route("/verify", get(async || Redirect::permanent("/verify/")))
        .route("/verify/", get(async |headers: HeaderMap| page("verify/index.html", VERIFY, &headers)))
        .route("/embed/", get(async |headers: HeaderMap| page("embed/index.html", VERIFY, &headers)))
        .route("/embed/testamur-verify.js", get(component))
        .route("/assets/{*name}", get(asset))
}

/// One page: which view of it is shown, it reads from its own address.
async fn explore(headers: HeaderMap) -> Response {
    page("explore/index.html", EXPLORE, &headers)
}

fn page(name: &str, policy: &'static str, headers: &HeaderMap) -> Response {
    let Some(page) = Dist::get(name) else { return (StatusCode::NOT_FOUND, NOT_BUILT).into_response() };
    let guards = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (guards, file(name, page, WHILE_THE_SAME, headers)).into_response()
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // Where files are read from the folder, a name could lead to another page, past its policy.
    let is_plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let name = format!("assets/{name}");
    match is_plain.then(|| Dist::get(&name)).flatten() {
        Some(asset) => file(&name, asset, FOR_EVER, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The element that other people's pages embed: its name stays, its content does not.
async fn component(headers: HeaderMap) -> Response {
    const NAME: &str = "embed/testamur-verify.js";
    match Dist::get(NAME) {
        Some(script) => file(NAME, script, WHILE_THE_SAME, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file, unless the request names the same one as known.
fn file(name: &str, file: EmbeddedFile, caching: &'static str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let kept = [
        (header::ETAG, HeaderValue::try_from(tag).expect("hex in quotes is a header's value")),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type(name))),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    if known { (StatusCode::NOT_MODIFIED, kept).into_response() } else { (kept, file.data).into_response() }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_file_that_is_built_has_its_type() {
        for name in Dist::iter().filter(|name| !name.ends_with(".gitkeep")) {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
        assert_eq!(media_type("assets/style-1.css"), "text/css; charset=utf-8");
        assert_eq!(media_type("no-ending"), "application/octet-stream");
    }
}
