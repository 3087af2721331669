//! Other people's documents: canonical forms as W3C publishes them, and as npm's jsonld gives them.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Map, Value, json};
use testamur_linked_data::{Canonicalizer, Contexts};

/// The folder of other projects' test data, beside the project; skipped loudly where it is missing.
fn corpora(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(folder);
    if !path.is_dir() {
        eprintln!("SKIPPED: {} is missing", path.display());
        return None;
    }
    Some(path)
}

fn carries_open_badges(contexts: &Contexts) -> bool {
    let carried = contexts.urls().any(|url| url.contains("/ob/v3p0/"));
    if !carried {
        eprintln!("SKIPPED: this build carries no Open Badges contexts (scripts/setup-contexts, then build again)");
    }
    carried
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn without(mut document: Value, member: &str) -> Value {
    document.as_object_mut().unwrap().shift_remove(member);
    document
}

#[test]
fn w3c_test_vectors_byte_for_byte() {
    let Some(folder) = corpora("data-integrity") else { return };
    let canonicalizer = Canonicalizer::new(Contexts::carried());
    for (folder, suffix) in
        [(folder.join("eddsa-rdfc-2022"), "DataInt"), (folder.join("ecdsa-p256/ecdsa-rdfc-2019-p256"), "ECDSAP256")]
    {
        let text = |name: &str| fs::read_to_string(folder.join(format!("{name}{suffix}.txt"))).unwrap();
        let document = without(read(&folder.join(format!("signed{suffix}.json"))), "proof");
        let proof = read(&folder.join(format!("proofConfig{suffix}.json")));
        assert_eq!(canonicalizer.n_quads(&document).unwrap().trim_end(), text("canonDoc").trim_end());
        assert_eq!(canonicalizer.n_quads(&proof).unwrap().trim_end(), text("proofCanon").trim_end());
        assert_eq!(canonicalizer.hash(&document).unwrap().to_string(), format!("0x{}", text("docHash").trim()));
        assert_eq!(canonicalizer.hash(&proof).unwrap().to_string(), format!("0x{}", text("proofHash").trim()));
    }
}

#[test]
fn contexts_are_those_of_other_projects() {
    let Some(folder) = corpora("contexts") else { return };
    let contexts = Contexts::carried();
    let mut compared = 0;
    for (url, file) in [
        ("https://www.w3.org/2018/credentials/v1", "2018-credentials-v1.jsonld"),
        ("https://www.w3.org/ns/credentials/v2", "credentials-v2.jsonld"),
        ("https://www.w3.org/ns/credentials/status/v1", "contexts_v1.jsonld"),
        ("https://w3id.org/vc/status-list/2021/v1", "contexts_2021_v1.jsonld"),
        ("https://w3id.org/security/data-integrity/v1", "data-integrity-v1.jsonld"),
        ("https://w3id.org/security/suites/ed25519-2020/v1", "suites-ed25519-2020.jsonld"),
        ("https://w3id.org/security/v1", "security-v1.jsonld"),
        ("https://w3id.org/security/v2", "security-v2.jsonld"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context.json", "ob-v3p0.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "ob-v3p0-3.0.1.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "ob-v3p0-3.0.2.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "ob-v3p0-extensions.json"),
    ] {
        let Ok(ours) = contexts.get(url) else { continue };
        assert_eq!(*ours, read(&folder.join(file))["@context"], "{url}");
        compared += 1;
    }
    assert!(compared >= 6);
    // 1EdTech has added two names to 3.0.3 since the npm package was made; all others mean the same.
    if let Ok(Value::Object(ours)) = contexts.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json") {
        let theirs = read(&folder.join("ob-v3p0-3.0.3.json"))["@context"].clone();
        let theirs = theirs.as_object().unwrap();
        assert!(ours.iter().all(|(name, definition)| theirs.get(name) == Some(definition)));
        let added: Vec<_> = theirs.keys().filter(|name| !ours.contains_key(*name)).collect();
        assert_eq!(added, ["endorsementJwt", "jti"]);
    }
}

#[test]
fn npms_jsonld_gives_the_same_canonical_forms() {
    let contexts = Contexts::carried();
    let folders = [corpora("dcc/credentials"), corpora("dcc/statusLists"), corpora("open-badges-3")];
    if !carries_open_badges(&contexts) {
        return;
    }
    let mut documents = Vec::new();
    folders.into_iter().flatten().for_each(|folder| collect(&folder, &mut documents));
    documents.extend(of_our_own().map(|document| ("our own".into(), document)));
    let Some(theirs) = canonize(&contexts, &documents) else { return };
    let canonicalizer = Canonicalizer::new(contexts);
    let (mut same, mut refused) = (0, Vec::new());
    for ((name, document), theirs) in documents.iter().zip(&theirs) {
        // Twice: under the whole contexts, then under the excerpt.
        let ours = [canonicalizer.n_quads(document), canonicalizer.n_quads(document)];
        assert_eq!(ours[0], ours[1], "{name}");
        match &ours[0] {
            Ok(ours) => assert_eq!(Some(ours.as_str()), theirs["nQuads"].as_str(), "{name}: {theirs}"),
            Err(error) => refused.push(format!("{name}: {error} (theirs: {})", theirs["error"])),
        }
        same += usize::from(ours[0].is_ok());
    }
    refused.iter().for_each(|line| eprintln!("refused: {line}"));
    eprintln!("{same} of {} alike", documents.len());
    assert!(same > 100, "{same}");
}

/// Documents below `folder` without their proofs, and the proofs' configurations.
fn collect(folder: &Path, documents: &mut Vec<(String, Value)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, documents);
            continue;
        }
        let Ok(document) = serde_json::from_slice::<Value>(&fs::read(&path).unwrap()) else { continue };
        if document.get("@context").is_none() {
            continue;
        }
        let name = path.display().to_string();
        let proofs = match document.get("proof") {
            Some(Value::Array(proofs)) => proofs.clone(),
            proof => proof.cloned().into_iter().collect(),
        };
        for proof in proofs {
            let mut config = without(proof, "proofValue");
            config["@context"] = document["@context"].clone();
            documents.push((format!("{name} (proof)"), config));
        }
        documents.push((name, without(document, "proof")));
    }
}

/// What the corpora lack: numbers, languages, characters that are escaped, nodes that look alike.
fn of_our_own() -> impl Iterator<Item = Value> {
    let achievement = |members: Value| {
        let mut subject = Map::from_iter([("type".to_owned(), json!("AchievementSubject"))]);
        subject.extend(members.as_object().unwrap().clone());
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": "did:example:issuer", "type": "Profile", "name": "\u{1}\u{7f}\t\"\\\u{e9}\u{1f393}\r\n"},
            "credentialSubject": subject,
        })
    };
    let result = |value: &str| json!({"type": ["Result"], "value": value});
    [
        json!({"creditsEarned": 4.0}),
        json!({"creditsEarned": 3.5}),
        json!({"creditsEarned": 0.000_012_5}),
        json!({"creditsEarned": 123_456_789_012.0}),
        json!({"creditsEarned": -0.1}),
        json!({"result": [result("a"), result("a"), result("b")]}),
        json!({"result": [result("1"), {"type": "Result"}, {"type": "Result"}, {"type": "Result"}]}),
        json!({"narrative": {"@value": "hola", "@language": "es-MX"}}),
        json!({"narrative": [null, "a", "a"], "identifier": []}),
    ]
    .into_iter()
    .map(achievement)
}

fn canonize(contexts: &Contexts, documents: &[(String, Value)]) -> Option<Vec<Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("../tests/js/node_modules/jsonld").is_dir() {
        eprintln!("SKIPPED: npm's jsonld is not installed (scripts/setup-js)");
        return None;
    }
    let contexts: Map<_, _> = contexts.urls().map(|url| (url.to_owned(), contexts.get(url).unwrap().clone())).collect();
    let documents: Vec<_> = documents.iter().map(|(_, document)| document).collect();
    let input = json!({"contexts": contexts, "documents": documents}).to_string();
    let mut node = Command::new("node")
        .arg(root.join("tests/canonize.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
