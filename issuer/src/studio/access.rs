//! Who asks, and whether they may. What a route takes says who may use it: [`Viewer`], [`Issuer`] or [`Admin`].

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Studio,
    books::{Deed, Session, What},
    cookie,
    problem::{Kind, Problem},
    role::Role,
};
use crate::{clock::now, server::Peer};

/// Somebody who may look.
pub struct Viewer(pub Session);

/// Somebody who may issue and revoke.
pub struct Issuer(pub Session);

/// Somebody who may manage users.
pub struct Admin(pub Session);

impl FromRequestParts<Arc<Studio>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, studio: &Arc<Studio>) -> Result<Self, Problem> {
        at_least(Role::Viewer, parts, studio).map(Self)
    }
}

impl FromRequestParts<Arc<Studio>> for Issuer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, studio: &Arc<Studio>) -> Result<Self, Problem> {
        at_least(Role::Issuer, parts, studio).map(Self)
    }
}

impl FromRequestParts<Arc<Studio>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, studio: &Arc<Studio>) -> Result<Self, Problem> {
        at_least(Role::Admin, parts, studio).map(Self)
    }
}

fn at_least(role: Role, parts: &Parts, studio: &Studio) -> Result<Session, Problem> {
    let session = session(studio, &parts.headers)?.ok_or_else(|| studio.signed_out())?;
    if session.role >= role {
        return Ok(session);
    }
    if is_write(&parts.method) {
        // The router has taken off what is before it.
        let on = format!("{} /studio/api{}", parts.method, parts.uri.path());
        let deed = Deed { who: session.name, what: What::Refused, on };
        studio.books.note_done(&deed, "refused: role", now())?;
    }
    Err(Problem::new(Kind::Role, format!("it needs the role {}; an admin can give it", role.name())))
}

/// Whose session the request's cookie is.
pub fn session(studio: &Studio, headers: &HeaderMap) -> Result<Option<Session>, Problem> {
    let Some(token) = cookie::read(headers, studio.session_cookie()) else { return Ok(None) };
    Ok(studio.books.session(token, studio.lifetime(), now())?)
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Lets no page of another site write in the name of whoever is signed in (CSRF). Browsers say where a request comes
/// from: `Sec-Fetch-Site` (Fetch Metadata), older ones `Origin`. What says neither is no browser, and carries nobody's
/// cookie but its own.
pub async fn same_site(State(studio): State<Arc<Studio>>, request: Request, next: Next) -> Response {
    if is_write(request.method()) && !is_own(request.headers(), &studio.origin) {
        let detail = "write from a page of the studio itself, under the URL that studio.public_url names";
        return Problem::new(Kind::OtherSite, detail).into_response();
    }
    next.run(request).await
}

fn is_own(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(from)) => from == origin,
        (None, None) => true,
    }
}

/// Where a request comes from, for counting attempts; `None` in tests without a socket.
pub struct From(pub Option<IpAddr>);

impl FromRequestParts<Arc<Studio>> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, studio: &Arc<Studio>) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        Ok(Self(if studio.settings.behind_proxy { forwarded(&parts.headers).or(peer) } else { peer }))
    }
}

/// What the proxy in front added: the last address. Those before it are whatever the client claimed.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_pages_of_the_studio_write() {
        let origin = "https://studio.example";
        for (pairs, own) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://studio.example")], false),
            (&[("origin", "https://studio.example")], true),
            (&[("origin", "https://studio.example.evil.example")], false),
            (&[("origin", "http://studio.example")], false),
            (&[("origin", "null")], false),
            (&[], true),
        ] {
            assert_eq!(is_own(&headers(pairs), origin), own, "{pairs:?}");
        }
    }

    #[test]
    fn the_proxy_s_word_counts_and_not_the_client_s() {
        let from = |value| forwarded(&headers(&[("x-forwarded-for", value)])).map(|address| address.to_string());
        assert_eq!(from("203.0.113.9, 198.51.100.7").as_deref(), Some("198.51.100.7"));
        assert_eq!(from("unknown"), None);
        let two = headers(&[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "2001:db8::1")]);
        assert_eq!(forwarded(&two).map(|address| address.to_string()).as_deref(), Some("2001:db8::1"));
    }
}
