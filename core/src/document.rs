//! A document and the anchor proof that speaks of it, if one does: what is verified.

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
    /// Its anchor proof, where it carries one or a receipt stands beside it.
    pub anchor: Option<AnchorProof>,
    /// The credential, where it is one: what says who issued it, and for how long.
    pub credential: Option<Map<String, Value>>,
    document_hash: Hash,
}

impl Document {
    /// Reads a JSON credential, with the anchor proof inside if it has one.
    pub fn from_credential(bytes: &[u8]) -> Result<Self, Error> {
        let value = json::parse(bytes)?;
        let document_hash = credential_hash(&value);
        let Value::Object(credential) = value else {
            return Err(Error::Member { member: "credential" });
        };
        let anchor = match AnchorProof::from_credential(&credential) {
            Err(Error::NoAnchor) => None,
            anchor => Some(anchor?),
        };
        Ok(Self { anchor, credential: Some(credential), document_hash })
    }

    /// Reads any other file with the receipt that stands beside it.
    pub fn from_file(bytes: &[u8], receipt: &[u8]) -> Result<Self, Error> {
        Self::from_file_hash(file_hash(bytes), receipt)
    }

    /// The same for a file that is too large for memory: its SHA-256, as [`file_hash`] gives it.
    pub fn from_file_hash(document_hash: Hash, receipt: &[u8]) -> Result<Self, Error> {
        Ok(Self { anchor: Some(AnchorProof::from_detached(receipt)?), credential: None, document_hash })
    }

    /// A document that nothing anchors.
    pub fn unanchored(document_hash: Hash, credential: Option<Map<String, Value>>) -> Self {
        Self { anchor: None, credential, document_hash }
    }

    /// With the credential that stands inside a file (a token, an image), so that its issuer and dates are checked.
    pub fn with_credential(mut self, credential: Map<String, Value>) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Its anchor proof; [`Error::NoAnchor`] where it has none.
    pub fn into_anchor(self) -> Result<AnchorProof, Error> {
        self.anchor.ok_or(Error::NoAnchor)
    }

    /// The digest that the registry must have seen, if any.
    pub fn digest(&self) -> Option<Digest> {
        self.anchor.as_ref().map(|anchor| self.digest_under(anchor))
    }

    /// The digest that the registry must have seen of it under this proof.
    pub(crate) fn digest_under(&self, anchor: &AnchorProof) -> Digest {
        blind(&anchor.config.to_json(), self.document_hash)
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

    /// How many entries of `credentialStatus` the anchor does not answer: they name another bit than the receipt does.
    pub fn other_status_entries(&self) -> usize {
        let receipt = self.anchor.as_ref().map(|anchor| &anchor.receipt);
        let is_own = |entry: &Value| receipt.is_some_and(|r| own_index(entry, r.issuer) == Some(r.status_index));
        let credential = self.credential.as_ref();
        credential.map_or(0, |credential| entries(credential).iter().filter(|entry| !is_own(entry)).count())
    }
}
