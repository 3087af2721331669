//! The core against the protocol's vectors and against cases that nobody here wrote.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use testamur_core::{Hash, batch::root_from_path, json};
use testamur_tests::{
    corpora,
    vectors::{check, parse},
};

#[test]
fn the_protocols_vectors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/protocol.json");
    let tally = check(&parse(&fs::read_to_string(path).expect("committed")).expect("of the known shape"));
    assert_eq!(tally.failures, Vec::<String>::new());
    assert!(tally.passed > 700, "only {} cases", tally.passed);
}

#[test]
fn a_spoilt_vector_is_noticed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/protocol.json");
    let text = fs::read_to_string(path).expect("committed");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for pointer in ["/batch/3/root", "/batch/5/proofs/1/path/0", "/status/3/root", "/delta/2/bytes", "/digest/0/digest"]
    {
        let text = value.pointer(pointer).and_then(|v| v.as_str()).expect("a text").to_owned();
        let last = if text.ends_with('0') { '1' } else { '0' };
        *value.pointer_mut(pointer).expect("exists") = format!("{}{last}", &text[..text.len() - 1]).into();
    }
    value["batch"][0]["rejected"][0] = serde_json::json!({
        "why": "is in truth a good one", "entry": 0, "leafIndex": 0, "treeSize": 1, "path": []});
    value["status"][1]["rejected"][0] = value["status"][1]["proofs"][0].clone();
    let failures = check(&parse(&value.to_string()).expect("of the known shape")).failures;
    for name in [
        "batch of 4",
        "batch of 6, leaf",
        "status of 5",
        "delta 2",
        "digest 0",
        "batch of 1, leaf 0, is",
        "status of 1",
    ] {
        assert!(failures.iter().any(|failure| failure.starts_with(name)), "{name} not in {failures:#?}");
    }
}

#[test]
fn rfc_8785_inputs_have_their_canonical_outputs() {
    let Some(folder) = corpora::folder("jcs", "rfc_8785_inputs_have_their_canonical_outputs") else { return };
    let mut count = 0;
    for entry in fs::read_dir(folder.join("input")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let output = folder.join("output").join(path.file_name().expect("a file"));
        let value = json::parse(&fs::read(&path).expect("readable"));
        let value = value.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(json::canonical(&value), fs::read(&output).expect("readable"), "{}", path.display());
        count += 1;
    }
    assert!(count >= 3, "only {count} files");
}

/// transparency-dev's cases; absent members are null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionCase {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

impl InclusionCase {
    /// `None` where a value has not 32 bytes: refused before any hashing.
    fn verifies(&self) -> Option<bool> {
        let hash = |text: &Option<String>| {
            let bytes = STANDARD.decode(text.as_deref().unwrap_or_default()).expect("base64");
            Hash::try_from(bytes.as_slice()).ok()
        };
        let path = self.proof.iter().flatten().map(|text| hash(&Some(text.clone())));
        let path = path.collect::<Option<Vec<_>>>()?;
        let root = hash(&self.root)?;
        Some(root_from_path(hash(&self.leaf_hash)?, self.leaf_idx, self.tree_size, &path) == Ok(root))
    }
}

#[test]
fn attacks_on_inclusion_proofs_are_refused() {
    let Some(folder) = corpora::folder("merkle-inclusion", "attacks_on_inclusion_proofs_are_refused") else { return };
    let (mut folders, mut accepted, mut refused) = (vec![folder], 0, 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let case: InclusionCase = serde_json::from_slice(&fs::read(&path).expect("readable"))
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let verifies = case.verifies().unwrap_or(false);
                assert_eq!(verifies, !case.want_err, "{}: {}", path.display(), case.desc);
                *(if verifies { &mut accepted } else { &mut refused }) += 1;
            }
        }
    }
    assert!(accepted >= 5 && refused >= 80, "{accepted} accepted, {refused} refused");
}
