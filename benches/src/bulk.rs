//! A whole class verified at once, as an employer would: signed, anchored, and some of them revoked.

mod class;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result, anyhow, ensure};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use testamur_tests::harness::{Chain, World, run};
use zip::{ZipWriter, write::SimpleFileOptions};

use self::class::{CREDENTIALS, is_revoked};
use crate::{
    badge::Issuer,
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const CONTENDERS: [&str; 2] = ["ours", "reading, SHA-256 and one Ed25519 for each, all cores"];
/// `testamur verify` ends so where something is invalid.
const INVALID: i32 = 1;

/// The command's time, from its start to its end, for a folder and for a zip archive.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    // Blocks as transactions come, final two blocks later.
    let world = World::on(Chain::anvil_with(&["--slots-in-an-epoch", "1"]));
    let scratch = machine::scratch()?;
    let issuer = Issuer::new();
    let files = write(&class::issue(&world, &issuer)?, &issuer, scratch.path())?;
    let policy = scratch.path().join("policy.toml");
    let (chain, did, account) = (world.chain_id, &issuer.did, &world.issuer.address);
    fs::write(&policy, format!("chains = ['eip155:{chain}']\n[[issuers]]\nid = '{did}'\naccounts = ['{account}']\n"))?;
    for (name, what) in [("class", "a folder"), ("class.zip", "a zip archive")] {
        let (input, verdicts) = (scratch.path().join(name), scratch.path().join("verdicts.csv"));
        let seconds = Rounds::run(rounds, &CONTENDERS, |contender| {
            if contender == 1 {
                return Ok(machine::wall_seconds(|| limit(&files, issuer.key()))?.0);
            }
            let (seconds, ()) = machine::wall_seconds(|| verify(&input, &verdicts, &policy, &world))?;
            check(&verdicts)?;
            Ok(seconds)
        })?;
        table.push(Row {
            what: format!("10,000 signed and anchored Open Badges in {what} verified"),
            unit: Unit::Seconds,
            ours: seconds.ours(),
            peers: seconds.peers(),
            goal: Some(Goal::AtMost(1.0)),
        });
    }
    Ok(())
}

/// A badge on disk, and a signature of its SHA-256.
struct File {
    path: PathBuf,
    signature: Signature,
}

/// Writes `class/00000.json` and so on, and `class.zip` with the same.
fn write(class: &[Vec<u8>], issuer: &Issuer, to: &Path) -> Result<Vec<File>> {
    let folder = to.join("class");
    fs::create_dir(&folder)?;
    let mut zip = ZipWriter::new(fs::File::create(to.join("class.zip"))?);
    let mut files = Vec::new();
    for (number, bytes) in class.iter().enumerate() {
        let name = format!("{number:05}.json");
        zip.start_file(&name, SimpleFileOptions::default())?;
        std::io::Write::write_all(&mut zip, bytes)?;
        let path = folder.join(name);
        fs::write(&path, bytes)?;
        files.push(File { path, signature: issuer.sign(&Sha256::digest(bytes)) });
    }
    zip.finish()?;
    Ok(files)
}

fn verify(input: &Path, verdicts: &Path, policy: &Path, world: &World) -> Result<()> {
    let arguments: [&OsStr; 9] = [
        "verify".as_ref(),
        "--bulk".as_ref(),
        input.as_ref(),
        "--out".as_ref(),
        verdicts.as_ref(),
        "--policy".as_ref(),
        policy.as_ref(),
        "--rpc".as_ref(),
        world.chain.url.as_ref(),
    ];
    let ran = run("testamur", arguments);
    ensure!(ran.code == INVALID, "{}", ran.stderr);
    Ok(())
}

/// Every badge has its row, in their order, with the right verdict.
fn check(verdicts: &Path) -> Result<()> {
    let table = fs::read_to_string(verdicts)?;
    let mut rows = 0;
    for (number, row) in table.lines().skip(1).enumerate() {
        let (document, rest) = row.split_once(',').context("a row has cells")?;
        let verdict = if is_revoked(number) { "invalid,\"status: revocation" } else { "valid," };
        ensure!(document.ends_with(&format!("{number:05}.json")) && rest.starts_with(verdict), "{row}");
        rows += 1;
    }
    ensure!(rows == CREDENTIALS, "{rows} verdicts");
    Ok(())
}

/// What no verifier can leave out.
fn limit(files: &[File], key: VerifyingKey) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let check = |part: &[File]| part.iter().try_for_each(|file| file.check(&key));
    thread::scope(|scope| {
        let parts = files.chunks(files.len().div_ceil(cores));
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || check(part))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}

impl File {
    fn check(&self, key: &VerifyingKey) -> Result<()> {
        Ok(key.verify_strict(&Sha256::digest(fs::read(&self.path)?), &self.signature)?)
    }
}
