//! JSON-LD contexts that this build carries, and the canonical form of credentials (RDFC-1.0) under them.
//!
//! JSON-LD itself and RDFC-1.0 are the work of other crates (`json-ld-*`, `rdf-canon`). Here is what they leave to their
//! user: contexts that are pinned and never fetched, work that is bounded, contexts cut down to what a document uses
//! (which is where the time goes otherwise), and the refusal of every document of which the canonical form, and so the
//! signature, says less than its JSON.
//!
//! Reading order: [`Contexts`] → `plain` (one JSON, one reading) → `excerpt` → `expand` → `whole` (nothing vanished) →
//! `quads` → [`Canonicalizer`].
//!
//! What RDF itself does not keep is not signed by any rdfc suite: the order of an array, a value that stands twice in
//! it, and whether members of two objects with the same `id` stand in one or the other.

mod canonicalizer;
mod contexts;
mod error;
mod excerpt;
mod expand;
mod plain;
mod quads;
mod terms;
mod whole;

pub use canonicalizer::Canonicalizer;
pub use contexts::Contexts;
pub use error::LinkedDataError;
