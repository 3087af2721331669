//! Status lists as W3C and the IETF have them, read by other people's packages with none of our code: every bit.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Mirror, World, run};

const PER_LIST: u64 = 1 << 17;

#[test]
fn others_read_a_mirrors_lists_bit_for_bit() {
    let Some(folder) = readers("others_read_a_mirrors_lists_bit_for_bit") else { return };
    let world = World::on(Chain::anvil());
    let (revoked, suspended) = (scattered(5, 3_000), scattered(0, 50));
    change(&world, "revoke", &revoked);
    change(&world, "suspend", &suspended);
    let mirror = Mirror::start(&world.folder().join("mirror"), &world);
    for (list, set) in
        [("revocation/lists/5", &revoked), ("suspension/lists/0", &suspended), ("revocation/lists/6", &vec![])]
    {
        let url = format!("{}/v1/issuers/{}/status/{list}", mirror.url, world.issuer.address);
        let report = read(&folder, &url, set);
        let forms = report.as_object().expect("an object");
        assert_eq!(forms.len(), 4, "two formats of W3C, two of the IETF");
        assert!(forms.values().all(|form| *form == json!({ "verified": true, "different": [] })), "{list}: {report:#}");
    }
}

/// The folder of the readers; `None`, loudly, where they cannot be installed.
fn readers(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    if folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: other people's readers of lists are not installed (run scripts/setup-js)");
    None
}

/// Indices all over one list, its first and its last among them, from a fixed seed.
fn scattered(list: u64, count: usize) -> Vec<u64> {
    let mut random = StdRng::seed_from_u64(list);
    let mut within: std::collections::BTreeSet<u64> = [0, PER_LIST - 1].into();
    while within.len() < count {
        within.insert(random.random_range(0..PER_LIST));
    }
    within.into_iter().map(|index| list * PER_LIST + index).collect()
}

/// Changes status straight on the chain, with the issuer's own key.
fn change(world: &World, action: &str, indices: &[u64]) {
    let list = world.folder().join(format!("{action}.txt"));
    let lines: String = indices.iter().map(|index| format!("{index}\n")).collect();
    fs::write(&list, lines).expect("written");
    let arguments = [action, "--rpc", &world.chain.url, "--registry", &world.registry, "--from"];
    let files = [list.as_os_str(), "--key-file".as_ref(), world.issuer.key_file.as_os_str()];
    run("testamur", arguments.iter().map(AsRef::as_ref).chain(files)).expect(0);
}

/// What the readers say of a list that has these bits set.
fn read(folder: &Path, url: &str, set: &[u64]) -> Value {
    let within: Vec<_> = set.iter().map(|index| index % PER_LIST).collect();
    let mut node = Command::new("node");
    node.arg("read-lists.mjs").arg(url).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = node.spawn().expect("Node.js, with which the readers were installed");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(json!({ "set": within }).to_string().as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("ended");
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}
