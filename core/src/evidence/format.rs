//! Evidence as a file: JSON, so that it can be read in thirty years without this code. `docs/protocol.md`, section 8.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Evidence, Header, IdentityDocument, ProofError, View, view::Bits};
use crate::{
    Address, BlockNumber, ChainId, Error, Hash, ListNumber, Purpose, Receipt, StatusIndex, UnixSeconds,
    status::{ListProof, StatusList, StatusProof, bitstring},
};

/// What the member `format` says.
const FORMAT: &str = "testamur-evidence/1";
/// A class of ten thousand takes some hundred kilobytes; of ten thousand batches, each with its own proof, 20 MiB.
const MAX_BYTES: usize = 64 << 20;
/// Anchors and status records that are proven: each costs a walk through a trie.
const MAX_PROVEN: usize = 1 << 17;
/// Status lists, each of which takes 16 KiB however short its text is: those of 134 million credentials.
const MAX_LISTS: usize = 1024;

/// Why a file is no evidence. None of it speaks against a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the fields are
pub enum EvidenceError {
    /// More than is read.
    #[error("{what}: {found}, but at most {limit} are read")]
    TooLarge { what: &'static str, found: usize, limit: usize },
    /// Not JSON, or not of the members that the format has.
    #[error("not evidence that can be read: error at line {line}, column {column}")]
    Json { line: usize, column: usize },
    /// A later version, or something else altogether.
    #[error("evidence of the format {found:?} is not read here, only of {FORMAT}")]
    Format { found: String },
    /// A part that proves nothing.
    #[error("{part}: {fault}")]
    Part { part: String, fault: PartFault },
}

/// What is wrong with a part of evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the fields are
pub enum PartFault {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Value(#[from] Error),
    #[error("the header is of block {number} ({hash})")]
    OtherBlock { number: BlockNumber, hash: Hash },
    #[error("it is there twice")]
    Twice,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EvidenceForm {
    format: String,
    views: Vec<ViewForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    receipts: Vec<Receipt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    documents: Vec<DocumentForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ViewForm {
    chain: ChainId,
    block: BlockNumber,
    hash: Hash,
    header: Base64,
    registries: Vec<RegistryForm>,
    nodes: Vec<Base64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegistryForm {
    address: Address,
    anchors: Vec<AnchorForm>,
    statuses: Vec<StatusForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AnchorForm {
    issuer: Address,
    root: Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatusForm {
    issuer: Address,
    purpose: Purpose,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lists: Vec<ListForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bits: Vec<BitForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListForm {
    number: ListNumber,
    /// As W3C's `encodedList`.
    encoded: String,
    proof: ListProof,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BitForm {
    index: StatusIndex,
    proof: StatusProof,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DocumentForm {
    url: String,
    as_of: UnixSeconds,
    content: Base64,
}

/// Bytes as base64url without padding.
struct Base64(Vec<u8>);

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text.as_bytes()).map(Self).map_err(de::Error::custom)
    }
}

impl Evidence {
    /// Reads evidence and checks every part of it: each proof under its header, each bit under its status root, no
    /// node that nothing needs. A part that is wrong is named.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        at_most("bytes", bytes.len(), MAX_BYTES)?;
        check_format(bytes)?;
        let form: EvidenceForm = serde_json::from_slice(bytes).map_err(unreadable)?;
        let registries = || form.views.iter().flat_map(|view| &view.registries);
        let statuses = || registries().flat_map(|registry| &registry.statuses);
        let anchors: usize = registries().map(|registry| registry.anchors.len() + 1).sum();
        at_most("proven records", anchors + statuses().count(), MAX_PROVEN)?;
        at_most("status lists", statuses().map(|status| status.lists.len()).sum(), MAX_LISTS)?;
        for (at, receipt) in form.receipts.iter().enumerate() {
            receipt.check_shape().map_err(|fault| part(format!("receipts[{at}]"), fault))?;
        }
        let views = form.views.into_iter().enumerate().map(|(at, view)| view.check(&format!("views[{at}]")));
        Ok(Self {
            views: views.collect::<Result<_, _>>()?,
            receipts: form.receipts,
            documents: form.documents.into_iter().map(DocumentForm::into).collect(),
        })
    }

    /// The file. The same evidence gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let form = EvidenceForm {
            format: FORMAT.to_owned(),
            views: self.views.iter().map(ViewForm::of).collect(),
            receipts: self.receipts.clone(),
            documents: self.documents.iter().map(DocumentForm::of).collect(),
        };
        let mut bytes = serde_json::to_vec(&form).expect("evidence has only JSON values");
        bytes.push(b'\n');
        bytes
    }
}

/// A version that is not known is told as such, whatever else its files hold.
fn check_format(bytes: &[u8]) -> Result<(), EvidenceError> {
    #[derive(Deserialize)]
    struct Version {
        format: String,
    }
    let Version { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if format == FORMAT {
        return Ok(());
    }
    Err(EvidenceError::Format { found: format.chars().take(64).collect() })
}

impl ViewForm {
    fn of(view: &View) -> Self {
        let registries = view.registries.iter().map(|(&address, registry)| RegistryForm {
            address,
            anchors: registry.anchors.iter().map(|&(issuer, root)| AnchorForm { issuer, root }).collect(),
            statuses: registry.statuses.iter().map(|(key, bits)| StatusForm::of(*key, bits)).collect(),
        });
        Self {
            chain: view.chain,
            block: view.block().number,
            hash: view.block().hash,
            header: Base64(view.header.rlp().to_vec()),
            registries: registries.collect(),
            nodes: view.nodes.taken().map(|node| Base64(node.to_vec())).collect(),
        }
    }

    fn check(self, name: &str) -> Result<View, EvidenceError> {
        let header = Header::from_rlp(&self.header.0).map_err(|fault| part(format!("{name}.header"), fault))?;
        let block = header.block();
        if (block.number, block.hash) != (self.block, self.hash) {
            let fault = PartFault::OtherBlock { number: block.number, hash: block.hash };
            return Err(part(format!("{name}.header"), fault));
        }
        let mut view = View::new(self.chain, header);
        for (at, Base64(node)) in self.nodes.into_iter().enumerate() {
            let named = |fault| part(format!("{name}.nodes[{at}]"), fault);
            if !view.nodes.insert(node).map_err(|fault| named(fault.into()))? {
                return Err(named(PartFault::Twice));
            }
        }
        for (at, registry) in self.registries.into_iter().enumerate() {
            registry.add_to(&mut view, &format!("{name}.registries[{at}]"))?;
        }
        match view.nodes.unused() {
            0 => Ok(view),
            count => Err(part(format!("{name}.nodes"), ProofError::ExtraNodes { count })),
        }
    }
}

impl RegistryForm {
    fn add_to(self, view: &mut View, name: &str) -> Result<(), EvidenceError> {
        if view.proven(self.address).is_some() {
            return Err(part(name.to_owned(), PartFault::Twice));
        }
        let prove = |view: &mut View, anchors: &[_], statuses: &[_]| view.prove(self.address, anchors, statuses);
        prove(view, &[], &[]).map_err(|fault| part(name.to_owned(), fault))?;
        for (at, AnchorForm { issuer, root }) in self.anchors.into_iter().enumerate() {
            let proven = prove(view, &[(issuer, root)], &[]);
            proven.map_err(|fault| part(format!("{name}.anchors[{at}]"), fault))?;
        }
        for (at, status) in self.statuses.into_iter().enumerate() {
            let name = format!("{name}.statuses[{at}]");
            let proven = prove(view, &[], &[(status.issuer, status.purpose)]);
            proven.map_err(|fault| part(name.clone(), fault))?;
            status.add_to(view, self.address, &name)?;
        }
        Ok(())
    }
}

impl StatusForm {
    fn of((issuer, purpose): (Address, Purpose), bits: &Bits) -> Self {
        let lists = bits.lists.iter().map(|(&number, (alone, proof))| ListForm {
            number,
            encoded: bitstring::encode(alone.list(number).as_bytes()),
            proof: proof.clone(),
        });
        let single = bits.single.iter().map(|(&index, proof)| BitForm { index, proof: proof.clone() });
        Self { issuer, purpose, lists: lists.collect(), bits: single.collect() }
    }

    fn add_to(self, view: &mut View, registry: Address, name: &str) -> Result<(), EvidenceError> {
        let key = (self.issuer, self.purpose);
        for (at, ListForm { number, encoded, proof }) in self.lists.into_iter().enumerate() {
            let named = |fault: PartFault| part(format!("{name}.lists[{at}]"), fault);
            let bits =
                bitstring::decode(&encoded, StatusList::BITS as usize / 8).map_err(|fault| named(fault.into()))?;
            let list = StatusList::from_bytes(&bits).map_err(|fault| named(fault.into()))?;
            view.add_list(registry, key, number, list, proof).map_err(|fault| named(fault.into()))?;
        }
        for (at, BitForm { index, proof }) in self.bits.into_iter().enumerate() {
            let added = view.add_bit(registry, key, index, proof);
            added.map_err(|fault| part(format!("{name}.bits[{at}]"), fault))?;
        }
        Ok(())
    }
}

impl DocumentForm {
    fn of(IdentityDocument { url, as_of, bytes }: &IdentityDocument) -> Self {
        Self { url: url.clone(), as_of: *as_of, content: Base64(bytes.clone()) }
    }
}

impl From<DocumentForm> for IdentityDocument {
    fn from(DocumentForm { url, as_of, content }: DocumentForm) -> Self {
        Self { url, as_of, bytes: content.0 }
    }
}

fn part(part: String, fault: impl Into<PartFault>) -> EvidenceError {
    EvidenceError::Part { part, fault: fault.into() }
}

fn unreadable(error: serde_json::Error) -> EvidenceError {
    EvidenceError::Json { line: error.line(), column: error.column() }
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), EvidenceError> {
    if found > limit { Err(EvidenceError::TooLarge { what, found, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
