//! Credentials of the Digital Credentials Consortium: each gets the verdict that its name says, for the right reason.

mod formats;

use std::{
    fs,
    path::{Path, PathBuf},
};

use formats::{Desk, Told, corpus};
use serde_json::Value;
use testamur_core::{
    checked::{KeyOwner, ListGap, ListOutcome, SignatureFault, SignatureOutcome},
    verify::{CheckKind, Outcome, Verdict},
};

const HOST: &str = "https://digitalcredentials.github.io/vc-test-fixtures";

/// A verifier to whom the hosts answer as they did.
fn desk(root: &Path) -> Desk {
    let mut desk = Desk::default();
    for did in ["oidf", "legacy"] {
        let document = fs::read(root.join("dids").join(did).join("did.json")).expect("a DID document");
        desk.serve(&format!("{HOST}/dids/{did}/did.json"), &document);
    }
    let list = fs::read(root.join("statusLists/e5WK8CbZ1GjycuPombrj")).expect("a list");
    desk.serve(&format!("{HOST}/statusLists/didkey-ed25519Signature2020/e5WK8CbZ1GjycuPombrj"), &list);
    desk
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

fn fails(told: &Told, kind: CheckKind) -> bool {
    matches!(told.report.outcome(kind), Some(Outcome::Fail(_)))
}

#[test]
fn each_file_gets_the_verdict_of_its_name() {
    let Some(root) = corpus("dcc") else { return };
    let files = files(&root.join("credentials"));
    assert_eq!(files.len(), 44);
    for file in files {
        let name = file.display().to_string();
        let mut desk = desk(&root);
        let told = desk.verify(&fs::read(&file).expect("a file"));
        let proofs = if name.contains("bothSignatureTypes") { 2 } else { 1 };
        assert_eq!(told.checked.signatures.len(), proofs, "{name}");
        for signature in &told.checked.signatures {
            let holds = matches!(signature.outcome, SignatureOutcome::Holds(KeyOwner::Issuer { until: None, .. }));
            assert!(holds, "{name}: {:?}", signature.outcome);
        }
        // One of the names says "Staus".
        let is_revoked = name.contains("revokedSta");
        let is_expired = name.contains("-expired");
        assert_eq!(fails(&told, CheckKind::Status), is_revoked, "{name}");
        assert_eq!(fails(&told, CheckKind::Validity), is_expired, "{name}");
        let is_too_short = name.contains("validStatus");
        let verdict = match (is_revoked || is_expired, is_too_short) {
            (true, _) => Verdict::Invalid,
            (false, true) => Verdict::Unverifiable,
            (false, false) => Verdict::Valid,
        };
        assert_eq!(told.report.verdict(), verdict, "{name}: {:#?}", told.report);
        if is_too_short {
            let short = ListOutcome::Unknown(ListGap::TooShort { found: 100_000, needed: 131_072 });
            assert_eq!(told.checked.lists[0].outcome, short, "{name}");
            desk.policy.min_list_length = 100_000;
            assert_eq!(desk.verify(&fs::read(&file).expect("a file")).report.verdict(), Verdict::Valid, "{name}");
        }
    }
}

#[test]
fn each_file_that_was_changed_is_invalid_whoever_is_down() {
    let Some(root) = corpus("dcc") else { return };
    for file in files(&root.join("credentials")) {
        let mut credential: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
        let member = if credential.get("validFrom").is_some() { "validFrom" } else { "issuanceDate" };
        assert!(credential.get(member).is_some(), "{}", file.display());
        credential[member] = "2001-01-01T00:00:00Z".into();
        let told = Desk::default().verify(credential.to_string().as_bytes());
        assert_eq!(told.report.verdict(), Verdict::Invalid, "{}", file.display());
        for signature in &told.checked.signatures {
            let altered = SignatureOutcome::Fails(SignatureFault::Altered);
            assert_eq!(signature.outcome, altered, "{}", file.display());
        }
    }
}

#[test]
fn a_member_that_no_signature_covers_leaves_nothing_valid() {
    let Some(root) = corpus("dcc") else { return };
    for file in files(&root.join("credentials")) {
        let mut credential: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
        credential["honours"] = "summa cum laude".into();
        let told = desk(&root).verify(credential.to_string().as_bytes());
        assert_ne!(told.report.verdict(), Verdict::Valid, "{}", file.display());
        for signature in &told.checked.signatures {
            let holds = matches!(signature.outcome, SignatureOutcome::Holds(_));
            assert!(!holds, "{}", file.display());
        }
    }
}

#[test]
fn each_honest_file_is_unverifiable_while_its_issuers_host_is_down() {
    let Some(root) = corpus("dcc") else { return };
    for file in files(&root.join("credentials")).iter().filter(|file| file.display().to_string().contains("didWeb")) {
        let told = Desk::default().verify(&fs::read(file).expect("a file"));
        assert_eq!(told.report.verdict(), Verdict::Unverifiable, "{}", file.display());
        for signature in &told.checked.signatures {
            assert!(matches!(signature.outcome, SignatureOutcome::Holds(KeyOwner::Unproven(_))), "{}", file.display());
        }
    }
}
