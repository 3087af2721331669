//! A learner with a link, doing what the pages do in a browser.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use reqwest::{
    Method,
    blocking::{Client, Response},
};
use serde_json::{Value, json};
use testamur_credentials::sealed::{SealKey, SealedId, open};

/// Whoever holds a claim link.
pub struct Learner {
    base: String,
    /// The page.
    pub id: SealedId,
    /// What opens it.
    pub key: SealKey,
    token: String,
    owner: String,
}

impl Learner {
    /// With the link in a text.
    pub fn with_link_in(text: &str) -> Self {
        let link = text.split_whitespace().find(|word| word.contains("/claim/")).expect("a claim link");
        let (page, secrets) = link.split_once('#').expect("secrets");
        let (base, id) = page.split_once("/claim/").expect("a claim page");
        let (key, token) = secrets.split_once('.').expect("two secrets");
        Self {
            base: base.to_owned(),
            id: SealedId::parse(id).expect("an id"),
            key: SealKey::parse(key).expect("a key"),
            token: token.to_owned(),
            owner: BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()),
        }
    }

    /// The same link in another browser.
    pub fn elsewhere(&self) -> Self {
        let text = format!("{}/claim/{}#{}.{}", self.base, self.id, *self.key.reveal(), self.token);
        Self::with_link_in(&text)
    }

    /// The secrets that no server may keep.
    pub fn secrets(&self) -> [String; 3] {
        [self.key.reveal().to_string(), self.token.clone(), self.owner.clone()]
    }

    /// What is posted for a claim.
    pub fn claim_body(&self) -> String {
        json!({ "token": self.token, "owner": self.owner }).to_string()
    }

    /// Claims the page; the status of the answer, and what kind of refusal it is.
    pub fn claim(&self) -> (u16, String) {
        let post = Client::new().post(format!("{}/v1/claims/{}", self.base, self.id));
        told(post.header("content-type", "application/json").body(self.claim_body()).send().expect("answered"))
    }

    /// Asks for something of the page as its owner.
    pub fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = Client::new()
            .request(method, format!("{}/v1/pages/{}{path}", self.base, self.id))
            .header("authorization", format!("Owner {}", self.owner));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        request.send().expect("answered")
    }

    /// A part of the page, opened.
    pub fn part(&self, name: &str) -> String {
        let sealed = self.ask(Method::GET, &format!("/parts/{name}"), None).bytes().expect("bytes");
        open(&sealed, &self.id, &self.key).expect("it opens")
    }

    /// Shows it to everybody with the link, or to nobody.
    pub fn publish(&self, published: bool) {
        assert_eq!(self.ask(Method::PUT, "/published", Some(json!({ "published": published }))).status(), 200);
    }

    /// An offer to a wallet, as the page composes it.
    pub fn offer(&self) -> String {
        let code: Value = self.ask(Method::POST, "/offers", None).json().expect("an offer");
        let code = format!("{}.{}.{}", self.id, *self.key.reveal(), code["code"].as_str().expect("a code"));
        let offer = json!({
            "credential_issuer": self.base,
            "credential_configuration_ids": ["OpenBadgeCredential"],
            "grants": { "urn:ietf:params:oauth:grant-type:pre-authorized_code": { "pre-authorized_code": code } },
        });
        let mut url = reqwest::Url::parse("openid-credential-offer://").expect("a URL");
        url.query_pairs_mut().append_pair("credential_offer", &offer.to_string());
        url.to_string()
    }

    /// What an employer with the share link reads.
    pub fn read_by_employer(&self) -> Result<String, (u16, String)> {
        let answer = reqwest::blocking::get(format!("{}/v1/pages/{}/sealed", self.base, self.id)).expect("answered");
        if !answer.status().is_success() {
            return Err(told(answer));
        }
        Ok(open(&answer.bytes().expect("bytes"), &self.id, &self.key).expect("it opens"))
    }
}

fn told(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().unwrap_or_default();
    let kind = body["type"].as_str().unwrap_or_default().trim_start_matches("urn:testamur:problem:");
    (status, kind.to_owned())
}
