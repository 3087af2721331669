//! Is a list what its issuer signed, and does it count today?

use serde_json::{Map, Value};
use testamur_core::{
    UnixSeconds,
    checked::{KeyOwner, ListGap, Signature, SignatureGap, SignatureOutcome},
};

use super::{Reader, issuer_of, mismatch};
use crate::{
    integrity::check_proof,
    jose::check_token,
    opened::{Opened, Signed, read_credential},
};

impl Reader<'_> {
    /// A list credential, once its own signature holds and its period lasts. Its own status entries are not followed:
    /// a list that asks for a list could ask for ever.
    pub(super) fn believed(self, bytes: &[u8]) -> Result<Map<String, Value>, ListGap> {
        let opened = read_credential(bytes).map_err(|refusal| mismatch(refusal.to_string()))?;
        let Opened { document, signed, .. } = opened;
        let credential = document.credential.ok_or_else(|| mismatch("it is no credential"))?;
        let issuer = issuer_of(&credential);
        let signatures = signed.iter().map(|signed| match signed {
            Signed::Proof(proof) => check_proof(&credential, proof, self.supplies, self.now),
            Signed::Token(token) => check_token(token, issuer, self.supplies, self.now),
        });
        self.lasts(&credential)?;
        self.is_signed(signatures, issuer)?;
        Ok(credential)
    }

    /// One signature must be the list's issuer's, and none false.
    pub(super) fn is_signed(
        self,
        signatures: impl Iterator<Item = Signature>,
        issuer: Option<&str>,
    ) -> Result<(), ListGap> {
        let signature = |reason: String| ListGap::Signature { reason };
        let mut held = Err(signature("it carries none".to_owned()));
        for Signature { outcome, .. } in signatures {
            let gap = match outcome {
                SignatureOutcome::Fails(fault) => return Err(signature(fault.to_string())),
                SignatureOutcome::Holds(KeyOwner::Issuer { until, .. }) => {
                    match until.filter(|until| *until < self.now) {
                        None => {
                            held = Ok(());
                            continue;
                        }
                        Some(until) => signature(format!("its key ended {until}")),
                    }
                }
                SignatureOutcome::Holds(KeyOwner::Unproven(missing))
                | SignatureOutcome::Unknown(SignatureGap::Missing(missing)) => ListGap::Missing(missing),
                SignatureOutcome::Holds(KeyOwner::Untied { owner }) => signature(format!(
                    "it is signed by {owner}, not by {}",
                    issuer.unwrap_or("an issuer that it names")
                )),
                SignatureOutcome::Unknown(gap) => signature(gap.to_string()),
            };
            held = held.or(Err(gap));
        }
        held
    }

    fn lasts(self, credential: &Map<String, Value>) -> Result<(), ListGap> {
        let time = |member: &str| match credential.get(member) {
            None => Ok(None),
            Some(value) => {
                let time = value.as_str().and_then(|text| text.parse::<UnixSeconds>().ok());
                time.map(Some).ok_or_else(|| mismatch(format!("its {member} is no date")))
            }
        };
        for member in ["validFrom", "issuanceDate"] {
            if let Some(from) = time(member)?.filter(|from| *from > self.now) {
                return Err(mismatch(format!("it is valid from {from} only")));
            }
        }
        for member in ["validUntil", "expirationDate"] {
            if let Some(until) = time(member)?.filter(|until| *until < self.now) {
                return Err(ListGap::Ended { until });
            }
        }
        Ok(())
    }
}
