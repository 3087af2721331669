//! Open Badges 3.0 with proofs of eddsa-rdfc-2022: most of the work is the two canonical forms behind each signature.

use std::collections::HashMap;

use anyhow::{Result, anyhow, bail, ensure};
use futures::FutureExt;
use iref::{Iri, IriBuf};
use json_ld_core::{Context, LoadError, Loader, LoadingResult, RemoteDocument, rdf::RdfQuads};
use json_ld_expansion::{Action, Expand, Options, Policy};
use serde_json::{Map, Value, json};
use testamur_core::{
    Hash, UnixSeconds,
    checked::{Missing, SignatureOutcome},
};
use testamur_credentials::{
    Have, Supplied, Supplies,
    integrity::{check_proof, linked_hashes},
};
use testamur_linked_data::{Canonicalizer, Contexts};

use crate::{
    badge::Issuer,
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const CONTENDERS: [&str; 2] = ["ours", "json-ld to bare quads"];
const CREDENTIALS: [usize; 2] = [2000, 50];
/// After the proofs were made.
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// Credentials a second, signature included.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let contexts = Contexts::carried();
    if contexts.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json").is_err() {
        bail!("scripts/setup-contexts first");
    }
    let ours = Carried(Canonicalizer::new(contexts.clone()));
    let theirs = Plain::new(&contexts);
    let issuer = Issuer::new();
    let signed = (0..CREDENTIALS[0]).map(|number| sign(number, &issuer, &ours)).collect::<Result<Vec<_>>>()?;
    let bare: Vec<Value> = (0..CREDENTIALS[1]).map(|number| unsigned(number, &issuer).into()).collect();
    ensure!(ours.0.n_quads(&bare[0])?.lines().count() == theirs.quads(&bare[0])?, "the two differ");
    let rates = Rounds::run(rounds, &CONTENDERS, |contender| {
        let (seconds, done) = machine::cpu_seconds(|| match contender {
            0 => signed.iter().try_for_each(|badge| check(badge, &ours)),
            _ => bare.iter().try_for_each(|badge| theirs.quads(badge).map(drop)),
        });
        done.map(|()| CREDENTIALS[contender] as f64 / seconds)
    })?;
    let what = "Open Badges with eddsa-rdfc-2022 checked a core".into();
    let goal = Some(Goal::AtLeast(1000.0));
    table.push(Row { what, unit: Unit::PerSecond, ours: rates.ours(), peers: rates.peers(), goal });
    Ok(())
}

fn unsigned(number: usize, issuer: &Issuer) -> Map<String, Value> {
    let status = json!({
        "id": format!("https://example.edu/status/1#{number}"), "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation", "statusListIndex": number.to_string(),
        "statusListCredential": "https://example.edu/status/1",
    });
    issuer.badge(number, status)
}

fn sign(number: usize, issuer: &Issuer, supplies: &Carried) -> Result<Map<String, Value>> {
    let mut badge = unsigned(number, issuer);
    issuer.prove(&mut badge, "eddsa-rdfc-2022", |badge, proof| match linked_hashes(badge, proof, supplies) {
        Have::Yes(hashes) => Ok(hashes),
        Have::No(missing) => bail!("{missing}"),
        Have::NotYet => bail!("nobody fetches anything here"),
    })?;
    Ok(badge)
}

fn check(badge: &Map<String, Value>, supplies: &Carried) -> Result<()> {
    match check_proof(badge, &badge["proof"], supplies, NOW).outcome {
        SignatureOutcome::Holds(_) => Ok(()),
        outcome => bail!("{outcome:?}"),
    }
}

/// Canonical forms by the carried contexts; nothing else is needed where the issuer is its key.
struct Carried(Canonicalizer);

impl Supplies for Carried {
    fn document(&self, url: &str) -> Have<Supplied> {
        Have::No(Missing::NotAsked { what: url.to_owned() })
    }

    fn canonical(&self, document: &Value) -> Have<Hash> {
        self.0.hash(document).map_or_else(|error| Have::No(error.into()), Have::Yes)
    }
}

/// The JSON-LD crates as they come, with contexts from memory.
struct Plain(HashMap<String, RemoteDocument>);

impl Plain {
    fn new(contexts: &Contexts) -> Self {
        let document = |url: &str| {
            let whole = json!({"@context": contexts.get(url).ok()});
            RemoteDocument::new(IriBuf::new(url.to_owned()).ok(), None, json_syntax::Value::from_serde_json(whole))
        };
        Self(contexts.urls().map(|url| (url.to_owned(), document(url))).collect())
    }

    fn quads(&self, document: &Value) -> Result<usize> {
        let policy = Policy { invalid: Action::Reject, vocab: Action::Keep, allow_undefined: false };
        let options = Options { policy, ..Options::default() };
        let document = json_syntax::Value::from_serde_json(document.clone());
        let mut nothing = ();
        let expanded = document.expand_full(&mut nothing, Context::default(), None, self, options, ());
        let mut expanded = expanded.now_or_never().ok_or_else(|| anyhow!("it waits"))??;
        let mut generator = rdf_types::generator::Blank::new();
        expanded.identify_all(&mut generator);
        Ok(expanded.rdf_quads(&mut generator, None).cloned().count())
    }
}

impl Loader for Plain {
    async fn load(&self, url: &Iri) -> LoadingResult<IriBuf> {
        let there = self.0.get(url.as_str()).cloned();
        there.ok_or_else(|| LoadError::new(url.to_owned(), std::io::Error::from(std::io::ErrorKind::NotFound)))
    }
}
