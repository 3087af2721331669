//! One look at the chain, for one receipt: everything that `testamur_core::verify` wants to know, read at two blocks on
//! which the quorum agrees, and proven where an endpoint can prove. The newer block must still be there afterwards.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use testamur_core::{
    BlockNumber, ChainId, Hash, Purpose, Receipt, StatusIndex,
    evidence::{AccountProof, Evidence, Header, IdentityDocument, View as Kept, slots_of},
    keccak::keccak256,
    observation::{BlockRef, Finality, Observation, StatusRecord, StatusSeen, Unseen},
    registry::{CODE_HASH, slots},
};

use crate::{
    bits::{Bits, StatusBit, Updates},
    exchange::{Exchange, all, both},
    hex,
    quorum::{Agreed, Blind, PassedOver, Quorum},
};

/// How often is looked before what was seen is told to be of no use.
const LOOKS: u32 = 3;
const PURPOSES: [Purpose; 2] = [Purpose::REVOCATION, Purpose::SUSPENSION];

/// How the contract may be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// By proofs, and by agreement where no endpoint can prove.
    #[default]
    Auto,
    /// By proofs only.
    Proof,
    /// By agreement only.
    Agreement,
}

/// How it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Everything was proven against the hashes of the blocks.
    Proof,
    /// Something rests on endpoints that answered alike.
    Agreement,
    /// It was proven before, against a block hash that the verifier trusts.
    Evidence,
}

/// What a look rests on: in the same words as `testamur --json`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Basis {
    chain: ChainId,
    mode: Mode,
    needed: usize,
    given: usize,
    head: AgreedBlock,
    settled: AgreedBlock,
    read_from: Vec<String>,
    passed_over: Vec<PassedOver>,
}

#[derive(Clone, Debug, Serialize)]
struct AgreedBlock {
    #[serde(flatten)]
    block: BlockRef,
    by: Vec<String>,
}

impl From<&Agreed> for AgreedBlock {
    fn from(agreed: &Agreed) -> Self {
        Self { block: agreed.block, by: agreed.by.clone() }
    }
}

/// What was seen, and what that rests on.
pub struct Sight {
    /// What was seen.
    pub seen: Observation,
    /// What it rests on.
    pub basis: Basis,
    /// The bits behind each status, in the observation's order.
    pub bits: Vec<Bits>,
    /// What proves it, at the settled block where that could be proven.
    proof: Option<(Header, AccountProof)>,
}

impl Sight {
    /// What evidence shows.
    pub fn kept(seen: Observation) -> Self {
        let block = AgreedBlock { block: seen.head, by: Vec::new() };
        let basis = Basis {
            chain: seen.chain,
            mode: Mode::Evidence,
            needed: 0,
            given: 0,
            head: block.clone(),
            settled: block,
            read_from: Vec::new(),
            passed_over: Vec::new(),
        };
        let bits = seen.status.iter().map(Bits::kept).collect();
        Self { seen, basis, bits, proof: None }
    }

    /// The bits of an index, for people.
    pub fn told(&self, index: StatusIndex) -> Vec<StatusBit> {
        let told = |(seen, bits): (&StatusSeen, &Bits)| bits.told(seen.purpose, index);
        self.seen.status.iter().zip(&self.bits).map(told).collect()
    }

    /// The same for later, without the network, with what was seen of the issuer; `None` where nothing proves it.
    pub fn evidence(&self, receipt: &Receipt, documents: Vec<IdentityDocument>) -> Option<Evidence> {
        let (header, proof) = self.proof.clone()?;
        let Receipt { chain, registry, issuer, root, status_index, .. } = *receipt;
        let at_head = header.block() == self.seen.head;
        let mut view = Kept::new(chain, header);
        view.add_proof(&proof, registry, &[(issuer, root)], &PURPOSES.map(|purpose| (issuer, purpose))).ok()?;
        for seen in &self.seen.status {
            let at = if at_head { &seen.head } else { &seen.settled };
            if let Some(proof) = &at.proof {
                view.add_bit(registry, (issuer, seen.purpose), status_index, proof.clone()).ok()?;
            }
        }
        Some(Evidence { views: vec![view], receipts: Vec::new(), documents })
    }
}

/// What is looked for, and how.
pub struct Look<'a> {
    /// Where questions are asked.
    pub exchange: &'a Exchange,
    /// The endpoints' names.
    pub endpoints: &'a [String],
    /// How many must agree; `None`: more than half.
    pub needed: Option<usize>,
    /// How the contract may be read.
    pub reading: Reading,
    /// What counts as settled.
    pub finality: Finality,
}

impl Look<'_> {
    /// Looks for a receipt. What cannot be used is looked at again: the chain may have been reorganised meanwhile, or an
    /// endpoint have gone on to the next block while it answered.
    pub async fn at(&self, receipt: &Receipt) -> Result<Sight, Blind> {
        for _ in 1..LOOKS {
            match self.once(receipt).await {
                Err((Unseen::Unusable, _)) => {}
                sight => return sight,
            }
        }
        self.once(receipt).await
    }

    async fn once(&self, receipt: &Receipt) -> Result<Sight, Blind> {
        let quorum = Quorum::open(self.exchange, self.endpoints, receipt.chain, self.needed).await?;
        let (head, settled) = quorum.blocks(self.finality).await?;
        let view = View { quorum: &quorum, reading: self.reading, finality: self.finality, head, settled };
        let sight = view.read(receipt).await?;
        if quorum.has(sight.seen.head).await {
            return Ok(sight);
        }
        Err((Unseen::Unusable, "the chain was reorganised during every look at it".to_owned()))
    }
}

/// The two blocks at which everything is read.
struct View<'a> {
    quorum: &'a Quorum,
    reading: Reading,
    finality: Finality,
    head: Agreed,
    settled: Agreed,
}

/// The contract's account at a block.
#[derive(Clone)]
struct State {
    code_hash: Option<Hash>,
    slots: HashMap<Hash, Hash>,
    read_from: Vec<String>,
    proof: Option<(Header, AccountProof)>,
}

impl View<'_> {
    async fn read(&self, receipt: &Receipt) -> Result<Sight, Blind> {
        let Receipt { chain, registry, issuer, root, status_index, .. } = *receipt;
        let (at_head, at_settled) = both(self.state(&self.head, receipt), self.proven(&self.settled, receipt)).await;
        let at_head = at_head?;
        let at_settled = match at_settled {
            _ if self.settled.block == self.head.block => at_head.clone(),
            Ok(state) => state,
            Err(blind) => match at_head.before(self.settled.block.number, receipt) {
                Some(state) => state,
                None if self.reading == Reading::Proof => return Err(blind),
                None => self.alike(&self.settled, receipt).await?,
            },
        };
        self.quorum.enough()?;
        // A look-alike contract is not asked anything: its answers mean nothing.
        let genuine = at_head.code_hash == Some(CODE_HASH);
        let record = |state: &State, purpose| slots::status(issuer, purpose).map(|slot| state.slot(slot));
        let updates = PURPOSES.iter().filter(|_| genuine).map(|&purpose| {
            let records = [&at_head, &at_settled].map(|state| slots::read_status(record(state, purpose)));
            Updates { quorum: self.quorum, registry, issuer, purpose, records, index: status_index }
        });
        let bits = all(updates.map(Updates::bits)).await;
        let status = PURPOSES.iter().zip(&bits);
        let status = status.map(|(&purpose, bits)| StatusSeen {
            purpose,
            head: bits.head.clone(),
            settled: bits.settled.clone(),
        });
        let anchor = |state: &State| slots::read_anchor(state.slot(slots::anchor(issuer, root))).filter(|_| genuine);
        let seen = Observation {
            chain,
            registry,
            code_hash: at_head.code_hash,
            issuer,
            root,
            head: self.head.block,
            settled: self.settled.block,
            finality: self.finality,
            anchor_at_head: anchor(&at_head),
            anchor_settled: anchor(&at_settled),
            status: status.collect(),
        };
        let basis = self.basis(chain, [&at_head, &at_settled]);
        Ok(Sight { seen, basis, bits, proof: at_settled.proof })
    }

    fn basis(&self, chain: ChainId, states: [&State; 2]) -> Basis {
        let mut read_from: Vec<String> = Vec::new();
        for name in states.iter().flat_map(|state| &state.read_from) {
            if !read_from.contains(name) {
                read_from.push(name.clone());
            }
        }
        Basis {
            chain,
            mode: if states.iter().all(|state| state.proof.is_some()) { Mode::Proof } else { Mode::Agreement },
            needed: self.quorum.needed(),
            given: self.quorum.given(),
            head: (&self.head).into(),
            settled: (&self.settled).into(),
            read_from,
            passed_over: self.quorum.passed_over(),
        }
    }

    async fn state(&self, at: &Agreed, receipt: &Receipt) -> Result<State, Blind> {
        match self.proven(at, receipt).await {
            Err(_) if self.reading != Reading::Proof => self.alike(at, receipt).await,
            state => state,
        }
    }

    /// By an account proof that leads to the block's hash.
    async fn proven(&self, at: &Agreed, receipt: &Receipt) -> Result<State, Blind> {
        let unproven = |detail: String| (Unseen::Unusable, detail);
        if self.reading == Reading::Agreement {
            return Err(unproven("proofs are not asked for".to_owned()));
        }
        // Who lies about a header's members agrees on its hash all the same.
        let headers = at.headers.iter().map(Header::from_rpc);
        let header = headers.reduce(Result::or).expect("a block has a header by each who agrees on it");
        let header = header.map_err(|fault| unproven(fault.to_string()))?;
        let slots = slots_for(receipt);
        let params = json!([receipt.registry, slots, format!("{:#x}", at.block.number.0)]);
        let check = |answer: Value| {
            let proof = AccountProof::from_rpc(&answer);
            let proof = proof.and_then(|proof| Ok((proof.check(&header, receipt.registry, &slots)?, proof)));
            proof.map_err(|fault| format!("its proof of block {} is none: {fault}", at.block.number))
        };
        let ((proven, proof), from) = self.quorum.any("eth_getProof", params, check).await?;
        let value = |slot: &Hash| Some((*slot, proven.slot(*slot).ok()?));
        Ok(State {
            code_hash: proven.code_hash(),
            slots: slots.iter().filter_map(value).collect(),
            read_from: vec![from.to_owned()],
            proof: Some((header, proof)),
        })
    }

    /// By answers that enough members give alike.
    async fn alike(&self, at: &Agreed, receipt: &Receipt) -> Result<State, Blind> {
        let block = format!("{:#x}", at.block.number.0);
        let code = json!([receipt.registry, block]);
        let code = self.quorum.same("eth_getCode", &code, hex::bytes);
        let slots = slots_for(receipt);
        let values = slots.iter().map(async |slot| {
            let params = json!([receipt.registry, slot, block]);
            let value = self.quorum.same("eth_getStorageAt", &params, hex::word).await;
            value.map(|value| (*slot, value))
        });
        let (code, values) = both(code, all(values)).await;
        let code = code?;
        Ok(State {
            code_hash: (!code.is_empty()).then(|| keccak256(&code)),
            slots: values.into_iter().collect::<Result<_, _>>()?,
            read_from: at.by.clone(),
            proof: None,
        })
    }
}

impl State {
    fn slot(&self, slot: Hash) -> Hash {
        self.slots.get(&slot).copied().unwrap_or_default()
    }

    /// What the state at an earlier block was, as far as it follows from this one: a root is anchored once, and a status
    /// record names the block of its last change. `None` where it does not follow.
    fn before(&self, block: BlockNumber, receipt: &Receipt) -> Option<Self> {
        let slot = slots::anchor(receipt.issuer, receipt.root);
        let anchor = slots::read_anchor(self.slot(slot));
        let mut state = self.clone();
        if self.code_hash != Some(CODE_HASH) || anchor.is_some_and(|anchor| anchor.withdrawn) {
            return None;
        }
        if anchor.is_some_and(|anchor| anchor.block > block) {
            state.slots.insert(slot, Hash::ZERO);
        }
        let records = PURPOSES
            .map(|purpose| slots::read_status(slots::status(receipt.issuer, purpose).map(|slot| self.slot(slot))));
        let same = |record: &StatusRecord| record.block <= block;
        records.iter().all(same).then_some(state)
    }
}

/// The anchor and the status records that a receipt is about.
fn slots_for(receipt: &Receipt) -> Vec<Hash> {
    let Receipt { issuer, root, .. } = *receipt;
    slots_of(&[(issuer, root)], &PURPOSES.map(|purpose| (issuer, purpose)))
}
