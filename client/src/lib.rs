//! The client of the Testamur registry: anchor files with a node, verify them against the chain itself.
//!
//! Reading order: [`files`] (which files are meant, and how one is replaced) → [`content`] (credential, or any
//! other file) → [`pending`] (an anchoring under way) → [`node`] and [`anchor()`] → [`change`] (revoke, suspend,
//! reinstate); then [`chains`], [`policy`], [`identity`], [`status`] (is it still good?) and [`verify`], with [`source`]
//! and [`bulk`]; [`evidence`] (in place of a look at the chain), [`testimony`] (who verified what); [`audit`].
//! [`newkey`], [`span`] and [`terminal`] serve the command line.
//!
//! Absent on purpose: the verdict (that is `testamur-core`), the chain's protocol (`testamur-chain`), and any trust in
//! the node: it hands over receipts, which are checked before they are written.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use testamur::{Chains, Verifier, identity::Library, source::Source};
//! use testamur_core::{UnixSeconds, policy::Policy};
//! use testamur_credentials::ties::Known;
//!
//! let chains = Chains::connect(&["https://rpc.example".to_owned()]).await?;
//! let (library, policy, known) = (Library::offline(), Policy::default(), Known::default());
//! let now = UnixSeconds(1_800_000_000);
//! let verifier = Verifier { chains: &chains, library: &library, policy: &policy, known: &known, now };
//! let documents = [Source::File("diploma.json".into())];
//! verifier.verify(&documents, &mut |verified| {
//!     println!("{}: {:?}", verified.source, verified.report.map(|report| report.verdict()));
//! })
//! .await;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod anchor;
pub mod audit;
pub mod bulk;
pub mod chains;
pub mod change;
mod clock;
pub mod content;
pub mod evidence;
pub mod fetch;
pub mod files;
pub mod identity;
pub mod newkey;
pub mod node;
mod past;
pub mod pending;
pub mod policy;
pub mod source;
pub mod span;
pub mod status;
pub mod terminal;
pub mod testimony;
pub mod verify;

pub use anchor::anchor;
pub use chains::Chains;
pub use node::{Node, Token};
pub use status::StatusServer;
pub use verify::{Verified, Verifier};
