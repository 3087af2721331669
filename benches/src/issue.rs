//! A university's whole year issued by the command: a roster in, signed, anchored and written credentials out.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::fs::syncfs;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use testamur_tests::harness::{Chain, Node, World, run};

use crate::{
    badge::Issuer,
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const CREDENTIALS: usize = 100_000;
/// Of the credentials that were written, every so-many-th is verified.
const VERIFIED: usize = 9_973;
const CONTENDERS: [&str; 2] = ["ours", "two SHA-256, one Ed25519 and one file for each, all cores"];
const TEMPLATE: &str = r#"
name = "Field Botany"
description = "Identifies vascular plants of temperate Europe in the field and keeps a herbarium to museum standard."
criteria = "Forty species identified in the field without keys, and sixty sheets mounted and labelled."
tags = ["botany", "taxonomy", "fieldwork"]
validity = "5 years"
"#;

/// The command's time, from its start to its end, with a node and a chain of blocks of one second beside it.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit,revoke");
    let scratch = machine::scratch()?;
    let roster = scratch.path().join("people.csv");
    fs::write(&roster, people())?;
    let (sample, signer) = (sample(&world, &node, &token)?, Issuer::new());
    let seconds = Rounds::run(rounds, &CONTENDERS, |contender| {
        let office = Office::open(scratch.path(), &node, &token)?;
        if contender == 1 {
            return Ok(machine::wall_seconds(|| limit(&sample, &signer, &office.out()))?.0);
        }
        let (seconds, summary) = machine::wall_seconds(|| office.issue(&roster))?;
        office.check(&summary, &world)?;
        Ok(seconds)
    })?;
    table.push(Row {
        what: "100,000 Open Badges signed (JCS), anchored until final, and written".to_owned(),
        unit: Unit::Seconds,
        ours: seconds.ours(),
        peers: seconds.peers(),
        goal: Some(Goal::AtMost(45.0)),
    });
    Ok(())
}

fn people() -> String {
    let row = |n| format!("s-{n},Learner Number {n},learner{n}@university.example,2026-06-30\n");
    "id,name,email,awarded\n".to_owned() + &(0..CREDENTIALS).map(row).collect::<String>()
}

/// A new institution: nobody has anything from it.
struct Office {
    folder: TempDir,
    id: String,
}

impl Office {
    fn open(within: &Path, node: &Node, token: &Path) -> Result<Self> {
        let mut office = Self { folder: tempfile::tempdir_in(within)?, id: String::new() };
        let made = office.command(["init", "--node", &node.url].map(Path::new))?;
        office.id = made["issuer"].as_str().context("an issuer")?.to_owned();
        fs::copy(token, office.folder.path().join("node.token"))?;
        fs::write(office.folder.path().join("templates/botany.toml"), TEMPLATE)?;
        Ok(office)
    }

    /// What the command prints last.
    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a Path>) -> Result<Value> {
        let config = self.folder.path().join("issuer.toml");
        let fixed = [Path::new("--json"), Path::new("--config"), &config];
        let ran = run("testamur-issuer", fixed.into_iter().chain(arguments.into_iter().collect::<Vec<_>>()));
        ensure!(ran.code == 0, "{}", ran.stderr);
        Ok(serde_json::from_str(ran.stdout.lines().last().context("it prints nothing")?)?)
    }

    fn issue(&self, roster: &Path) -> Result<Value> {
        let words = ["issue", "--template", "botany", "--roster"].map(Path::new);
        self.command(words.into_iter().chain([roster, Path::new("--out"), &self.out()]))
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Everybody has a file, and some of them are verified.
    fn check(&self, summary: &Value, world: &World) -> Result<()> {
        ensure!(summary["issued"] == CREDENTIALS && summary["written"] == CREDENTIALS, "{summary}");
        let entries = fs::read_dir(self.out())?;
        let files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        ensure!(files.len() == CREDENTIALS, "{} files", files.len());
        let some: Vec<&Path> = files.iter().step_by(VERIFIED).map(PathBuf::as_path).collect();
        let verified = world.verify(&some, &["--trust", &format!("{}={}", self.id, world.issuer.address)]);
        ensure!(verified.code == 0, "{}{}", verified.stdout, verified.stderr);
        Ok(())
    }
}

/// A credential as it is written.
fn sample(world: &World, node: &Node, token: &Path) -> Result<Vec<u8>> {
    let office = Office::open(world.folder(), node, token)?;
    let roster = world.folder().join("one.csv");
    fs::write(&roster, "id,name,email,awarded\ns-0,Learner Number 0,learner0@university.example,2026-06-30\n")?;
    office.issue(&roster)?;
    let mut files = fs::read_dir(office.out())?;
    Ok(fs::read(files.next().context("one was issued")??.path())?)
}

/// What nobody who issues can leave out.
fn limit(sample: &[u8], signer: &Issuer, out: &Path) -> Result<()> {
    fs::create_dir(out)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let one = |number: usize| -> Result<()> {
        let signature = signer.sign(&[Sha256::digest(sample), Sha256::digest(&sample[1..])].concat());
        let mut file = File::create(out.join(format!("{number:06}.json")))?;
        file.write_all(&signature.to_bytes())?;
        Ok(file.write_all(&sample[signature.to_bytes().len()..])?)
    };
    thread::scope(|scope| {
        let part = |first| (first..CREDENTIALS).step_by(cores);
        let threads: Vec<_> = (0..cores).map(|first| scope.spawn(move || part(first).try_for_each(one))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })?;
    Ok(syncfs(File::open(out)?)?)
}
