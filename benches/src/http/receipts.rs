//! Receipts served, beside axum saying hello.

use anyhow::Result;

use super::{Setup, hello, load::Load};
use crate::{
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const DIGESTS: u64 = 1 << 20;
const REQUESTS: u64 = 100_000;
const CONNECTIONS: usize = 64;

/// From one full batch, of digests far apart.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let setup = Setup::start()?;
    setup.submit(0, DIGESTS)?;
    setup.seal()?;
    setup.anchored()?;
    let (_hello, address) = hello::start()?;
    let mut ours = Load::connect(setup.address, CONNECTIONS)?;
    let mut theirs = Load::connect(address, CONNECTIONS)?;
    let served = Rounds::run(rounds, &["ours", "axum hello"], |contender| match contender {
        0 => setup.receipts(&mut ours, REQUESTS, DIGESTS),
        _ => theirs.run(REQUESTS, |_, out| out.extend_from_slice(hello::REQUEST)),
    })?;
    table.push(Row {
        what: "receipts served from a batch of 2^20, 64 connections".into(),
        unit: Unit::PerSecond,
        ours: served.ours(),
        peers: served.peers(),
        goal: Some(Goal::RatioAtLeast(0.5)),
    });
    Ok(())
}
