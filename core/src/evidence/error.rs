//! What can be wrong with a header or a proof.

use crate::{Address, Hash, rpc::Unreadable};

/// Why a header or a proof proves nothing. A variant carries what was compared.
///
/// None of these speaks against a credential: they say that whoever delivered the proof was wrong, or lied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the messages say what the fields are
pub enum ProofError {
    /// A member of an endpoint's answer that is missing or has another form than Ethereum's JSON-RPC says.
    #[error("{member} is missing from the endpoint's answer, or not of the right form")]
    Answer { member: &'static str },
    /// Larger than what any chain makes.
    #[error("{what}: {found}, but at most {limit} are read")]
    TooLarge { what: &'static str, found: usize, limit: usize },
    /// Bytes that are not the RLP of what they should be, or are followed by others.
    #[error("{what} is not well formed")]
    Malformed { what: &'static str },
    /// The members of a header hash to another block than the endpoint says: it lied, or the block is of a fork whose
    /// headers have members that this version does not know.
    #[error("the header hashes to {computed}, the endpoint says {claimed}")]
    BlockHash { computed: Hash, claimed: Hash },
    /// The proof is of another account.
    #[error("the proof is of the account {found}, asked for was {asked}")]
    OtherAccount { asked: Address, found: Address },
    /// The path to a key breaks off.
    #[error("the proof lacks the node {wanted}")]
    MissingNode { wanted: Hash },
    /// A node is not the one that its parent, or the state root, names.
    #[error("the proof has the node {found} where {wanted} must stand")]
    WrongNode { wanted: Hash, found: Hash },
    /// Nodes that no path needs: an honest proof has none.
    #[error("the proof has {count} nodes that it does not need")]
    ExtraNodes { count: usize },
    /// The endpoint says one thing and proves another.
    #[error("the endpoint says that {what} is {claimed}, and proves that it is {proven}")]
    Claim { what: &'static str, claimed: Hash, proven: Hash },
    /// A slot that was asked for is not proven.
    #[error("the slot {slot} is not proven")]
    NotProven { slot: Hash },
    /// A slot is proven twice, or was not asked for.
    #[error("the slot {slot} was not asked for, or is proven twice")]
    NotAsked { slot: Hash },
    /// Status bits of another tree than the one whose root is proven.
    #[error("the status bits lead to the root {reached}, proven is {proven}")]
    StatusRoot { reached: Hash, proven: Hash },
}

impl From<Unreadable> for ProofError {
    fn from(Unreadable { member }: Unreadable) -> Self {
        Self::Answer { member }
    }
}
