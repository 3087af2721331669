//! Who is it? The account that anchored, or the key that signed, belongs to the issuer that the document names.

use super::{Fact, Fault, Gap, Outcome, Tie, signature};
use crate::{
    Address, Document, Error, Receipt, UnixSeconds,
    checked::{Checked, KeyOwner, TieAnswer, TieFound, TieSource},
    policy::{Need, Policy, RecognisedIssuer},
    proof::parse_account_did,
};

/// The question, with everything that may answer it.
pub(super) struct Asked<'a> {
    pub document: &'a Document,
    pub checked: &'a Checked,
    pub policy: &'a Policy,
    /// When the document is known to have existed: its anchor's time.
    pub proven: Option<UnixSeconds>,
    pub now: UnixSeconds,
}

impl Asked<'_> {
    pub(super) fn answer(&self) -> Outcome {
        let outcome = match &self.document.anchor {
            Some(anchor) => self.account(&anchor.receipt),
            None => self.key(),
        };
        match &outcome {
            Outcome::Pass(Fact::Tied { tie, .. }) if *tie != Tie::Recognised => self.resemblance().unwrap_or(outcome),
            Outcome::Pass(Fact::SignedBy { name: None, .. }) | Outcome::Unknown(Gap::NoTie { .. }) => {
                self.resemblance().unwrap_or(outcome)
            }
            _ => outcome,
        }
    }

    /// Whose is the anchoring account?
    fn account(&self, receipt: &Receipt) -> Outcome {
        let account = receipt.issuer;
        let owner = self.policy.issuers.iter().find(|issuer| issuer.accounts.contains(&account));
        if self.document.credential.is_none() {
            return match owner {
                Some(owner) => tied(account, Some(owner), Tie::Recognised),
                None => Outcome::Unknown(Gap::UnknownAccount { account }),
            };
        }
        let Some(named) = self.document.named_issuer() else { return no_issuer() };
        if let Some(did) = parse_account_did(named) {
            if did != (receipt.chain, account) {
                return Outcome::Fail(Fault::OtherAccount { named: named.to_owned(), account });
            }
            return self.if_recognised(named, owner.is_some(), tied(account, owner, Tie::SelfNamed));
        }
        let mut known = self.policy.recognised(named).filter(|issuer| !issuer.accounts.is_empty()).peekable();
        if known.peek().is_none() {
            return self.told_by_others(named, account);
        }
        match known.find(|issuer| issuer.accounts.contains(&account)) {
            Some(issuer) => tied(account, Some(issuer), Tie::Recognised),
            None => Outcome::Fail(Fault::NotTheirAccount { named: named.to_owned(), account }),
        }
    }

    /// What those say who were asked whose the account is. One that names others only contradicts the rest.
    fn told_by_others(&self, named: &str, account: Address) -> Outcome {
        let ties = &self.checked.ties;
        if ties.iter().any(|tie| matches!(tie.answer, TieAnswer::Others { .. })) {
            return Outcome::Fail(Fault::NotTheirAccount { named: named.to_owned(), account });
        }
        let mut gap = Gap::NoTie { named: named.to_owned(), account };
        for TieFound { source, answer } in ties {
            match answer {
                TieAnswer::Theirs { as_of, until } => match self.too_old(*as_of).or(self.ended(account, *until)) {
                    Some(found) => gap = found,
                    None => {
                        let tie = Tie::Told { source: source.clone() };
                        let fact = Fact::Tied { account, name: self.known_name(named), tie };
                        return self.if_recognised(named, self.is_known(named), Outcome::Pass(fact));
                    }
                },
                TieAnswer::Unknown(missing) => {
                    gap = Gap::TieUnseen { named: named.to_owned(), account, missing: missing.clone() };
                }
                TieAnswer::Others { .. } | TieAnswer::Silent => {}
            }
        }
        Outcome::Unknown(gap)
    }

    /// Whose is the key that signed? A signature that does not hold says nothing.
    fn key(&self) -> Outcome {
        let Some(named) = self.document.named_issuer() else {
            return if self.document.credential.is_none() { Outcome::Unknown(Gap::NoSigner) } else { no_issuer() };
        };
        let mut gap = Gap::NoSigner;
        for signature in &self.checked.signatures {
            // An ended key says nothing, whoever else signed as well.
            let Ok(owner) = signature::holds(signature, self.proven, self.now) else { continue };
            match owner {
                KeyOwner::Issuer { as_of, .. } => match as_of.and_then(|as_of| self.too_old(as_of)) {
                    Some(old) => gap = old,
                    None => {
                        let fact =
                            Fact::SignedBy { named: named.to_owned(), name: self.known_name(named), as_of: *as_of };
                        return self.if_recognised(named, self.is_known(named), Outcome::Pass(fact));
                    }
                },
                KeyOwner::Unproven(missing) => {
                    gap = Gap::KeyUnproven { named: named.to_owned(), missing: missing.clone() };
                }
                KeyOwner::Untied { owner } => {
                    gap = Gap::KeyUntied { named: named.to_owned(), owner: owner.clone() };
                }
            }
        }
        Outcome::Unknown(gap)
    }

    fn if_recognised(&self, named: &str, is_recognised: bool, outcome: Outcome) -> Outcome {
        match self.policy.recognised {
            Need::Required if !is_recognised => Outcome::Unknown(Gap::NotRecognised { named: named.to_owned() }),
            _ => outcome,
        }
    }

    /// Whether the policy, or a list that it trusts, recognises the issuer of this name.
    fn is_known(&self, named: &str) -> bool {
        self.policy.recognised(named).next().is_some() || self.listed().next().is_some()
    }

    fn known_name(&self, named: &str) -> Option<String> {
        let mut in_policy = self.policy.recognised(named).filter_map(|issuer| issuer.name.clone());
        in_policy.next().or_else(|| self.listed().find_map(Clone::clone))
    }

    /// What the recognised lists call the issuer, for each that has it.
    fn listed(&self) -> impl Iterator<Item = &Option<String>> {
        self.checked.ties.iter().filter_map(|tie| match (&tie.source, &tie.answer) {
            (TieSource::List { called, .. }, TieAnswer::Theirs { .. }) => Some(called),
            _ => None,
        })
    }

    fn too_old(&self, as_of: UnixSeconds) -> Option<Gap> {
        let age = self.now.0.saturating_sub(as_of.0);
        self.policy
            .max_identity_age
            .filter(|allowed| age > *allowed)
            .map(|allowed| Gap::IdentityTooOld { age, allowed })
    }

    fn ended(&self, account: Address, until: Option<UnixSeconds>) -> Option<Gap> {
        let until = until.filter(|until| self.now > *until && self.proven.is_none_or(|proven| proven > *until))?;
        Some(Gap::AccountEnded { account, until })
    }

    fn resemblance(&self) -> Option<Outcome> {
        let like = self.checked.looks_like.clone()?;
        Some(Outcome::Unknown(Gap::LooksLike { named: like.named, recognised: like.recognised }))
    }
}

fn tied(account: Address, owner: Option<&RecognisedIssuer>, tie: Tie) -> Outcome {
    Outcome::Pass(Fact::Tied { account, name: owner.and_then(|owner| owner.name.clone()), tie })
}

fn no_issuer() -> Outcome {
    Outcome::Fail(Fault::Document(Error::Member { member: "issuer" }))
}
