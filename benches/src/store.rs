//! The embedded engine: what a durable commit costs, what reading costs, what a crash costs.

mod engines;
mod syscalls;
mod work;

use std::ffi::OsStr;

use anyhow::Result;

pub use self::work::{plain_file_rate, work};
use self::{
    engines::ENGINES,
    work::{WORKS, Work},
};
use crate::{
    child::Child,
    machine,
    rounds::Rounds,
    table::{Row, Table},
};

/// All engines take turns at each kind of work, each turn in a process and a folder of its own.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    for work in &WORKS {
        let mut found = vec![Vec::new(); ENGINES.len()];
        for _ in 0..rounds {
            for (engine, found) in ENGINES.iter().zip(&mut found) {
                found.push(turn(work, engine)?);
            }
        }
        for (place, figure) in work.figures.iter().enumerate() {
            let column = |turns: &Vec<Vec<f64>>| turns.iter().map(|turn| turn[place]).collect();
            let all = Rounds::of(&ENGINES, found.iter().map(column).collect());
            // NaN: an engine cannot do this.
            let peers = all.peers().into_iter().filter(|peer| !peer.figure.is_nan()).collect();
            table.push(Row { what: figure.what.into(), unit: figure.unit, ours: all.ours(), peers, goal: None });
        }
    }
    syscalls::measure(table)
}

/// Figures in the order of `work.figures`. The engine is killed when it is done, and opened again.
fn turn(work: &Work, engine: &str) -> Result<Vec<f64>> {
    let folder = machine::scratch()?;
    let child = |name: &str| {
        let words: [&OsStr; 4] = ["store".as_ref(), name.as_ref(), engine.as_ref(), folder.path().as_os_str()];
        Child::start(&words)
    };
    let worked = child(work.name)?.kill();
    let opened = child(work::OPEN)?.kill();
    let find = |name: &str| worked[name].as_f64().or(opened[name].as_f64());
    Ok(work.figures.iter().map(|figure| find(figure.name).unwrap_or(f64::NAN)).collect())
}
