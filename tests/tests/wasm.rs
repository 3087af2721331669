//! The npm package, packed and installed, in Node and in a browser, against a real chain.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, World, run};

#[test]
fn the_packed_package_verifies_in_node_and_chromium() {
    let Some(package) = package("the_packed_package_verifies_in_node_and_chromium") else { return };
    let world = World::on(Chain::anvil());
    let described = describe(&world, &package);
    let tests = ["verify", "browser"].map(|name| wasm().join(format!("tests/{name}.test.mjs")));
    let ran = Command::new("node").arg("--test").args(tests).env("TESTAMUR_WORLD", described).status();
    assert!(ran.expect("Node.js runs").success());
}

fn wasm() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/wasm")
}

/// The folder in which scripts/build-wasm leaves the package; `None`, loudly, where it has not been built.
fn package(test: &str) -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wasm/package");
    if package.join("testamur_wasm_bg.wasm").is_file() {
        return Some(package);
    }
    eprintln!("SKIPPED {test}: the package for browsers is not built (run scripts/build-wasm)");
    None
}

/// Packs the package and installs it into a folder of its own; the file that a program imports.
fn install(package: &Path, folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("package.json"), r#"{ "private": true }"#).expect("written");
    let npm = |arguments: &[&str]| {
        let output = Command::new("npm").args(arguments).current_dir(folder).output().expect("npm runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    let packed = npm(&["pack", "--silent", "--ignore-scripts", &package.display().to_string()]);
    npm(&["install", "--offline", "--silent", "--ignore-scripts", "--no-audit", &format!("./{packed}")]);
    folder.join("node_modules/@testamur/verify/index.js")
}

/// Anchors the samples, revokes one, changes another, and says in a file what there is.
fn describe(world: &World, package: &Path) -> PathBuf {
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let samples = world.samples();
    world.anchor(&node.url, &token, &[&samples], "final").expect(0);
    let valid = samples.join("botany.json");
    let revoked = samples.join("first-aid.json");
    let arguments = ["revoke", "--rpc", &world.chain.url, "--registry", &world.registry, "--key-file"];
    let files = [world.issuer.key_file.as_os_str(), revoked.as_os_str()];
    run("testamur", arguments.iter().map(AsRef::as_ref).chain(files)).expect(0);
    let text = fs::read_to_string(&valid).expect("readable");
    let tampered = world.folder().join("tampered.json");
    fs::write(&tampered, text.replacen("\"value\": \"A\"", "\"value\": \"B\"", 1)).expect("written");
    let described: Value = json!({
        "package": install(package, &world.folder().join("program")),
        "rpc": world.chain.url,
        "chain": format!("eip155:{}", world.chain_id),
        "issuer": world.issuer.address,
        "files": { "valid": valid, "tampered": tampered, "revoked": revoked, "pdf": samples.join("diploma.pdf") },
    });
    let file = world.folder().join("world.json");
    fs::write(&file, described.to_string()).expect("written");
    file
}
