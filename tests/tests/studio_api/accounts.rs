//! Staff sign in with the institution's own accounts: a real provider of other people's (npm's `oidc-provider`), through
//! its own pages.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use reqwest::{Method, StatusCode, Url, blocking::Response, header};
use serde_json::json;
use testamur_tests::harness::{Chain, Studio, World};

use super::{browser::Browser, story::PASSWORD};

const SECRET: &str = "what-the-studio-and-the-provider-know";

/// A provider, until it is dropped.
struct Provider {
    child: Child,
    url: String,
    _input: ChildStdin,
    /// It may say more, and must not find the pipe closed.
    _output: BufReader<ChildStdout>,
}

impl Provider {
    fn start(folder: &Path, studio: &str) -> Self {
        let mut provider = Command::new("node");
        provider.arg("accounts.mjs").arg(format!("{studio}/studio/api/oidc/callback")).arg(SECRET).current_dir(folder);
        let mut child =
            provider.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Node.js");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let url = lines.find(|line| line.starts_with("http://")).expect("it says where it listens");
        Self { _input: child.stdin.take().expect("piped"), _output: output, child, url }
    }

    /// The table for the studio's configuration.
    fn settings(&self, studio: &str, secret: &Path) -> String {
        format!(
            "public_url = {studio:?}\n[studio.oidc]\nissuer = {:?}\nclient_id = \"studio\"\nclient_secret_file = {secret:?}\n\
             role_claim = \"groups\"\nroles = {{ admin = [\"registrars\"], issuer = [\"issuers\"], viewer = [\"staff\"] }}",
            self.url
        )
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of other people's programs; `None`, loudly, where they cannot be installed.
fn programs(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    if folder.join("node_modules/oidc-provider").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: the provider of accounts is not installed (run scripts/setup-js)");
    None
}

/// Follows the studio to the provider, signs in there as somebody, and comes back as far as the studio's callback.
fn as_far_as_the_callback(browser: &Browser, studio: &str, name: &str) -> Url {
    let mut url: Url = format!("{studio}/studio/api/oidc/start").parse().expect("a URL");
    for _ in 0..20 {
        let answer = browser.request(Method::GET, url.as_str(), |request| request);
        url = match location(&url, &answer) {
            Some(next) => next,
            None => submit(browser, &url, &answer.text().expect("a page"), name),
        };
        if url.path().ends_with("/oidc/callback") {
            return url;
        }
    }
    panic!("there is no end to it: {url}");
}

/// Fills in the form of the provider's page: first that of signing in, then that of consent.
fn submit(browser: &Browser, url: &Url, page: &str, name: &str) -> Url {
    let prompt = if page.contains("name=\"login\"") { "login" } else { "consent" };
    let form = format!("prompt={prompt}&login={name}&password=whatever");
    let answer = browser.request(Method::POST, url.as_str(), |request| {
        request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
    });
    location(url, &answer).unwrap_or_else(|| panic!("the provider does not take it: {}", answer.status()))
}

fn location(url: &Url, answer: &Response) -> Option<Url> {
    let to = answer.headers().get(header::LOCATION)?;
    Some(url.join(to.to_str().expect("text")).expect("a URL"))
}

/// Where somebody stands after the callback.
fn arrive(browser: &Browser, callback: &Url) -> String {
    let answer = browser.request(Method::GET, callback.as_str(), |request| request);
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION].to_str().expect("text").to_owned()
}

#[test]
fn staff_sign_in_with_the_institutions_accounts() {
    let Some(programs) = programs("staff_sign_in_with_the_institutions_accounts") else { return };
    let world = World::on(Chain::anvil());
    let node = world.node();
    let secret = world.folder().join("oidc.secret");
    fs::write(&secret, format!("{SECRET}\n")).expect("written");
    let mut provider = None;
    let studio = Studio::start_with(&world, &node, &node.url, &[("carl", "admin", PASSWORD)], |studio| {
        provider.insert(Provider::start(&programs, studio)).settings(studio, &secret)
    });
    let sign_in = |name: &str| {
        let browser = Browser::new(&studio.url);
        let callback = as_far_as_the_callback(&browser, &studio.url, name);
        let at = arrive(&browser, &callback);
        (browser, callback, at)
    };

    let (ada, callback, at) = sign_in("ada");
    assert_eq!(
        (at.as_str(), ada.get("session")),
        ("/studio/", json!({ "name": "ada", "role": "admin", "password": false }))
    );
    assert_eq!(arrive(&ada, &callback), "/studio/?sign-in=failed", "a code is good once");
    let (ben, _, _) = sign_in("ben");
    assert_eq!(ben.get("session")["role"], "issuer");

    let is_nobody = |browser: &Browser| browser.status(Method::GET, "session", None) == StatusCode::UNAUTHORIZED;
    for (name, why) in
        [("eve", "her group is none of the studio's"), ("carl", "somebody else has the name, and no group")]
    {
        let (browser, _, at) = sign_in(name);
        assert_eq!(at, "/studio/?sign-in=unknown", "{why}");
        assert!(is_nobody(&browser), "{why}");
    }

    // Whoever is led to somebody else's way back, or is given somebody else's code, is not signed in.
    let (mallory, victim) = (Browser::new(&studio.url), Browser::new(&studio.url));
    let theirs = as_far_as_the_callback(&mallory, &studio.url, "ada");
    assert_eq!(arrive(&victim, &theirs), "/studio/?sign-in=failed");
    assert!(is_nobody(&victim));
    let mut mixed = as_far_as_the_callback(&victim, &studio.url, "ben");
    let code = theirs.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
    let rest: Vec<_> = mixed.query_pairs().into_owned().filter(|(name, _)| name != "code").collect();
    mixed.query_pairs_mut().clear().extend_pairs(rest).append_pair("code", &code);
    assert_eq!(arrive(&victim, &mixed), "/studio/?sign-in=failed", "PKCE ties a code to who asked for it");
    assert!(is_nobody(&victim));

    let users = ada.get("users");
    let of = |name: &str| users["users"].as_array().expect("users").iter().find(|user| user["name"] == name).cloned();
    assert_eq!(of("ben").map(|ben| (ben["oidc"].clone(), ben["password"].clone())), Some((json!(true), json!(false))));
    assert_eq!(of("eve"), None);
    let log = ada.get("audit").to_string();
    assert!(log.contains("OpenID Connect") && log.contains("refused: unknown"), "{log}");
    assert!(!studio.log().contains(SECRET) && !studio.log().contains(&code), "secrets are not logged");
}
