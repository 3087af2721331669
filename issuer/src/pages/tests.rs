//! Each route, in process: asked by its owner, by others, by a mail scanner, and too late.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use axum::{body::Body, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tempfile::TempDir;
use testamur_credentials::sealed::{SealKey, SealedId, open, seal};
use tower::ServiceExt as _;

use super::{
    secret::Secret,
    store::{CERTIFICATE, CREDENTIAL, Invited, Part},
    *,
};

const START: u64 = 1_800_000_000;
pub(crate) const SECRET_TEXT: &str = r#"{"name":"Ana Perez Plaintext","achievement":"Advanced Botany"}"#;

/// A server on a folder, with a clock that is set by hand.
pub(crate) struct Site {
    pub folder: TempDir,
    pub shared: Shared,
    clock: Arc<AtomicU64>,
}

/// A page as a claim link has it.
pub(crate) struct Link {
    pub id: SealedId,
    pub key: SealKey,
    pub token: Secret,
    pub owner: Secret,
}

pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn kind(&self) -> (u16, String) {
        let kind = self.json()["type"].as_str().unwrap().trim_start_matches("urn:testamur:problem:").to_owned();
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        (self.status.as_u16(), kind)
    }
}

impl Site {
    pub fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap(), "")
    }

    fn on(folder: TempDir, limits: &str) -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let settings = toml::from_str(&format!("public_url = 'https://badges.example'\n{limits}")).unwrap();
        let time = clock.clone();
        let parts = Parts {
            issuer_name: "Example University".to_owned(),
            did: Box::new(|| Some(json!({ "id": "did:web:badges.example" }))),
            clock: Box::new(move || UnixSeconds(time.load(SeqCst))),
            fonts: Fonts::built_in(),
        };
        Self { shared: Pages::open(folder.path(), &settings, parts).unwrap(), clock, folder }
    }

    pub fn wait(&self, seconds: u64) {
        self.clock.fetch_add(seconds, SeqCst);
    }

    /// A page that is to be claimed within a thousand seconds.
    pub async fn invited(&self) -> Link {
        let link = Link {
            id: SealedId::new(rand::random()),
            key: SealKey::new(rand::random()),
            token: Secret::random(),
            owner: Secret::random(),
        };
        let part = |name, text: &str| Part { name, sealed: link.seal(text) };
        let parts = vec![part(CREDENTIAL, SECRET_TEXT), part(CERTIFICATE, r#"{"name":"Ana.pdf"}"#)];
        let page = Invited { id: link.id, token: link.token.hash(), expires: UnixSeconds(START + 1_000), parts };
        self.shared.with_store(move |store| store.invite(&[page], UnixSeconds(START))).await.unwrap();
        link
    }

    pub async fn claimed(&self) -> Link {
        let link = self.invited().await;
        assert_eq!(self.claim(&link, &link.token, &link.owner).await.status, 200);
        link
    }

    async fn claim(&self, link: &Link, token: &Secret, owner: &Secret) -> Answer {
        let body = json!({ "token": *token.reveal(), "owner": *owner.reveal() });
        self.send("POST", &format!("/v1/claims/{}", link.id), None, Some(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, None).await
    }

    /// The owner asks for something below the page.
    pub async fn own(&self, link: &Link, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(method, &format!("/v1/pages/{}{path}", link.id), Some(&link.owner), body).await
    }

    async fn send(&self, method: &str, path: &str, owner: Option<&Secret>, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(owner) = owner {
            request = request.header(header::AUTHORIZATION, format!("Owner {}", *owner.reveal()));
        }
        self.ask(request.body(body.map_or_else(Body::empty, |body| body.to_string().into())).unwrap()).await
    }

    pub async fn ask(&self, request: Request) -> Answer {
        let (parts, body) = router(self.shared.clone()).oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        assert!(parts.headers.contains_key(header::CONTENT_SECURITY_POLICY), "{:?}", parts.headers);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn add(&self, link: &Link, body: Value) -> Answer {
        let request = Request::post("/v1/pages")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Owner {}", *link.owner.reveal()))
            .header("testamur-page", link.id.to_string());
        self.ask(request.body(body.to_string().into()).unwrap()).await
    }

    /// Every byte of the store, its log included (the third file, `-shm`, holds the places of pages in the log).
    fn dump(&self) -> Vec<u8> {
        let files = [STORE.to_owned(), format!("{STORE}-wal")];
        files.iter().flat_map(|name| fs::read(self.folder.path().join(name)).unwrap()).collect()
    }
}

impl Link {
    fn seal(&self, text: &str) -> Vec<u8> {
        seal(text, &self.id, &self.key, rand::random()).unwrap()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn further(kind: &str) -> (Link, Value) {
    let link = Link {
        id: SealedId::new(rand::random()),
        key: SealKey::new(rand::random()),
        token: Secret::random(),
        owner: Secret::random(),
    };
    let sealed = STANDARD.encode(link.seal(r#"{"title":"Mine"}"#));
    let body = json!({ "id": link.id.to_string(), "owner": *link.owner.reveal(), "sealed": sealed, "kind": kind });
    (link, body)
}

#[tokio::test]
async fn a_learner_claims_publishes_and_is_read() {
    let site = Site::new();
    let link = site.claimed().await;
    let page = site.own(&link, "GET", "", None).await;
    let created = UnixSeconds(START);
    assert_eq!(
        page.json(),
        json!({ "kind": "credential", "published": false, "views": 0, "created": created, "parts": ["certificate", "credential"], "preview": null })
    );
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let certificate = site.own(&link, "GET", "/parts/certificate", None).await;
    assert_eq!(open(&certificate.body, &link.id, &link.key).unwrap(), r#"{"name":"Ana.pdf"}"#);
    assert_eq!(site.own(&link, "GET", "/parts/other", None).await.kind(), (404, "no-part".into()));

    let sealed = format!("/v1/pages/{}/sealed", link.id);
    let views = format!("/v1/pages/{}/views", link.id);
    assert_eq!(site.get(&sealed).await.kind(), (404, "not-published".into()));
    assert_eq!(site.send("POST", &views, None, None).await.kind(), (404, "not-published".into()));
    let published = site.own(&link, "PUT", "/published", Some(json!({ "published": true }))).await;
    assert_eq!(published.json()["published"], true);
    let read = site.get(&sealed).await;
    assert_eq!(open(&read.body, &link.id, &link.key).unwrap(), SECRET_TEXT);
    assert_eq!(read.headers["access-control-allow-origin"], "*");
    assert_eq!(site.send("POST", &views, None, None).await.status, 204);
    assert_eq!(site.own(&link, "GET", "", None).await.json()["views"], 1);
    site.own(&link, "PUT", "/published", Some(json!({ "published": false }))).await;
    assert_eq!(site.get(&sealed).await.kind(), (404, "not-published".into()));
}

#[tokio::test]
async fn a_claim_is_one_learner_s_once_for_all() {
    let site = Site::new();
    let link = site.invited().await;
    assert_eq!(site.claim(&link, &Secret::random(), &link.owner).await.kind(), (403, "wrong-token".into()));
    assert_eq!(site.own(&link, "GET", "", None).await.kind(), (403, "wrong-owner".into()));
    let first = site.claim(&link, &link.token, &link.owner).await;
    assert_eq!((first.status.as_u16(), first.json()), (200, json!({ "parts": ["certificate", "credential"] })));
    assert_eq!(site.claim(&link, &link.token, &link.owner).await.status, 200, "a lost reply");
    assert_eq!(site.claim(&link, &link.token, &Secret::random()).await.kind(), (409, "already-claimed".into()));
    assert_eq!(site.claim(&link, &Secret::random(), &link.owner).await.kind(), (403, "wrong-token".into()));
    site.wait(2_000);
    assert_eq!(site.claim(&link, &link.token, &link.owner).await.status, 200, "what was claimed does not expire");
    let other = Link { id: SealedId::new([7; 16]), ..link };
    assert_eq!(site.claim(&other, &other.token, &other.owner).await.kind(), (404, "unknown-page".into()));
    assert_eq!(site.send("POST", "/v1/claims/short", None, Some(json!({}))).await.kind(), (404, "unknown-page".into()));
}

#[tokio::test]
async fn what_a_scanner_fetches_changes_nothing() {
    let site = Site::new();
    let link = site.invited().await;
    let before = site.dump();
    for path in ["/claim/ID", "/c/ID", "/manage/ID", "/p/ID", "/c/ID/preview.png", "/v1/claims/ID", "/v1/pages/ID"] {
        let path = path.replace("ID", &link.id.to_string());
        site.get(&path).await;
        site.send("HEAD", &path, None, None).await;
    }
    assert_eq!(site.dump(), before);
    assert_eq!(site.claim(&link, &link.token, &link.owner).await.status, 200);
}

#[tokio::test]
async fn an_invitation_that_nobody_takes_is_over_and_goes() {
    let site = Site::new();
    let (late, replaced) = (site.invited().await, site.invited().await);
    assert!(site.shared.with_store(move |store| Ok(store.replace(&replaced.id)?)).await.unwrap());
    assert_eq!(site.claim(&replaced, &replaced.token, &replaced.owner).await.kind(), (410, "expired-claim".into()));
    site.wait(1_000);
    assert_eq!(site.claim(&late, &late.token, &late.owner).await.kind(), (410, "expired-claim".into()));
    let sealed = site.dump();
    let now = site.shared.now();
    site.shared.with_store(move |store| Ok(store.tidy(now)?)).await.unwrap();
    assert!(site.dump().len() < sealed.len() || !contains(&site.dump(), &late.token.hash().0));
    assert_eq!(site.claim(&late, &late.token, &late.owner).await.kind(), (410, "expired-claim".into()));
    assert!(matches!(site.shared.with_store(move |s| s.sealed(&late.id)).await, Err(ShareError::Gone(_))));
}

#[tokio::test]
async fn what_is_deleted_is_in_no_file_and_its_id_is_never_used_again() {
    let site = Site::new();
    let link = site.claimed().await;
    let sealed = site.own(&link, "GET", "/parts/credential", None).await.body;
    let piece = &sealed[1000..1100];
    assert!(contains(&site.dump(), piece));
    assert_eq!(
        site.send("DELETE", &format!("/v1/pages/{}", link.id), Some(&Secret::random()), None).await.kind(),
        (403, "wrong-owner".into())
    );
    assert_eq!(site.own(&link, "DELETE", "", None).await.status, 204);
    let dump = site.dump();
    assert!(!contains(&dump, piece) && !contains(&dump, &link.owner.hash().0));
    for (method, path) in [("GET", ""), ("GET", "/parts/credential"), ("DELETE", ""), ("POST", "/offers")] {
        assert_eq!(site.own(&link, method, path, None).await.kind(), (410, "deleted-page".into()), "{method} {path}");
    }
    assert_eq!(site.get(&format!("/v1/pages/{}/sealed", link.id)).await.kind(), (410, "deleted-page".into()));
    assert_eq!(site.claim(&link, &link.token, &link.owner).await.kind(), (410, "deleted-page".into()));
    let other = site.claimed().await;
    let body = json!({ "id": link.id.to_string(), "owner": *link.owner.reveal(), "sealed": STANDARD.encode(&sealed), "kind": "credential" });
    assert_eq!(site.add(&other, body).await.kind(), (409, "id-used".into()));
}

#[tokio::test]
async fn a_learner_makes_further_pages_and_not_without_end() {
    let site = Site::on(tempfile::tempdir().unwrap(), "[limits]\npages = 2\nbytes = 9000");
    let link = site.claimed().await;
    let (portfolio, body) = further("portfolio");
    let made = site.add(&link, body.clone()).await;
    assert_eq!((made.status.as_u16(), made.json()["parts"].clone()), (201, json!(["portfolio"])));
    assert_eq!(site.add(&link, body).await.status, 201, "a lost reply");
    assert_eq!(site.own(&portfolio, "PUT", "/published", Some(json!({ "published": true }))).await.status, 200);
    let sealed = site.get(&format!("/v1/pages/{}/sealed", portfolio.id)).await.body;
    assert_eq!(open(&sealed, &portfolio.id, &portfolio.key).unwrap(), r#"{"title":"Mine"}"#);
    assert_eq!(site.own(&portfolio, "POST", "/offers", None).await.kind(), (404, "no-part".into()));
    assert_eq!(site.add(&portfolio, further("portfolio").1).await.kind(), (403, "wrong-owner".into()));
    assert_eq!(site.add(&link, further("credential").1).await.status, 201);
    assert_eq!(site.add(&link, further("credential").1).await.kind(), (409, "too-many-pages".into()));
    site.own(&portfolio, "DELETE", "", None).await;
    let (large, mut body) = further("credential");
    let noise: String = (0..9000).map(|_| char::from(rand::random_range(b'!'..b'~'))).collect();
    body["sealed"] = STANDARD.encode(large.seal(&noise)).into();
    assert_eq!(site.add(&link, body).await.kind(), (413, "too-large".into()));
}

#[tokio::test]
async fn a_portfolio_changes_under_its_link() {
    let site = Site::new();
    let link = site.claimed().await;
    let (portfolio, body) = further("portfolio");
    site.add(&link, body).await;
    site.own(&portfolio, "PUT", "/published", Some(json!({ "published": true }))).await;
    let put = async |page: &Link, part: &str, owner: &Secret, sealed: Vec<u8>| {
        let request = Request::put(format!("/v1/pages/{}/parts/{part}", page.id))
            .header(header::AUTHORIZATION, format!("Owner {}", *owner.reveal()));
        site.ask(request.body(sealed.into()).unwrap()).await
    };
    let other = portfolio.seal(r#"{"title":"Other"}"#);
    assert_eq!(put(&portfolio, "portfolio", &portfolio.owner, other.clone()).await.status, 200);
    let read = site.get(&format!("/v1/pages/{}/sealed", portfolio.id)).await.body;
    assert_eq!(open(&read, &portfolio.id, &portfolio.key).unwrap(), r#"{"title":"Other"}"#);
    let refused = put(&portfolio, "portfolio", &link.owner, other.clone()).await;
    assert_eq!(refused.kind(), (403, "wrong-owner".into()));
    let refused = put(&link, "portfolio", &link.owner, other.clone()).await;
    assert_eq!(refused.kind(), (404, "no-part".into()));
    let refused = put(&link, "credential", &link.owner, other).await;
    assert_eq!(refused.kind(), (404, "no-part".into()), "what was issued stays as it is");
    let refused = put(&portfolio, "portfolio", &portfolio.owner, b"plain".to_vec()).await;
    assert_eq!(refused.kind(), (400, "not-sealed".into()));
    let refused = put(&portfolio, "portfolio", &portfolio.owner, vec![1; 1 << 20]).await;
    assert_eq!(refused.kind(), (413, "too-large".into()));
}

#[tokio::test]
async fn only_sealed_content_is_kept() {
    let site = Site::new();
    let link = site.claimed().await;
    let (_, body) = further("credential");
    let with = |name: &str, value: Value| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    for (body, kind) in [
        (with("sealed", STANDARD.encode(SECRET_TEXT).into()), (400, "not-sealed")),
        (with("sealed", STANDARD.encode([1; 5000]).into()), (400, "not-sealed")),
        (with("sealed", "%".into()), (400, "bad-request")),
        (with("id", "x".into()), (400, "bad-request")),
        (with("owner", "x".into()), (400, "bad-request")),
        (with("kind", "letter".into()), (400, "bad-request")),
        (with("more", true.into()), (400, "bad-request")),
        (with("sealed", "A".repeat(7 << 20).into()), (413, "too-large")),
        (with("sealed", STANDARD.encode([&[1; 29][..], &[0; 1 << 17]].concat()).into()), (201, "")),
    ] {
        let answer = site.add(&link, body).await;
        if kind.0 == 201 {
            assert_eq!(answer.status, 201)
        } else {
            assert_eq!(answer.kind(), (kind.0, kind.1.to_owned()))
        }
    }
    let large = STANDARD.encode([&[1; 29][..], &[0; 1 << 17]].concat());
    let (_, mut body) = further("portfolio");
    body["sealed"] = large.into();
    assert_eq!(site.add(&link, body).await.kind(), (413, "too-large".into()));
}

#[tokio::test]
async fn nobody_but_the_owner_does_what_owners_do() {
    let site = Site::new();
    let (link, other) = (site.claimed().await, site.claimed().await);
    let preview = json!({ "lines": { "achievement": "Botany" } });
    for (method, path, body) in [
        ("GET", "", None),
        ("GET", "/parts/credential", None),
        ("PUT", "/published", Some(json!({ "published": true }))),
        ("PUT", "/preview", Some(preview)),
        ("DELETE", "/preview", None),
        ("POST", "/offers", None),
        ("DELETE", "", None),
    ] {
        let path = format!("/v1/pages/{}{path}", link.id);
        assert_eq!(
            site.send(method, &path, Some(&other.owner), body.clone()).await.kind(),
            (403, "wrong-owner".into())
        );
        let anonymous = site.send(method, &path, None, body).await;
        assert_eq!(anonymous.kind(), (401, "no-owner".into()), "{method} {path}");
        assert!(anonymous.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("Owner"));
    }
    assert_eq!(site.own(&link, "GET", "", None).await.status, 200);
    let stranger = Link { owner: Secret::random(), id: link.id, key: link.key.clone(), token: link.token.clone() };
    assert_eq!(site.add(&stranger, further("portfolio").1).await.kind(), (403, "wrong-owner".into()));
}

#[tokio::test]
async fn a_preview_shows_what_the_learner_allowed_and_nothing_else() {
    let site = Site::new();
    let link = site.claimed().await;
    site.own(&link, "PUT", "/published", Some(json!({ "published": true }))).await;
    let (page, picture) = (format!("/c/{}", link.id), format!("/c/{}/preview.png", link.id));
    let plain = site.get(&page).await;
    assert_eq!(site.get(&picture).await.kind(), (404, "no-part".into()));
    let lines = json!({ "achievement": "Botany \"II\" <b>" });
    let set = site.own(&link, "PUT", "/preview", Some(json!({ "lines": lines }))).await;
    assert_eq!(set.json()["preview"], lines);
    let shown = site.get(&picture).await;
    assert_eq!((shown.status.as_u16(), &shown.headers[header::CONTENT_TYPE]), (200, &"image/png".parse().unwrap()));
    assert!(shown.body.starts_with(b"\x89PNG"));
    if plain.status == 200 {
        let shown = site.get(&page).await;
        let html = String::from_utf8(shown.body).unwrap();
        assert!(!contains(&plain.body, b"og:title"));
        assert!(html.contains("og:title\" content=\"Botany &quot;II&quot; &lt;b&gt;\""), "{html}");
        assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    }
    assert!(contains(&site.dump(), b"Botany"));
    assert_eq!(site.own(&link, "DELETE", "/preview", None).await.json()["preview"], Value::Null);
    assert_eq!(site.get(&picture).await.kind(), (404, "no-part".into()));
    assert_eq!(site.get(&page).await.body, plain.body);
    assert!(!contains(&site.dump(), b"Botany"));
    for bad in [json!({}), json!({ "name": "a\r\nb" }), json!({ "photo": "x" }), json!({ "name": "x".repeat(500) })] {
        let refused = site.own(&link, "PUT", "/preview", Some(json!({ "lines": bad }))).await;
        assert_eq!(refused.kind(), (400, "bad-request".into()), "{bad}");
    }
}

#[tokio::test]
async fn no_byte_of_the_store_opens_or_tells_anything() {
    let site = Site::new();
    let link = site.claimed().await;
    let (portfolio, body) = further("portfolio");
    site.add(&link, body).await;
    site.own(&link, "PUT", "/published", Some(json!({ "published": true }))).await;
    let code = site.own(&link, "POST", "/offers", None).await.json()["code"].as_str().unwrap().to_owned();
    let dump = site.dump();
    // What is looked for can be found: ids are plain.
    assert!(contains(&dump, link.id.as_bytes()) && contains(&dump, &link.token.hash().0));
    let key = |key: &SealKey| key.reveal().as_bytes().to_vec();
    let mut secrets = vec![key(&link.key), key(&portfolio.key), code.into_bytes()];
    secrets.extend([&link.token, &link.owner, &portfolio.owner].map(|secret| secret.reveal().as_bytes().to_vec()));
    let raw = secrets.iter().map(|text| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap());
    let texts =
        ["Ana Perez", "Plaintext", "Botany", "Mine", "Ana.pdf", "achievement"].map(|text| text.as_bytes().to_vec());
    for secret in raw.collect::<Vec<_>>().into_iter().chain(secrets).chain(texts) {
        assert!(!contains(&dump, &secret), "{}", String::from_utf8_lossy(&secret));
    }
}

#[tokio::test]
async fn what_was_answered_survives_the_server() {
    let site = Site::new();
    let link = site.claimed().await;
    let Site { folder, shared, .. } = site;
    drop(shared);
    let site = Site::on(folder, "");
    assert_eq!(site.claim(&link, &link.token, &link.owner).await.status, 200);
    assert_eq!(site.claim(&link, &link.token, &Secret::random()).await.kind(), (409, "already-claimed".into()));
}

#[tokio::test]
async fn hostile_requests_are_refused_as_problems() {
    let site = Site::new();
    let link = site.invited().await;
    let path = format!("/v1/claims/{}", link.id);
    let send = async |kind: &str, body: String| {
        let request = Request::post(&path).header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        site.ask(request).await.kind()
    };
    assert_eq!(send("text/plain", "{}".into()).await, (415, "media-type".into()));
    assert_eq!(send("application/json", "{".into()).await, (400, "bad-request".into()));
    assert_eq!(send("application/json", "x".repeat(5000)).await, (413, "too-large".into()));
    assert_eq!(send("application/json", r#"{"token":"x","owner":"y"}"#.into()).await, (403, "wrong-token".into()));
    assert_eq!(site.get("/nothing").await.kind(), (404, "no-such-path".into()));
    assert_eq!(site.send("PUT", &path, None, None).await.kind(), (405, "wrong-method".into()));
    assert_eq!(site.get("/assets/../share/index.html").await.status, 404);
    assert_eq!(site.get("/.well-known/did.json").await.json()["id"], "did:web:badges.example");
    assert_eq!(site.get("/verify/config.json").await.json()["endpoints"], json!([]));
}
