//! The contract's views, the one log that a receipt points to, and the calldata of every act.

use std::fmt;

use alloy::{
    primitives::B256,
    sol_types::{SolCall, SolEvent},
};
use serde_json::json;
use testamur_core::{
    Address, BlockNumber, ChainId, Hash, Purpose, UnixSeconds,
    observation::{AnchorRecord, StatusRecord},
};

use crate::{
    BlockTag, Endpoint, Error,
    contract::{abi, code_hash, from_alloy, to_alloy},
    history::{Filter, Log},
};

/// A set of role bits of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Roles(pub u8);

impl Roles {
    /// What no operator has: the right to set operators and controllers. As a set, none.
    pub const CONTROL: Self = Self(0);
    /// May anchor batches.
    pub const ANCHOR: Self = Self(1);
    /// May update status roots.
    pub const REVOKE: Self = Self(2);
    /// May withdraw batches.
    pub const WITHDRAW: Self = Self(4);

    /// Both sets together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The words for the roles of this set.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(Self::ANCHOR, "anchor"), (Self::REVOKE, "revoke"), (Self::WITHDRAW, "withdraw")];
        all.iter().filter(|(role, _)| self.contains(*role)).map(|(_, name)| *name).collect()
    }

    /// Whether every role of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.names();
        if held.is_empty() { f.write_str("control") } else { f.write_str(&held.join(", ")) }
    }
}

/// What the contract knows of an operator. All zero where it was never appointed, or was dismissed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Operator {
    /// What it may do.
    pub roles: Roles,
    /// The block time from which it may no more.
    pub expires: UnixSeconds,
}

/// The heads of two of an issuer's chains of events. 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LastBlocks {
    /// Block of the newest anchor.
    pub anchor: BlockNumber,
    /// Block of the newest act.
    pub act: BlockNumber,
}

/// The `Anchored` event of a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchoredLog {
    /// The transaction that emitted it.
    pub transaction: Hash,
    /// The hash of its block.
    pub block_hash: Hash,
    /// Leaves of the batch.
    pub size: u64,
}

/// The contract at one address, seen through one endpoint. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Registry {
    endpoint: Endpoint,
    address: Address,
}

impl Registry {
    /// Takes the address as it is; asks nothing. Reading fails with [`Error::NoCode`] where there is no contract.
    pub fn new(endpoint: Endpoint, address: Address) -> Self {
        Self { endpoint, address }
    }

    /// The same after a check of what is there: [`Error::WrongChain`], [`Error::NoCode`] or [`Error::WrongCode`].
    pub async fn open(endpoint: Endpoint, address: Address, chain: ChainId) -> Result<Self, Error> {
        endpoint.require_chain(chain).await?;
        match endpoint.code_hash(address, BlockTag::Latest).await? {
            None => Err(Error::NoCode { registry: address, chain }),
            Some(found) if found != code_hash() => Err(Error::WrongCode { registry: address, found }),
            Some(_) => Ok(Self::new(endpoint, address)),
        }
    }

    /// Where the contract is.
    pub fn address(&self) -> Address {
        self.address
    }

    /// What it is read through.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The anchor of a root; `None` where the issuer did not anchor it.
    pub async fn anchor_of(&self, issuer: Address, root: Hash, at: BlockTag) -> Result<Option<AnchorRecord>, Error> {
        let call = abi::anchorOfCall { issuer: to_alloy(issuer), root: root.0.into() };
        let slot = self.read(call, at).await?;
        Ok((slot.size > 0).then_some(AnchorRecord {
            time: UnixSeconds(slot.time),
            block: BlockNumber(slot.blockNumber),
            size: slot.size,
            withdrawn: slot.withdrawn,
        }))
    }

    /// The status root of a purpose; all zero where it was never written.
    pub async fn status_of(&self, issuer: Address, purpose: Purpose, at: BlockTag) -> Result<StatusRecord, Error> {
        let call = abi::statusOfCall { issuer: to_alloy(issuer), purpose: purpose.0 };
        let slots = self.read(call, at).await?;
        Ok(StatusRecord {
            root: Hash(slots.root.0),
            epoch: slots.epoch,
            time: UnixSeconds(slots.time),
            block: BlockNumber(slots.blockNumber),
        })
    }

    /// Whether `who` may do everything in `roles` for an issuer. [`Roles::CONTROL`]: is it the controller?
    pub async fn is_authorized(
        &self,
        issuer: Address,
        who: Address,
        roles: Roles,
        at: BlockTag,
    ) -> Result<bool, Error> {
        let call = abi::isAuthorizedCall { issuer: to_alloy(issuer), who: to_alloy(who), role: roles.0 };
        self.read(call, at).await
    }

    /// The account that controls an issuer: at first the issuer itself.
    pub async fn controller_of(&self, issuer: Address, at: BlockTag) -> Result<Address, Error> {
        self.read(abi::controllerOfCall { issuer: to_alloy(issuer) }, at).await.map(from_alloy)
    }

    /// The account that is proposed as the next controller.
    pub async fn pending_controller_of(&self, issuer: Address, at: BlockTag) -> Result<Option<Address>, Error> {
        let proposed = self.read(abi::pendingControllerOfCall { issuer: to_alloy(issuer) }, at).await?;
        Ok((!proposed.is_zero()).then(|| from_alloy(proposed)))
    }

    /// The roles of an operator, and until when it has them.
    pub async fn operator_of(&self, issuer: Address, operator: Address, at: BlockTag) -> Result<Operator, Error> {
        let call = abi::operatorOfCall { issuer: to_alloy(issuer), operator: to_alloy(operator) };
        let slot = self.read(call, at).await?;
        Ok(Operator { roles: Roles(slot.roles), expires: UnixSeconds(slot.expires) })
    }

    /// The blocks of an issuer's newest anchor and act: where [`crate::history`] starts.
    pub async fn last_blocks_of(&self, issuer: Address, at: BlockTag) -> Result<LastBlocks, Error> {
        let slot = self.read(abi::lastBlocksOfCall { issuer: to_alloy(issuer) }, at).await?;
        Ok(LastBlocks { anchor: BlockNumber(slot.anchorBlock), act: BlockNumber(slot.actBlock) })
    }

    /// The event of an anchor, looked for in one block; `None` where that block has none.
    pub async fn anchored_log(
        &self,
        issuer: Address,
        root: Hash,
        block: BlockNumber,
    ) -> Result<Option<AnchoredLog>, Error> {
        let filter = Filter::new(&[abi::Anchored::SIGNATURE_HASH], issuer).topic(B256::from(root.0));
        let Some(log) = self.logs(&filter, block).await?.pop() else { return Ok(None) };
        let event: abi::Anchored = log.decode()?;
        Ok(Some(AnchoredLog { transaction: log.transaction_hash, block_hash: log.block_hash, size: event.size }))
    }

    /// The contract's events of one block that a filter lets through, in their order. Nothing else that the
    /// endpoint may answer with is believed: [`Error::Unusable`].
    pub(crate) async fn logs(&self, filter: &Filter, block: BlockNumber) -> Result<Vec<Log>, Error> {
        let at = BlockTag::from(block).to_string();
        let asked = json!([{ "address": self.address, "fromBlock": at, "toBlock": at, "topics": filter.topics() }]);
        let mut logs: Vec<Log> = self.endpoint.request("eth_getLogs", asked).await?;
        logs.sort_by_key(|log| log.log_index);
        let numbers_differ = logs.windows(2).all(|pair| pair[0].log_index != pair[1].log_index);
        if numbers_differ && logs.iter().all(|log| log.is_of(self.address, block) && filter.admits(&log.topics)) {
            return Ok(logs);
        }
        Err(Error::unusable(format!("events of block {block} that were not asked for")))
    }

    async fn read<C: SolCall>(&self, call: C, at: BlockTag) -> Result<C::Return, Error> {
        let output = self.endpoint.call(None, self.address, &call.abi_encode(), at).await?;
        if output.is_empty() {
            return Err(Error::NoCode { registry: self.address, chain: self.endpoint.chain_id().await? });
        }
        C::abi_decode_returns_validate(&output)
            .map_err(|_| Error::unusable(format!("{} at {} returns something else", C::SIGNATURE, self.address)))
    }
}

/// Calldata that anchors one batch.
pub fn anchor_call(issuer: Address, root: Hash, size: u64) -> Vec<u8> {
    abi::anchorCall { issuer: to_alloy(issuer), root: root.0.into(), size }.abi_encode()
}

/// Calldata that anchors several batches (issuer, root, size): all, or none.
pub fn anchor_many_call(batches: &[(Address, Hash, u64)]) -> Vec<u8> {
    let batch = |&(issuer, root, size): &(Address, Hash, u64)| abi::Batch {
        issuer: to_alloy(issuer),
        root: root.0.into(),
        size,
    };
    abi::anchorManyCall { batches: batches.iter().map(batch).collect() }.abi_encode()
}

/// Calldata that withdraws a batch for good. `reason` is the issuer's own code.
pub fn withdraw_call(issuer: Address, root: Hash, reason: u8) -> Vec<u8> {
    abi::withdrawCall { issuer: to_alloy(issuer), root: root.0.into(), reason }.abi_encode()
}

/// Calldata that replaces a status root. `epoch` is the contract's plus 1; `delta` as in [`testamur_core::status::delta`].
pub fn update_status_call(issuer: Address, purpose: Purpose, epoch: u64, root: Hash, delta: &[u8]) -> Vec<u8> {
    let (issuer, root, delta) = (to_alloy(issuer), root.0.into(), delta.to_vec().into());
    abi::updateStatusCall { issuer, purpose: purpose.0, epoch, root, delta }.abi_encode()
}

/// Calldata that gives an operator exactly these roles until a block time; none dismiss it.
pub fn set_operator_call(issuer: Address, operator: Address, roles: Roles, expires: UnixSeconds) -> Vec<u8> {
    let (issuer, operator) = (to_alloy(issuer), to_alloy(operator));
    abi::setOperatorCall { issuer, operator, roles: roles.0, expires: expires.0 }.abi_encode()
}

/// Calldata that proposes the next controller; `None` takes a proposal back.
pub fn set_controller_call(issuer: Address, next: Option<Address>) -> Vec<u8> {
    abi::setControllerCall { issuer: to_alloy(issuer), next: to_alloy(next.unwrap_or_default()) }.abi_encode()
}

/// Calldata by which the proposed account takes control.
pub fn accept_controller_call(issuer: Address) -> Vec<u8> {
    abi::acceptControllerCall { issuer: to_alloy(issuer) }.abi_encode()
}
