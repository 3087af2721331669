//! Lists as W3C has them: Bitstring Status List v1.0 in a Verifiable Credential (VC Data Model 2.0), secured by
//! Data Integrity (`eddsa-jcs-2022`) or as a JWT (VC JOSE/COSE).

use serde_json::{Value, json};
use testamur_core::{digest, json::canonical, status::bitstring};

use super::{
    TTL, jwt,
    key::ListKey,
    statement::{ANCHORED, Statement},
};

/// The list as a credential without a proof.
pub fn credential(statement: &Statement, key: &ListKey) -> Value {
    let Statement { url, anchored, .. } = statement;
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": key.did(),
        "validUntil": statement.expires().to_string(),
        "credentialSubject": {
            "id": format!("{url}#list"),
            "type": "BitstringStatusList",
            "statusPurpose": anchored.purpose.name(),
            "encodedList": bitstring::encode(statement.bits.as_bytes()),
            "ttl": TTL.as_millis() as u64,
        },
        // An IRI and a JSON literal: to JSON-LD that is defined without a context of our own. One inside the document
        // would be refused by verifiers that compare the contexts of document and proof entry by entry.
        ANCHORED: { "@type": "@json", "@value": statement.anchored_json() },
    });
    // Lists of an issuer that never revoked are valid since always.
    if anchored.epoch > 0 {
        credential["validFrom"] = json!(anchored.updated.time.to_string());
    }
    credential
}

/// The credential with its Data Integrity proof.
pub fn with_proof(statement: &Statement, key: &ListKey) -> Value {
    let mut credential = credential(statement, key);
    let config = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": statement.dated.to_string(),
        "verificationMethod": key.method(),
        "proofPurpose": "assertionMethod",
    });
    secure(&mut credential, config, key);
    credential
}

/// The credential as a JWT.
pub fn as_jwt(statement: &Statement, key: &ListKey) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "cty": "vc", "kid": key.method() });
    jwt(&header, &credential(statement, key), key)
}

/// Adds a proof with this configuration (Data Integrity EdDSA Cryptosuites v1.0, 3.3.1).
fn secure(document: &mut Value, mut config: Value, key: &ListKey) {
    // 2. The proof has the document's context.
    if let Some(context) = document.get("@context") {
        config["@context"] = context.clone();
    }
    // 3. to 6. Configuration, document, hashes, signature.
    let signature = key.sign(&hash_data(document, &config));
    config["proofValue"] = json!(format!("z{}", bs58::encode(signature).into_string()));
    document["proof"] = config;
}

/// The bytes that are signed (3.3.4): the hash of the configuration, then that of the document.
fn hash_data(document: &Value, config: &Value) -> [u8; 64] {
    let (config, document) = (digest::file_hash(&canonical(config)), digest::credential_hash(document));
    let mut data = [0; 64];
    data[..32].copy_from_slice(&config.0);
    data[32..].copy_from_slice(&document.0);
    data
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The signing chain that W3C's specification publishes: every intermediate value, with its key.
    #[test]
    fn the_cryptosuites_own_vectors_come_out() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/data-integrity");
        if !folder.is_dir() {
            eprintln!(
                "SKIPPED the_cryptosuites_own_vectors_come_out: the corpus data-integrity is not beside this checkout"
            );
            return;
        }
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let json = |name: &str| serde_json::from_str::<Value>(&text(name)).unwrap();
        let vector = |name: &str| text(&format!("eddsa-jcs-2022/{name}"));

        let secret = json("keyPair.json")["privateKeyMultibase"].as_str().unwrap().to_owned();
        let secret = bs58::decode(&secret[1..]).into_vec().unwrap(); // behind the two bytes of its multicodec
        let key = ListKey::from_seed(secret[2..].try_into().unwrap());
        assert_eq!(key.did(), format!("did:key:{}", json("keyPair.json")["publicKeyMultibase"].as_str().unwrap()));

        let (mut document, config) = (json("unsigned.json"), json("eddsa-jcs-2022/proofConfigJCS.json"));
        assert_eq!(canonical(&config), vector("proofCanonJCS.txt").into_bytes());
        assert_eq!(canonical(&document), vector("canonDocJCS.txt").into_bytes());
        assert_eq!(hex::encode(hash_data(&document, &config)), vector("combinedHashJCS.txt").trim());
        secure(&mut document, config, &key);
        assert_eq!(document, json("eddsa-jcs-2022/signedJCS.json"));
    }
}
