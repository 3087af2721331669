//! One million credentials: from the first byte of the first request until all receipts are there.

use std::{
    io::{BufReader, Read},
    time::Instant,
};

use anyhow::{Result, ensure};

use super::{Setup, load::Load};
use crate::{
    machine,
    rounds::median,
    table::{Goal, Row, Table, Unit},
};

const DIGESTS: u64 = 1_000_000;
/// Receipts that are asked for, of digests far apart, before the clock stops.
const SAMPLE: u64 = 1_000;

/// What one run tells.
struct Run {
    seconds: f64,
    stream_seconds: f64,
    memory: f64,
    disk: f64,
}

/// Time, memory and disk, each time with a new node and a new chain.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let runs = (0..rounds.min(3)).map(|_| run()).collect::<Result<Vec<_>>>()?;
    let mut push = |what: &str, unit, figure: fn(&Run) -> f64, goal: Option<f64>| {
        let ours = median(runs.iter().map(figure).collect());
        table.push(Row { what: what.into(), unit, ours, peers: Vec::new(), goal: goal.map(Goal::AtMost) });
    };
    let mebibyte = f64::from(1 << 20);
    push("1 M digests: first byte to all receipts, blocks of 1 s", Unit::Seconds, |run| run.seconds, Some(20.0));
    push("1 M digests: then all receipts in one stream", Unit::Seconds, |run| run.stream_seconds, None);
    push("1 M digests: the node's memory at most", Unit::Bytes, |run| run.memory, Some(400.0 * mebibyte));
    push("1 M digests: disk, a credential", Unit::Bytes, |run| run.disk / DIGESTS as f64, Some(150.0));
    Ok(())
}

fn run() -> Result<Run> {
    let setup = Setup::start()?;
    let started = Instant::now();
    setup.submit(0, DIGESTS)?;
    setup.seal()?;
    let batch = setup.anchored()?;
    setup.receipts(&mut Load::connect(setup.address, 8)?, SAMPLE, DIGESTS)?;
    let seconds = started.elapsed().as_secs_f64();
    let (stream_seconds, lines) = machine::wall_seconds(|| stream(&setup, batch))?;
    ensure!(lines == DIGESTS, "{lines} receipts of {DIGESTS}");
    let process = machine::process_with_argument(&setup.folder.path().join("node.toml"))?;
    let memory = machine::memory(&process, "VmHWM")?;
    Ok(Run { seconds, stream_seconds, memory, disk: machine::disk(&setup.folder.path().join("data"))? })
}

/// Reads all receipts of a batch; how many lines there are.
fn stream(setup: &Setup, batch: u64) -> Result<u64> {
    let path = format!("/v1/issuers/{}/batches/{batch}/receipts", setup.issuer);
    let mut body = BufReader::new(setup.node.get(&path)?.error_for_status()?);
    let (mut lines, mut piece) = (0, vec![0; 1 << 16]);
    loop {
        let length = body.read(&mut piece)?;
        if length == 0 {
            return Ok(lines);
        }
        lines += piece[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
}
