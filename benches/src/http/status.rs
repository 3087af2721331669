//! Single status proofs served, beside axum saying hello; and a hundred thousand changes taken at once.

use anyhow::Result;
use serde_json::Value;
use testamur_core::StatusIndex;
use testamur_tests::harness::until;

use super::{Setup, hello, load::Load, requests};
use crate::{
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

/// Credentials, in eight lists.
const CREDENTIALS: u64 = 8 * StatusIndex::PER_LIST;
/// One in a hundred is revoked.
const REVOKED: u64 = CREDENTIALS / 100;
const REQUESTS: u64 = 100_000;
const CONNECTIONS: usize = 64;
/// The most that one request may change.
const CHANGES: u64 = 100_000;

/// Of credentials far apart.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let setup = Setup::start()?;
    setup.revoke(0..REVOKED)?;
    let (_hello, address) = hello::start()?;
    let mut ours = Load::connect(setup.address, CONNECTIONS)?;
    let mut theirs = Load::connect(address, CONNECTIONS)?;
    let served = Rounds::run(rounds, &["ours", "axum hello"], |contender| match contender {
        0 => {
            let requests = setup.requests.clone();
            ours.run(REQUESTS, move |number, out| requests.status(far_apart(number), out))
        }
        _ => theirs.run(REQUESTS, |_, out| out.extend_from_slice(hello::REQUEST)),
    })?;
    table.push(Row {
        what: "status proofs served, of a million credentials, 64 connections".into(),
        unit: Unit::PerSecond,
        ours: served.ours(),
        peers: served.peers(),
        goal: Some(Goal::RatioAtLeast(0.5)),
    });

    let mut first = REVOKED;
    let taken = Rounds::run(rounds.min(5), &["ours"], |_| {
        first += CHANGES;
        setup.change(first - CHANGES..first)
    })?;
    table.push(Row {
        what: "100,000 changes of status in one request, durable".into(),
        unit: Unit::Seconds,
        ours: taken.ours(),
        peers: Vec::new(),
        goal: None,
    });
    Ok(())
}

impl Setup {
    /// Revokes credentials, and waits until the node serves them as such.
    fn revoke(&self, numbers: std::ops::Range<u64>) -> Result<()> {
        self.change(numbers)?;
        let path = format!("/v1/issuers/{}/status", self.issuer);
        until("the update is on chain and read", || {
            let overview: Value = serde_json::from_str(&self.node.get(&path).ok()?.text().ok()?).ok()?;
            (overview["purposes"][0]["head"]["epoch"] == 1).then_some(())
        });
        Ok(())
    }

    /// Asks for credentials to be revoked; seconds until the node says that it is durable.
    fn change(&self, numbers: std::ops::Range<u64>) -> Result<f64> {
        let indices: Vec<u64> = numbers.map(far_apart).collect();
        let request = self.requests.revoke(&indices);
        let rate = Load::connect(self.address, 1)?.run(1, move |_, out| out.extend_from_slice(&request))?;
        Ok(1.0 / rate)
    }
}

/// Different credentials, in no order.
fn far_apart(number: u64) -> u64 {
    number.wrapping_mul(requests::STRIDE) % CREDENTIALS
}
