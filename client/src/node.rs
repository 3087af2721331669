//! A node, as its client sees it: digests in, receipts out; changes of status in, their progress out. Nothing that it
//! says is believed unchecked.

mod changes;
mod error;
mod receipts;
mod refused;
mod reserved;
mod server;

use std::{fmt, time::Duration};

use reqwest::{Method, Response, StatusCode, header};
use serde::Deserialize;
use testamur_core::{Address, ChainId, Digest, Receipt};

use server::{LONGEST_ANSWER, Patience, retry_after};
pub(crate) use server::{Server, parse};

pub use changes::{Action, Change, ChangeState, Entries, Landed, Progress};
pub use error::NodeError;
pub use receipts::Look;
pub use refused::{MOST_ENTRIES, Offender, Refused};

/// An answer to millions of digests, after a durable commit, comes within this.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(600);

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

impl Wait {
    /// The path that asks for receipts so settled.
    fn path(self, path: &str) -> String {
        match self {
            Self::Included => path.to_owned(),
            Self::Final => format!("{path}?state=final"),
        }
    }
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

/// Where an issuer's credentials are anchored: what receipts must agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The issuer.
    pub issuer: Address,
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub registry: Address,
}

impl Place {
    /// Whether a receipt is of this place.
    pub fn is_of(&self, receipt: &Receipt) -> bool {
        (receipt.issuer, receipt.chain, receipt.registry) == (self.issuer, self.chain, self.registry)
    }
}

/// A node and the token to use it.
#[derive(Clone, Debug)]
pub struct Node {
    server: Server,
}

impl Node {
    /// A node by its URL. No request is made.
    pub fn new(url: &str, token: Token) -> Result<Self, NodeError> {
        Ok(Self { server: Server::new(url, Some(token))? })
    }

    /// What it says of itself.
    pub async fn about(&self) -> Result<About, NodeError> {
        self.server.get("v1/node").await
    }

    /// Whom the token speaks for.
    pub async fn token(&self) -> Result<TokenInfo, NodeError> {
        self.server.get("v1/token").await
    }

    /// Where it anchors for the token's issuer. [`NodeError::OtherIssuer`] unless that is the one asked for.
    pub async fn place(&self, asked: Option<Address>) -> Result<Place, NodeError> {
        let About { chain, registry } = self.about().await?;
        let issuer = self.token().await?.issuer;
        match asked {
            Some(asked) if asked != issuer => Err(NodeError::OtherIssuer { token: issuer, asked }),
            _ => Ok(Place { issuer, chain, registry }),
        }
    }

    /// Scheme, host and port.
    pub fn name(&self) -> String {
        self.server.name()
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
            .server
            .request(Method::POST, &format!("v1/issuers/{issuer}/digests"))?
            .header(header::CONTENT_TYPE, RAW)
            .header(header::ACCEPT, RAW)
            .timeout(SUBMIT_TIMEOUT)
            .body(body);
        let mut response = self.server.send(request).await?;
        Ok(self.server.read(&mut response, limit).await?.len())
    }

    /// The receipt of a digest, once its anchor is as settled as `wait` says. Waits as long as the node asks to.
    pub async fn receipt(&self, issuer: Address, digest: Digest, wait: Wait) -> Result<Receipt, NodeError> {
        loop {
            match self.look(issuer, digest, wait).await? {
                Look::Settled(receipt) => return Ok(*receipt),
                Look::NotYet(pause) => tokio::time::sleep(pause).await,
            }
        }
    }

    async fn receipt_once(&self, path: &str, wait: Wait) -> Result<Answered, NodeError> {
        let mut response = self.server.send(self.server.request(Method::GET, path)?).await?;
        if response.status() == StatusCode::ACCEPTED {
            return Ok(Answered::NotYet(retry_after(&response)));
        }
        check_state(&response, wait)?;
        let bytes = self.server.read(&mut response, LONGEST_ANSWER).await?;
        parse(&bytes).map(Answered::Receipt)
    }
}

/// The node says itself how settled its receipts are.
fn check_state(response: &Response, wait: Wait) -> Result<(), NodeError> {
    let state = response.headers().get("testamur-state").and_then(|state| state.to_str().ok());
    if wait == Wait::Final && state != Some("final") {
        let detail = format!("a receipt in the state {state:?}, where final was asked for");
        return Err(NodeError::Answer { detail });
    }
    Ok(())
}

const RAW: &str = "application/octet-stream";
/// Bytes of one status index in the answer to a raw body.
const STATUS_INDEX: usize = 8;

enum Answered {
    Receipt(Receipt),
    NotYet(Option<Duration>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_never_printed() {
        let token = Token::new(" secret\n").unwrap();
        let node = Node::new("https://example.edu/testamur", token).unwrap();
        assert!(!format!("{node:?}").contains("secret"));
        assert!(Token::new("two words").is_none() && Token::new(" ").is_none());
    }
}
