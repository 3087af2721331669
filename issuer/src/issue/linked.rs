//! Signing as linked data: canonical forms (RDFC-1.0) under the contexts that this build carries.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use testamur_core::{Hash, UnixSeconds, checked::Missing};
use testamur_credentials::{Have, Supplied, Supplies, sign::Signer};
use testamur_linked_data::{Canonicalizer, Contexts};

/// Contexts are parsed once in a run.
static CANONICALIZER: LazyLock<Canonicalizer> = LazyLock::new(|| Canonicalizer::new(Contexts::carried()));

/// The proof of `eddsa-rdfc-2022`; or why nobody can sign the credential this way.
pub(super) fn prove(
    signer: Signer<'_>,
    credential: &Map<String, Value>,
    created: UnixSeconds,
) -> Result<Value, String> {
    match signer.prove_linked(credential, created, &Carried) {
        Have::Yes(proof) => Ok(proof),
        Have::No(missing) => Err(missing.to_string()),
        Have::NotYet => Err("its canonical form is not at hand".to_owned()),
    }
}

/// What this build carries; nothing is fetched.
struct Carried;

impl Supplies for Carried {
    fn document(&self, _: &str) -> Have<Supplied> {
        Have::NotYet
    }

    fn canonical(&self, document: &Value) -> Have<Hash> {
        match CANONICALIZER.hash(document) {
            Ok(hash) => Have::Yes(hash),
            Err(error) => Have::No(Missing::from(error)),
        }
    }
}
