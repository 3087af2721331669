//! The story: a university lists its account in its did:web document, anchors a diploma, and changes its account later.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use testamur::{Chains, identity::Library};
use testamur_core::{
    ChainId, Document, UnixSeconds,
    checked::Checked,
    policy::Policy,
    verify::{CheckKind, Fact, Fault, Gap, Outcome, Verdict, verify},
};
use testamur_credentials::ties::{Known, add_to};
use testamur_tests::harness::{Chain, World};
use tokio::runtime::Runtime;

use crate::server::{Reply, Server};

/// A verifier who knows the issuer by nothing but what it publishes.
struct Verifier {
    chains: Chains,
    policy: Policy,
    known: Known,
    now: UnixSeconds,
}

impl Verifier {
    async fn verify(&self, file: &Path, library: &Library) -> (Verdict, Outcome) {
        let document = Document::from_credential(&fs::read(file).expect("readable")).expect("a credential");
        let receipt = &document.anchor.as_ref().expect("anchored").receipt;
        let seen = self.chains.observe(&[receipt], self.policy.finality).await.remove(0).look;
        let checked = library.supply(|supplies| {
            let mut checked = Checked::default();
            add_to(&mut checked, &document, &self.policy, &self.known, supplies, self.now);
            checked
        });
        let seen = seen.map_err(|(unseen, _)| unseen);
        let report = verify(&document, &seen, &checked.await, &self.policy, self.now);
        (report.verdict(), report.outcome(CheckKind::Issuer).expect("checked").clone())
    }
}

/// A sample credential whose issuer has another name.
fn renamed(world: &World, issuer: &str) -> std::path::PathBuf {
    let file = world.samples().join("botany.json");
    let text = fs::read_to_string(&file).expect("readable").replace("did:web:university.example", issuer);
    fs::write(&file, text).expect("writable");
    file
}

#[test]
fn an_account_is_tied_by_the_issuers_own_document() {
    let runtime = Runtime::new().expect("a runtime");
    let published = Arc::new(Mutex::new(Value::Null));
    let serve = {
        let published = published.clone();
        move |path: &str| match path {
            ".well-known/did.json" => Reply::ok(published.lock().expect("whole").to_string().as_bytes()),
            _ => Reply::new(404, "", b""),
        }
    };
    let server = runtime.block_on(Server::start(serve));
    let did = format!("did:web:localhost%3A{}", server.port);

    let world = World::on(Chain::anvil());
    let node = world.node();
    let token = node.token(&world.issuer.address, "submit");
    let file = renamed(&world, &did);
    world.anchor(&node.url, &token, &[&file], "final").expect(0);

    let account = |address: &str, more: Value| {
        let mut method = json!({ "id": "#account", "type": "EcdsaSecp256k1RecoveryMethod2020", "controller": did,
            "blockchainAccountId": format!("eip155:{}:{address}", world.chain_id) });
        method.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        method
    };
    let publish = |methods: &[Value]| {
        *published.lock().expect("whole") = json!({ "id": did, "verificationMethod": methods });
    };
    let (own, other) = (world.issuer.address.as_str(), world.operator.address.as_str());
    let policy = Policy { chains: vec![ChainId(world.chain_id)], ..Policy::default() };
    let verifier = Verifier {
        chains: runtime.block_on(Chains::connect(std::slice::from_ref(&world.chain.url))).expect("a URL"),
        known: Known::new(Vec::new(), Vec::new(), &policy),
        policy,
        now: UnixSeconds(world.chain.now()),
    };
    let answer = || runtime.block_on(verifier.verify(&file, &Library::online(server.fetcher())));

    publish(&[account(own, json!({}))]);
    let (verdict, issuer) = answer();
    assert_eq!(verdict, Verdict::Valid, "{issuer}");
    assert!(matches!(issuer, Outcome::Pass(Fact::Tied { .. })), "{issuer:?}");

    // It has another account now, and still had this one.
    publish(&[account(other, json!({})), account(own, json!({}))]);
    assert_eq!(answer().0, Verdict::Valid);
    publish(&[account(other, json!({})), account(own, json!({ "revoked": "2100-01-01T00:00:00Z" }))]);
    assert_eq!(answer().0, Verdict::Valid);
    publish(&[account(other, json!({})), account(own, json!({ "revoked": "2020-01-01T00:00:00Z" }))]);
    let (verdict, issuer) = answer();
    assert_eq!(verdict, Verdict::Unverifiable);
    assert!(matches!(issuer, Outcome::Unknown(Gap::AccountEnded { .. })), "{issuer:?}");

    // It never had it; it says nothing; it cannot be asked.
    publish(&[account(other, json!({}))]);
    let (verdict, issuer) = answer();
    assert_eq!(verdict, Verdict::Invalid);
    assert!(matches!(issuer, Outcome::Fail(Fault::NotTheirAccount { .. })), "{issuer:?}");
    publish(&[]);
    let (verdict, issuer) = answer();
    assert_eq!(verdict, Verdict::Unverifiable);
    assert!(matches!(issuer, Outcome::Unknown(Gap::NoTie { .. })), "{issuer:?}");
    let (verdict, issuer) = runtime.block_on(verifier.verify(&file, &Library::offline()));
    assert_eq!(verdict, Verdict::Unverifiable);
    assert!(matches!(issuer, Outcome::Unknown(Gap::TieUnseen { .. })), "{issuer:?}");
}
