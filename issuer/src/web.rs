//! The static pages of `web/`: embedded in the program, read from the folder where debug builds run. Each has its own
//! policy; none runs a script that is not of this server.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `scripts/setup-web` builds. Empty where it was not run.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Dist;

/// The policy of the page that verifies: it runs the verifier, and asks the endpoints that its visitor names, and whom
/// else the visitor allows. Pictures it takes from the credential itself only.
pub const VERIFY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                          img-src 'self' data: blob:; connect-src 'self' https: http://127.0.0.1:* http://localhost:*; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Names of assets change with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Asked for anew each time, and sent if it has changed.
const WHILE_THE_SAME: &str = "no-cache";
const NOT_BUILT: &str = "The pages are not built into this program.\n\n\
    With Node.js 20 or newer, in the project's folder:\n\n    scripts/setup-web\n\nThen build it again. \
    The API works without.\n";

/// A page by its place in `web/dist`, under its policy.
pub fn page(name: &str, policy: &'static str, headers: &HeaderMap) -> Response {
    let Some(page) = Dist::get(name) else { return (StatusCode::NOT_FOUND, NOT_BUILT).into_response() };
    let guards = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (guards, file(name, page, WHILE_THE_SAME, headers)).into_response()
}

/// A page with further tags at the end of its head. It is made anew for each request.
pub fn page_with(name: &str, policy: &'static str, tags: &str) -> Response {
    let page = Dist::get(name).and_then(|page| String::from_utf8(page.data.into_owned()).ok());
    let Some((head, rest)) = page.as_deref().and_then(|page| page.split_once("</head>")) else {
        return (StatusCode::NOT_FOUND, NOT_BUILT).into_response();
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_TYPE, media_type(name)),
    ];
    (headers, format!("{head}{tags}</head>{rest}")).into_response()
}

/// `GET /assets/{*name}`.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // Where files are read from the folder, a name could lead to another page, past its policy.
    let is_plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let name = format!("assets/{name}");
    match is_plain.then(|| Dist::get(&name)).flatten() {
        Some(asset) => file(&name, asset, FOR_EVER, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file whose name stays while its content does not.
pub fn lasting(name: &str, headers: &HeaderMap) -> Response {
    match Dist::get(name) {
        Some(found) => file(name, found, WHILE_THE_SAME, headers),
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
