//! Canonical forms of Open Badges 3.0 credentials: two for each signature of an rdfc suite.

use std::collections::HashMap;

use anyhow::{Result, anyhow, bail};
use futures::FutureExt;
use iref::{Iri, IriBuf};
use json_ld_core::{Context, LoadError, Loader, LoadingResult, RemoteDocument, rdf::RdfQuads};
use json_ld_expansion::{Action, Expand, Options, Policy};
use serde_json::{Value, json};
use testamur_linked_data::{Canonicalizer, Contexts};

use crate::{
    machine,
    rounds::Rounds,
    table::{Goal, Row, Table, Unit},
};

const CONTENDERS: [&str; 2] = ["ours", "json-ld to bare quads"];
const CREDENTIALS: [usize; 2] = [2000, 50];

/// Credentials a second, both canonical forms of each.
pub fn measure(rounds: usize, table: &mut Table) -> Result<()> {
    let contexts = Contexts::carried();
    if contexts.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json").is_err() {
        bail!("scripts/setup-contexts first");
    }
    let ours = Canonicalizer::new(contexts.clone());
    let theirs = Plain::new(&contexts);
    let [document, _] = credential(0);
    if ours.n_quads(&document)?.lines().count() != theirs.quads(&document)? {
        bail!("the two differ");
    }
    let rates = Rounds::run(rounds, &CONTENDERS, |contender| {
        let documents: Vec<_> = (0..CREDENTIALS[contender]).flat_map(credential).collect();
        let (seconds, done) = machine::cpu_seconds(|| -> Result<()> {
            documents.iter().try_for_each(|document| match contender {
                0 => ours.hash(document).map(drop).map_err(Into::into),
                _ => theirs.quads(document).map(drop),
            })
        });
        done.map(|()| CREDENTIALS[contender] as f64 / seconds)
    })?;
    let what = "eddsa-rdfc-2022, canonical forms of Open Badges a core".into();
    // The signature itself is the rest of it, and takes a twentieth of a millisecond.
    let goal = Some(Goal::AtLeast(1100.0));
    table.push(Row { what, unit: Unit::PerSecond, ours: rates.ours(), peers: rates.peers(), goal });
    Ok(())
}

/// A credential of a class, without its proof, and the proof's configuration.
fn credential(number: usize) -> [Value; 2] {
    let context =
        json!(["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",]);
    let document = json!({
        "@context": context,
        "id": format!("urn:uuid:00000000-0000-4000-8000-{number:012}"),
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Introduction to Botany",
        "issuer": {
            "id": "did:web:example.edu", "type": ["Profile"], "name": "Example University", "url": "https://example.edu",
            "image": {"id": "https://example.edu/logo.png", "type": "Image"},
        },
        "validFrom": format!("2026-06-{:02}T10:00:00Z", number % 28 + 1),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{
                "type": "IdentityObject", "identityHash": format!("person{number}@example.edu"),
                "identityType": "emailAddress", "hashed": false,
            }],
            "achievement": {
                "id": "https://example.edu/achievements/botany", "type": ["Achievement"],
                "achievementType": "Course", "name": "Introduction to Botany",
                "description": "Plants, their parts and their families.",
                "criteria": {"narrative": "Attendance and an exam."},
                "image": {"id": "https://example.edu/botany.png", "type": "Image"},
            },
        },
        "credentialStatus": {
            "id": format!("https://example.edu/status/1#{number}"), "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation", "statusListIndex": number.to_string(),
            "statusListCredential": "https://example.edu/status/1",
        },
    });
    let proof = json!({
        "@context": context,
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod",
        "created": format!("2026-06-30T10:{:02}:{:02}Z", number / 60 % 60, number % 60),
        "verificationMethod": "did:web:example.edu#key-1",
    });
    [document, proof]
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
