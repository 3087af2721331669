//! Whose is it? Names that look alike, accounts of others, and a domain that names its account.

use std::{net::UdpSocket, thread};

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{RData, Record, rdata::TXT},
};
use serde_json::json;
use testamur_tests::harness::{Chain, World};

use crate::{
    anchored::{anchor, employer, recognising},
    employer::Employer,
    signer::{Signer, badge, write},
};

/// A DNS server with one TXT record. It ends with the test's process.
fn resolver(name: &'static str, text: String) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound").to_string();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let mut message = Message::from_vec(&buffer[..length]).expect("a question");
            message.metadata.message_type = MessageType::Response;
            message.metadata.recursion_available = true;
            let asked = message.queries[0].name().clone();
            if asked.to_ascii().eq_ignore_ascii_case(name) {
                let record = RData::TXT(TXT::new(vec![text.clone()]));
                message.answers.push(Record::from_rdata(asked, 60, record));
            } else {
                message.metadata.response_code = ResponseCode::NXDomain;
            }
            let _ = socket.send_to(&message.to_vec().expect("an answer"), from);
        }
    });
    address
}

#[test]
fn whose_a_credential_is() {
    let world = World::on(Chain::anvil());
    let file = |name: &str| world.folder().join(name);
    let domain = "did:web:university.example";
    write(&file("theirs.json"), &badge(domain, "Field Botany"));
    write(&file("alike.json"), &badge("did:web:univers1ty.example", "Field Botany"));
    let own = format!("did:pkh:eip155:{}:{}", world.chain_id, world.issuer.address);
    write(&file("own.json"), &badge(&own, "Field Botany"));
    let other = format!("did:pkh:eip155:{}:{}", world.chain_id, world.operator.address);
    write(&file("other.json"), &badge(&other, "Field Botany"));
    let all = ["theirs.json", "alike.json", "own.json", "other.json"].map(file);
    anchor(&world, &all.each_ref().map(|path| path.as_path()));
    let [theirs, alike, own, other] = &all;

    // Names that are accounts need nobody else.
    employer(&world).verify(other).invalid("issuer", "is not the anchoring account");
    employer(&world).verify(own).valid();

    // A policy that knows the university by another account.
    let wrong = format!("[[issuers]]\nid = '{domain}'\naccounts = ['{}']", world.operator.address);
    employer(&world).with_table(&wrong).verify(theirs).invalid("issuer", "recognised with other accounts");

    // One that calls itself as the university does, and one whose domain looks like the university's.
    let known = format!("[[issuers]]\nid = '{domain}'\nname = 'Example University'\naccounts = []");
    employer(&world).with_table(&known).verify(own).unverifiable("issuer", "can be mistaken for");
    employer(&world).with_table(&known).verify(alike).unverifiable("issuer", "");

    // Its document is out of reach; its domain tells.
    employer(&world).verify(theirs).unverifiable("issuer", "university.example");
    let record = format!("testamur=eip155:{}:{}", world.chain_id, world.issuer.address);
    let dns = resolver("_testamur.university.example.", record);
    let told = employer(&world).with(&format!("dns = '{dns}'")).verify(theirs).valid();
    assert!(told.message("issuer").contains("_testamur.university.example"), "{:#}", told.0);
    let record = format!("testamur=eip155:{}:{}", world.chain_id, world.operator.address);
    let dns = resolver("_testamur.university.example.", record);
    employer(&world).with(&format!("dns = '{dns}'")).verify(theirs).invalid("issuer", "with other accounts");
}

#[test]
fn without_any_network_only_what_is_false_in_itself_is_invalid() {
    let world = World::on(Chain::anvil());
    let file = |name: &str| world.folder().join(name);
    let signer = Signer::new(6);
    let hosted = Signer::new(7).named("did:web:university.example");
    write(&file("anchored.json"), &signer.badge("Field Botany"));
    anchor(&world, &[&file("anchored.json")]);
    write(&file("own-key.json"), &signer.badge("Field Botany"));
    write(&file("hosted.json"), &hosted.badge("Field Botany"));
    let mut listed = badge(&signer.issuer, "Field Botany");
    listed["credentialStatus"] = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "94567", "statusListCredential": "https://university.example/status/3" });
    write(&file("listed.json"), &signer.sign(listed));
    let mut tampered = hosted.badge("Field Botany");
    tampered["name"] = json!("Surgery");
    write(&file("tampered.json"), &tampered);
    let mut expired = badge(&hosted.issuer, "Field Botany");
    expired["validUntil"] = json!("2026-01-02T00:00:00Z");
    write(&file("expired.json"), &hosted.sign(expired));

    let chains = format!("chains = ['eip155:{}']", world.chain_id);
    let alone = Employer::new().with(&chains).with_table(&recognising(&world, &signer.issuer));
    let told = alone.verify(&file("anchored.json")).unverifiable("anchor", "give one with --rpc");
    assert_eq!((told.outcome("integrity"), told.outcome("signature")), ("pass", "pass"));
    alone.verify(&file("own-key.json")).valid();
    alone.verify(&file("hosted.json")).unverifiable("issuer", "could not be reached");
    alone.verify(&file("listed.json")).unverifiable("status", "could not be reached");
    alone.verify(&file("tampered.json")).invalid("signature", "changed after it was signed");
    alone.verify(&file("expired.json")).invalid("validity", "expired 2026-01-02");
    let optional = Employer::new().with(&chains).with("status = 'optional'");
    optional.verify(&file("listed.json")).valid();
}
