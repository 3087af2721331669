//! An Open Badge with two proofs: the issuer's signature, and the anchor of its account.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, World};
use tokio::runtime::Runtime;

use crate::{
    employer::{Employer, NOBODY},
    server::{Reply, Server},
    signer::{Signer, badge, write},
};

/// Anchors files as their issuer, and waits until that is final.
pub fn anchor(world: &World, files: &[&Path]) {
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    world.anchor(&node.url, &token, files, "final").expect(0);
}

/// One who asks this world's chain and accepts it.
pub fn employer(world: &World) -> Employer {
    Employer::new().with(&format!("chains = ['eip155:{}']", world.chain_id)).asking(&[&world.chain.url])
}

/// The policy's table for an issuer whose account is known.
pub fn recognising(world: &World, issuer: &str) -> String {
    format!("[[issuers]]\nid = '{issuer}'\nname = 'Example University'\naccounts = ['{}']", world.issuer.address)
}

/// A copy of a credential in which something is different.
fn changed(file: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut credential: Value = serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON");
    change(&mut credential);
    let copy = file.with_file_name("changed.json");
    write(&copy, &credential);
    copy
}

/// The place of the proof of this suite in the credential's list.
fn proof<'a>(credential: &'a mut Value, suite: &str) -> &'a mut Value {
    let proofs = credential["proof"].as_array_mut().expect("several proofs");
    proofs.iter_mut().find(|proof| proof["cryptosuite"] == suite).expect("a proof of this suite")
}

#[test]
fn a_signed_badge_that_is_anchored_holds_twice_and_breaks_wherever_it_is_touched() {
    let world = World::on(Chain::anvil());
    let signer = Signer::new(1);
    let [file, foreign] = ["badge.json", "foreign.json"].map(|name| world.folder().join(name));
    write(&file, &signer.badge("Field Botany"));
    // Signed by one, and in the name of another.
    write(&foreign, &Signer::new(2).sign(badge(&signer.issuer, "Field Botany")));
    anchor(&world, &[&file, &foreign]);
    let employer = employer(&world).with_table(&recognising(&world, &signer.issuer));

    let told = employer.verify(&file).valid();
    assert_eq!(told.message("signature"), "eddsa-jcs-2022");
    for check in ["integrity", "inclusion", "anchor", "issuer", "signature", "status", "validity"] {
        assert_eq!(told.outcome(check), "pass", "{:#}", told.0);
    }
    // People read the same, and what it rests on.
    let text = employer.run(&[], &[&file]).expect(0).stdout;
    assert!(text.contains("✓ signature  eddsa-jcs-2022") && text.contains("rests on"), "{text}");
    assert!(text.trim_end().ends_with("valid"), "{text}");

    let subject = changed(&file, |badge| badge["credentialSubject"]["achievement"]["name"] = json!("Surgery"));
    let told = employer.verify(&subject).invalid("integrity", "changed since it was anchored");
    assert_eq!(told.outcome("signature"), "fail");

    let signature = changed(&file, |badge| {
        proof(badge, "eddsa-jcs-2022")["created"] = json!("2020-01-01T00:00:00Z");
    });
    let told = employer.verify(&signature).invalid("signature", "changed after it was signed");
    assert_eq!(told.outcome("integrity"), "pass", "the anchor does not cover other proofs");

    let anchored = changed(&file, |badge| {
        proof(badge, "merkle-anchor-jcs-2026")["created"] = json!("2020-01-01T00:00:00Z");
    });
    let told = employer.verify(&anchored).invalid("integrity", "changed since it was anchored");
    assert_eq!(told.outcome("signature"), "pass");

    let account = changed(&file, |badge| {
        let other = format!("did:pkh:eip155:{}:{}", world.chain_id, world.operator.address);
        proof(badge, "merkle-anchor-jcs-2026")["verificationMethod"] = json!(other);
    });
    employer.verify(&account).invalid("integrity", "the proof names the account");

    // What is left when the anchor is cut out proves itself; the policy may ask for more.
    let signed = changed(&file, |badge| badge["proof"] = proof(badge, "eddsa-jcs-2022").clone());
    employer.verify(&signed).valid();
    let strict = self::employer(&world).with("anchor = 'required'").with_table(&recognising(&world, &signer.issuer));
    strict.verify(&signed).unverifiable("anchor", "the policy asks for one");

    employer.verify(&foreign).invalid("signature", "not by the issuer");
}

#[test]
fn an_issuers_document_ties_its_account_and_its_key() {
    let runtime = Runtime::new().expect("a runtime");
    let document = std::sync::Arc::new(std::sync::OnceLock::<Vec<u8>>::new());
    let served = document.clone();
    let server = runtime.block_on(Server::start(move |path| match (path, served.get()) {
        (".well-known/did.json", Some(document)) => Reply::ok(document),
        _ => Reply::new(404, "", b""),
    }));
    let world = World::on(Chain::anvil());
    let did = format!("did:web:localhost%3A{}", server.port);
    let signer = Signer::new(3).named(&did);
    let account = json!({ "id": "#account", "type": "EcdsaSecp256k1RecoveryMethod2020", "controller": did,
        "blockchainAccountId": format!("eip155:{}:{}", world.chain_id, world.issuer.address) });
    let own = json!({ "id": did, "verificationMethod": [account, signer.listed()],
        "assertionMethod": [signer.listed()["id"]] });
    document.set(own.to_string().into_bytes()).expect("set once");

    let [file, stranger] = ["badge.json", "stranger.json"].map(|name| world.folder().join(name));
    write(&file, &signer.badge("Field Botany"));
    write(&stranger, &Signer::new(4).named(&did).badge("Field Botany"));
    anchor(&world, &[&file, &stranger]);

    let told = employer(&world).knowing(&server).verify(&file).valid();
    assert!(told.message("issuer").contains("/.well-known/did.json lists it"), "{:#}", told.0);
    employer(&world).knowing(&server).verify(&stranger).invalid("signature", "does not list the key");

    // Its host may not be asked, by default: that is nobody's fault.
    let told = employer(&world).verify(&file).unverifiable("issuer", "allow_hosts in the policy makes exceptions");
    assert_eq!(told.outcome("signature"), "pass");
    // Its host, and the chain, are gone.
    let world_is_down = Employer::new().with(&format!("chains = ['eip155:{}']", world.chain_id)).asking(&[NOBODY]);
    drop(runtime);
    world_is_down.knowing(&server).verify(&file).unverifiable("anchor", "could not be reached");
}
