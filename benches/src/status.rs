//! The status tree of a large issuer: toggles, memory, lists and proofs.

use std::{collections::BTreeSet, hint::black_box};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testamur_core::{
    Hash, ListNumber, StatusIndex,
    status::{DEPTH, StatusTree},
};

use crate::{
    child::Child,
    machine,
    rounds::Rounds,
    table::{Goal, Peer, Row, Table, Unit},
};

/// An issuer's credentials; one in a hundred is revoked.
const CREDENTIALS: u64 = 10_000_000;
/// The largest issuer that is promised a small memory.
const MANY: u64 = 100_000_000;
const TOGGLES: u64 = 100_000;
/// A prime, so that its multiples visit every credential, far apart.
const STRIDE: u64 = 0x9E37_79B1;
/// Ours, and the same number of SHA-256 in a bare loop.
const CONTENDERS: [&str; 2] = ["ours", "bare sha2 loop"];

/// Toggles, memory, the root of one list, proofs.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let tree = tree(CREDENTIALS);
    let row = |what: &str, unit, ours, peers, goal| Row { what: what.into(), unit, ours, peers, goal };

    let toggles = toggles(rounds, &tree)?;
    let what = "100,000 random toggles of 10 M credentials, root included";
    table.push(row(what, Unit::Seconds, toggles.ours(), toggles.peers(), Some(Goal::AtMost(0.3))));

    let memory = Child::start(&["status".as_ref()])?.figure("bytes")?;
    let bits = MANY as f64 / 8.0;
    let peer = Peer { name: "the bits alone".into(), figure: bits, ratio: memory / bits };
    let what = "memory of 100 M credentials' status";
    table.push(row(what, Unit::Bytes, memory, vec![peer], Some(Goal::AtMost(f64::from(64 << 20)))));

    let root = list_root(rounds, &tree)?;
    let what = "root of a downloaded list";
    table.push(row(what, Unit::Seconds, root.ours(), root.peers(), Some(Goal::RatioAtMost(1.1))));

    let proofs = Rounds::run(rounds, &CONTENDERS[..1], |_| proofs(&tree))?;
    table.push(row("status proofs a core, credentials far apart", Unit::PerSecond, proofs.ours(), Vec::new(), None));
    Ok(())
}

/// Bytes that the tree of [`MANY`] credentials takes, its making included, in a process that does nothing else.
pub fn memory() -> Result<Value> {
    let before = machine::memory("self", "VmRSS")?;
    let tree = tree(MANY);
    Ok(json!({"bytes": machine::memory("self", "VmHWM")? - before, "root": tree.root()}))
}

fn tree(credentials: u64) -> StatusTree {
    let mut tree = StatusTree::new();
    for first in (0..credentials / 100).step_by(TOGGLES as usize) {
        tree.toggle(&far_apart(first..first + TOGGLES, credentials));
    }
    tree
}

/// Different credentials, in no order.
fn far_apart(numbers: std::ops::Range<u64>, credentials: u64) -> Vec<StatusIndex> {
    numbers.filter_map(|number| StatusIndex::new(number * STRIDE % credentials).ok()).collect()
}

fn toggles(rounds: usize, tree: &StatusTree) -> Result<Rounds> {
    let revoked = CREDENTIALS / 100;
    let indices = far_apart(revoked..revoked + TOGGLES, CREDENTIALS);
    let [chunks, nodes] = hashes(&indices);
    Rounds::run(rounds, &CONTENDERS, |contender| {
        if contender == 1 {
            return Ok(machine::cpu_seconds(|| bare_hashes(chunks, nodes)).0);
        }
        // A reader goes on with the tree as it was.
        let mut toggled = tree.clone();
        let (seconds, root) = machine::cpu_seconds(|| {
            toggled.toggle(&indices);
            toggled.root()
        });
        toggled.toggle(&indices);
        if root == tree.root() || toggled.root() != tree.root() {
            bail!("the toggles are wrong");
        }
        Ok(seconds)
    })
}

/// How many chunks and nodes these bits change.
fn hashes(indices: &[StatusIndex]) -> [usize; 2] {
    let mut touched: BTreeSet<u64> = indices.iter().map(|index| index.get() >> 8).collect();
    let chunks = touched.len();
    let nodes = (0..DEPTH).map(|_| {
        touched = touched.iter().map(|number| number >> 1).collect();
        touched.len()
    });
    [chunks, nodes.sum()]
}

fn bare_hashes(chunks: usize, nodes: usize) -> [u8; 32] {
    let mut hash = [0; 32];
    let mut message = [2; 65];
    for number in 0..chunks + nodes {
        message[1..33].copy_from_slice(&hash);
        hash = Sha256::digest(if number < chunks { &message[..33] } else { &message[..] }).into();
    }
    black_box(hash)
}

fn list_root(rounds: usize, tree: &StatusTree) -> Result<Rounds> {
    const TIMES: usize = 100;
    let number = ListNumber::new(1)?;
    let (list, proof) = (tree.list(number), tree.list_proof(number));
    if proof.root(number, &list)? != tree.root() {
        bail!("the list does not lead to the root");
    }
    Rounds::run(rounds, &CONTENDERS, |contender| {
        let (seconds, ()) = machine::cpu_seconds(|| {
            for _ in 0..TIMES {
                match contender {
                    0 => drop(black_box(black_box(&list).root())),
                    _ => drop(bare_hashes(512, 511)),
                }
            }
        });
        Ok(seconds / TIMES as f64)
    })
}

fn proofs(tree: &StatusTree) -> Result<f64> {
    let indices = far_apart(0..TOGGLES, CREDENTIALS);
    let (seconds, siblings) =
        machine::cpu_seconds(|| indices.iter().map(|&index| tree.proof(index).siblings.len()).sum::<usize>());
    let first = indices[0];
    if siblings < 10 * indices.len() || tree.proof(first).root(first)? == Hash::ZERO {
        bail!("the proofs are wrong");
    }
    Ok(indices.len() as f64 / seconds)
}
