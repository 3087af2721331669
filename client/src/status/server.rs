//! A node or a mirror that is asked for status bits. Everything that it says is checked against the chain.
//!
//! It is asked for whole lists of 131,072 bits, so that it does not learn which credential is looked at.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use reqwest::{Method, header};
use serde::{Deserialize, de::DeserializeOwned};
use testamur_chain::observe::{BitsSource, Supply, Wanted};
use testamur_core::{
    Address, ChainId, Error, Hash, ListNumber, StatusIndex,
    status::{ListProof, StatusList, StatusProof, bitstring},
};

use crate::node::{NodeError, Server, parse};

/// A server that takes longer is passed over: the next one, or the chain, knows as well.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A list of 16 KiB that cannot be compressed, in base64, with its path, and room for what is added one day.
const LONGEST_ANSWER: usize = 64 << 10;
/// Bytes of a list.
const LIST_BYTES: usize = StatusList::BITS as usize / 8;
/// Requests under way at a time.
const AT_ONCE: usize = 4;
/// Lists kept in memory, 16 KiB each: many documents of one issuer lie in few lists.
const MOST_KEPT: usize = 512;

/// A server that is asked for status bits.
pub struct StatusServer {
    server: Server,
    /// Whether single indices are asked for.
    one: bool,
    /// It did not answer, or it lied: it is not asked again.
    gone: AtomicBool,
    kept: Mutex<HashMap<(Hash, ListNumber), (StatusList, ListProof)>>,
    troubles: Mutex<Vec<Trouble>>,
}

/// What is wrong with a server.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{server}: {fault}")]
pub struct Trouble {
    /// Scheme, host and port.
    pub server: String,
    /// What.
    pub fault: Fault,
}

/// Why a server's bits do not count.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It did not answer, or not in time.
    #[error("it did not answer: {0}")]
    Silent(String),
    /// It gave none.
    #[error(transparent)]
    Server(NodeError),
    /// What it gave is no list, or no proof.
    #[error("what it gives cannot be used: {0}")]
    Malformed(#[from] Error),
    /// It speaks of another chain, or another contract.
    #[error("it speaks of {registry} on {chain}")]
    Elsewhere {
        /// Its chain.
        chain: ChainId,
        /// Its contract.
        registry: Address,
    },
    /// It speaks of another update than the chain does.
    #[error("it is at status update {its}, the chain at {chain}")]
    OtherEpoch {
        /// The update that it speaks of.
        its: u64,
        /// The newest one on the chain.
        chain: u64,
    },
    /// Its bits are not those on the chain.
    #[error("IT LIES: its bits lead to the root {found}, the chain states {stated}")]
    Lie {
        /// Where its bits lead.
        found: Hash,
        /// What the chain says.
        stated: Hash,
    },
}

/// What a server says that it speaks of. That makes the difference between a lie and a misunderstanding, and no more:
/// bits count only under the root that is read from the chain.
#[derive(Deserialize)]
struct Stated {
    chain: ChainId,
    registry: Address,
    epoch: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListAnswer {
    #[serde(flatten)]
    stated: Stated,
    encoded_list: String,
    path: ListProof,
}

#[derive(Deserialize)]
struct BitAnswer {
    #[serde(flatten)]
    stated: Stated,
    proof: StatusProof,
}

#[derive(Clone, Copy)]
enum Question {
    List(ListNumber),
    Bit(StatusIndex),
}

impl From<NodeError> for Fault {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Unreachable { detail, .. } => Self::Silent(detail),
            error => Self::Server(error),
        }
    }
}

impl StatusServer {
    /// A server by its URL. No request is made. With `one` it is asked for single indices: that is less to load, and
    /// tells it which credentials are looked at.
    pub fn new(url: &str, one: bool) -> Result<Self, NodeError> {
        let server = Server::new(url, None)?;
        Ok(Self { server, one, gone: false.into(), kept: Mutex::default(), troubles: Mutex::default() })
    }

    /// What was wrong with it since this was asked last.
    pub fn troubles(&self) -> Vec<Trouble> {
        std::mem::take(&mut *lock(&self.troubles))
    }

    fn questions(&self, wanted: &Wanted) -> Vec<Question> {
        if self.one {
            return wanted.indices.iter().copied().map(Question::Bit).collect();
        }
        let lists: BTreeSet<_> = wanted.indices.iter().map(|index| index.list()).collect();
        lists.into_iter().map(Question::List).collect()
    }

    async fn answer(&self, wanted: &Wanted, question: Question) -> Result<Supply, Fault> {
        match question {
            Question::List(number) => {
                let (bits, proof) = self.list(wanted, number).await?;
                Ok(Supply::List { number, bits, proof })
            }
            Question::Bit(index) => {
                let BitAnswer { stated, proof } = self.get(wanted, &index.to_string()).await?;
                fits(wanted, &stated, proof.root(index)?)?;
                Ok(Supply::Bit { index, proof })
            }
        }
    }

    async fn list(&self, wanted: &Wanted, number: ListNumber) -> Result<(StatusList, ListProof), Fault> {
        let key = (wanted.record.root, number);
        if let Some(known) = lock(&self.kept).get(&key) {
            return Ok(known.clone());
        }
        let ListAnswer { stated, encoded_list, path } = self.get(wanted, &format!("lists/{number}")).await?;
        let bits = StatusList::from_bytes(&bitstring::decode(&encoded_list, LIST_BYTES)?)?;
        fits(wanted, &stated, path.root(number, &bits)?)?;
        let mut kept = lock(&self.kept);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, (bits.clone(), path.clone()));
        Ok((bits, path))
    }

    async fn get<T: DeserializeOwned>(&self, wanted: &Wanted, what: &str) -> Result<T, Fault> {
        let Wanted { issuer, purpose, settled, .. } = wanted;
        let query = if *settled { "?at=settled" } else { "" };
        let path = format!("v1/issuers/{issuer}/status/{}/{what}{query}", purpose.name());
        let request = self.server.request(Method::GET, &path)?;
        let request = request.timeout(TIMEOUT).header(header::ACCEPT, "application/json");
        let mut response = self.server.send(request).await?;
        Ok(parse(&self.server.read(&mut response, LONGEST_ANSWER).await?)?)
    }

    fn note(&self, fault: Fault) {
        let ends = match &fault {
            Fault::Server(error) => error.is_transient(),
            Fault::Silent(_) | Fault::Lie { .. } | Fault::Malformed(_) => true,
            Fault::Elsewhere { .. } | Fault::OtherEpoch { .. } => false,
        };
        self.gone.fetch_or(ends, Ordering::Relaxed);
        lock(&self.troubles).push(Trouble { server: self.server.name(), fault });
    }
}

impl BitsSource for StatusServer {
    fn name(&self) -> String {
        self.server.name()
    }

    fn supply<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Vec<Supply>> {
        async move {
            let mut supplies = Vec::new();
            if self.gone.load(Ordering::Relaxed) {
                return supplies;
            }
            let questions = stream::iter(self.questions(wanted));
            let mut answers = questions.map(|question| self.answer(wanted, question)).buffered(AT_ONCE);
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(supply) => supplies.push(supply),
                    Err(fault) => {
                        self.note(fault);
                        break;
                    }
                }
            }
            supplies
        }
        .boxed()
    }
}

/// Bits that lead elsewhere are a lie, unless the server says itself that it speaks of something else.
fn fits(wanted: &Wanted, of: &Stated, found: Hash) -> Result<(), Fault> {
    let Wanted { chain, registry, record, .. } = wanted;
    if found == record.root {
        Ok(())
    } else if (of.chain, of.registry) != (*chain, *registry) {
        Err(Fault::Elsewhere { chain: of.chain, registry: of.registry })
    } else if of.epoch != record.epoch {
        Err(Fault::OtherEpoch { its: of.epoch, chain: record.epoch })
    } else {
        Err(Fault::Lie { found, stated: record.root })
    }
}

/// What is behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for StatusServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusServer({})", self.server.name())
    }
}
