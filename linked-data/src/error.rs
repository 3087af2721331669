//! Why a document has no canonical form here.

use testamur_core::checked::Missing;

/// Why there is no canonical form. None of these says that the document is false.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkedDataError {
    /// Contexts are never fetched, and this one is not carried.
    #[error("the context {url} is not carried; {help}")]
    UnknownContext {
        /// Its URL.
        url: String,
        /// How to get it.
        help: &'static str,
    },
    /// A member (or a type, an identifier) that the canonical form would leave out, so that nobody signed it.
    #[error("{member}: {reason}, so no signature covers it")]
    Undefined {
        /// The member's name, or the value that is meant.
        member: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A way to write the same statements that hides them from readers of plain JSON.
    #[error("{member}: {reason}, so what is signed may not be what is shown")]
    Disguised {
        /// The member's name.
        member: String,
        /// How it is disguised.
        reason: &'static str,
    },
    /// More than is read here.
    #[error("more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much is read.
        limit: usize,
    },
    /// Nodes without names that look so much alike that telling them apart takes too long.
    #[error("its nameless nodes are too much alike: more than {limit} comparisons")]
    TooComplex {
        /// How many comparisons are made.
        limit: usize,
    },
    /// It is no JSON-LD.
    #[error("it is no JSON-LD: {what}")]
    Invalid {
        /// What is wrong.
        what: String,
    },
}

impl From<LinkedDataError> for Missing {
    fn from(error: LinkedDataError) -> Self {
        match error {
            LinkedDataError::UnknownContext { url, help } => {
                Self::NotCarried { what: format!("the JSON-LD context {url}"), help: Some(help.to_owned()) }
            }
            LinkedDataError::TooLarge { .. } | LinkedDataError::TooComplex { .. } => {
                Self::Refused { what: "its canonical form".to_owned(), reason: error.to_string() }
            }
            _ => Self::Unreadable { what: "its canonical form".to_owned(), reason: error.to_string() },
        }
    }
}
