//! `vectors FILE`: checks a file of the shape of `vectors.json` and prints `N passed, N failed`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use testamur_tests::vectors::{check, parse};

fn main() -> Result<ExitCode> {
    let path = std::env::args_os().nth(1).context("usage: vectors FILE")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let tally = check(&parse(&text)?);
    for failure in &tally.failures {
        println!("{failure}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failures.len());
    Ok(if tally.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
