//! Other people's test data through the command. Their hosts answer as this machine reaches them, or not at all: what
//! rests on them may then be open, and never false.

use std::{
    fs,
    path::{Path, PathBuf},
};

use testamur_tests::corpora;

use crate::employer::{Employer, Told};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// `testamur --json verify` of all files at once, each with its name.
fn told(folder: &Path) -> Vec<(String, Told)> {
    let files = files(folder);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let ran = Employer::new().run(&["--json"], &paths);
    let told: Vec<Told> =
        ran.stdout.lines().map(|line| Told(serde_json::from_str(line).expect("one object a line"))).collect();
    assert_eq!(told.len(), files.len(), "{}", ran.stderr);
    let exit = if told.iter().any(|told| told.verdict() == "invalid") { 1 } else { 2 };
    ran.expect(exit);
    let name = |path: &PathBuf| path.strip_prefix(folder).expect("inside").display().to_string();
    files.iter().map(name).zip(told).collect()
}

#[test]
fn credentials_of_the_digital_credentials_consortium() {
    let Some(folder) = corpora::folder("dcc/credentials", "dcc through the command") else { return };
    let all = told(&folder);
    assert_eq!(all.len(), 44);
    for (name, told) in all {
        let rests_on_a_host = name.contains("didWeb") || name.contains("validStatus");
        match told.verdict() {
            "valid" => assert!(name.contains("noStatus-noExpiry"), "{name}: {:#}", told.0),
            "invalid" if name.contains("-expired") => assert_eq!(told.outcome("validity"), "fail", "{name}"),
            "invalid" => assert!(name.contains("revokedSta") && told.outcome("status") == "fail", "{name}"),
            _ => {
                let is_open = rests_on_a_host || name.contains("revokedSta");
                assert!(is_open && !name.contains("-expired"), "{name}: {:#}", told.0);
                let reasons = [told.message("issuer"), told.message("status")].concat();
                let is_told = reasons.contains("could not be reached") || reasons.contains("the list holds 100000");
                assert!(is_told, "{name}: {:#}", told.0);
            }
        }
        assert_eq!(told.outcome("signature"), "pass", "{name}: {:#}", told.0);
    }
}

#[test]
fn badges_of_1edtech() {
    let Some(folder) = corpora::folder("open-badges-3", "Open Badges 3.0 through the command") else { return };
    for (name, told) in told(&folder) {
        match name.as_str() {
            "simple-err-expired.json" => _ = told.invalid("validity", "expired 2010-01-01"),
            "simple-err-proof-value.json" => _ = told.invalid("signature", "changed after it was signed"),
            "complete_v1.json" => _ = told.invalid("validity", "expired 2020-01-01"),
            "simple-noproof.json" | "SOURCE" => _ = told.unverifiable("anchor", "neither an anchor nor a signature"),
            "simple-did-key-method.json" => _ = told.unverifiable("issuer", "nothing ties that to urn:uuid:"),
            _ => assert_ne!(told.verdict(), "invalid", "{name}: {:#}", told.0),
        }
    }
    let Some(folder) = corpora::folder("open-badges-2", "Open Badges 2.0 through the command") else { return };
    for (name, told) in told(&folder).into_iter().filter(|(name, _)| !name.starts_with("assets/")) {
        match name.as_str() {
            "basic-assertion-expired.json" => _ = told.invalid("validity", "expired 2022-11-15"),
            "basic-assertion-invalid-type.json" => _ = told.invalid("integrity", "type"),
            "baked_example.svg" => _ = told.invalid("integrity", "recipient.identity"),
            _ => assert_eq!(told.verdict(), "unverifiable", "{name}: {:#}", told.0),
        }
    }
}

#[test]
fn signing_chains_of_the_w3c() {
    let Some(folder) = corpora::folder("data-integrity", "Data Integrity through the command") else { return };
    let signed: Vec<_> = told(&folder).into_iter().filter(|(name, _)| name.contains("/signed")).collect();
    assert_eq!(signed.len(), 4);
    for (name, told) in signed {
        let told = told.unverifiable("issuer", "https://vc.example/issuers/5678");
        assert_eq!(told.outcome("signature"), "pass", "{name}: {:#}", told.0);
    }
}
