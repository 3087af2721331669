//! A node, as its client sees it: digests in, receipts out. Nothing that it says is believed unchecked.

mod error;

use std::{fmt, time::Duration};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Deserialize, de::DeserializeOwned};
use testamur_core::{Address, ChainId, Digest, Receipt};

use crate::terminal::printable;

pub use error::NodeError;

/// The longest answer to a question: a receipt of a 2^64-leaf batch takes 6 kB.
const LONGEST_ANSWER: usize = 1 << 20;
/// An answer to a question comes within this.
const TIMEOUT: Duration = Duration::from_secs(30);
/// An answer to millions of digests, after a durable commit, comes within this.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(600);
/// Failures in a row, each longer waited for than the one before, until a request is given up: about five minutes.
const MOST_FAILURES: u32 = 12;
/// The first pause and the longest one, whatever the node asks for.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// A bearer token. Never printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token as it stands in a file or variable; `None` where that cannot be one.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How settled an anchor must be before its receipt is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wait {
    /// In a block, which may still be undone.
    Included,
    /// In a finalized block.
    #[default]
    Final,
}

/// What a node says of itself (`GET /v1/node`).
#[derive(Clone, Debug, Deserialize)]
pub struct About {
    /// The chain that it anchors on.
    pub chain: ChainId,
    /// The contract that it anchors in.
    pub registry: Address,
}

/// Whom a token speaks for (`GET /v1/token`).
#[derive(Clone, Debug, Deserialize)]
pub struct TokenInfo {
    /// The issuer.
    pub issuer: Address,
}

/// A problem document (RFC 9457), as far as people need it.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// A node and the token to use it.
#[derive(Clone, Debug)]
pub struct Node {
    client: Client,
    base: Url,
    token: Token,
}

impl Node {
    /// A node by its URL. No request is made.
    pub fn new(url: &str, token: Token) -> Result<Self, NodeError> {
        let mut base: Url = url.trim().parse().map_err(|_| NodeError::Url)?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(NodeError::Url);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // The API has no redirects, and the token goes to nobody else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("testamur/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| NodeError::Answer { detail: causes(error) })?;
        Ok(Self { client, base, token })
    }

    /// What it says of itself.
    pub async fn about(&self) -> Result<About, NodeError> {
        self.get("v1/node").await
    }

    /// Whom the token speaks for.
    pub async fn token(&self) -> Result<TokenInfo, NodeError> {
        self.get("v1/token").await
    }

    /// Hands over digests. When this returns `Ok`, the node has promised that they are durable.
    ///
    /// Handing one over again is harmless: the node knows it, and anchors it once. So transient failures are retried.
    pub async fn submit(&self, issuer: Address, digests: &[Digest]) -> Result<(), NodeError> {
        let body: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
        let mut patience = Patience::default();
        loop {
            match self.submit_once(issuer, body.clone()).await {
                Err(error) => patience.after(error).await?,
                Ok(answered) if answered == digests.len() * STATUS_INDEX => return Ok(()),
                Ok(answered) => {
                    let detail =
                        format!("{answered} bytes for {} digests, {STATUS_INDEX} each were due", digests.len());
                    return Err(NodeError::Answer { detail });
                }
            }
        }
    }

    /// The length of the answer: a status index for each digest. They come again in the receipts.
    async fn submit_once(&self, issuer: Address, body: Vec<u8>) -> Result<usize, NodeError> {
        let limit = body.len() + LONGEST_ANSWER;
        let request = self
            .request(Method::POST, &format!("v1/issuers/{issuer}/digests"))?
            .header(header::CONTENT_TYPE, RAW)
            .header(header::ACCEPT, RAW)
            .timeout(SUBMIT_TIMEOUT)
            .body(body);
        let mut response = self.send(request).await?;
        Ok(self.read(&mut response, limit).await?.len())
    }

    /// The receipt of a digest, once its anchor is as settled as `wait` says. Waits as long as the node asks to.
    pub async fn receipt(&self, issuer: Address, digest: Digest, wait: Wait) -> Result<Receipt, NodeError> {
        let mut path = format!("v1/issuers/{issuer}/receipts/{digest}");
        if wait == Wait::Final {
            path.push_str("?state=final");
        }
        let mut patience = Patience::default();
        loop {
            match self.receipt_once(&path, wait).await {
                Ok(Answered::Receipt(receipt)) => return Ok(receipt),
                Ok(Answered::NotYet(asked)) => {
                    patience = Patience::default();
                    tokio::time::sleep(pause(asked, 0)).await;
                }
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn receipt_once(&self, path: &str, wait: Wait) -> Result<Answered, NodeError> {
        let mut response = self.send(self.request(Method::GET, path)?.timeout(TIMEOUT)).await?;
        if response.status() == StatusCode::ACCEPTED {
            return Ok(Answered::NotYet(retry_after(&response)));
        }
        let state = response.headers().get("testamur-state").and_then(|state| state.to_str().ok());
        if wait == Wait::Final && state != Some("final") {
            let detail = format!("a receipt in the state {state:?}, where final was asked for");
            return Err(NodeError::Answer { detail });
        }
        let bytes = self.read(&mut response, LONGEST_ANSWER).await?;
        parse(&bytes).map(Answered::Receipt)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, NodeError> {
        let mut response = self.send(self.request(Method::GET, path)?.timeout(TIMEOUT)).await?;
        parse(&self.read(&mut response, LONGEST_ANSWER).await?)
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, NodeError> {
        let url = self.base.join(path).map_err(|_| NodeError::Url)?;
        Ok(self.client.request(method, url).bearer_auth(&self.token.0))
    }

    /// Sends a request; an answer that is no success is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, NodeError> {
        let mut response = request.send().await.map_err(|error| self.unreachable(error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(&response);
        let bytes = self.read(&mut response, LONGEST_ANSWER).await?;
        let problem = serde_json::from_slice(&bytes).unwrap_or(Problem { title: None, detail: None });
        let title = problem.title.or_else(|| status.canonical_reason().map(str::to_owned)).unwrap_or_default();
        Err(NodeError::Refused {
            status: status.as_u16(),
            title: printable(&title),
            detail: problem.detail.map(|detail| printable(&detail)),
            retry_after,
        })
    }

    async fn read(&self, response: &mut Response, limit: usize) -> Result<Vec<u8>, NodeError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if bytes.len() + chunk.len() > limit {
                return Err(NodeError::Answer { detail: format!("it is longer than {limit} bytes") });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn unreachable(&self, error: reqwest::Error) -> NodeError {
        NodeError::Unreachable { node: self.base.origin().ascii_serialization(), detail: causes(error) }
    }
}

const RAW: &str = "application/octet-stream";
/// Bytes of one status index in the answer to a raw body.
const STATUS_INDEX: usize = 8;

enum Answered {
    Receipt(Receipt),
    NotYet(Option<Duration>),
}

/// Counts failures in a row.
#[derive(Default)]
struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits before the next attempt, or gives the error back where it will not pass by itself.
    async fn after(&mut self, error: NodeError) -> Result<(), NodeError> {
        self.failures += 1;
        if !error.is_transient() || self.failures >= MOST_FAILURES {
            return Err(error);
        }
        tokio::time::sleep(pause(error.retry_after(), self.failures - 1)).await;
        Ok(())
    }
}

/// How long to wait: what the node asks for, else twice as long after each failure; within reason.
fn pause(asked: Option<Duration>, failures: u32) -> Duration {
    let [first, longest] = PAUSES;
    asked.unwrap_or(first * 2_u32.saturating_pow(failures)).clamp(first, longest)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NodeError> {
    serde_json::from_slice(bytes).map_err(|error| NodeError::Answer { detail: printable(&error.to_string()) })
}

/// An error of the network with its causes, without the URL.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let seconds = |asked: Option<u64>, failures| pause(asked.map(Duration::from_secs), failures).as_secs();
        assert_eq!([0, 1, 2, 3].map(|failures| seconds(None, failures)), [1, 2, 4, 8]);
        assert_eq!(seconds(None, 40), 60);
        assert_eq!((seconds(Some(5), 9), seconds(Some(0), 0), seconds(Some(99_999), 0)), (5, 1, 60));
    }

    #[test]
    fn only_http_urls_are_taken_and_paths_are_kept() {
        let token = Token::new(" secret\n").unwrap();
        for wrong in ["", "node.example", "file:///etc", "ftp://host"] {
            assert!(matches!(Node::new(wrong, token.clone()), Err(NodeError::Url)), "{wrong}");
        }
        let node = Node::new("https://example.edu/testamur", token).unwrap();
        assert_eq!(node.base.join("v1/node").unwrap().as_str(), "https://example.edu/testamur/v1/node");
        assert!(!format!("{node:?}").contains("secret"));
        assert!(Token::new("two words").is_none() && Token::new(" ").is_none());
    }
}
