//! Which suites are checked.

use serde_json::{Map, Value};

use crate::keys::Algorithm;

/// A suite of proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `eddsa-jcs-2022`.
    EddsaJcs2022,
    /// `eddsa-rdfc-2022`.
    EddsaRdfc2022,
    /// `ecdsa-jcs-2019`, with P-256.
    EcdsaJcs2019,
    /// `ecdsa-rdfc-2019`, with P-256.
    EcdsaRdfc2019,
    /// `Ed25519Signature2020`, from before cryptosuites had names of their own.
    Ed25519Signature2020,
}

/// In which form a document is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As JSON (RFC 8785).
    Jcs,
    /// As JSON-LD: canonical N-Quads (RDFC-1.0).
    Linked,
}

const SUITES: [Suite; 5] =
    [Suite::EddsaJcs2022, Suite::EddsaRdfc2022, Suite::EcdsaJcs2019, Suite::EcdsaRdfc2019, Suite::Ed25519Signature2020];

impl Suite {
    /// The suite of a proof; in words what it is otherwise.
    pub fn of(proof: &Map<String, Value>) -> Result<Self, String> {
        let text = |member: &str| proof.get(member).and_then(Value::as_str);
        let name = match text("type") {
            Some("DataIntegrityProof") => text("cryptosuite").ok_or("a DataIntegrityProof without a cryptosuite")?,
            // A type of its own has no cryptosuite.
            Some(name) if !proof.contains_key("cryptosuite") => name,
            _ => return Err("a proof whose type and cryptosuite do not go together".to_owned()),
        };
        let is_own_type = text("type") != Some("DataIntegrityProof");
        let mut suites = SUITES.into_iter().filter(|suite| suite.has_own_type() == is_own_type);
        let suite = suites.find(|suite| suite.name() == name).ok_or(name)?;
        // A chain of proofs signs the earlier ones as well: another document.
        if proof.contains_key("previousProof") {
            return Err(format!("{name} in a chain (previousProof)"));
        }
        Ok(suite)
    }

    /// As proofs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EcdsaJcs2019 => "ecdsa-jcs-2019",
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::Ed25519Signature2020 => "Ed25519Signature2020",
        }
    }

    /// How its signatures are made.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 | Self::Ed25519Signature2020 => Algorithm::EdDsa,
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => Algorithm::Es256,
        }
    }

    /// In which form it signs a document.
    pub fn form(self) -> Form {
        match self {
            Self::EddsaJcs2022 | Self::EcdsaJcs2019 => Form::Jcs,
            Self::EddsaRdfc2022 | Self::EcdsaRdfc2019 | Self::Ed25519Signature2020 => Form::Linked,
        }
    }

    fn has_own_type(self) -> bool {
        self == Self::Ed25519Signature2020
    }
}
