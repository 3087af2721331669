//! What each engine is asked to do, in a child process.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::engines::{self, Engine, Pair};
use crate::{child, machine, table::Unit};

/// A kind of work, and what it tells.
pub struct Work {
    /// How the child calls it.
    pub name: &'static str,
    /// What is printed of it.
    pub figures: &'static [Figure],
}

/// One thing that a child tells.
pub struct Figure {
    /// In its answer.
    pub name: &'static str,
    /// In words.
    pub what: &'static str,
    /// What it counts.
    pub unit: Unit,
}

/// Opens what a killed child has left.
pub const OPEN: &str = "open";
/// A hundred commits, one by one, for counting what they ask of the kernel.
pub const HUNDRED: &str = "hundred";

const fn figure(name: &'static str, what: &'static str, unit: Unit) -> Figure {
    Figure { name, what, unit }
}

/// Everything is durable: a commit returns when the disk has it.
pub const WORKS: [Work; 3] = [
    Work {
        name: "sequential",
        figures: &[
            figure("rate", "store: 1 M entries in sequence, groups of 1,000", Unit::PerSecond),
            figure("disk", "store: its disk, an entry of 8 + 40 bytes", Unit::Bytes),
        ],
    },
    Work { name: "single", figures: &[figure("rate", "store: commits one by one", Unit::PerSecond)] },
    Work {
        name: "random",
        figures: &[
            figure("rate", "store: 1 M random keys, groups of 1,000", Unit::PerSecond),
            figure("reads", "store: point reads of those", Unit::PerSecond),
            figure("memory", "store: memory at most", Unit::Bytes),
            figure("disk", "store: its disk, an entry of 32 + 12 bytes", Unit::Bytes),
            figure("open", "store: open after kill -9, and one read", Unit::Seconds),
        ],
    },
];

const MANY: u64 = 1_000_000;
const GROUP: u64 = 1_000;
const SINGLE: u64 = 500;
const READS: u64 = 200_000;
/// Odd, so that its multiples are spread over everything that was written.
const STRIDE: u64 = 0x9E37_79B1;

/// The child's side.
pub fn work(work: &str, engine: &str, folder: &Path) -> Result<()> {
    let open = || engines::open(engine, folder);
    match work {
        "sequential" => child::answer(&write(&mut *open()?, MANY, GROUP, sequential, folder)?),
        "single" => child::answer(&write(&mut *open()?, SINGLE, 1, sequential, folder)?),
        "random" => {
            let mut engine = open()?;
            let mut answer = write(&mut *engine, MANY, GROUP, random, folder)?;
            if engine.has_index() {
                answer["reads"] = json!(read(&*engine)?);
            }
            answer["memory"] = json!(machine::memory("self", "VmHWM")?);
            child::answer(&answer)
        }
        OPEN => {
            let (seconds, engine) = machine::wall_seconds(|| {
                let engine = open()?;
                engine.get(&sequential(0).key)?;
                Ok(engine)
            })?;
            let answer = child::answer(&json!({"open": seconds}));
            drop(engine);
            answer
        }
        HUNDRED => child::answer(&write(&mut *open()?, 100, 1, sequential, folder)?),
        _ => bail!("no such work: {work}"),
    }
}

/// Commits `count` pairs in groups. Only the commits are timed, not the making of the pairs.
fn write(engine: &mut dyn Engine, count: u64, group: u64, pair: fn(u64) -> Pair, folder: &Path) -> Result<Value> {
    let mut total = 0.0;
    for first in (0..count).step_by(group as usize) {
        let pairs: Vec<Pair> = (first..first + group).map(pair).collect();
        let (seconds, ()) = machine::wall_seconds(|| engine.commit(&pairs))?;
        total += seconds;
    }
    Ok(json!({"rate": count as f64 / total, "disk": machine::disk(folder)? / count as f64}))
}

/// Entries a second that a plain file takes in groups: the limit of whatever is durable.
pub fn plain_file_rate(count: u64, group: u64) -> Result<f64> {
    let folder = machine::scratch()?;
    let mut file = engines::open("plain file", folder.path())?;
    let answer = write(&mut *file, count, group, sequential, folder.path())?;
    answer["rate"].as_f64().context("a rate is a number")
}

/// Reads a second, of random keys that are there.
fn read(engine: &dyn Engine) -> Result<f64> {
    let keys: Vec<_> = (0..READS).map(|i| random(i * STRIDE % MANY).key).collect();
    let (seconds, found) = machine::wall_seconds(|| {
        keys.iter().try_fold(0, |found, key| Ok(found + u64::from(engine.get(key)?.is_some())))
    })?;
    if found != READS {
        bail!("{} keys are lost", READS - found);
    }
    Ok(READS as f64 / seconds)
}

/// As entries of a batch: a counter, 40 bytes.
fn sequential(number: u64) -> Pair {
    let digest = Sha256::digest(number.to_be_bytes());
    Pair { key: number.to_be_bytes().into(), value: [&digest[..], &number.to_be_bytes()].concat() }
}

/// As the index of digests: 32 bytes, batch and leaf.
fn random(number: u64) -> Pair {
    let key = Sha256::digest(number.to_be_bytes()).to_vec();
    Pair { key, value: [&number.to_be_bytes()[..], &[0; 4]].concat() }
}
