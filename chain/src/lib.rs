//! Reads and writes the `Registry` contract over JSON-RPC.
//!
//! Reading order: [`endpoint`] (one JSON-RPC server) → [`registry`] (the contract's views and calls) →
//! [`history`] (its events, walked back block by block) → [`follow`] (one issuer's status, kept up to date) →
//! [`quorum`] (several endpoints that must agree) → [`mod@observe`] (one look at the chain for a verifier) → [`keys`],
//! [`transact`] and [`deploy`] (writing).
//!
//! Absent on purpose: the verdict (that is `testamur-core`), an event indexer, and the node's durable anchoring.
//! Nothing here believes a receipt.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod contract;
pub mod deploy;
pub mod endpoint;
pub mod error;
pub mod follow;
pub mod history;
pub mod keys;
pub mod observe;
pub mod quorum;
pub mod registry;
mod replay;
mod rpc;
pub mod send_error;
pub mod transact;

pub use endpoint::{BlockTag, Endpoint, Fees, TxReceipt};
pub use error::Error;
pub use follow::{Advance, Base, Finding, Follower, StatusView, TreeAt};
pub use keys::{Key, KeySource};
pub use observe::{observe, observe_many, observe_with};
pub use quorum::{Basis, Quorum, Reading};
pub use registry::{Registry, Roles};
pub use rpc::causes;
pub use send_error::SendError;
pub use transact::{Signed, TxFees, sign};
