//! Keys: how they are written (Multikey, JWK, PEM), where they stand (in a DID, in a document), and whose they are.
//!
//! Reading order: `public` (a key) → `multikey`, `jwk` (its spellings) → `home` (where the keys of a DID or URL
//! stand) → `document` (what a document lists) → `resolve` (the key of a signature, and whose it is).
//!
//! Absent on purpose: keys of secp256k1 and P-384, certificates (`x5c`), DID methods that need a ledger of their own.

mod document;
mod home;
mod jwk;
mod multikey;
mod public;
mod resolve;

pub use document::{KeyDocument, Listed};
pub use home::{Home, did_web_url};
pub use jwk::parse_jwk;
pub use multikey::{MAX_TEXT, decode_base58, parse_base58, parse_multikey};
pub use public::{Algorithm, KeyFault, PublicKey};
pub use resolve::{Resolved, Unresolved, only_key, resolve, spelled, spelled_in_full};
