//! An issuer's status, rebuilt from a chain by whoever knows nothing else.

use anyhow::{Context, Result, ensure};
use testamur_chain::{BlockTag, Endpoint, KeySource, Registry, history, registry::update_status_call, sign};
use testamur_core::{
    ChainId, Purpose, StatusIndex,
    observation::StatusRecord,
    status::{StatusTree, delta},
};
use testamur_tests::harness::{Chain, World};
use tokio::runtime::Runtime;

use crate::{
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const UPDATES: u64 = 1_000;
/// Revocations in each update.
const EACH: u64 = 1_000;
/// Credentials, of which one in ten is revoked in the end.
const CREDENTIALS: u64 = 10_000_000;
/// Enough for an update.
const GAS: u64 = 1_000_000;
const PURPOSE: Purpose = Purpose::REVOCATION;

/// The walk back and the tree, checked under the contract's root.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    // Blocks as transactions come: only their number matters here.
    let world = World::on(Chain::anvil_with(&[]));
    let runtime = Runtime::new()?;
    let registry = Registry::new(Endpoint::connect(&world.chain.url)?, world.registry.parse()?);
    let record = runtime.block_on(write(&world, &registry))?;
    let issuer = world.issuer.address.parse()?;
    let rebuilt = Rounds::run(rounds, &["ours", "the walk alone"], |contender| {
        let (seconds, ()) = machine::wall_seconds(|| {
            runtime.block_on(async {
                let updates = history::status_updates(&registry, issuer, PURPOSE, &record).await?;
                if contender == 0 {
                    let tree = history::rebuild(&updates, &record)?;
                    ensure!(tree.root() == record.root, "another tree");
                }
                Ok(())
            })
        })?;
        Ok(seconds)
    })?;
    table.push(Row {
        what: "1,000 updates with 1 M revocations rebuilt from a local chain".into(),
        unit: Unit::Seconds,
        ours: rebuilt.ours(),
        peers: rebuilt.peers(),
        goal: Some(Goal::AtMost(10.0)),
    });
    Ok(())
}

/// Writes all updates, each in a block of its own.
async fn write(world: &World, registry: &Registry) -> Result<StatusRecord> {
    let key = KeySource::KeyFile(world.issuer.key_file.clone()).load()?;
    let (endpoint, issuer, chain) = (registry.endpoint(), key.address(), ChainId(world.chain_id));
    let (first, fees) = (endpoint.nonce(issuer, BlockTag::Latest).await?, endpoint.fees().await?.bid());
    let mut tree = StatusTree::new();
    for update in 0..UPDATES {
        // Each credential once, spread over all of them.
        let indices = (0..EACH).map(|n| n * (CREDENTIALS / EACH) + update * 10 + n % 10);
        let indices = indices.map(StatusIndex::new).collect::<Result<Vec<_>, _>>()?;
        tree.toggle(&indices);
        let delta = delta::encode(&indices).context("they ascend")?;
        let call = update_status_call(issuer, PURPOSE, update + 1, tree.root(), &delta);
        let signed = sign(&key, first + update, fees, GAS, registry.address(), &call, chain);
        endpoint.send_raw(&signed.raw).await?;
        while endpoint.tx_receipt(signed.hash).await?.is_none() {}
    }
    let record = registry.status_of(issuer, PURPOSE, BlockTag::Latest).await?;
    ensure!((record.epoch, record.root) == (UPDATES, tree.root()), "not all updates are on chain");
    Ok(record)
}
