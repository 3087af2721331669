//! Is it within its period of validity?

use serde_json::{Map, Value};

use super::{Fact, Fault, Outcome};
use crate::{Document, Error, UnixSeconds};

/// Within the credential's period (VC 2.0 and 1.1 names) and the anchor proof's own.
pub(super) fn validity(document: &Document, now: UnixSeconds) -> Outcome {
    let empty = Map::new();
    let credential = document.credential.as_ref().unwrap_or(&empty);
    let proof_ends = document.anchor.as_ref().and_then(|anchor| anchor.config.expires);
    let times = || -> Result<_, Error> {
        let from = [time(credential, "validFrom")?, time(credential, "issuanceDate")?];
        let until = [time(credential, "validUntil")?, time(credential, "expirationDate")?, proof_ends];
        Ok((from.into_iter().flatten().max(), until.into_iter().flatten().min()))
    };
    match times() {
        Err(error) => Outcome::Fail(Fault::Document(error)),
        Ok((None, None)) => Outcome::NotApplicable,
        Ok((Some(from), _)) if now < from => Outcome::Fail(Fault::NotYet { from }),
        Ok((_, Some(until))) if now > until => Outcome::Fail(Fault::Expired { until }),
        Ok((from, until)) => Outcome::Pass(Fact::Within { from, until }),
    }
}

fn time(credential: &Map<String, Value>, member: &'static str) -> Result<Option<UnixSeconds>, Error> {
    let Some(value) = credential.get(member) else { return Ok(None) };
    let time = value.as_str().and_then(|text| text.parse().ok());
    time.map(Some).ok_or(Error::Member { member })
}
