//! Why an award and a template do not go together.

use testamur_core::UnixSeconds;

/// Why an award and a template do not go together. Says what the row has, and what would fit; no names, no addresses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The template identifies learners by something that this one does not have.
    #[error("the learner has no {0}, by which the template identifies people: add it to the row, or change `identity`")]
    Unidentified(&'static str),
    /// Neither DID nor e-mail address, and the template does not say that it goes without.
    #[error(
        "nothing says whose it is: add an e-mail address or a DID to the row, or write identity = \"none\" in the template"
    )]
    Nobody,
    /// It is no DID.
    #[error("the learner's DID is none: it begins with did: and has no blanks")]
    Did,
    /// It would be over before it began.
    #[error("it would be valid from {from} until {until}: give a later date of expiry, or a later one of award")]
    Over {
        /// Its first second.
        from: UnixSeconds,
        /// Its last.
        until: UnixSeconds,
    },
    /// The year 9999.
    #[error("its validity goes beyond the year 9999: give a date of expiry")]
    EndOfCalendar,
    /// A number that no reader of JSON takes, or that nobody earns.
    #[error("{found} is no number of credits: write one from 0 to 1,000,000")]
    Credits {
        /// The number.
        found: f64,
    },
    /// Evidence lies at an address.
    #[error("the evidence {found:?} is no address: write one that begins with https://")]
    Address {
        /// What stands there.
        found: String,
    },
    /// A result of something that the template does not describe.
    #[error("the template has no result {}: {}", found.as_deref().unwrap_or("at all"), known(names))]
    UnknownResult {
        /// The name in the row.
        found: Option<String>,
        /// Those in the template.
        names: Vec<String>,
    },
    /// The row does not say of which.
    #[error("the template has several results, and the row does not say which one it means: {}", known(names))]
    WhichResult {
        /// Those in the template.
        names: Vec<String>,
    },
    /// A value that the template does not allow.
    #[error("{found:?} is no value of {result}: {allowed}")]
    Value {
        /// The result's name.
        result: String,
        /// The value in the row.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// One column, one result.
    #[error("the row has two values of {0}: keep one")]
    Twice(String),
}

fn known(names: &[String]) -> String {
    match names {
        [] => "describe it there (resultDescription), or leave it out here".to_owned(),
        names => format!("it has {}", names.join(", ")),
    }
}
