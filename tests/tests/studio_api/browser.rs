//! Somebody's browser, as far as the API goes: it keeps cookies, and says where its requests come from.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    sync::Mutex,
};

use reqwest::{
    Method, StatusCode,
    blocking::{Client, RequestBuilder, Response},
    header, redirect,
};
use serde_json::{Value, json};
use testamur_tests::harness::until;

/// A browser.
pub struct Browser {
    client: Client,
    origin: String,
    cookies: Mutex<HashMap<String, String>>,
}

impl Browser {
    /// One that nobody is signed in with.
    pub fn new(origin: &str) -> Self {
        // A connection that was kept may be closed at the other end.
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(None).pool_max_idle_per_host(0);
        let client = client.build().expect("a client");
        Self { client, origin: origin.to_owned(), cookies: Mutex::default() }
    }

    /// One that somebody is signed in with.
    pub fn signed_in(origin: &str, name: &str, password: &str) -> Self {
        let browser = Self::new(origin);
        browser
            .send(Method::POST, "session", Some(json!({ "name": name, "password": password })))
            .json::<Value>()
            .expect("a session");
        assert_eq!(browser.get("session")["name"], name);
        browser
    }

    /// A request to any URL, with the cookies and what more is said of it.
    pub fn request(&self, method: Method, url: &str, more: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Response {
        let cookies = self.cookies.lock().expect("nobody panics with it");
        let cookie: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        drop(cookies);
        let request = self.client.request(method, url).header(header::COOKIE, cookie.join("; "));
        let response = more(request).send().expect("an answer");
        for set in response.headers().get_all(header::SET_COOKIE) {
            let pair = set.to_str().expect("text").split(';').next().expect("a pair");
            let (name, value) = pair.split_once('=').expect("a pair");
            self.cookies.lock().expect("nobody panics with it").insert(name.to_owned(), value.to_owned());
        }
        response
    }

    fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        self.request(method, &format!("{}/studio/api/{path}", self.origin), |request| {
            let request = request.header("sec-fetch-site", "same-origin");
            match body {
                Some(body) => request.json(&body),
                None => request,
            }
        })
    }

    /// What is there.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        expected(self.send(Method::GET, path, None), StatusCode::OK)
    }

    /// The bytes of what is there.
    #[track_caller]
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        let answer = self.send(Method::GET, path, None);
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.bytes().expect("a body").to_vec()
    }

    /// A write that is taken.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send(Method::POST, path, Some(body));
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status}: {}", answer.text().unwrap_or_default());
        answer.json().expect("JSON")
    }

    /// Any request, and how it is answered.
    pub fn status(&self, method: Method, path: &str, body: Option<Value>) -> StatusCode {
        self.send(method, path, body).status()
    }

    /// Hands in a roster for a template.
    #[track_caller]
    pub fn upload(&self, template: &str, roster: &str) -> Value {
        let url = format!("{}/studio/api/rosters?template={template}", self.origin);
        let roster = roster.to_owned();
        let more = |request: RequestBuilder| {
            request.header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, "text/csv").body(roster)
        };
        expected(self.request(Method::POST, &url, more), StatusCode::OK)
    }

    /// A run from its first event to the last one.
    pub fn watch(&self, run: &Value) -> Vec<Value> {
        let answer = self.send(Method::GET, &format!("runs/{run}/events"), None);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let lines = BufReader::new(answer).lines().map_while(Result::ok);
        lines.filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect()
    }

    /// Waits until a run is as is asked.
    pub fn until(&self, run: &Value, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        until(what, || Some(self.get(&format!("runs/{run}"))).filter(|run| is_so(run)))
    }
}

#[track_caller]
fn expected(answer: Response, status: StatusCode) -> Value {
    let (found, text) = (answer.status(), answer.text().expect("a body"));
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}
