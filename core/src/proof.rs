//! The anchor proof: a W3C Data Integrity proof with cryptosuite `merkle-anchor-jcs-2026`.
//!
//! In a credential it stands in `proof` and its `proofValue` is the receipt; beside any other file the
//! same receipt stands in `<file>.receipt.json` with the proof configuration inside.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{Address, ChainId, Error, Receipt, UnixSeconds, json::parse};

/// The name of our cryptosuite.
pub const CRYPTOSUITE: &str = "merkle-anchor-jcs-2026";

/// 128 bits take at least this many base64url characters; hex takes more.
const MIN_NONCE_CHARS: usize = 22;

/// What an issuer's account is called in `verificationMethod`: `did:pkh:eip155:<chain id>:<address>`.
pub fn account_did(chain: ChainId, account: Address) -> String {
    format!("did:pkh:{chain}:{account}")
}

/// Reads a `did:pkh` of an EIP-155 account (the address in any case, as CAIP-10 allows).
pub fn parse_account_did(did: &str) -> Option<(ChainId, Address)> {
    parse_account(did.strip_prefix("did:pkh:")?)
}

/// Reads a CAIP-10 account: `eip155:<chain id>:<address>`.
pub fn parse_account(caip10: &str) -> Option<(ChainId, Address)> {
    let (chain, address) = caip10.rsplit_once(':')?;
    Some((chain.parse().ok()?, address.parse().ok()?))
}

/// A proof configuration: the proof without `proofValue`, with the credential's `@context`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProofConfig {
    members: Map<String, Value>,
    /// The chain of `verificationMethod`.
    pub chain: ChainId,
    /// The account of `verificationMethod`.
    pub account: Address,
    /// When the issuer says that it made the proof.
    pub created: UnixSeconds,
    /// When the issuer says that the proof ends (`expires`), if it does.
    pub expires: Option<UnixSeconds>,
}

impl ProofConfig {
    /// The configuration of a new proof. `nonce` is what blinds the digest: fresh random bytes for each document.
    pub fn new(
        context: Option<&Value>,
        chain: ChainId,
        account: Address,
        created: UnixSeconds,
        nonce: [u8; 32],
    ) -> Self {
        let Value::Object(mut members) = json!({
            "type": "DataIntegrityProof",
            "cryptosuite": CRYPTOSUITE,
            "created": created.to_string(),
            "proofPurpose": "assertionMethod",
            "verificationMethod": account_did(chain, account),
            "nonce": hex::encode(nonce),
        }) else {
            unreachable!("the literal above is an object")
        };
        if let Some(context) = context {
            members.insert("@context".to_owned(), context.clone());
        }
        Self { members, chain, account, created, expires: None }
    }

    /// Reads a configuration and checks every member that the protocol fixes.
    pub fn from_members(members: Map<String, Value>) -> Result<Self, Error> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let fixed = [
            ("type", "DataIntegrityProof", "proof.type"),
            ("cryptosuite", CRYPTOSUITE, "proof.cryptosuite"),
            ("proofPurpose", "assertionMethod", "proof.proofPurpose"),
        ];
        for (name, value, member) in fixed {
            if text(name) != Some(value) {
                return Err(Error::Member { member });
            }
        }
        let created = text("created").and_then(|t| t.parse().ok()).ok_or(Error::Member { member: "proof.created" })?;
        let expires = match members.get("expires") {
            None => None,
            Some(value) => {
                let time = value.as_str().and_then(|t| t.parse().ok());
                Some(time.ok_or(Error::Member { member: "proof.expires" })?)
            }
        };
        let (chain, account) = text("verificationMethod")
            .and_then(parse_account_did)
            .ok_or(Error::Member { member: "proof.verificationMethod" })?;
        if text("nonce").is_none_or(|nonce| nonce.len() < MIN_NONCE_CHARS) {
            return Err(Error::Member { member: "proof.nonce" });
        }
        Ok(Self { members, chain, account, created, expires })
    }

    /// The configuration as JSON: what is canonicalised and hashed.
    pub fn to_json(&self) -> Value {
        Value::Object(self.members.clone())
    }
}

/// A proof configuration and the receipt it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct AnchorProof {
    /// What was hashed together with the document.
    pub config: ProofConfig,
    /// Where the digest of both is anchored.
    pub receipt: Receipt,
}

impl AnchorProof {
    /// Takes the one anchor proof out of a credential's `proof` member.
    pub fn from_credential(credential: &Map<String, Value>) -> Result<Self, Error> {
        let mut anchors = proofs(credential).filter(|proof| is_anchor(proof));
        let proof = anchors.next().and_then(Value::as_object).ok_or(Error::NoAnchor)?;
        if anchors.next().is_some() {
            return Err(Error::SeveralAnchors);
        }
        let mut members = proof.clone();
        let value = members.shift_remove("proofValue").ok_or(Error::Member { member: "proof.proofValue" })?;
        let receipt = decode_proof_value(value.as_str().ok_or(Error::Member { member: "proof.proofValue" })?)?;
        if let Some(context) = credential.get("@context") {
            let stated = members.insert("@context".to_owned(), context.clone());
            if stated.is_some_and(|stated| stated != *context) {
                return Err(Error::Member { member: "proof.@context" });
            }
        } else if members.contains_key("@context") {
            return Err(Error::Member { member: "proof.@context" });
        }
        Ok(Self { config: ProofConfig::from_members(members)?, receipt })
    }

    /// Reads a detached receipt: a receipt's members and `proofConfig`.
    pub fn from_detached(bytes: &[u8]) -> Result<Self, Error> {
        let Value::Object(mut members) = parse(bytes)? else {
            return Err(Error::Member { member: "receipt" });
        };
        let Some(Value::Object(config)) = members.shift_remove("proofConfig") else {
            return Err(Error::Member { member: "proofConfig" });
        };
        if config.contains_key("@context") {
            return Err(Error::Member { member: "proofConfig.@context" });
        }
        let receipt: Receipt =
            serde_json::from_value(Value::Object(members)).map_err(|_| Error::Member { member: "receipt" })?;
        receipt.check_shape()?;
        Ok(Self { config: ProofConfig::from_members(config)?, receipt })
    }

    /// The JSON of a detached receipt.
    pub fn to_detached(&self) -> Value {
        let mut value = serde_json::to_value(&self.receipt).expect("a receipt has only JSON values");
        value["proofConfig"] = self.config.to_json();
        value
    }

    /// Adds the proof to a credential, beside proofs that it already carries.
    /// [`Error::SeveralAnchors`] where it is anchored already.
    pub fn embed(&self, credential: &mut Map<String, Value>) -> Result<(), Error> {
        if proofs(credential).any(is_anchor) {
            return Err(Error::SeveralAnchors);
        }
        let mut proof = self.config.members.clone();
        proof.shift_remove("@context"); // the credential's own stands for it
        proof.insert("proofValue".to_owned(), Value::String(encode_proof_value(&self.receipt)));
        let proof = Value::Object(proof);
        let all = match credential.shift_remove("proof") {
            None => proof,
            Some(Value::Array(mut others)) => {
                others.push(proof);
                Value::Array(others)
            }
            Some(other) => Value::Array(vec![other, proof]),
        };
        credential.insert("proof".to_owned(), all);
        Ok(())
    }
}

/// The proofs of a credential: `proof` is one object or an array of them.
pub fn proofs(credential: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    match credential.get("proof") {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
    .iter()
}

/// Whether a proof says that it is of our cryptosuite.
pub fn is_anchor(proof: &Value) -> bool {
    proof.get("cryptosuite").and_then(Value::as_str) == Some(CRYPTOSUITE)
}

/// `u` and the base64url of the receipt's CBOR.
fn encode_proof_value(receipt: &Receipt) -> String {
    let mut text = "u".to_owned();
    URL_SAFE_NO_PAD.encode_string(receipt.to_cbor(), &mut text);
    text
}

fn decode_proof_value(text: &str) -> Result<Receipt, Error> {
    let digits = text.strip_prefix('u').ok_or(Error::Multibase)?;
    Receipt::from_cbor(&URL_SAFE_NO_PAD.decode(digits).map_err(|_| Error::Multibase)?)
}
