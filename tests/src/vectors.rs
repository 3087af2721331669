//! Checks a file of the shape of `vectors.json` against the core.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};
use testamur_core::{
    BatchTree, Digest, Entry, Error, Hash, StatusIndex,
    batch::root_from_path,
    digest::{blind, credential_hash},
    status::{StatusProof, StatusTree, delta},
};

/// A file of cases; sections that are missing are empty.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Vectors {
    batch: Vec<BatchCase>,
    status: Vec<StatusCase>,
    delta: Vec<DeltaCase>,
    digest: Vec<DigestCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchCase {
    entries: Vec<VectorEntry>,
    tree_size: u64,
    root: Hash,
    proofs: Vec<InclusionProof>,
    #[serde(default)]
    rejected: Vec<BrokenInclusionProof>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VectorEntry {
    digest: Digest,
    status_index: StatusIndex,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionProof {
    leaf_index: u64,
    path: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BrokenInclusionProof {
    why: String,
    entry: usize,
    leaf_index: u64,
    tree_size: u64,
    path: Vec<Value>,
}

#[derive(Deserialize)]
struct StatusCase {
    bits: Vec<StatusIndex>,
    root: Hash,
    proofs: Vec<StatusProofCase>,
    #[serde(default)]
    rejected: Vec<Value>,
}

#[derive(Deserialize)]
struct StatusProofCase {
    index: StatusIndex,
    set: bool,
    chunk: Hash,
    bitmap: u32,
    siblings: Vec<Hash>,
}

/// A status proof that must be refused; its numbers may be out of range already.
#[derive(Deserialize)]
struct BrokenStatusProof {
    index: StatusIndex,
    chunk: Hash,
    bitmap: u32,
    siblings: Vec<Hash>,
}

#[derive(Deserialize)]
struct DeltaCase {
    indices: Option<Vec<StatusIndex>>,
    bytes: String,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DigestCase {
    credential: Value,
    proof_config: Value,
    document_hash: Hash,
    digest: Digest,
}

/// How many cases came out right, and what was wrong with the others.
#[derive(Default)]
pub struct Tally {
    /// Cases that came out right.
    pub passed: usize,
    /// One line for each that did not.
    pub failures: Vec<String>,
}

impl Tally {
    /// Counts one case.
    pub fn count(&mut self, name: impl FnOnce() -> String, outcome: Result<()>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => self.failures.push(format!("{}: {error:#}", name())),
        }
    }
}

/// Reads a file's text. Sections other than the four known ones are refused rather than passed over.
pub fn parse(text: &str) -> Result<Vectors> {
    let sections: Map<String, Value> = serde_json::from_str(text).context("not a JSON object")?;
    if let Some(unknown) = sections.keys().find(|key| !["batch", "status", "delta", "digest"].contains(&key.as_str())) {
        bail!("unknown section {unknown:?}");
    }
    serde_json::from_value(Value::Object(sections)).context("not of the shape of vectors.json")
}

/// Checks every case.
pub fn check(vectors: &Vectors) -> Tally {
    let mut tally = Tally::default();
    vectors.batch.iter().for_each(|case| check_batch(case, &mut tally));
    vectors.status.iter().for_each(|case| check_status(case, &mut tally));
    for (k, case) in vectors.delta.iter().enumerate() {
        tally.count(|| format!("delta {k}"), check_delta(case));
    }
    for (k, case) in vectors.digest.iter().enumerate() {
        tally.count(|| format!("digest {k}"), check_digest(case));
    }
    tally
}

fn check_batch(case: &BatchCase, tally: &mut Tally) {
    let entries: Vec<Entry> =
        case.entries.iter().map(|e| Entry { digest: e.digest, status_index: e.status_index }).collect();
    let size = case.tree_size;
    let tree = match BatchTree::new(entries.iter().map(Entry::leaf_hash).collect()) {
        Ok(tree) => tree,
        Err(error) => return tally.count(|| format!("batch of {size}"), Err(error.into())),
    };
    let root =
        if tree.root() == case.root && tree.size() == size { Ok(()) } else { Err(anyhow::anyhow!("another root")) };
    tally.count(|| format!("batch of {size}"), root);
    for proof in &case.proofs {
        let name = || format!("batch of {size}, leaf {}", proof.leaf_index);
        tally.count(name, check_inclusion(&tree, &entries, proof));
    }
    for broken in &case.rejected {
        let name = || format!("batch of {size}, leaf {}, {}", broken.leaf_index, broken.why);
        let accepted = accepts(broken, &entries, &tree);
        tally.count(name, if accepted { Err(anyhow::anyhow!("accepted")) } else { Ok(()) });
    }
}

fn check_inclusion(tree: &BatchTree, entries: &[Entry], proof: &InclusionProof) -> Result<()> {
    let index = usize::try_from(proof.leaf_index)?;
    let leaf = entries.get(index).context("no such entry")?.leaf_hash();
    if tree.path(proof.leaf_index)? != proof.path {
        bail!("another path");
    }
    if root_from_path(leaf, proof.leaf_index, tree.size(), &proof.path)? != tree.root() {
        bail!("the path leads elsewhere");
    }
    Ok(())
}

/// Whether a verifier would take a broken proof: it parses, has the anchored size, and leads to the root.
fn accepts(broken: &BrokenInclusionProof, entries: &[Entry], tree: &BatchTree) -> bool {
    let path: Result<Vec<Hash>, _> = broken.path.iter().cloned().map(serde_json::from_value).collect();
    let (Ok(path), Some(entry)) = (path, entries.get(broken.entry)) else { return false };
    let root = root_from_path(entry.leaf_hash(), broken.leaf_index, broken.tree_size, &path);
    broken.tree_size == tree.size() && root == Ok(tree.root())
}

fn check_status(case: &StatusCase, tally: &mut Tally) {
    let mut tree = StatusTree::new();
    tree.toggle(&case.bits);
    let name = || format!("status of {} bits", case.bits.len());
    let root = if tree.root() == case.root { Ok(()) } else { Err(anyhow::anyhow!("another root")) };
    tally.count(name, root);
    for proof in &case.proofs {
        tally.count(|| format!("{}, index {}", name(), proof.index), check_status_proof(&tree, proof));
    }
    for broken in &case.rejected {
        let refused = match serde_json::from_value::<BrokenStatusProof>(broken.clone()) {
            Err(_) => true,
            Ok(b) => {
                StatusProof { chunk: b.chunk, bitmap: b.bitmap, siblings: b.siblings }.root(b.index) != Ok(case.root)
            }
        };
        let outcome = if refused { Ok(()) } else { Err(anyhow::anyhow!("accepted")) };
        tally.count(|| format!("{}, {}", name(), broken["why"]), outcome);
    }
}

fn check_status_proof(tree: &StatusTree, case: &StatusProofCase) -> Result<()> {
    let proof = StatusProof { chunk: case.chunk, bitmap: case.bitmap, siblings: case.siblings.clone() };
    if tree.proof(case.index) != proof {
        bail!("another proof");
    }
    if proof.root(case.index)? != tree.root() {
        bail!("the proof leads elsewhere");
    }
    if proof.bit(case.index) != case.set || tree.bit(case.index) != case.set {
        bail!("another bit");
    }
    Ok(())
}

fn check_delta(case: &DeltaCase) -> Result<()> {
    let decoded = delta::decode(&hex::decode(&case.bytes)?);
    if let Some(expected) = &case.error {
        let found = match decoded {
            Ok(_) => bail!("accepted"),
            Err(Error::DeltaCutOff) => "cut off inside a number",
            Err(Error::DeltaOverlong) => "overlong number",
            Err(Error::DeltaRange) => "index above 2^40",
            Err(other) => bail!("refused with {other}"),
        };
        return if found == expected { Ok(()) } else { bail!("refused as {found:?} instead of {expected:?}") };
    }
    let indices = case.indices.as_ref().context("neither indices nor an error")?;
    if decoded? != *indices {
        bail!("decodes to other indices");
    }
    if delta::encode(indices).map(hex::encode).as_ref() != Some(&case.bytes) {
        bail!("encodes to other bytes");
    }
    Ok(())
}

fn check_digest(case: &DigestCase) -> Result<()> {
    if credential_hash(&case.credential) != case.document_hash {
        bail!("another document hash");
    }
    if blind(&case.proof_config, case.document_hash) != case.digest {
        bail!("another digest");
    }
    Ok(())
}
