//! A statement in which an issuer names its account: a compact token that its own key signed. For issuers whose DID is a
//! key (did:key, did:jwk), because there is no document in which they could list an account.
//!
//! Header: `typ` is `testamur-account+jwt`, so that nothing else the key ever signed can be taken for one. Claims: `iss`
//! (the DID), `account` (CAIP-10, or several in an array), `iat`, and `exp` if the account is the issuer's until then
//! only. All statements of an issuer count together: who changes to another account makes another statement.

use serde_json::Value;
use testamur_core::{
    UnixSeconds,
    checked::{KeyOwner, Missing, SignatureOutcome, TieAnswer, TieFound, TieSource},
};

use super::{Anchored, Known, answer, tie};
use crate::{
    Supplies,
    jose::{Compact, check_token},
    recognised::Account,
};

/// What makes a token such a statement.
pub const STATEMENT_TYPE: &str = "testamur-account+jwt";

/// What a statement says.
struct Said {
    accounts: Vec<Account>,
    at: UnixSeconds,
    until: Option<UnixSeconds>,
}

/// Asks the statements that the verifier brings along.
pub(super) fn ask(
    named: &str,
    anchored: Anchored,
    known: &Known,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) -> Option<TieFound> {
    let own = known.statements.iter().filter(|token| is_by(named, token));
    let (said, wrong): (Vec<_>, Vec<_>) = own.map(|token| read(named, token, supplies, now)).partition(Result::is_ok);
    let said: Vec<Said> = said.into_iter().flatten().collect();
    let answer = match (said.iter().map(|said| said.at).max(), wrong.into_iter().find_map(Result::err)) {
        (Some(as_of), _) => {
            let accounts = said.iter().flat_map(|said| said.accounts.iter().map(|account| (*account, said.until)));
            answer(anchored, accounts, as_of)
        }
        (None, Some(reason)) => {
            TieAnswer::Unknown(Missing::Unreadable { what: format!("the statement of {named}"), reason })
        }
        (None, None) => return None,
    };
    Some(tie(TieSource::Statement { signer: named.to_owned() }, answer))
}

fn is_by(named: &str, token: &str) -> bool {
    let token = Compact::parse(token.trim());
    token.is_ok_and(|token| token.payload.get("iss").and_then(Value::as_str) == Some(named))
}

fn read(named: &str, token: &str, supplies: &dyn Supplies, now: UnixSeconds) -> Result<Said, String> {
    let token = token.trim();
    let parsed = Compact::parse(token).map_err(|fault| fault.to_string())?;
    if parsed.header.get("typ").and_then(Value::as_str) != Some(STATEMENT_TYPE) {
        return Err(format!("its typ is not {STATEMENT_TYPE}"));
    }
    let time = |claim| parsed.claim_time(claim).map_err(|fault| fault.to_string());
    let at = time("iat")?.ok_or("it does not say when it was made (iat)")?;
    let until = time("exp")?;
    // One that ended says what was true before: it is checked as of its end.
    match check_token(token, Some(named), supplies, until.map_or(now, |until| until.min(now))).outcome {
        SignatureOutcome::Holds(KeyOwner::Issuer { .. }) => {}
        SignatureOutcome::Holds(_) => return Err("it is not signed with the issuer's key".to_owned()),
        SignatureOutcome::Fails(fault) => return Err(fault.to_string()),
        SignatureOutcome::Unknown(gap) => return Err(gap.to_string()),
    }
    let accounts = match parsed.payload.get("account") {
        Some(Value::Array(several)) => several.iter().map(Value::as_str).collect(),
        one => vec![one.and_then(Value::as_str)],
    };
    let account = |text: Option<&str>| text?.parse().ok().filter(|account: &Account| account.chain.is_some());
    let accounts: Option<Vec<_>> = accounts.into_iter().map(account).collect();
    let accounts = accounts.ok_or("its account is not written like eip155:1:0x…")?;
    Ok(Said { accounts, at, until })
}
