//! Reading a registry at a block that was agreed on: by proof, or by agreement.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use testamur_core::{
    Address, Hash,
    evidence::{AccountProof, Header, Proven},
    observation::BlockRef,
};

use super::{
    CONCURRENCY,
    parts::{Part, Records},
};
use crate::{
    BlockTag, Endpoint, Error, Registry, contract,
    quorum::{Agreed, Grounds, PassedOver, Quorum, Reading},
};

/// Parts proven by one request: at two slots at most each, far below what endpoints and `AccountProof` allow.
const PARTS_TOGETHER: usize = 128;

/// What one registry holds at one block, and on whose word.
pub(super) struct Contents {
    /// keccak-256 of the code; `None` where there is none.
    pub(super) code_hash: Option<Hash>,
    /// Empty unless the code is the published one: what a look-alike says means nothing.
    pub(super) records: Records,
    pub(super) grounds: Grounds,
}

/// Proofs that were checked, of one registry at one block.
pub(super) struct Exhibit {
    pub(super) header: Header,
    /// At least one, each with what it proves.
    pub(super) proofs: Vec<(Vec<Part>, AccountProof)>,
}

/// Reads parts of a registry at a block.
pub(super) async fn read(
    quorum: &Quorum,
    at: &Agreed<BlockRef>,
    registry: Address,
    parts: &BTreeSet<Part>,
) -> Result<Contents, Error> {
    if quorum.how() == Reading::Agreement {
        return agree(quorum, at, registry, parts).await;
    }
    let faults = match prove(at, registry, parts).await {
        Ok((contents, _)) => return Ok(contents),
        Err(faults) => faults,
    };
    if quorum.how() == Reading::Proof {
        return Err(no_proof(at, &faults));
    }
    let mut agreed = agree(quorum, at, registry, parts).await?;
    agreed.grounds.passed_over.extend(faults);
    Ok(agreed)
}

pub(super) fn no_proof(at: &Agreed<BlockRef>, faults: &[PassedOver]) -> Error {
    let said: Vec<_> = faults.iter().map(|PassedOver { endpoint, reason }| format!("{endpoint}: {reason}")).collect();
    Error::NoProof { block: at.value.number, said: said.join("; ") }
}

/// Reads by proof, from the first endpoint whose proofs hold. A proof that does not is its endpoint's fault alone: all
/// of them are named where none helps.
pub(super) async fn prove(
    at: &Agreed<BlockRef>,
    registry: Address,
    parts: &BTreeSet<Part>,
) -> Result<(Contents, Exhibit), Vec<PassedOver>> {
    let parts: Vec<Part> = parts.iter().copied().collect();
    let mut faults = Vec::new();
    for endpoint in &at.by {
        match prove_by(endpoint, at.value, registry, &parts).await {
            Ok((mut contents, exhibit)) => {
                contents.grounds.passed_over.extend(faults);
                return Ok((contents, exhibit));
            }
            Err(reason) => {
                tracing::debug!(%endpoint, reason, "no proof");
                faults.push(PassedOver::new(endpoint, &format!("no proof at block {}: {reason}", at.value.number)));
            }
        }
    }
    Err(faults)
}

/// The proofs of one endpoint, checked against the block's hash; in words, why there are none that hold.
async fn prove_by(
    endpoint: &Endpoint,
    at: BlockRef,
    registry: Address,
    parts: &[Part],
) -> Result<(Contents, Exhibit), String> {
    let header = header(endpoint, at).await?;
    // Without parts as well: the code is proven.
    let together: Vec<&[Part]> = if parts.is_empty() { vec![&[]] } else { parts.chunks(PARTS_TOGETHER).collect() };
    let proofs = together.iter().map(|parts| proof(endpoint, &header, registry, parts));
    let proofs: Vec<_> = stream::iter(proofs.collect::<Vec<_>>()).buffered(CONCURRENCY).try_collect().await?;
    let code_hash = proofs[0].1.code_hash();
    let mut records = Records::default();
    if code_hash == Some(contract::code_hash()) {
        for (parts, (_, proven)) in together.iter().zip(&proofs) {
            for part in *parts {
                records.0.insert(*part, Ok(part.of(proven).map_err(|fault| fault.to_string())?));
            }
        }
    }
    let proofs = together.iter().zip(proofs).map(|(parts, (proof, _))| (parts.to_vec(), proof)).collect();
    let exhibit = Exhibit { header, proofs };
    Ok((Contents { code_hash, records, grounds: Grounds::proven(endpoint) }, exhibit))
}

/// The header that hashes to what was agreed on.
async fn header(endpoint: &Endpoint, at: BlockRef) -> Result<Header, String> {
    let asked = json!([BlockTag::from(at.number).to_string(), false]);
    let block: Value = endpoint.request("eth_getBlockByNumber", asked).await.map_err(|error| error.to_string())?;
    let header = Header::from_rpc(&block).map_err(|fault| fault.to_string())?;
    match header.block() {
        block if block == at => Ok(header),
        block => Err(format!("its block {} is {} now, not {}", block.number, block.hash, at.hash)),
    }
}

async fn proof(
    endpoint: &Endpoint,
    header: &Header,
    registry: Address,
    parts: &[Part],
) -> Result<(AccountProof, Proven), String> {
    let slots: Vec<Hash> = parts.iter().flat_map(|part| part.slots()).collect();
    let asked = json!([registry, slots, BlockTag::from(header.block().number).to_string()]);
    let answer: Value = endpoint.request("eth_getProof", asked).await.map_err(|error| error.to_string())?;
    let proof = AccountProof::from_rpc(&answer).map_err(|fault| fault.to_string())?;
    let proven = proof.check(header, registry, &slots).map_err(|fault| fault.to_string())?;
    Ok((proof, proven))
}

/// Reads by agreement: every answer as enough endpoints give it.
async fn agree(
    quorum: &Quorum,
    at: &Agreed<BlockRef>,
    registry: Address,
    parts: &BTreeSet<Part>,
) -> Result<Contents, Error> {
    let tag = BlockTag::from(at.value.number);
    let code = async |endpoint: Endpoint| endpoint.code_hash(registry, tag).await;
    let code = quorum.agree(&format!("the code at {registry}"), &at.by, code).await?;
    let (code_hash, grounds) = Grounds::agreed(code);
    let mut contents = Contents { code_hash, records: Records::default(), grounds };
    if contents.code_hash != Some(contract::code_hash()) {
        return Ok(contents);
    }
    let ask = |part: Part| async move {
        let what = format!("what {registry} says");
        let ask = |endpoint| async move { part.ask(&Registry::new(endpoint, registry), tag).await };
        (part, quorum.agree(&what, &at.by, ask).await)
    };
    let mut answers = stream::iter(parts.iter().copied().map(ask)).buffer_unordered(CONCURRENCY);
    while let Some((part, agreed)) = answers.next().await {
        let record = agreed.map(|agreed| {
            let (record, grounds) = Grounds::agreed(agreed);
            contents.grounds.add(grounds);
            record
        });
        contents.records.0.insert(part, record);
    }
    drop(answers);
    Ok(contents)
}
