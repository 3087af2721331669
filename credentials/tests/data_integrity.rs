//! W3C's own signing chains: every hash on the way comes out as published, and the signature holds.

mod formats;

use std::{
    fs,
    path::{Path, PathBuf},
};

use formats::{NOW, corpus};
use serde_json::{Map, Value, json};
use testamur_core::{
    Hash, UnixSeconds,
    checked::{KeyOwner, Missing, SignatureFault, SignatureOutcome},
    digest::credential_hash,
};
use testamur_credentials::{
    Have, Shelf, Supplied,
    integrity::{Hashes, check_proof, jcs_hashes, linked_hashes},
    keys::decode_base58,
    sign::{Signer, SigningKey},
};

const ISSUER: &str = "https://vc.example/issuers/5678";

/// A folder of one chain, and what its files' names end with.
struct Chain {
    folder: PathBuf,
    suffix: &'static str,
}

impl Chain {
    fn text(&self, name: &str) -> String {
        self.read(&format!("{name}{}.txt", self.suffix))
    }

    fn hash(&self, name: &str) -> Hash {
        self.text(name).trim().parse().expect("a hash")
    }

    fn json(&self, file: &str) -> Map<String, Value> {
        let value: Value = serde_json::from_str(&self.read(file)).expect("JSON");
        value.as_object().expect("an object").clone()
    }

    fn signed(&self) -> Map<String, Value> {
        self.json(&format!("signed{}.json", self.suffix))
    }

    fn config(&self) -> Value {
        Value::Object(self.json(&format!("proofConfig{}.json", self.suffix)))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).expect(file)
    }

    /// A shelf with the hashes that the chain publishes, which is all that this crate has of JSON-LD.
    fn shelf(&self) -> Shelf {
        let mut shelf = Shelf::default();
        let mut document = self.signed();
        document.shift_remove("proof");
        shelf.put_canonical(&Value::Object(document), Ok(self.hash("docHash")));
        shelf.put_canonical(&self.config(), Ok(self.hash("proofHash")));
        shelf
    }
}

fn chains(root: &Path) -> [Chain; 4] {
    let chain = |folder: &str, suffix| Chain { folder: root.join(folder), suffix };
    [
        chain("eddsa-jcs-2022", "JCS"),
        chain("ecdsa-p256/ecdsa-jcs-2019-p256", "JCSECDSAP256"),
        chain("eddsa-rdfc-2022", "DataInt"),
        chain("ecdsa-p256/ecdsa-rdfc-2019-p256", "ECDSAP256"),
    ]
}

fn hashes(chain: &Chain) -> Hashes {
    let credential = chain.signed();
    let proof = credential["proof"].as_object().expect("a proof");
    if proof["cryptosuite"].as_str().is_some_and(|suite| suite.contains("jcs")) {
        return jcs_hashes(&credential, proof).expect("hashes");
    }
    match linked_hashes(&credential, proof, &chain.shelf()) {
        Have::Yes(hashes) => hashes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_hash_on_the_way_is_as_published() {
    let Some(root) = corpus("data-integrity") else { return };
    for chain in chains(&root) {
        let hashes = hashes(&chain);
        assert_eq!(hashes.config, chain.hash("proofHash"), "{}", chain.folder.display());
        assert_eq!(hashes.document, chain.hash("docHash"), "{}", chain.folder.display());
        assert_eq!(hex::encode(hashes.to_sign()), chain.text("combinedHash").trim());
    }
}

#[test]
fn the_signature_holds_and_the_issuer_is_asked_whether_the_key_is_its() {
    let Some(root) = corpus("data-integrity") else { return };
    for chain in chains(&root) {
        let credential = chain.signed();
        let proof = &credential["proof"];
        let mut shelf = chain.shelf();
        let signature = check_proof(&credential, proof, &shelf, NOW);
        assert_eq!(signature.suite, proof["cryptosuite"]);
        let unasked = Missing::NotAsked { what: ISSUER.to_owned() };
        assert_eq!(signature.outcome, SignatureOutcome::Holds(KeyOwner::Unproven(unasked)));

        let method = proof["verificationMethod"].clone();
        let document = json!({ "id": ISSUER, "assertionMethod": [method] });
        shelf.put_document(ISSUER, Ok(Supplied { bytes: document.to_string().into_bytes().into(), as_of: NOW }));
        let listed = KeyOwner::Issuer { as_of: Some(NOW), until: None };
        assert_eq!(check_proof(&credential, proof, &shelf, NOW).outcome, SignatureOutcome::Holds(listed));
    }
}

#[test]
fn any_flipped_bit_of_the_signature_breaks_it() {
    let Some(root) = corpus("data-integrity") else { return };
    for chain in chains(&root) {
        let credential = chain.signed();
        let bytes = hex::decode(chain.text("sigHex").trim()).expect("hex");
        assert_eq!(bytes.len(), 64);
        for bit in [0, 7, 100, 255, 256, 300, 511] {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut proof = credential["proof"].clone();
            proof["proofValue"] = json!(format!("z{}", bs58::encode(bytes).into_string()));
            let outcome = check_proof(&credential, &proof, &chain.shelf(), NOW).outcome;
            assert_eq!(outcome, SignatureOutcome::Fails(SignatureFault::Altered), "bit {bit}");
        }
    }
}

/// The key of all chains of EdDSA, which W3C publishes with its secret.
fn key(root: &Path) -> SigningKey {
    let pair: Value =
        serde_json::from_str(&fs::read_to_string(root.join("keyPair.json")).expect("a key")).expect("JSON");
    let secret = decode_base58(pair["privateKeyMultibase"].as_str().expect("text")).expect("base58");
    let key = SigningKey::from_seed(secret[2..].try_into().expect("32 bytes behind the two of its multicodec"));
    assert_eq!(key.multikey(), pair["publicKeyMultibase"]);
    key
}

#[test]
fn what_is_signed_here_is_what_w3c_published_byte_for_byte() {
    let Some(root) = corpus("data-integrity") else { return };
    let (key, created) = (key(&root), UnixSeconds(1_677_281_798));
    let signer = Signer { key: &key, method: &key.did_method() };
    let [jcs, _, linked, _] = chains(&root);
    let unsigned: Value =
        serde_json::from_str(&fs::read_to_string(root.join("unsigned.json")).expect("readable")).expect("JSON");
    let with = |proof: Value| {
        let mut signed = unsigned.clone();
        signed["proof"] = proof;
        format!("{signed:#}")
    };
    let proof = signer.prove_jcs(credential_hash(&unsigned), unsigned.get("@context"), created);
    assert_eq!(with(proof), jcs.read("signedJCS.json").trim());
    let members = unsigned.as_object().expect("an object");
    let Have::Yes(proof) = signer.prove_linked(members, created, &linked.shelf()) else {
        panic!("all is on the shelf")
    };
    assert_eq!(with(proof), linked.read("signedDataInt.json").trim());
}
