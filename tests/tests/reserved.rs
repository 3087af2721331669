//! Credentials that name their status index before they are signed: reserved, anchored, revoked, and found by whoever
//! follows the URL in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use testamur_core::status::bitstring;
use testamur_tests::harness::{Chain, Node, Ran, World, run};

/// Bytes of a status list: 131,072 bits.
const LIST: usize = 1 << 14;

/// `testamur --json reserve`.
fn reserve(node: &Node, token: &Path, count: usize) -> Vec<Value> {
    let count = count.to_string();
    let fixed = ["--json", "reserve", &count, "--node", &node.url, "--token-file"].map(Path::new);
    lines(&run("testamur", fixed.into_iter().chain([token])).expect(0))
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON")
}

/// The sample credential with another id and this status, in the folder `issued`.
fn issue(world: &World, name: &str, status: &Value) -> PathBuf {
    let folder = world.folder().join("issued");
    fs::create_dir_all(&folder).expect("a folder");
    let mut credential = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/credentials/botany.json"));
    credential["id"] = json!(format!("https://university.example/credentials/{name}"));
    if !status.is_null() {
        credential["credentialStatus"] = status.clone();
    }
    let file = folder.join(format!("{name}.json"));
    fs::write(&file, format!("{credential:#}\n")).expect("written");
    file
}

/// The status index in the receipt of an anchored credential.
fn index_of(file: &Path) -> u64 {
    let shown = run("testamur", ["--json".as_ref(), "receipt".as_ref(), "show".as_ref(), file.as_os_str()]);
    let shown = shown.expect(0).json();
    let receipt = shown.get("receipt").unwrap_or(&shown);
    receipt["statusIndex"].as_u64().expect("a number")
}

fn verdict(world: &World, file: &Path) -> Value {
    lines(&world.verify(&[file], &[])).remove(0)["verdict"].clone()
}

fn status(world: &World, file: &Path) -> Value {
    let chain = format!("eip155:{}", world.chain_id);
    let fixed = ["--json", "status", "--rpc", &world.chain.url, "--chain", &chain].map(Path::new);
    lines(&run("testamur", fixed.into_iter().chain([file]))).remove(0)["status"].clone()
}

/// The bit that an entry of `credentialStatus` names, read from W3C's list at the URL in it.
fn bit_at(entry: &Value) -> u64 {
    let url = entry["statusListCredential"].as_str().expect("a URL");
    let request = reqwest::blocking::Client::new().get(url).header("accept", "application/vc");
    let list: Value = request.send().expect("answered").json().expect("JSON");
    assert_eq!((&list["id"], &list["credentialSubject"]["statusPurpose"]), (&json!(url), &entry["statusPurpose"]));
    let encoded = list["credentialSubject"]["encodedList"].as_str().expect("a list");
    let place = entry["statusListIndex"].as_str().expect("a text").parse().expect("a number");
    let bits = bitstring::decode(encoded, LIST).expect("a list");
    bitstring::status(&bits, place, 1).expect("within it")
}

#[test]
fn a_credential_that_names_its_index_is_anchored_with_it_and_revoked_by_it() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit,revoke");
    let plainly = ["reserve", "3", "--node", &node.url, "--token-file"].map(Path::new);
    let plainly = run("testamur", plainly.into_iter().chain([token.as_path()])).expect(0).stdout;
    let plainly: Vec<u64> = plainly.lines().map(|line| line.parse().expect("an index a line")).collect();
    let reserved = reserve(&node, &token, 2);
    assert!(plainly.len() == 3 && reserved.iter().all(|one| plainly.iter().all(|other| one["index"] != *other)));
    let files: Vec<_> = ["rosa", "ada"]
        .iter()
        .zip(&reserved)
        .map(|(name, reserved)| issue(&world, name, &reserved["credentialStatus"]))
        .collect();
    let plain = issue(&world, "plain", &Value::Null);
    let all: Vec<&Path> = files.iter().chain([&plain]).map(PathBuf::as_path).collect();
    world.anchor(&node.url, &token, &all, "final").expect(0);
    for (file, reserved) in files.iter().zip(&reserved) {
        assert_eq!(index_of(file), reserved["index"]);
        assert_eq!((verdict(&world, file), status(&world, file)), (json!("valid"), json!("good")));
    }
    assert_eq!(verdict(&world, &plain), "valid");

    // Again: nothing to do, nothing changed.
    let before = fs::read(&files[0]).expect("readable");
    let again = world.anchor(&node.url, &token, &all, "final").expect(0);
    assert!(again.stdout.contains("0 anchored, 3 anchored before, 0 failed"), "{again:?}");
    assert_eq!(fs::read(&files[0]).expect("readable"), before);

    let revoke = ["revoke", "--now", "--wait", "final", "--node", &node.url, "--token-file"].map(Path::new);
    run("testamur", revoke.into_iter().chain([&token, &files[0]].map(PathBuf::as_path))).expect(0);
    assert_eq!((verdict(&world, &files[0]), status(&world, &files[0])), (json!("invalid"), json!("revoked")));
    assert_eq!((verdict(&world, &files[1]), status(&world, &files[1])), (json!("valid"), json!("good")));

    // Whoever knows W3C's lists only finds the same at the URL in the credential.
    let bits = |file: &Path| {
        let entries = read(file)["credentialStatus"].as_array().expect("two entries").clone();
        entries.iter().map(|entry| (entry["statusPurpose"].clone(), bit_at(entry))).collect::<Vec<_>>()
    };
    assert_eq!(bits(&files[0]), [(json!("revocation"), 1), (json!("suspension"), 0)]);
    assert_eq!(bits(&files[1]), [(json!("revocation"), 0), (json!("suspension"), 0)]);
}

#[test]
fn an_index_that_is_not_its_own_holds_up_one_file_only() {
    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let reserved = reserve(&node, &token, 3);
    let entries = |place: usize| reserved[place]["credentialStatus"].clone();
    let first = issue(&world, "first", &entries(0));
    world.anchor(&node.url, &token, &[&first], "final").expect(0);

    let fine = issue(&world, "fine", &entries(1));
    // As any credential may be: with a list of somebody else beside the own ones, and one entry for itself.
    let mut beside = entries(2);
    beside[1]["statusListCredential"] = json!("https://elsewhere.example/lists/1");
    let beside = issue(&world, "beside", &beside);
    let plain = issue(&world, "plain", &Value::Null);
    let mut others = entries(1);
    let is_free = |place: &String| reserved.iter().all(|one| one["credentialStatus"][0]["statusListIndex"] != **place);
    others[0]["statusListIndex"] = json!((0..4).map(|place| place.to_string()).find(is_free));
    let never_reserved = issue(&world, "never-reserved", &others[0]);
    let used = issue(&world, "used", &entries(0)[1]);
    let at_odds = issue(&world, "at-odds", &json!([entries(0)[0], entries(1)[1]]));

    let folder = first.parent().expect("a folder");
    let run = world.anchor(&node.url, &token, &[folder], "final").expect(1);
    assert!(run.stdout.contains("3 anchored, 1 anchored before, 3 failed"), "{run:?}");
    for (file, told) in [
        (&never_reserved, "the node refuses the status index"),
        (&used, "the node refuses the status index"),
        (&at_odds, "credentialStatus/1 names the status index"),
    ] {
        let line = run.stderr.lines().find(|line| line.contains(&file.display().to_string()));
        assert!(line.is_some_and(|line| line.contains(told)), "{run:?}");
        assert!(read(file).get("proof").is_none() && !pending(file).exists());
    }
    assert_eq!(index_of(&fine), reserved[1]["index"]);
    assert_eq!(index_of(&beside), reserved[2]["index"]);
    assert_eq!((verdict(&world, &fine), verdict(&world, &plain)), (json!("valid"), json!("valid")));
    assert_eq!(verdict(&world, &beside), "unverifiable", "somebody else's list is not looked at");

    // What was refused is anchored once it names an index that is free.
    let free = &reserve(&node, &token, 1)[0];
    let used = issue(&world, "used", &free["credentialStatus"]);
    world.anchor(&node.url, &token, &[&used], "final").expect(0);
    assert_eq!((index_of(&used), verdict(&world, &used)), (free["index"].as_u64().expect("one"), json!("valid")));
}

fn pending(file: &Path) -> PathBuf {
    format!("{}.pending.json", file.display()).into()
}
