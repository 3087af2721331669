//! Several endpoints of one chain: some lie, some are silent, one is elsewhere.

use std::path::PathBuf;

use serde_json::Value;
use testamur_tests::harness::{Chain, World};

use crate::{
    anchored::{anchor, employer, recognising},
    employer::{Employer, NOBODY, Told},
    liar::Liar,
    signer::{Signer, write},
};

struct Story {
    world: World,
    file: PathBuf,
    issuer: String,
}

impl Story {
    fn new() -> Self {
        let world = World::on(Chain::anvil());
        let signer = Signer::new(5);
        let file = world.folder().join("badge.json");
        write(&file, &signer.badge("Field Botany"));
        anchor(&world, &[&file]);
        Self { world, file, issuer: signer.issuer }
    }

    fn chain(&self) -> &str {
        &self.world.chain.url
    }

    fn asking(&self, rpc: &[&str]) -> Employer {
        employer(&self.world).with_table(&recognising(&self.world, &self.issuer)).asking(rpc)
    }

    #[track_caller]
    fn told(&self, rpc: &[&str], arguments: &[&str]) -> Told {
        self.asking(rpc).verify_with(arguments, &self.file)
    }
}

/// The endpoints that did not count, and why.
fn passed_over(told: &Told) -> String {
    told.0["restsOn"]["passedOver"].as_array().into_iter().flatten().map(Value::to_string).collect()
}

#[test]
fn one_of_three_that_lies_is_named() {
    let story = Story::new();
    let [one, two] = [(); 2].map(|()| Liar::honest(story.chain()));
    for liar in [Liar::of_blocks, Liar::of_storage, Liar::of_code].map(|liar| liar(story.chain(), 1)) {
        for (reading, mode) in [("auto", "proof"), ("agreement", "agreement")] {
            // The liar is asked first.
            let told = story.told(&[&liar.url, &one.url, &two.url], &["--reading", reading]).valid();
            assert!(passed_over(&told).contains(&liar.url), "{reading}: {:#}", told.0["restsOn"]);
            assert!(!passed_over(&told).contains(&one.url), "{:#}", told.0["restsOn"]);
            assert_eq!(told.0["restsOn"]["mode"], mode, "{:#}", told.0);
        }
    }
}

#[test]
fn two_of_three_that_lie_leave_it_open() {
    let story = Story::new();
    let honest = Liar::honest(story.chain());
    for (liar, one_proof_is_enough) in
        [(Liar::of_blocks as fn(&str, u8) -> Liar, false), (Liar::of_storage, true), (Liar::of_code, true)]
    {
        let liars = [1, 2].map(|lie| liar(story.chain(), lie));
        let all = [liars[0].url.as_str(), &liars[1].url, &honest.url];
        let told = story.told(&all, &["--reading", "agreement"]).unverifiable("anchor", "");
        assert!(told.0["detail"].as_str().is_some_and(|detail| detail.contains(&honest.url)), "{:#}", told.0);
        let told = story.told(&all, &["--reading", "proof"]);
        assert_eq!(told.verdict(), if one_proof_is_enough { "valid" } else { "unverifiable" }, "{:#}", told.0);
    }
}

#[test]
fn endpoints_that_are_silent_elsewhere_or_cannot_prove() {
    let story = Story::new();
    let [one, two] = [(); 2].map(|()| Liar::honest(story.chain()));
    let told = story.told(&[NOBODY, &one.url, &two.url], &[]).valid();
    assert!(passed_over(&told).contains("127.0.0.1:9"), "{:#}", told.0);
    let told = story.told(&[NOBODY, "http://127.0.0.1:19", &one.url], &[]).unverifiable("anchor", "");
    assert!(told.0["detail"].as_str().expect("a reason").contains("127.0.0.1:9"), "{:#}", told.0);
    story.told(&[NOBODY, &one.url], &["--quorum", "1"]).valid();
    story.told(&[&one.url, &two.url], &["--quorum", "3"]).unverifiable("anchor", "");

    let elsewhere = Chain::anvil_with(&["--chain-id", "777"]);
    let told = story.told(&[&elsewhere.url, &one.url, &two.url], &[]).valid();
    assert!(passed_over(&told).contains("777"), "{:#}", told.0);
    story.told(&[&elsewhere.url], &[]).unverifiable("anchor", "the endpoint serves eip155:777");

    let unproven = Liar::without(story.chain(), "eth_getProof");
    let told = story.told(&[&unproven.url, &one.url], &["--reading", "agreement"]).valid();
    assert_eq!(told.0["restsOn"]["mode"], "agreement");
    story.told(&[&unproven.url], &["--reading", "auto"]).valid();
    story.told(&[&unproven.url], &["--reading", "proof"]).unverifiable("anchor", "");
    // An endpoint that refuses logs: no bit is known to be clear where some were set; none was here.
    let unlogged = Liar::without(story.chain(), "eth_getLogs");
    story.told(&[&unlogged.url], &[]).valid();
}
