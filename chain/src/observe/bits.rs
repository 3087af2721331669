//! Where the bits under a status root come from: whoever supplies them, or else the walk through the chain.
//!
//! What is supplied counts only if it leads to the root that the verifier itself read from the contract: so it may
//! come from anybody, over any way, and a wrong supply costs no more than the walk.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use testamur_core::{
    Address, ChainId, Hash, ListNumber, Purpose, StatusIndex,
    observation::{StatusAt, StatusRecord},
    status::{LIST_HEIGHT, ListProof, StatusList, StatusProof, StatusTree},
};

use crate::{Error, Registry, history};

/// How long the walk through one issuer's status updates may take. Then the bits are unknown.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bits that a verifier needs.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The chain.
    pub chain: ChainId,
    /// The contract.
    pub registry: Address,
    /// Whose bits.
    pub issuer: Address,
    /// Which bits.
    pub purpose: Purpose,
    /// What the contract says, read by the verifier: only bits under this root count.
    pub record: StatusRecord,
    /// Whether the record is the settled block's and not the newest one's.
    pub settled: bool,
    /// The indices, ascending, each once. To ask a server for these, rather than for the whole lists around them, tells it which
    /// credentials are looked at.
    pub indices: Vec<StatusIndex>,
}

/// What somebody says about some bits.
#[derive(Clone, Debug)]
pub enum Supply {
    /// All bits of a list.
    List {
        /// Which one.
        number: ListNumber,
        /// The bits.
        bits: StatusList,
        /// Their way to the root.
        proof: ListProof,
    },
    /// One bit.
    Bit {
        /// Which one.
        index: StatusIndex,
        /// Its way to the root.
        proof: StatusProof,
    },
}

/// Supplies bits: a mirror, a node, a file. Tries for as long as it thinks right.
pub trait BitsSource: Send + Sync {
    /// Its name for people.
    fn name(&self) -> String;

    /// What it has of the bits that are wanted. Nothing, where it has nothing.
    fn supply<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Vec<Supply>>;
}

/// What the answer about a bit rests on, beside the root that the verifier read itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing else: under the zero root no bit is set.
    Root,
    /// Bits that this source supplied, and that lead to the root.
    Supplied(String),
    /// The issuer's published updates, walked through on the chain.
    Rebuilt,
    /// The bit is unknown, for this reason.
    Unknown(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the status root on chain"),
            Self::Supplied(name) => write!(f, "{name}, checked against the status root on chain"),
            Self::Rebuilt => f.write_str("rebuilt from the chain"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

/// The bits of one issuer and purpose at one block, as far as they are known.
pub(super) struct Bits {
    record: StatusRecord,
    supplied: HashMap<StatusIndex, (StatusProof, String)>,
    /// `None` where the walk was not needed.
    rebuilt: Option<Result<Arc<StatusTree>, Error>>,
}

impl Bits {
    /// The bit of an index, and what it rests on.
    pub(super) fn at(&self, index: StatusIndex) -> (StatusAt, Origin) {
        let (proof, origin) = match (self.supplied.get(&index), &self.rebuilt) {
            _ if self.record.root == Hash::ZERO => (None, Origin::Root),
            (Some((proof, name)), _) => (Some(proof.clone()), Origin::Supplied(name.clone())),
            (None, Some(Ok(tree))) => (Some(tree.proof(index)), Origin::Rebuilt),
            (None, Some(Err(error))) => (None, Origin::Unknown(error.to_string())),
            (None, None) => (None, Origin::Unknown("it was not asked for".to_owned())),
        };
        (StatusAt { record: self.record, proof }, origin)
    }

    /// The root that they lead to.
    pub(super) fn root(&self) -> Hash {
        self.record.root
    }

    /// All bits, where they were rebuilt.
    pub(super) fn tree(&self) -> Option<&StatusTree> {
        self.rebuilt.as_ref()?.as_deref().ok()
    }

    fn lacks(&self, indices: &[StatusIndex]) -> bool {
        self.record.root != Hash::ZERO && indices.iter().any(|index| !self.supplied.contains_key(index))
    }
}

/// The bits behind two records (the newer first): from the sources in their order, and where those leave
/// something open, from the chain.
pub(super) async fn gather(
    registries: &[Registry],
    sources: &[&dyn BitsSource],
    wanted: Wanted,
    records: [StatusRecord; 2],
) -> [Bits; 2] {
    let mut bits = records.map(|record| Bits { record, supplied: HashMap::new(), rebuilt: None });
    let [head, settled] = &mut bits;
    ask(sources, head, Wanted { record: head.record, ..wanted.clone() }).await;
    if settled.record == head.record {
        settled.supplied = head.supplied.clone();
    } else {
        ask(sources, settled, Wanted { record: settled.record, settled: true, ..wanted.clone() }).await;
    }
    if head.lacks(&wanted.indices) || settled.lacks(&wanted.indices) {
        for (bits, tree) in bits.iter_mut().zip(rebuild_from_any(registries, &wanted, records).await) {
            bits.rebuilt = Some(tree);
        }
    }
    bits
}

async fn ask(sources: &[&dyn BitsSource], bits: &mut Bits, mut wanted: Wanted) {
    for source in sources {
        wanted.indices.retain(|index| !bits.supplied.contains_key(index));
        if wanted.indices.is_empty() || wanted.record.root == Hash::ZERO {
            return;
        }
        for supply in source.supply(&wanted).await {
            let proofs = fitting(&wanted, supply);
            if proofs.is_empty() {
                tracing::warn!(source = source.name(), "supplied bits are not the wanted ones under the root on chain");
            }
            bits.supplied.extend(proofs.into_iter().map(|(index, proof)| (index, (proof, source.name()))));
        }
    }
}

/// The proofs of wanted bits in a supply, if it leads to the root.
fn fitting(wanted: &Wanted, supply: Supply) -> Vec<(StatusIndex, StatusProof)> {
    let root = wanted.record.root;
    match supply {
        Supply::Bit { index, proof } if proof.root(index) == Ok(root) => vec![(index, proof)],
        Supply::List { number, bits, proof } if proof.root(number, &bits) == Ok(root) => {
            let alone = StatusTree::from_lists([(number, bits)]);
            let within = wanted.indices.iter().filter(|index| index.list() == number);
            within.map(|&index| (index, beneath(alone.proof(index), &proof))).collect()
        }
        Supply::Bit { .. } | Supply::List { .. } => Vec::new(),
    }
}

/// A bit's proof within its list alone, continued by the list's own.
fn beneath(mut within: StatusProof, list: &ListProof) -> StatusProof {
    within.bitmap |= list.bitmap << LIST_HEIGHT;
    within.siblings.extend(&list.siblings);
    within
}

/// The bits behind each of two records (the newer first), from the first endpoint whose history leads there: the root
/// decides, so one is as good as many.
async fn rebuild_from_any(
    registries: &[Registry],
    wanted: &Wanted,
    records: [StatusRecord; 2],
) -> [Result<Arc<StatusTree>, Error>; 2] {
    let nobody = || Err(Error::unusable("there is nobody to ask for the history"));
    let mut trees = [nobody(), nobody()];
    for registry in registries {
        let found = rebuild(registry, wanted, records).await;
        for (tree, found) in trees.iter_mut().zip(found) {
            if tree.is_err() {
                *tree = found;
            }
        }
        if trees.iter().all(Result::is_ok) {
            break;
        }
    }
    trees
}

/// The bits behind each of two records (the newer first). A history that cannot be had leaves them unknown.
async fn rebuild(
    registry: &Registry,
    wanted: &Wanted,
    records: [StatusRecord; 2],
) -> [Result<Arc<StatusTree>, Error>; 2] {
    let [head, settled] = records;
    let (issuer, purpose) = (wanted.issuer, wanted.purpose);
    let walk = history::status_updates(registry, issuer, purpose, &head);
    let walked = tokio::time::timeout(PATIENCE, walk).await;
    let walked = walked.unwrap_or_else(|_| Err(Error::unusable(format!("no end of the history after {PATIENCE:?}"))));
    let endpoint = registry.endpoint();
    let unknown = |error: &Error| tracing::warn!(%endpoint, %issuer, %purpose, %error, "no status bits");
    let updates = match walked.inspect_err(unknown) {
        Ok(updates) => updates,
        Err(error) => return [Err(error.clone()), Err(error)],
    };
    let tree = |record| history::rebuild(&updates, record).map(Arc::new).inspect_err(unknown);
    let at_head = tree(&head);
    let at_settled = if settled == head { at_head.clone() } else { tree(&settled) };
    [at_head, at_settled]
}
