//! Changing the status of credentials: which are meant ([`targets`]), and the two ways there: through the issuer's node
//! ([`through_node`]), or straight to the chain when the node is gone ([`on_chain`]).

mod error;
pub mod journal;
pub mod on_chain;
pub mod targets;
pub mod through_node;

pub use crate::node::{Action, ChangeState, Landed};
pub use error::{ChangeError, Unfit};
pub use targets::{Entry, Target};

/// What is told while credentials are revoked, suspended or reinstated.
#[derive(Debug)]
pub enum Step {
    /// An entry is not taken: how it was named, and why. The others go on.
    Refused(String, Unfit),
    /// So many entries are durable with the node, as one change.
    Taken {
        /// How many.
        count: usize,
        /// The change's number there.
        change: u64,
    },
    /// An update is in a block, straight to the chain.
    Sent {
        /// Entries in it.
        count: usize,
        /// Entries of the run.
        of: usize,
        /// Where.
        at: Landed,
    },
    /// So many entries are as settled as was asked for.
    Reached {
        /// How many.
        count: usize,
        /// How settled.
        state: ChangeState,
        /// Where; `None` where nothing was left to do.
        at: Option<Landed>,
        /// The node's number of the change; `None` straight to the chain.
        change: Option<u64>,
    },
}
