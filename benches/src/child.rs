//! Measuring in a process of its own: its memory is its own, and it can be killed like one that crashed.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{http, status, store, tree};

/// The first argument of a child.
pub const WORD: &str = "child";

/// A running child of this program. It is killed when dropped.
pub struct Child {
    process: std::process::Child,
    /// What it found out.
    pub answer: Value,
}

impl Child {
    /// Starts one and waits for its answer.
    pub fn start(words: &[&OsStr]) -> Result<Self> {
        Self::start_under(&[], words)
    }

    /// The same, with another program around it.
    pub fn start_under(wrapper: &[&OsStr], words: &[&OsStr]) -> Result<Self> {
        let this = env::current_exe()?;
        let line: Vec<&OsStr> = wrapper.iter().copied().chain([this.as_os_str(), WORD.as_ref()]).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("{:?} does not start", line[0]))?;
        let mut answer = String::new();
        BufReader::new(process.stdout.take().context("piped")?).read_line(&mut answer)?;
        let mut child = Self { process, answer: Value::Null };
        child.answer = serde_json::from_str(&answer).with_context(|| format!("{words:?} answers {answer:?}"))?;
        Ok(child)
    }

    /// A number in its answer.
    pub fn figure(&self, name: &str) -> Result<f64> {
        self.answer[name].as_f64().with_context(|| format!("no {name} in {}", self.answer))
    }

    /// Kills it, as `kill -9` would, and keeps its answer.
    pub fn kill(mut self) -> Value {
        self.answer.take()
    }

    /// Lets it end by itself.
    pub fn finish(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if !status.success() {
            bail!("a child ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The child's side.
pub fn run(words: &[OsString]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(|word| word.to_str().context("not UTF-8")).collect::<Result<_>>()?;
    match words[..] {
        ["tree", builder] => answer(&tree::memory(builder)?),
        ["status"] => answer(&status::memory()?),
        ["store", work, engine, folder] => store::work(work, engine, Path::new(folder)),
        ["hello"] => http::hello::serve(),
        _ => bail!("no such child: {words:?}"),
    }
}

/// Tells the parent, then waits until it says that it has seen enough, or kills.
pub fn answer(answer: &Value) -> Result<()> {
    println!("{answer}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
