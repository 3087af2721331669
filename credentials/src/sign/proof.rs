//! Data Integrity proofs: `eddsa-jcs-2022` and `eddsa-rdfc-2022` (Data Integrity EdDSA Cryptosuites v1.0).

use serde_json::{Map, Value, json};
use testamur_core::{Hash, UnixSeconds, digest::file_hash, json::canonical};

use super::{Signer, Suite};
use crate::{
    Have, Supplies,
    integrity::{Hashes, linked_hashes},
};

const CONTEXT: &str = "@context";

impl Signer<'_> {
    /// The proof of `eddsa-jcs-2022` (3.3.1) of a document, which is only to be put into its `proof`.
    ///
    /// `document` is the hash of its canonical form without `proof`, [`testamur_core::digest::credential_hash`]: the
    /// anchor's is the same, and is computed once for both. `context` is its `@context`, which the proof repeats, so that
    /// later holders may add others behind it.
    pub fn prove_jcs(&self, document: Hash, context: Option<&Value>, created: UnixSeconds) -> Value {
        let mut proof = self.config(Suite::EddsaJcs2022, created);
        if let Some(context) = context {
            proof.insert(CONTEXT.to_owned(), context.clone());
        }
        let config = file_hash(&canonical(&Value::Object(proof.clone())));
        self.signed(proof, Hashes { config, document })
    }

    /// The proof of `eddsa-rdfc-2022` (3.2.1) of a credential. Canonical forms are asked of the supplies:
    /// [`Have::No`] where a context does not define what the credential says, which then nobody can sign this way.
    pub fn prove_linked(
        &self,
        credential: &Map<String, Value>,
        created: UnixSeconds,
        supplies: &dyn Supplies,
    ) -> Have<Value> {
        let proof = self.config(Suite::EddsaRdfc2022, created);
        match linked_hashes(credential, &proof, supplies) {
            Have::Yes(hashes) => Have::Yes(self.signed(proof, hashes)),
            Have::No(missing) => Have::No(missing),
            Have::NotYet => Have::NotYet,
        }
    }

    fn config(&self, suite: Suite, created: UnixSeconds) -> Map<String, Value> {
        let Value::Object(config) = json!({
            "type": "DataIntegrityProof",
            "cryptosuite": suite.name(),
            "created": created.to_string(),
            "verificationMethod": self.method,
            "proofPurpose": "assertionMethod",
        }) else {
            unreachable!("the literal above is an object")
        };
        config
    }

    fn signed(&self, mut proof: Map<String, Value>, hashes: Hashes) -> Value {
        let signature = bs58::encode(self.key.sign(&hashes.to_sign())).into_string();
        proof.insert("proofValue".to_owned(), Value::String(format!("z{signature}")));
        Value::Object(proof)
    }
}
