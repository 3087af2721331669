//! All that is checked of a document beside its anchor, in one place.

use serde_json::Value;
use testamur_core::{
    UnixSeconds,
    checked::{Checked, ListEntry, LooksLike, Signature, TieFound},
    policy::Policy,
};

use crate::{
    Supplies,
    integrity::check_proof,
    jose::check_token,
    likeness::{Called, Recognised},
    lists::check_entries,
    opened::{Opened, Signed},
    ties::{Anchored, Known, find_ties},
};

/// Whom a verifier trusts, and whom it knows.
#[derive(Clone, Copy)]
pub struct Verifier<'a> {
    /// What it asks of a document.
    pub policy: &'a Policy,
    /// Lists of recognised issuers, and issuers' statements about their accounts.
    pub known: &'a Known,
    /// The same issuers, prepared to be compared with strangers.
    pub recognised: &'a Recognised,
}

impl Verifier<'_> {
    /// Checks signatures, status lists and ties, as far as the supplies go. What they lack is noted as wanted: fetch it
    /// and check again, until nothing new is wanted.
    pub fn check(&self, opened: &mut Opened, supplies: &dyn Supplies, now: UnixSeconds) -> Checked {
        opened.settle(supplies);
        let (signatures, lists) = self.signatures_and_lists(opened, supplies, now);
        Checked { signatures, lists, ties: self.ties(opened, supplies, now), looks_like: self.looks_like(opened) }
    }

    fn signatures_and_lists(
        &self,
        opened: &Opened,
        supplies: &dyn Supplies,
        now: UnixSeconds,
    ) -> (Vec<Signature>, Vec<ListEntry>) {
        let Some(credential) = opened.credential() else { return Default::default() };
        let issuer = opened.document.named_issuer();
        let signatures = opened.signed.iter().map(|signed| match signed {
            Signed::Proof(proof) => check_proof(credential, proof, supplies, now),
            Signed::Token(token) => check_token(token, issuer, supplies, now),
        });
        let mut signatures: Vec<_> = signatures.collect();
        let anchor = opened.document.anchor.as_ref().map(|anchor| &anchor.receipt);
        let own = anchor.map(|receipt| (receipt.issuer, receipt.status_index));
        let mut lists = check_entries(credential, opened.token_status.as_ref(), own, supplies, self.policy, now);
        if let Some(badge) = &opened.badge2 {
            let (signature, revoked) = badge.check(supplies, self.policy, now);
            signatures.push(signature);
            lists.extend(revoked);
        }
        (signatures, lists)
    }

    fn ties(&self, opened: &Opened, supplies: &dyn Supplies, now: UnixSeconds) -> Vec<TieFound> {
        let Some(named) = opened.document.named_issuer() else { return Vec::new() };
        let anchor = opened.document.anchor.as_ref().map(|anchor| &anchor.receipt);
        let anchored = anchor.map(|receipt| Anchored { chain: receipt.chain, account: receipt.issuer });
        find_ties(named, anchored, self.known, supplies, now)
    }

    fn looks_like(&self, opened: &Opened) -> Option<LooksLike> {
        let name = opened.credential()?.get("issuer").and_then(|issuer| issuer.get("name")).and_then(Value::as_str);
        self.recognised.looks_like(Called { id: opened.document.named_issuer(), name })
    }
}
