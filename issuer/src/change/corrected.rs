//! What a corrected or renewed credential says.

use serde_json::{Map, Value};
use testamur_core::UnixSeconds;

use crate::{
    roster::{Award, RowFault, changed},
    store::Issued,
    template::{Template, Validity},
};

/// What the roster said, with these fields changed: names and values as in a roster of JSON lines, and `null` where
/// nothing is to be said any more.
pub fn corrected(issued: &Issued, changes: &Map<String, Value>) -> Result<Award, RowFault> {
    changed(&issued.award, changes)
}

/// A credential cannot be renewed: nothing says until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEnd {
    /// It is valid for ever.
    #[error("it has no end: there is nothing to renew")]
    Endless,
    /// The template says nothing of validity.
    #[error("its template does not say for how long: say until when")]
    Unsaid,
    /// The new end is not after the old one.
    #[error("it would end no later than it does: say a later end")]
    NotLater,
}

/// What the roster said, with a new end: as `validity` says, else as the template does. A span is counted from the old
/// end, or from now where that is past: nobody loses days by renewing early.
pub fn renewed(
    issued: &Issued,
    template: &Template,
    validity: Option<Validity>,
    now: UnixSeconds,
) -> Result<Award, NoEnd> {
    let old = issued.listed.valid_until.ok_or(NoEnd::Endless)?;
    let validity = validity.or(template.validity).ok_or(NoEnd::Unsaid)?;
    let new = validity.until(old.max(now)).filter(|new| *new > old.max(now)).ok_or(NoEnd::NotLater)?;
    Ok(Award { expires: Some(new), ..issued.award.clone() })
}
