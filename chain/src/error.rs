//! Why the chain could not be read or written, so that the kind tells what to do.

use std::path::PathBuf;

use testamur_core::{Address, BlockNumber, ChainId, Hash, UnixSeconds, observation::Unseen};

/// Everything that can go wrong between us and the contract. None of it is evidence against a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no URL of a JSON-RPC server. It is not repeated: it may hold a key.
    #[error("not an http:// or https:// URL of a JSON-RPC endpoint")]
    Url,
    /// Unreachable, too slow, overloaded or rate limiting: worth a retry.
    #[error("{endpoint} did not answer: {detail}")]
    Transport {
        /// Scheme and host.
        endpoint: String,
        /// What the network said.
        detail: String,
    },
    /// The endpoint refused the request as such: its URL or its access key is wrong.
    #[error("{endpoint} refused the request with HTTP status {status}: check the URL and its access key")]
    Refused {
        /// Scheme and host.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The endpoint answered with a JSON-RPC error.
    #[error("the endpoint answered with error {code}: {message}")]
    Rpc {
        /// JSON-RPC error code.
        code: i64,
        /// The endpoint's own words.
        message: String,
    },
    /// The contract refuses the call.
    #[error("the contract refuses: {error}")]
    Reverted {
        /// The decoded error, such as `NotAnchored(…)`.
        error: String,
    },
    /// Answers that cannot be read, or that contradict one another.
    #[error("the endpoint's answers cannot be used: {detail}")]
    Unusable {
        /// What is wrong with them.
        detail: String,
    },
    /// The endpoint has no such block (yet, or any more).
    #[error("the endpoint has no {wanted} block")]
    NoBlock {
        /// The tag or number asked for.
        wanted: String,
    },
    /// The endpoint keeps no logs of a block that must have one.
    #[error("the endpoint has no events of block {block}, where one must be: use an endpoint that keeps history")]
    NoHistory {
        /// The block.
        block: BlockNumber,
    },
    /// The events of an issuer do not lead to the root that the contract states.
    #[error("the published status updates lead to the root {rebuilt}, the contract states {stated}")]
    StatusRoot {
        /// The root rebuilt from the deltas.
        rebuilt: Hash,
        /// The root in the contract.
        stated: Hash,
    },
    /// An issuer published a delta that cannot be read.
    #[error("status update {epoch} of the issuer cannot be read: {fault}")]
    Delta {
        /// Which update.
        epoch: u64,
        /// What is wrong with it.
        fault: testamur_core::Error,
    },
    /// The endpoint's newest or settled block is older than one that it was seen to have.
    #[error("the endpoint is at block {block}, behind block {known} that was seen before")]
    Behind {
        /// Where it is.
        block: BlockNumber,
        /// Where it was.
        known: BlockNumber,
    },
    /// The chain was reorganised while it was read.
    #[error("the chain was reorganised while it was read: block {block} is another one now")]
    Reorganised {
        /// The block that changed.
        block: BlockNumber,
    },
    /// The chain does not hold a status update that was settled, or that a snapshot claims.
    #[error(
        "the chain does not hold status update {epoch} of {issuer} as it was settled before, or as a snapshot claims"
    )]
    Contradicted {
        /// Whose update.
        issuer: Address,
        /// Which one.
        epoch: u64,
    },
    /// A moment that no settled block has reached: what was true then may still change.
    #[error("{moment} s is after the newest settled block ({settled} s): what was true then is not settled yet")]
    NotSettled {
        /// The moment asked about.
        moment: UnixSeconds,
        /// The time of the newest settled block.
        settled: UnixSeconds,
    },
    /// More published than is kept in memory at a time.
    #[error("the status updates of {issuer} take more than {bytes} bytes")]
    TooLong {
        /// Whose updates.
        issuer: Address,
        /// The bound.
        bytes: usize,
    },
    /// Too few endpoints of a chain say the same.
    #[error("{needed} endpoints must agree on {what}, and too few do ({said})")]
    NoQuorum {
        /// How many must agree.
        needed: usize,
        /// On what.
        what: String,
        /// Who said what.
        said: String,
        /// Whether it is for want of answers: those that might agree were not reached.
        unreached: bool,
    },
    /// A proof of what the contract holds could not be had, and nothing else will do.
    #[error("no endpoint proves what the contract holds in block {block} ({said})")]
    NoProof {
        /// The block.
        block: BlockNumber,
        /// Who said what.
        said: String,
    },
    /// The endpoint serves another chain.
    #[error("the endpoint serves {served}, not {wanted}: check its URL")]
    WrongChain {
        /// The chain that was meant.
        wanted: ChainId,
        /// The chain that it serves.
        served: ChainId,
    },
    /// There is no contract at the registry's address.
    #[error("there is no code at {registry} on {chain}: check the address, or deploy the registry there")]
    NoCode {
        /// The address.
        registry: Address,
        /// The chain.
        chain: ChainId,
    },
    /// There is another contract at the registry's address.
    #[error("the code at {registry} is not the published Registry (its hash is {found})")]
    WrongCode {
        /// The address.
        registry: Address,
        /// keccak-256 of the code found.
        found: Hash,
    },
    /// The chain lacks the CREATE2 deployment proxy.
    #[error(
        "{chain} lacks the deterministic deployment proxy at {proxy}: deploy that first \
         (https://github.com/Arachnid/deterministic-deployment-proxy)"
    )]
    NoProxy {
        /// The chain.
        chain: ChainId,
        /// Where the proxy must be.
        proxy: Address,
    },
    /// A transaction was refused before it reached the pool.
    #[error("the transaction was not accepted: {0}")]
    NotSent(Box<crate::SendError>),
    /// A transaction was sent and is not in a block yet. It may still come.
    #[error("transaction {hash} is not in a block after {seconds} s; it may still be included")]
    NotIncluded {
        /// The transaction.
        hash: Hash,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A transaction is in a block and failed there.
    #[error("transaction {hash} failed in block {block}: {reason}")]
    Failed {
        /// The transaction.
        hash: Hash,
        /// Its block.
        block: BlockNumber,
        /// Why, as far as a repetition tells.
        reason: String,
    },
    /// A file with a key or password cannot be used.
    #[error("{}: {fault}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        fault: String,
    },
}

/// JSON-RPC codes for a server that is busy or limits rates (EIP-1474, and HTTP's own number as some use it).
const BUSY_CODES: [i64; 3] = [-32002, -32005, 429];

impl Error {
    /// Whether the same request may well succeed in a moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Behind { .. } | Self::Reorganised { .. } => true,
            Self::Rpc { code, .. } => BUSY_CODES.contains(code),
            Self::NoQuorum { unreached, .. } => *unreached,
            _ => false,
        }
    }

    /// What a verifier who met this error may say: that it could not see, never that something is false.
    pub fn unseen(&self) -> Unseen {
        match *self {
            Self::WrongChain { wanted, served } => Unseen::OtherChain { wanted, served },
            Self::Url | Self::Transport { .. } | Self::Refused { .. } | Self::Rpc { .. } => Unseen::Unreachable,
            Self::NoQuorum { unreached: true, .. } => Unseen::Unreachable,
            _ => Unseen::Unusable,
        }
    }

    /// [`Error::Unusable`] with a reason.
    pub(crate) fn unusable(detail: impl Into<String>) -> Self {
        Self::Unusable { detail: detail.into() }
    }
}
