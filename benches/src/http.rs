//! A real node beside a real chain, asked over HTTP by a load generator of our own.

mod load;
mod million;
mod receipts;
mod requests;
mod status;
mod submit;

pub mod hello;

use std::{fs, net::SocketAddr};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;
use testamur_tests::harness::{Chain, Node, NodeOptions, World, until};

use self::{load::Load, requests::Requests};
pub use self::{
    million::measure as million, receipts::measure as receipts, status::measure as status, submit::measure as submit,
};
use crate::machine;

/// Digests in one bulk request.
const BULK: u64 = 1 << 16;

/// A node that takes digests of one issuer, on a disk, and a chain with blocks of one second.
struct Setup {
    node: Node,
    address: SocketAddr,
    requests: Requests,
    issuer: String,
    folder: TempDir,
    _world: World,
}

impl Setup {
    /// Deploys, appoints, starts. Nothing is sealed by age, so batches are what a measurement makes them.
    fn start() -> Result<Self> {
        let world = World::on(Chain::anvil());
        let folder = machine::scratch()?;
        let issuer = world.issuer.address.clone();
        let options = NodeOptions {
            rpc: &world.chain.url,
            chain_id: world.chain_id,
            issuers: vec![issuer.clone()],
            operator: &world.operator,
            max_age_seconds: 86_400.0,
        };
        let node = Node::start(folder.path(), &options);
        let token = fs::read_to_string(node.token(&issuer, "submit,revoke,admin"))?;
        let address = node.url.strip_prefix("http://").context("a plain URL")?.parse()?;
        let requests = Requests::new(&issuer, token.trim());
        Ok(Self { node, address, requests, issuer, folder, _world: world })
    }

    /// Submits the digests numbered from `first`, over two connections; how many a second.
    fn submit(&self, first: u64, count: u64) -> Result<f64> {
        let starts: Vec<u64> = (first..first + count).step_by(BULK as usize).collect();
        let bodies = starts.iter().map(|start| self.requests.bulk(*start..(first + count).min(start + BULK)));
        let bodies: Vec<Vec<u8>> = bodies.collect();
        let requests = bodies.len() as u64;
        let mut load = Load::connect(self.address, 2)?;
        let rate = load.run(requests, move |number, out| out.extend_from_slice(&bodies[number as usize]))?;
        Ok(rate * count as f64 / requests as f64)
    }

    /// Seals what is open.
    fn seal(&self) -> Result<()> {
        let request = self.requests.seal();
        Load::connect(self.address, 1)?.run(1, move |_, out| out.extend_from_slice(&request))?;
        Ok(())
    }

    /// Waits until the newest sealed batch is in a block; returns its number.
    fn anchored(&self) -> Result<u64> {
        let path = format!("/v1/issuers/{}/batches", self.issuer);
        let batch = until("the batch is anchored", || {
            let page: Value = serde_json::from_str(&self.node.get(&path).ok()?.text().ok()?).ok()?;
            let batch = page["batches"].as_array()?.iter().find(|batch| batch["state"] != "open")?.clone();
            ["included", "final"].iter().any(|state| batch["state"] == *state).then_some(batch)
        });
        batch["batch"].as_u64().context("a batch has a number")
    }

    /// Asks for receipts of the first `of` digests, far apart; all must be there. How many a second.
    fn receipts(&self, load: &mut Load, count: u64, of: u64) -> Result<f64> {
        let requests = self.requests.clone();
        load.run(count, move |number, out| requests.receipt(number.wrapping_mul(requests::STRIDE) % of, out))
    }
}
