//! Digests submitted, durable before the answer: in bulk, and one by one.

use anyhow::Result;

use super::{Setup, load::Load};
use crate::{
    rounds::Rounds,
    store,
    table::{Goal, Row, Table, Unit},
};

const BULK_DIGESTS: u64 = 1 << 19;
const SINGLES: u64 = 20_000;
const CONNECTIONS: usize = 256;
/// Singles are numbered from here, so that none was submitted in bulk.
const FIRST_SINGLE: u64 = 1 << 40;

/// Both rates, beside a plain file of the same minute.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let setup = Setup::start()?;
    let mut first = 0;
    let names = ["ours", "plain file, groups of 4,096"];
    let bulk = Rounds::run(rounds, &names, |contender| match contender {
        0 => {
            first += BULK_DIGESTS;
            setup.submit(first, BULK_DIGESTS)
        }
        _ => store::plain_file_rate(BULK_DIGESTS, 4096),
    })?;
    push(table, "digests submitted in bulk, durable", &bulk, 150_000.0);

    let mut load = Load::connect(setup.address, CONNECTIONS)?;
    let mut first = FIRST_SINGLE;
    let names = ["ours", "plain file, synced for each"];
    let single = Rounds::run(rounds, &names, |contender| match contender {
        0 => {
            first += SINGLES;
            let requests = setup.requests.clone();
            load.run(SINGLES, move |number, out| requests.single(first + number, out))
        }
        _ => store::plain_file_rate(1_000, 1),
    })?;
    push(table, "single submits, 256 connections, durable", &single, 10_000.0);
    Ok(())
}

fn push(table: &mut Table, what: &str, rounds: &Rounds, goal: f64) {
    let (ours, peers) = (rounds.ours(), rounds.peers());
    table.push(Row { what: what.into(), unit: Unit::PerSecond, ours, peers, goal: Some(Goal::AtLeast(goal)) });
}
