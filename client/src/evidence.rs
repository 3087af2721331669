//! Evidence: packed where there is a network ([`pack()`]), used where there is none ([`Archives`]).
//!
//! What an archive shows of a chain counts as far as somebody whom the verifier trusts vouches for the hash of its
//! block: a checkpoint of the verifier's own, or a quorum of its endpoints. The documents about issuers in it are proven
//! by nothing, and count only where the verifier says so ([`Archives::shelve`]).

mod archives;
mod pack;
mod trust;

pub use archives::Archives;
pub use pack::{Packed, PackedBlock, pack};
pub use trust::Pins;
