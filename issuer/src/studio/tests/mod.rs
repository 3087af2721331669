//! The studio over HTTP, without a socket and without a node: one that is needed is not there.

mod issuing;
mod roles;
mod signing_in;

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use serde_json::Value;
use tempfile::TempDir;
use testamur_core::UnixSeconds;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{Studio, password, role::Role, router};
use crate::{config, template::EXAMPLE};

pub(super) const PASSWORD: &str = "correct horse battery staple";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// An answer.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The last part of the problem's type.
    pub fn problem(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        let json = self.json();
        json["type"].as_str().unwrap().strip_prefix("urn:testamur:problem:").unwrap().to_owned()
    }

    /// The cookie that it sets, as a browser sends it back.
    pub fn cookie(&self) -> String {
        self.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

/// A studio with somebody of each role.
pub(super) struct Desk {
    pub studio: Arc<Studio>,
    pub folder: TempDir,
    router: Router,
}

impl Desk {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more in the table `[studio]`.
    pub fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[profile]\nid = \"did:web:university.example\"\nname = \"Example University\"\n\
             [node]\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"node.token\"\n[studio]\n{settings}"
        );
        let file = folder.path().join(config::FILE);
        fs::write(&file, text).unwrap();
        fs::write(folder.path().join("node.token"), "testamur_token").unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("templates/botany.toml"), EXAMPLE).unwrap();
        let config = config::Settings::load(&file).unwrap();
        config.keys().unwrap().add(&[7; 32], NOW).unwrap();
        let studio = Studio::open(config, CancellationToken::new()).unwrap();
        let hash = password::hash(PASSWORD).unwrap();
        for role in [Role::Viewer, Role::Issuer, Role::Admin] {
            studio.books.add_user(role.name(), role, Some(&hash), NOW).unwrap();
        }
        Self { router: router(studio.clone()), studio, folder }
    }

    /// A session of the user who is called as the role.
    pub fn session(&self, role: Role) -> String {
        let token = self.studio.books.begin_session(role.name(), crate::clock::now()).unwrap();
        format!("{}={token}", self.studio.session_cookie())
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// As a page of the studio asks.
    pub async fn ask(&self, method: &str, path: &str, cookie: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/studio/api/{path}"));
        let request = request.header(header::COOKIE, cookie).header("sec-fetch-site", "same-origin");
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str, role: Role) -> Answer {
        self.ask("GET", path, &self.session(role), None).await
    }

    /// Hands in a roster as the issuer.
    pub async fn upload(&self, query: &str, roster: impl Into<Body>) -> Answer {
        let request = Request::post(format!("/studio/api/rosters?{query}"))
            .header(header::COOKIE, self.session(Role::Issuer))
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "text/csv");
        self.send(request.body(roster.into()).unwrap()).await
    }

    /// The log: who, what, on what, outcome; the newest first.
    pub fn log(&self) -> Vec<(String, String, String, Option<String>)> {
        let entries = self.studio.books.entries(None, None, 100).unwrap();
        entries.into_iter().map(|entry| (entry.who, entry.what, entry.on, entry.outcome)).collect()
    }

    pub fn modes(&self, folder: &str) -> Vec<u32> {
        let entries = fs::read_dir(self.folder.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777).collect()
    }
}
