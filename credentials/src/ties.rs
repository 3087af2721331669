//! Whose is the anchoring account? Those who can say so are asked: the lists that the verifier trusts, a statement that
//! the issuer's own key signed, the document of the issuer's DID or URL, and a DNS record of its domain.
//!
//! They are asked in this order, and only until one says yes: what the verifier brings along needs no request, and so
//! nobody learns from it what is being verified. Whoever names other accounts on the same chain says no.
//!
//! An issuer that is replaced by another account keeps the old one in its document: every account that stands there is
//! its own, so that what was anchored before the change stays verifiable.

mod statement;

use serde_json::Value;
use testamur_core::{
    Address, ChainId, Document, UnixSeconds,
    checked::{Checked, Missing, TieAnswer, TieFound, TieSource},
    json,
    policy::Policy,
};

use crate::{
    Have, Supplies,
    host::host,
    keys::Home,
    likeness::{Called, Recognised},
    recognised::{Account, RecognisedList},
};

pub use statement::STATEMENT_TYPE;

/// Verification methods that are looked at in one document, and records of one DNS answer: nobody has as many accounts.
const MOST: usize = 1_000;
/// What a DNS record of ours begins with.
const RECORD: &str = "testamur=";

/// What a verifier brings along, and asks nobody for.
#[derive(Clone, Debug, Default)]
pub struct Known {
    lists: Vec<Listed>,
    statements: Vec<String>,
    recognised: Recognised,
}

/// A list that the verifier trusts, as far as it could be had.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its file or URL.
    pub name: String,
    /// The list, and when it was had.
    pub list: Result<(RecognisedList, UnixSeconds), Missing>,
}

/// The account on the chain where the anchor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The chain.
    pub chain: ChainId,
    /// The account.
    pub account: Address,
}

/// Adds to what was checked of a document: whose its account is, and whom its issuer can be mistaken for. An issuer whose
/// accounts the policy knows is not asked about.
pub fn add_to(
    checked: &mut Checked,
    document: &Document,
    policy: &Policy,
    known: &Known,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) {
    let Some(named) = document.named_issuer() else { return };
    let receipt = document.anchor.as_ref().map(|anchor| &anchor.receipt);
    let anchored = receipt.map(|receipt| Anchored { chain: receipt.chain, account: receipt.issuer });
    if !policy.recognised(named).any(|issuer| !issuer.accounts.is_empty()) {
        checked.ties = find_ties(named, anchored, known, supplies, now);
    }
    let issuer = document.credential.as_ref().and_then(|credential| credential.get("issuer"));
    let name = issuer.and_then(|issuer| issuer.get("name")).and_then(Value::as_str);
    checked.looks_like = known.recognised.looks_like(Called { id: Some(named), name });
}

/// Asks whether an account is the issuer's. Without an anchor only the lists are asked, whether they know the issuer.
pub fn find_ties(
    named: &str,
    anchored: Option<Anchored>,
    known: &Known,
    supplies: &dyn Supplies,
    now: UnixSeconds,
) -> Vec<TieFound> {
    let mut ties = known.ask_lists(named, anchored);
    let Some(anchored) = anchored.filter(|_| told(&ties).is_none()) else { return ties };
    let others: [&dyn Fn() -> Option<TieFound>; 3] = [
        &|| statement::ask(named, anchored, known, supplies, now),
        &|| ask_document(named, anchored, supplies),
        &|| ask_dns(named, anchored, supplies),
    ];
    for ask in others {
        ties.extend(ask());
        if let Some(told) = told(&ties) {
            ties.extend(known.recognises(named, told));
            break;
        }
    }
    ties
}

/// When somebody was seen who says yes, for any time.
fn told(ties: &[TieFound]) -> Option<UnixSeconds> {
    ties.iter().find_map(|tie| match tie.answer {
        TieAnswer::Theirs { as_of, until: None } => Some(as_of),
        _ => None,
    })
}

impl Known {
    /// The lists and statements that a verifier brings along, beside the issuers of its policy.
    pub fn new(lists: Vec<Listed>, statements: Vec<String>, policy: &Policy) -> Self {
        let in_policy = policy.issuers.iter().map(|issuer| (issuer.id.as_deref(), issuer.name.as_deref()));
        let entries = lists.iter().filter_map(|listed| listed.list.as_ref().ok()).flat_map(|(list, _)| &list.issuers);
        let in_lists = entries.map(|entry| (Some(entry.id.as_str()), entry.name.as_deref()));
        let recognised = Recognised::new(in_policy.chain(in_lists).map(|(id, name)| Called { id, name }));
        Self { lists, statements, recognised }
    }

    fn ask_lists(&self, named: &str, anchored: Option<Anchored>) -> Vec<TieFound> {
        let ask = |listed: &Listed| match &listed.list {
            Err(missing) => Some(tie(listed.source(None), TieAnswer::Unknown(missing.clone()))),
            Ok((list, as_of)) => {
                let entries: Vec<_> = list.issuers.iter().filter(|entry| entry.id == named).collect();
                let called = entries.iter().find_map(|entry| entry.name.clone());
                let accounts = entries.iter().flat_map(|entry| &entry.accounts).map(|account| (*account, None));
                let answer = match anchored {
                    None => TieAnswer::Theirs { as_of: *as_of, until: None },
                    Some(anchored) => answer(anchored, accounts, *as_of),
                };
                (!entries.is_empty()).then(|| tie(listed.source(called), answer))
            }
        };
        self.lists.iter().filter_map(ask).collect()
    }

    /// A list that knows the issuer and none of its accounts recognises it all the same, once its account is told: then,
    /// because of the account the list says nothing that is younger.
    fn recognises(&self, named: &str, told: UnixSeconds) -> Option<TieFound> {
        self.ask_lists(named, None).into_iter().find_map(|tie| match tie.answer {
            TieAnswer::Theirs { as_of, until } => {
                Some(TieFound { answer: TieAnswer::Theirs { as_of: as_of.min(told), until }, ..tie })
            }
            _ => None,
        })
    }
}

impl Listed {
    fn source(&self, called: Option<String>) -> TieSource {
        let own_name = self.list.as_ref().ok().and_then(|(list, _)| list.name.clone());
        TieSource::List { name: own_name.unwrap_or_else(|| self.name.clone()), called }
    }
}

/// What follows from accounts that are the issuer's, each with the moment that ended it.
fn answer(
    anchored: Anchored,
    accounts: impl Iterator<Item = (Account, Option<UnixSeconds>)>,
    as_of: UnixSeconds,
) -> TieAnswer {
    let here: Vec<_> = accounts.filter(|(account, _)| account.is_on(anchored.chain)).collect();
    let own = here.iter().filter(|(account, _)| account.address == anchored.account);
    // The same account listed twice counts by its longer life.
    let until = own.map(|(_, until)| *until).reduce(|one, other| Some(one?.max(other?)));
    match until {
        Some(until) => TieAnswer::Theirs { as_of, until },
        None if here.is_empty() => TieAnswer::Silent,
        None => TieAnswer::Others { accounts: here.iter().map(|(account, _)| account.address).collect() },
    }
}

/// The issuer's own document: at the URL of its did:web, or at the URL that is its name.
fn ask_document(named: &str, anchored: Anchored, supplies: &dyn Supplies) -> Option<TieFound> {
    let Home::Document(url) = Home::of(named) else { return None };
    let answer = match supplies.document(&url) {
        Have::NotYet => return None,
        Have::No(missing) => TieAnswer::Unknown(missing),
        Have::Yes(document) => match read(named, &document.bytes) {
            Ok(document_read) => answer(anchored, accounts(&document_read, named), document.as_of),
            // A web page at the issuer's URL names no accounts; at a DID's URL it is out of place.
            Err(_) if !named.starts_with("did:") => TieAnswer::Silent,
            Err(reason) => TieAnswer::Unknown(Missing::Unreadable { what: url.clone(), reason }),
        },
    };
    Some(tie(TieSource::DidDocument { url }, answer))
}

fn read(named: &str, bytes: &[u8]) -> Result<Value, String> {
    let document = json::parse(bytes).map_err(|error| error.to_string())?;
    match document.get("id").and_then(Value::as_str) {
        Some(id) if id == named => Ok(document),
        Some(id) => Err(format!("it is the document of {id}")),
        None => Err("it has no id".to_owned()),
    }
}

/// The accounts that a document lists, whatever for: who may sign with an account has it. One that belongs to somebody
/// else (`controller`) is not the issuer's.
fn accounts<'a>(document: &'a Value, named: &'a str) -> impl Iterator<Item = (Account, Option<UnixSeconds>)> + 'a {
    let methods = ["verificationMethod", "assertionMethod"].into_iter();
    let methods = methods.filter_map(|member| document.get(member)?.as_array()).flatten().take(MOST);
    methods.filter_map(move |method| {
        let text = |member: &str| method.get(member).and_then(Value::as_str);
        let account: Account = text("blockchainAccountId")?.parse().ok()?;
        let is_own = text("controller").is_none_or(|controller| controller == named);
        // What cannot be read as a time has ended all along.
        let end =
            |member| method.get(member).map(|_| text(member).and_then(|time| time.parse().ok()).unwrap_or_default());
        let until = [end("expires"), end("revoked")].into_iter().flatten().min();
        (is_own && account.chain.is_some()).then_some((account, until))
    })
}

/// `_testamur.<domain>` TXT `testamur=eip155:1:0x…`, one record for each account. It is asked for as the `dns:` URI of
/// RFC 4501; the answer is a JSON array of the records' texts.
fn ask_dns(named: &str, anchored: Anchored, supplies: &dyn Supplies) -> Option<TieFound> {
    let (host, is_whole) = host(named).filter(|(host, _)| host.is_ascii())?;
    let name = format!("_testamur.{host}");
    let url = format!("dns:{name}?type=TXT");
    let answer = match supplies.document(&url) {
        Have::NotYet => return None,
        Have::No(missing) => TieAnswer::Unknown(missing),
        Have::Yes(records) => match serde_json::from_slice::<Vec<String>>(&records.bytes) {
            Err(error) => TieAnswer::Unknown(Missing::Unreadable { what: url, reason: error.to_string() }),
            Ok(texts) => {
                let accounts = texts.iter().take(MOST).filter_map(|text| recorded(text));
                match answer(anchored, accounts.map(|account| (account, None)), records.as_of) {
                    // The domain's accounts are not those of everybody who has a page there.
                    TieAnswer::Others { .. } if !is_whole => TieAnswer::Silent,
                    answer => answer,
                }
            }
        },
    };
    Some(tie(TieSource::Dns { name }, answer))
}

fn recorded(text: &str) -> Option<Account> {
    let account: Account = text.trim().strip_prefix(RECORD)?.trim().parse().ok()?;
    account.chain.is_some().then_some(account)
}

fn tie(source: TieSource, answer: TieAnswer) -> TieFound {
    TieFound { source, answer }
}

#[cfg(test)]
mod tests;
