//! From rows to drafts: who has it already, and for the others a credential that is built, signed, and stored with
//! everything that its anchor is made from.

use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::{Map, Value};
use testamur::node::{Node, Place};
use testamur_core::{
    Hash, Purpose, StatusIndex, UnixSeconds,
    digest::{blind, credential_hash},
    proof::ProofConfig,
    status::own_entry,
};
use testamur_credentials::sign::Suite;

use super::{
    IssueError, Order, Passed, Step, Summary, linked,
    names::file_name,
    randomness::{Randomness, draw},
};
use crate::{
    credential::{Issuing, Misfit, credential},
    profile::Profile,
    roster::{Award, Row},
    store::{Draft, Known, RunId, State, Store},
};

/// What all credentials of a run have in common.
pub(super) struct Desk<'a> {
    pub order: &'a Order<'a>,
    pub place: Place,
    /// The URL by which credentials name their status lists.
    pub server: String,
    /// The folder for the files, by its whole path.
    pub folder: PathBuf,
    pub run: RunId,
    pub now: UnixSeconds,
}

/// A row that is an award: its line, and what the award says, whenever it is said.
struct Wanted {
    line: u64,
    award: Award,
    content: Hash,
}

/// A row that cannot get a credential as it is: its line, and why.
type Refused = (u64, String);

impl Desk<'_> {
    /// Drafts credentials for those rows of a chunk whose learners have none yet, and tells of the others.
    pub async fn draft(
        &self,
        node: &Node,
        store: &mut Store,
        rows: Vec<Row>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<(), IssueError> {
        summary.rows += rows.len() as u64;
        let (wanted, faults) = apart(rows.into_par_iter().map(|row| self.wanted(row)));
        self.refuse(store, faults, summary, tell)?;
        let fresh = self.leave_out_known(store, wanted, summary, tell)?;
        if fresh.is_empty() {
            return Ok(());
        }
        let indices = node.reserve(self.place.issuer, fresh.len()).await?;
        let random = draw(fresh.len())?;
        let work = fresh.into_par_iter().zip(indices).zip(random);
        let (drafts, faults) = apart(work.map(|((wanted, index), random)| self.draft_one(wanted, index, random)));
        self.refuse(store, faults, summary, tell)?;
        let taken = store.draft(self.run, &self.order.template.id, &drafts)?;
        let issued = taken.iter().filter(|taken| **taken).count();
        summary.issued += issued as u64;
        // Another run was faster.
        summary.already += (taken.len() - issued) as u64;
        tell(Step::Drafted(issued));
        Ok(())
    }

    /// Tells and notes rows that cannot get a credential as they are.
    fn refuse(
        &self,
        store: &mut Store,
        faults: Vec<(u64, String)>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<(), IssueError> {
        summary.faults += faults.len() as u64;
        for (line, fault) in &faults {
            tell(Step::Passed(*line, Passed::Fault(fault)));
        }
        Ok(store.note_faults(self.run, &faults)?)
    }

    /// What a row asks for, if it is an award that goes with the template.
    fn wanted(&self, Row { line, award, .. }: Row) -> Result<Wanted, Refused> {
        let award = award.map_err(|fault| (line, fault.to_string()))?;
        let content = self.content(&award).map_err(|misfit| (line, misfit.to_string()))?;
        Ok(Wanted { line, award, content })
    }

    /// What a credential says of a learner, apart from who issues it, when, and under which number.
    fn content(&self, award: &Award) -> Result<Hash, Misfit> {
        let nobody =
            Profile { id: String::new(), name: String::new(), url: None, email: None, description: None, image: None };
        let neutral =
            Issuing { id: String::new(), issued: UnixSeconds(0), status: &[], salt: [0; 16], supersedes: None };
        let members = credential(&nobody, self.order.template, award, &neutral)?;
        Ok(credential_hash(&Value::Object(members)))
    }

    /// Tells of those who have it already, and returns the others.
    fn leave_out_known(
        &self,
        store: &mut Store,
        wanted: Vec<Wanted>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<Vec<Wanted>, IssueError> {
        let keys = wanted.iter().map(|Wanted { award, .. }| (award.learner.key.as_str(), award.period.as_str()));
        let known = store.known(&self.order.template.id, keys)?;
        let (mut fresh, mut missing) = (Vec::new(), Vec::new());
        for (wanted, known) in wanted.into_iter().zip(known) {
            let Some(known) = known else {
                fresh.push(wanted);
                continue;
            };
            let passed = summary.count(&known, wanted.content);
            tell(Step::Passed(wanted.line, passed));
            if matches!(passed, Passed::Already(_)) && self.is_missing(&known) {
                missing.push(known);
            }
        }
        store.write_again(self.run, &missing)?;
        Ok(fresh)
    }

    /// Whether its file was written, and is not in the folder of this run.
    fn is_missing(&self, known: &Known) -> bool {
        known.state == State::Written && !self.folder.join(&known.file).exists()
    }

    /// Builds and signs one credential. Its canonical form is hashed once, for the signature and for the anchor.
    fn draft_one(&self, wanted: Wanted, index: StatusIndex, random: Randomness) -> Result<Draft, Refused> {
        let Wanted { line, award, content } = wanted;
        let uri = random.uri();
        let mut signed = self.build(&award, index, &uri, random.salt).map_err(|misfit| (line, misfit.to_string()))?;
        let hash = credential_hash(&signed);
        let Place { chain, issuer, .. } = self.place;
        let config = ProofConfig::new(signed.get("@context"), chain, issuer, self.now, random.nonce);
        let digest = blind(&config.to_json(), hash);
        let Value::Object(members) = &mut signed else { unreachable!("it was made as an object") };
        let proof = self.sign(members, hash).map_err(|reason| (line, format!("it cannot be signed: {reason}")))?;
        members.insert("proof".to_owned(), proof);
        let time = |member: &str| members.get(member)?.as_str()?.parse().ok();
        Ok(Draft {
            valid_from: time("validFrom").unwrap_or(self.now),
            valid_until: time("validUntil"),
            file: file_name(award.learner.name.as_deref().unwrap_or(&award.learner.key), &uri, "json"),
            document: serde_json::to_vec(&signed).expect("JSON values serialise"),
            period: award.period,
            learner: award.learner,
            uri,
            content,
            config,
            digest,
            status_index: index,
            supersedes: None,
        })
    }

    fn build(&self, award: &Award, index: StatusIndex, uri: &str, salt: [u8; 16]) -> Result<Value, Misfit> {
        let entry = |purpose| own_entry(&self.server, self.place.issuer, purpose, index);
        let status = [Purpose::REVOCATION, Purpose::SUSPENSION].map(entry);
        let issuing = Issuing { id: uri.to_owned(), issued: self.now, status: &status, salt, supersedes: None };
        credential(self.order.profile, self.order.template, award, &issuing).map(Value::Object)
    }

    fn sign(&self, credential: &Map<String, Value>, hash: Hash) -> Result<Value, String> {
        let Order { signer, suite, .. } = *self.order;
        match suite {
            Suite::EddsaJcs2022 => Ok(signer.prove_jcs(hash, credential.get("@context"), self.now)),
            Suite::EddsaRdfc2022 => linked::prove(signer, credential, self.now),
            Suite::VcJwt => Err("a file holds a credential or a token".to_owned()),
        }
    }
}

/// The good ones and the others, in their order.
fn apart<T: Send>(all: impl IndexedParallelIterator<Item = Result<T, Refused>>) -> (Vec<T>, Vec<Refused>) {
    let mut outcomes = Vec::new();
    all.collect_into_vec(&mut outcomes);
    let (mut good, mut refused) = (Vec::with_capacity(outcomes.len()), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(one) => good.push(one),
            Err(one) => refused.push(one),
        }
    }
    (good, refused)
}

impl Summary {
    /// Counts a row whose learner has something already.
    fn count<'a>(&mut self, known: &'a Known, content: Hash) -> Passed<'a> {
        let (counter, passed) = if known.revoked.is_some() {
            (&mut self.revoked, Passed::Revoked(&known.uri))
        } else if known.content != content {
            (&mut self.differ, Passed::Differs(&known.uri))
        } else {
            (&mut self.already, Passed::Already(&known.uri))
        };
        *counter += 1;
        passed
    }
}
