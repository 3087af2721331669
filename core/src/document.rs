//! A document and the anchor proof that speaks of it: what is verified.

use serde_json::{Map, Value};

use crate::{
    Digest, Error, Hash,
    digest::{blind, credential_hash, file_hash},
    json,
    proof::{AnchorProof, is_anchor, proofs},
    status::{entries, own_index},
};

/// A document as read, before anything about it is believed.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its anchor proof.
    pub proof: AnchorProof,
    /// The credential, where it is one.
    pub credential: Option<Map<String, Value>>,
    document_hash: Hash,
}

impl Document {
    /// Reads a JSON credential with the anchor proof inside.
    pub fn from_credential(bytes: &[u8]) -> Result<Self, Error> {
        let value = json::parse(bytes)?;
        let document_hash = credential_hash(&value);
        let Value::Object(credential) = value else {
            return Err(Error::Member { member: "credential" });
        };
        let proof = AnchorProof::from_credential(&credential)?;
        Ok(Self { proof, credential: Some(credential), document_hash })
    }

    /// Reads any other file with the receipt that stands beside it.
    pub fn from_file(bytes: &[u8], receipt: &[u8]) -> Result<Self, Error> {
        Self::from_file_hash(file_hash(bytes), receipt)
    }

    /// The same for a file that is too large for memory: its SHA-256, as [`file_hash`] gives it.
    pub fn from_file_hash(document_hash: Hash, receipt: &[u8]) -> Result<Self, Error> {
        Ok(Self { proof: AnchorProof::from_detached(receipt)?, credential: None, document_hash })
    }

    /// The digest that the registry must have seen.
    pub fn digest(&self) -> Digest {
        blind(&self.proof.config.to_json(), self.document_hash)
    }

    /// The issuer that the credential names (`issuer`, or `issuer.id`).
    pub fn named_issuer(&self) -> Option<&str> {
        let issuer = self.credential.as_ref()?.get("issuer")?;
        issuer.as_str().or_else(|| issuer.get("id")?.as_str())
    }

    /// How many proofs of other kinds it carries.
    pub fn other_proofs(&self) -> usize {
        self.credential.as_ref().map_or(0, |credential| proofs(credential).filter(|proof| !is_anchor(proof)).count())
    }

    /// How many entries of `credentialStatus` name another bit than the receipt does.
    pub fn other_status_entries(&self) -> usize {
        let receipt = &self.proof.receipt;
        let is_other = |entry: &&Value| own_index(entry, receipt.issuer) != Some(receipt.status_index);
        self.credential.as_ref().map_or(0, |credential| entries(credential).iter().filter(is_other).count())
    }
}
