//! Receipts without waiting, all of a batch at once, and what keeps a node from anchoring.

use std::time::Duration;

use rayon::prelude::*;
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use testamur_core::{Address, Digest, Hash, Receipt};

use super::{
    Answered, Node, NodeError, Wait, check_state,
    server::{LONGEST_ANSWER, Patience, parse, pause, retry_after},
};
use crate::terminal::printable;

/// Bytes of receipts that are parsed at a time: some two thousand.
const PIECE: usize = 4 << 20;

/// A receipt, or how long to wait before it is asked for again.
#[derive(Debug)]
pub enum Look {
    /// The anchor is as settled as was asked for.
    Settled(Box<Receipt>),
    /// It is not.
    NotYet(Duration),
}

/// A batch, as far as its receipts need it.
#[derive(Deserialize)]
struct Batch {
    batch: u64,
}

#[derive(Deserialize)]
struct Line {
    digest: Digest,
    #[serde(flatten)]
    receipt: Receipt,
}

#[derive(Deserialize)]
struct Ready {
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    issuer: Option<Address>,
    detail: String,
}

impl Node {
    /// The receipt of a digest, if its anchor is as settled as `wait` says by now.
    pub async fn look(&self, issuer: Address, digest: Digest, wait: Wait) -> Result<Look, NodeError> {
        let path = wait.path(&format!("v1/issuers/{issuer}/receipts/{digest}"));
        let mut patience = Patience::default();
        loop {
            match self.receipt_once(&path, wait).await {
                Ok(Answered::Receipt(receipt)) => return Ok(Look::Settled(Box::new(receipt))),
                Ok(Answered::NotYet(asked)) => return Ok(Look::NotYet(pause(asked, 0))),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    /// All receipts of the batch with this root, some thousand at a time, in the order of its leaves. `take` gets each
    /// piece and tells whether the next one is wanted. A stream that breaks off begins again: then what was taken comes
    /// once more.
    pub async fn batch_receipts(
        &self,
        issuer: Address,
        root: Hash,
        wait: Wait,
        take: &mut (dyn FnMut(Vec<(Digest, Receipt)>) -> bool + Send),
    ) -> Result<(), NodeError> {
        let mut patience = Patience::default();
        loop {
            match self.batch_receipts_once(issuer, root, wait, take).await {
                Ok(()) => return Ok(()),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn batch_receipts_once(
        &self,
        issuer: Address,
        root: Hash,
        wait: Wait,
        take: &mut (dyn FnMut(Vec<(Digest, Receipt)>) -> bool + Send),
    ) -> Result<(), NodeError> {
        let Batch { batch } = self.server.get(&format!("v1/batches/{root}")).await?;
        let request = self.server.request(Method::GET, &format!("v1/issuers/{issuer}/batches/{batch}/receipts"))?;
        let mut response = self.server.send(request.timeout(super::SUBMIT_TIMEOUT)).await?;
        if response.status() == StatusCode::ACCEPTED {
            // A reorg took its anchor back since its first receipt was given.
            return Err(NodeError::Answer { detail: "the batch has no anchor any more".to_owned() });
        }
        check_state(&response, wait)?;
        let mut text = Vec::with_capacity(PIECE);
        while let Some(chunk) = self.server.chunk(&mut response).await? {
            text.extend_from_slice(chunk.as_ref());
            if text.len() < PIECE {
                continue;
            }
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            if whole == 0 && text.len() > PIECE + LONGEST_ANSWER {
                return Err(NodeError::Answer { detail: "a receipt without an end".to_owned() });
            }
            if whole > 0 && !take(lines(&text[..whole])?) {
                return Ok(());
            }
            text.drain(..whole);
        }
        take(lines(&text)?);
        Ok(())
    }

    /// What keeps the node from anchoring for this issuer, as it tells itself. `None`: nothing.
    pub async fn trouble(&self, issuer: Address) -> Result<Option<String>, NodeError> {
        let request = self.server.request(Method::GET, "readyz")?;
        let mut patience = Patience::default();
        loop {
            match self.readiness(request.try_clone().expect("it has no body")).await {
                Ok(Ready { reasons }) => {
                    let concern =
                        reasons.into_iter().filter(|reason| reason.issuer.is_none_or(|whose| whose == issuer));
                    let told: Vec<_> = concern.map(|reason| printable(&reason.detail)).collect();
                    return Ok((!told.is_empty()).then(|| told.join("; ")));
                }
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn readiness(&self, request: reqwest::RequestBuilder) -> Result<Ready, NodeError> {
        let mut response: Response = self.server.ask(request).await?;
        if !matches!(response.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE) {
            let after = retry_after(&response);
            return Err(super::server::refusal(response.status().as_u16(), after, &[]));
        }
        parse(&self.server.read(&mut response, LONGEST_ANSWER).await?)
    }
}

fn lines(text: &[u8]) -> Result<Vec<(Digest, Receipt)>, NodeError> {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    lines.par_iter().map(|line| parse(line).map(|Line { digest, receipt }| (digest, receipt))).collect()
}
