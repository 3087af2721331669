//! Batch trees of 2^20 leaves and their proofs.

mod builders;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use self::builders::{CtMerkle, Flat, Ours, RsMerkle, Tree, leaf_hashes};
use crate::{
    child::Child,
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const LEAVES: usize = 1 << 20;
const BUILDERS: [&str; 4] = ["ours", "flat sha2 loop", "rs_merkle", "ct-merkle"];
/// Odd, so that its multiples visit every leaf, far apart.
const STRIDE: usize = 0x9E37_79B1;

/// Time to build, memory, proofs.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let build = Rounds::run(rounds, &BUILDERS, |builder| build_seconds(BUILDERS[builder]))?;
    let row = |what: &str, unit, ours, peers, goal| Row { what: what.into(), unit, ours, peers, goal };
    let (flat, rs_merkle, ct_merkle) = (build.peer(1), build.peer(2), build.peer(3));
    let goal = Some(Goal::RatioAtMost(1.1));
    table.push(row("tree of 2^20 leaves, CPU time, and the limit", Unit::Seconds, build.ours(), vec![flat], goal));
    let goal = Some(Goal::RatioAtMost(1.0 / 3.0));
    table.push(row("the same, and peers", Unit::Seconds, build.ours(), vec![rs_merkle, ct_merkle], goal));
    let memory = Rounds::run(1, &BUILDERS, |builder| {
        Child::start(&["tree".as_ref(), BUILDERS[builder].as_ref()])?.figure("bytes")
    })?;
    let peers = [2, 3, 1].map(|builder| memory.peer(builder)).into();
    let goal = Some(Goal::RatioAtMost(0.25));
    table.push(row("its memory, leaves included", Unit::Bytes, memory.ours(), peers, goal));
    proofs(rounds, table)
}

/// Bytes that building takes, in a process that does nothing else.
pub fn memory(builder: &str) -> Result<Value> {
    let before = machine::memory("self", "VmRSS")?;
    let tree = build(builder, leaf_hashes(LEAVES))?;
    Ok(json!({"bytes": machine::memory("self", "VmHWM")? - before, "root": tree.root()}))
}

fn build_seconds(builder: &str) -> Result<f64> {
    let leaves = leaf_hashes(LEAVES);
    let (seconds, tree) = machine::cpu_seconds(|| build(builder, leaves));
    tree.map(|_| seconds)
}

fn build(builder: &str, leaves: Vec<[u8; 32]>) -> Result<Box<dyn Tree>> {
    Ok(match builder {
        "ours" => Box::new(Ours::new(leaves)?),
        "flat sha2 loop" => Box::new(Flat::new(leaves)),
        "rs_merkle" => Box::new(RsMerkle::new(&leaves)),
        "ct-merkle" => Box::new(CtMerkle::new(leaves.len())),
        _ => bail!("no builder {builder}"),
    })
}

/// Inclusion proofs a second on one core, of leaves far apart.
fn proofs(rounds: usize, table: &mut Table) -> Result<()> {
    const PROVERS: [&str; 3] = ["ours", "rs_merkle", "ct-merkle"];
    let trees = PROVERS.map(|builder| build(builder, leaf_hashes(LEAVES)));
    let trees = trees.into_iter().collect::<Result<Vec<_>>>()?;
    let root = trees[0].root();
    if trees.iter().any(|tree| tree.root() != root) {
        bail!("the trees differ");
    }
    let counts = [LEAVES, 1 << 16, 1 << 17];
    let proofs = Rounds::run(rounds, &PROVERS, |prover| {
        let (seconds, siblings) = machine::cpu_seconds(|| prove(&*trees[prover], counts[prover]));
        if siblings != 20 * counts[prover] {
            bail!("a proof has another length");
        }
        Ok(counts[prover] as f64 / seconds)
    })?;
    let goal = Some(Goal::AtLeast(3e6));
    let what = "inclusion proofs a core, leaves far apart".into();
    table.push(Row { what, unit: Unit::PerSecond, ours: proofs.ours(), peers: proofs.peers(), goal });
    Ok(())
}

/// Siblings of so many proofs.
fn prove(tree: &dyn Tree, count: usize) -> usize {
    (0..count).map(|i| tree.path_length(i.wrapping_mul(STRIDE) % LEAVES)).sum()
}
