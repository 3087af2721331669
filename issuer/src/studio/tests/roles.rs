//! Who may do what, for every route that there is; and what no page of another site may.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use utoipa::OpenApi as _;

use super::{Desk, PASSWORD};
use crate::studio::{
    api::Api,
    role::Role::{self, Admin, Issuer, Viewer},
};

/// A route, its place in the description, who may use it, and what it is asked.
type Row = (&'static str, &'static str, &'static str, Role, Option<Value>);

fn routes() -> Vec<Row> {
    let text = json!({ "text": "" });
    vec![
        ("GET", "session", "session", Viewer, None),
        ("POST", "session/password", "session/password", Viewer, Some(json!({ "current": "x", "new": "y" }))),
        ("GET", "issuer", "issuer", Viewer, None),
        ("GET", "templates", "templates", Viewer, None),
        ("POST", "templates/preview", "templates/preview", Viewer, Some(text.clone())),
        ("GET", "templates/botany", "templates/{name}", Viewer, None),
        ("PUT", "templates/other", "templates/{name}", Issuer, Some(text)),
        ("DELETE", "templates/none", "templates/{name}", Issuer, None),
        ("POST", "rosters?template=botany", "rosters", Issuer, None),
        ("GET", "rosters/none?template=botany", "rosters/{roster}", Issuer, None),
        ("GET", "runs", "runs", Viewer, None),
        ("POST", "runs", "runs", Issuer, Some(json!({ "template": "botany", "roster": "none" }))),
        ("GET", "runs/1", "runs/{run}", Viewer, None),
        ("GET", "runs/1/events", "runs/{run}/events", Viewer, None),
        ("GET", "runs/1/failed.csv", "runs/{run}/failed.csv", Issuer, None),
        ("GET", "credentials", "credentials", Viewer, None),
        ("GET", "credentials/none", "credentials/{id}", Viewer, None),
        ("GET", "credentials/none/file", "credentials/{id}/file", Viewer, None),
        ("POST", "credentials/revoke", "credentials/revoke", Issuer, Some(json!({ "ids": ["none"] }))),
        ("POST", "credentials/none/reissue", "credentials/{id}/reissue", Issuer, Some(json!({}))),
        ("POST", "credentials/invite", "credentials/invite", Issuer, Some(json!({ "ids": ["none"] }))),
        ("GET", "users", "users", Admin, None),
        ("POST", "users", "users", Admin, Some(json!({ "name": "x", "role": "viewer", "password": "short" }))),
        ("PATCH", "users/none", "users/{name}", Admin, Some(json!({ "role": "viewer" }))),
        ("DELETE", "users/none", "users/{name}", Admin, None),
        ("GET", "audit", "audit", Admin, None),
    ]
}

/// Open to whoever is not signed in.
const OPEN: [&str; 4] = ["POST session", "DELETE session", "GET oidc/start", "GET oidc/callback"];

#[test]
fn no_route_is_forgotten_here() {
    let document = json!(Api::openapi());
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/studio/api/").unwrap();
        described.extend(item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let known = routes().into_iter().map(|(method, _, path, ..)| format!("{method} {path}"));
    assert_eq!(described, known.chain(OPEN.map(str::to_owned)).collect());
}

#[tokio::test]
async fn each_role_may_do_its_own() {
    let desk = Desk::new();
    for (method, path, _, least, body) in routes() {
        let signed_out = desk.ask(method, path, "studio=nonsense", body.clone()).await;
        assert_eq!(
            (signed_out.status, signed_out.problem().as_str()),
            (StatusCode::UNAUTHORIZED, "signed-out"),
            "{path}"
        );
        for role in [Viewer, Issuer, Admin] {
            let answer = desk.ask(method, path, &desk.session(role), body.clone()).await;
            let is_refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, role < least, "{method} {path} as {}: {}", role.name(), answer.status);
            let refusal = if is_refused { answer.problem() } else { String::new() };
            assert_eq!(is_refused, refusal == "role", "{method} {path}");
            assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "{method} {path}");
        }
    }
    let log = desk.log();
    let refused = |who: &str, on: &str| {
        let outcome = Some("refused: role".to_owned());
        log.contains(&(who.to_owned(), "refused".to_owned(), on.to_owned(), outcome))
    };
    assert!(refused("viewer", "POST /studio/api/credentials/revoke"), "{log:#?}");
    assert!(refused("issuer", "DELETE /studio/api/users/none"));
}

#[tokio::test]
async fn pages_of_other_sites_write_nothing() {
    let desk = Desk::with("public_url = \"https://studio.example\"");
    let send = async |name: &str, value: &str| {
        let request = Request::delete("/studio/api/templates/botany").header(name, value);
        let request = request.header(header::COOKIE, desk.session(Admin)).body(Body::empty()).unwrap();
        desk.send(request).await
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let answer = send(name, value).await;
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::FORBIDDEN, "other-site"), "{value}");
    }
    assert_eq!(desk.get("templates/botany", Viewer).await.status, StatusCode::OK);
    assert_eq!(send("origin", "https://studio.example").await.status, StatusCode::NO_CONTENT);
    // A form of another site can send text, and no JSON.
    let form = Request::post("/studio/api/session").header(header::CONTENT_TYPE, "text/plain");
    let body = json!({ "name": "admin", "password": PASSWORD }).to_string();
    let answer = desk.send(form.body(body.into()).unwrap()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_REQUEST, "bad-request"));
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_problem() {
    let desk = Desk::new();
    let answer = desk.get("nothing", Admin).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, "no-such-path"));
    for (method, path) in [("DELETE", "audit"), ("PUT", "audit"), ("POST", "audit"), ("PATCH", "session")] {
        let answer = desk.ask(method, path, &desk.session(Admin), None).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "wrong-method"),
            "{path}"
        );
    }
    let answer = desk.get("audit?before=x", Admin).await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_REQUEST, "bad-request"));
    let document = desk.get("openapi.json", Viewer).await;
    assert_eq!(document.json()["info"]["title"], "Testamur studio");
}

#[tokio::test]
async fn nobody_frames_keeps_or_guesses_an_answer() {
    let desk = Desk::new();
    for path in ["/studio/api/session", "/studio/api/nothing", "/studio/", "/verify/", "/assets/nothing", "/nothing"] {
        let answer = desk.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let text = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        let policy = text("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}");
        assert_eq!((text("x-content-type-options"), text("referrer-policy")), ("nosniff".into(), "no-referrer".into()));
        assert!(text("cache-control") == "no-store" || !path.contains("api"), "{path}");
    }
}
