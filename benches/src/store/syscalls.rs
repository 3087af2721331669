//! What a commit asks of the kernel, counted by strace: only fsync and fdatasync outlive a power failure.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use super::{engines::ENGINES, work::HUNDRED};
use crate::{
    child::Child,
    machine,
    rounds::Rounds,
    table::{Row, Table, Unit},
};

const DURABLE: [&str; 2] = ["fsync", "fdatasync"];
const WEAK: [&str; 2] = ["sync_file_range", "msync"];

/// Counts, where strace is installed.
pub fn measure(table: &mut Table) -> Result<()> {
    if Command::new("strace").arg("-V").output().is_err() {
        table.note("store: strace is not installed, so what 100 commits ask of the kernel was not counted".into());
        return Ok(());
    }
    let mut durable = Vec::new();
    let mut weak = Vec::new();
    for engine in ENGINES {
        let folder = machine::scratch()?;
        let report = folder.path().join("strace.txt");
        trace(engine, &folder.path().join("store"), &report)?;
        let report = fs::read_to_string(report)?;
        durable.push(vec![calls(&report, &DURABLE)]);
        weak.push(vec![calls(&report, &WEAK)]);
    }
    let what = [("fsync and fdatasync", durable), ("sync_file_range and msync", weak)];
    for (names, figures) in what {
        let counts = Rounds::of(&ENGINES, figures);
        let what = format!("store: {names} calls of 100 commits");
        table.push(Row { what, unit: Unit::Count, ours: counts.ours(), peers: counts.peers(), goal: None });
    }
    Ok(())
}

fn trace(engine: &str, folder: &Path, report: &Path) -> Result<()> {
    fs::create_dir(folder)?;
    let trace = format!("trace={}", [DURABLE, WEAK].concat().join(","));
    let strace = ["strace".as_ref(), "-f".as_ref(), "-c".as_ref(), "-e".as_ref(), trace.as_ref(), "-o".as_ref()];
    let wrapper = [&strace[..], &[report.as_os_str()]].concat();
    let words = ["store".as_ref(), HUNDRED.as_ref(), engine.as_ref(), folder.as_os_str()];
    Child::start_under(&wrapper, &words)?.finish()
}

/// Sums the column "calls" (the fourth) over the lines of these system calls.
fn calls(report: &str, names: &[&str]) -> f64 {
    let lines = report.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lines = lines.filter(|words| words.last().is_some_and(|name| names.contains(name)));
    lines.filter_map(|words| words.get(3)?.parse::<u32>().ok()).sum::<u32>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_the_fourth_column_whether_or_not_there_are_errors() {
        let report = "% time     seconds  usecs/call     calls    errors syscall\n\
                      ------ ----------- ----------- --------- --------- ----------------\n \
                      90.00    0.009000          90       100           fdatasync\n \
                      10.00    0.001000         333         3         1 fsync\n\
                      100.00    0.010000                   103         1 total\n";
        assert_eq!(calls(report, &DURABLE), 103.0);
        assert_eq!(calls(report, &WEAK), 0.0);
    }
}
