//! All that is checked of a document beside its anchor, in one place.

use testamur_core::{
    UnixSeconds,
    checked::{Checked, ListEntry, Signature},
    policy::Policy,
};

use crate::{
    Supplies,
    integrity::check_proof,
    jose::check_token,
    lists::check_entries,
    opened::{Opened, Signed},
    ties::{self, Known},
};

/// Checks signatures, status lists and ties, as far as the supplies go. What they lack is noted as wanted: fetch it and
/// check again, until nothing new is wanted.
pub fn check(
    opened: &mut Opened,
    supplies: &dyn Supplies,
    policy: &Policy,
    known: &Known,
    now: UnixSeconds,
) -> Checked {
    opened.settle(supplies);
    let (signatures, lists) = signatures_and_lists(opened, supplies, policy, now);
    let mut checked = Checked { signatures, lists, ..Checked::default() };
    ties::add_to(&mut checked, &opened.document, policy, known, supplies, now);
    checked
}

fn signatures_and_lists(
    opened: &Opened,
    supplies: &dyn Supplies,
    policy: &Policy,
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
    let mut lists = check_entries(credential, opened.token_status.as_ref(), own, supplies, policy, now);
    if let Some(badge) = &opened.badge2 {
        let (signature, revoked) = badge.check(supplies, policy, now);
        signatures.push(signature);
        lists.extend(revoked);
    }
    (signatures, lists)
}
