//! A class: its badges are signed, anchored in one batch, and one in a hundred is revoked.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use testamur_chain::{
    Endpoint, KeySource, Registry,
    registry::{anchor_call, update_status_call},
    transact,
};
use testamur_core::{
    Address, BatchTree, ChainId, Entry, Purpose, Receipt, StatusIndex,
    digest::{blind, credential_hash},
    proof::{AnchorProof, ProofConfig},
    receipt,
    status::{StatusTree, delta, own_entry},
};
use testamur_credentials::integrity::jcs_hashes;
use testamur_tests::harness::World;
use tokio::runtime::Runtime;

use crate::badge::Issuer;

/// Badges of the class.
pub const CREDENTIALS: usize = 10_000;
/// A long one in a test; here a block comes with each transaction.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether a badge is revoked.
pub fn is_revoked(number: usize) -> bool {
    number % 100 == 42
}

/// A badge on its way: signed, with its place in the batch.
struct Signed {
    badge: Map<String, Value>,
    config: ProofConfig,
    entry: Entry,
}

/// Issues them all, each as its issuer would publish it. The anchor and the revocations are final.
pub fn issue(world: &World, issuer: &Issuer) -> Result<Vec<Vec<u8>>> {
    let account: Address = world.issuer.address.parse()?;
    let chain = ChainId(world.chain_id);
    let class = (0..CREDENTIALS).map(|number| sign(number, issuer, account, chain)).collect::<Result<Vec<_>>>()?;
    let tree = BatchTree::new(class.iter().map(|signed| signed.entry.leaf_hash()).collect())?;
    let anchored = Runtime::new()?.block_on(write(world, &tree))?;
    world.chain.rpc("anvil_mine", json!(["0x3"]));
    let anchor = |(number, Signed { mut badge, config, entry }): (usize, Signed)| -> Result<Vec<u8>> {
        let leaf_index = number as u64;
        let path = tree.path(leaf_index)?;
        let receipt = Receipt { leaf_index, status_index: entry.status_index, path, ..anchored.clone() };
        AnchorProof { config, receipt }.embed(&mut badge)?;
        Ok(serde_json::to_vec(&badge)?)
    };
    class.into_iter().enumerate().map(anchor).collect()
}

fn sign(number: usize, issuer: &Issuer, account: Address, chain: ChainId) -> Result<Signed> {
    let status_index = index(number)?;
    let status = own_entry("https://registry.example.edu", account, Purpose::REVOCATION, status_index);
    let mut badge = issuer.badge(number, status);
    issuer.prove(&mut badge, "eddsa-jcs-2022", |badge, proof| jcs_hashes(badge, proof).map_err(|e| anyhow!("{e}")))?;
    let nonce = Sha256::digest(number.to_be_bytes()).into();
    let config = ProofConfig::new(badge.get("@context"), chain, account, "2026-06-30T10:00:00Z".parse()?, nonce);
    let digest = blind(&config.to_json(), credential_hash(&badge.clone().into()));
    Ok(Signed { badge, config, entry: Entry { digest, status_index } })
}

/// Anchors the batch and revokes; the receipt of its first leaf, without the path.
async fn write(world: &World, tree: &BatchTree) -> Result<Receipt> {
    let key = KeySource::KeyFile(world.issuer.key_file.clone()).load()?;
    let registry = Registry::new(Endpoint::connect(&world.chain.url)?, world.registry.parse()?);
    let issuer = key.address();
    let send =
        async |call: Vec<u8>| transact::send(registry.endpoint(), &key, registry.address(), &call, PATIENCE).await;
    let anchored = send(anchor_call(issuer, tree.root(), tree.size())).await?;
    let revoked = (0..CREDENTIALS).filter(|number| is_revoked(*number)).map(index).collect::<Result<Vec<_>>>()?;
    let mut status = StatusTree::new();
    status.toggle(&revoked);
    let delta = delta::encode(&revoked).context("they ascend")?;
    send(update_status_call(issuer, Purpose::REVOCATION, 1, status.root(), &delta)).await?;
    Ok(Receipt {
        version: receipt::VERSION,
        leaf_index: 0,
        tree_size: tree.size(),
        status_index: index(0)?,
        path: Vec::new(),
        root: tree.root(),
        issuer,
        chain: ChainId(world.chain_id),
        registry: registry.address(),
        transaction: anchored.hash,
        block: anchored.receipt.block,
    })
}

/// Spread over a list, as a node allocates them.
fn index(number: usize) -> Result<StatusIndex> {
    Ok(StatusIndex::new(13 * number as u64)?)
}
