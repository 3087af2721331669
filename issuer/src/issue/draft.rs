//! From rows to drafts: who has it already, and for the others a credential that is built, signed, and stored with
//! everything that its anchor is made from.

use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::{Map, Value};
use testamur::node::{Node, Place};
use testamur_core::{
    Hash, Purpose, StatusIndex, UnixSeconds,
    digest::{blind, credential_hash, file_hash},
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
    credential::{Issuing, Misfit, Superseded, credential},
    profile::Profile,
    roster::{Award, Row},
    store::{Draft, Known, Predecessor, RunId, State, Store},
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

/// An award that is to become a credential: its line in the roster, and what it says, whenever it is said.
pub(super) struct Wanted {
    pub line: u64,
    pub award: Award,
    pub content: Hash,
    /// What it takes the place of.
    pub supersedes: Option<Succession>,
}

/// How a credential takes the place of another one.
pub(super) struct Succession {
    pub superseded: Superseded,
    /// The code for its revocation, if it is to be revoked.
    pub revoke: Option<u8>,
}

/// A row that cannot get a credential as it is: its line, and why.
type Refused = (u64, String);

impl Desk<'_> {
    /// Those rows of a chunk whose learners are to get a credential; tells of the others.
    pub fn read(
        &self,
        store: &mut Store,
        rows: Vec<Row>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<Vec<Wanted>, IssueError> {
        summary.rows += rows.len() as u64;
        let (wanted, faults) = apart(rows.into_par_iter().map(|row| self.wanted(row)));
        self.refuse(store, faults, summary, tell)?;
        self.leave_out_known(store, wanted, summary, tell)
    }

    /// Drafts a credential for each.
    pub async fn draft(
        &self,
        node: &Node,
        store: &mut Store,
        wanted: Vec<Wanted>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<(), IssueError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let indices = node.reserve(self.place.issuer, wanted.len()).await?;
        let random = draw(wanted.len())?;
        let work = wanted.into_par_iter().zip(indices).zip(random);
        let one = |((wanted, index), random): ((Wanted, _), _)| {
            let line = wanted.line;
            self.draft_one(wanted, index, random).map(|draft| (line, draft))
        };
        let (drafts, faults) = apart(work.map(one));
        self.refuse(store, faults, summary, tell)?;
        let (lines, drafts): (Vec<_>, Vec<_>) = drafts.into_iter().unzip();
        let taken = store.draft(self.run, &self.order.template.id, &drafts)?;
        let mut issued = 0;
        for ((line, Draft { uri, supersedes, .. }), taken) in lines.into_iter().zip(&drafts).zip(taken) {
            issued += usize::from(taken);
            match supersedes {
                Some(_) if taken => summary.superseded += 1,
                // Another run was faster.
                Some(Predecessor { id, .. }) => self.pass(store, line, Passed::Overtaken(id), summary, tell)?,
                None if !taken => self.pass(store, line, Passed::Already(uri), summary, tell)?,
                None => {}
            }
        }
        summary.issued += issued as u64;
        tell(Step::Drafted(issued));
        Ok(())
    }

    /// Tells of a row that gets no credential.
    fn pass(
        &self,
        store: &mut Store,
        line: u64,
        passed: Passed<'_>,
        summary: &mut Summary,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<(), IssueError> {
        summary.count(passed);
        tell(Step::Passed(line, passed));
        if !matches!(passed, Passed::Already(_)) {
            store.note_faults(self.run, &[(line, passed.to_string())])?;
        }
        Ok(())
    }

    /// Tells and notes rows that cannot get a credential as they are.
    pub fn refuse(
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
        Ok(Wanted { line, award, content, supersedes: None })
    }

    /// What a credential says of a learner, apart from who issues it, when, and under which number.
    pub fn content(&self, award: &Award) -> Result<Hash, Misfit> {
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
        let (mut fresh, mut missing, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for (mut wanted, known) in wanted.into_iter().zip(known) {
            let Some(known) = known else {
                fresh.push(wanted);
                continue;
            };
            let passed = known.passed(wanted.content);
            if let (Passed::Differs(id), Some(reason)) = (passed, self.order.supersede) {
                wanted.supersedes = self.succession(store, id, reason)?;
                fresh.push(wanted);
                continue;
            }
            summary.count(passed);
            tell(Step::Passed(wanted.line, passed));
            match passed {
                Passed::Already(_) if self.is_missing(&known) => missing.push(known),
                Passed::Already(_) => {}
                _ => left.push((wanted.line, passed.to_string())),
            }
        }
        store.note_faults(self.run, &left)?;
        store.write_again(self.run, &missing)?;
        Ok(fresh)
    }

    /// What is needed of a credential that another one takes the place of.
    fn succession(&self, store: &Store, id: &str, reason: u8) -> Result<Option<Succession>, IssueError> {
        let issued = store.issued(id)?;
        Ok(issued.map(|issued| Succession { superseded: issued.superseded(), revoke: Some(reason) }))
    }

    /// Whether its file was written, and is not in the folder of this run.
    fn is_missing(&self, known: &Known) -> bool {
        known.state == State::Written && !self.folder.join(&known.file).exists()
    }

    /// Builds and signs one credential.
    fn draft_one(&self, wanted: Wanted, index: StatusIndex, random: Randomness) -> Result<Draft, Refused> {
        let Wanted { line, award, content, supersedes } = wanted;
        let uri = random.uri();
        let superseded = supersedes.as_ref().map(|succession| succession.superseded.clone());
        let credential = self.build(&award, index, &uri, random.salt, superseded);
        let credential = credential.map_err(|misfit| (line, misfit.to_string()))?;
        let time = |member: &str| credential.get(member)?.as_str()?.parse().ok();
        let (valid_from, valid_until) = (time("validFrom").unwrap_or(self.now), time("validUntil"));
        let Made { document, hash, context, ending } =
            self.sign(credential).map_err(|reason| (line, format!("it cannot be signed: {reason}")))?;
        let Place { chain, issuer, .. } = self.place;
        let config = ProofConfig::new(context.as_ref(), chain, issuer, self.now, random.nonce);
        Ok(Draft {
            valid_from,
            valid_until,
            file: file_name(award.learner.name.as_deref().unwrap_or(&award.learner.key), &uri, ending),
            document,
            award,
            uri,
            content,
            digest: blind(&config.to_json(), hash),
            config,
            status_index: index,
            supersedes: supersedes.map(|Succession { superseded, revoke }| Predecessor { id: superseded.id, revoke }),
        })
    }

    fn build(
        &self,
        award: &Award,
        index: StatusIndex,
        uri: &str,
        salt: [u8; 16],
        supersedes: Option<Superseded>,
    ) -> Result<Map<String, Value>, Misfit> {
        let entry = |purpose| own_entry(&self.server, self.place.issuer, purpose, index);
        let status = [Purpose::REVOCATION, Purpose::SUSPENSION].map(entry);
        let issuing = Issuing { id: uri.to_owned(), issued: self.now, status: &status, salt, supersedes };
        credential(self.order.profile, self.order.template, award, &issuing)
    }

    /// Signs. The canonical form is hashed once, for the signature and for the anchor. A token is anchored as the file
    /// that it is: whoever has the credential in it alone has no proof.
    fn sign(&self, credential: Map<String, Value>) -> Result<Made, String> {
        let Order { signer, suite, .. } = *self.order;
        if suite == Suite::VcJwt {
            let document = signer.vc_jwt(&credential, self.now).into_bytes();
            return Ok(Made { hash: file_hash(&document), document, context: None, ending: "jwt" });
        }
        let context = credential.get("@context").cloned();
        let value = Value::Object(credential);
        let hash = credential_hash(&value);
        let Value::Object(mut members) = value else { unreachable!("it was made as an object") };
        let proof = match suite {
            Suite::EddsaRdfc2022 => linked::prove(signer, &members, self.now)?,
            _ => signer.prove_jcs(hash, context.as_ref(), self.now),
        };
        members.insert("proof".to_owned(), proof);
        let document = serde_json::to_vec(&members).expect("JSON values serialise");
        Ok(Made { document, hash, context, ending: "json" })
    }
}

/// A signed credential.
struct Made {
    document: Vec<u8>,
    /// What is anchored.
    hash: Hash,
    /// What the configuration of its anchor repeats.
    context: Option<Value>,
    /// Of its file's name.
    ending: &'static str,
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

impl Known {
    /// Why its learner gets no other one, as far as it is the same.
    fn passed(&self, content: Hash) -> Passed<'_> {
        match self {
            Self { revoked: Some(_), .. } => Passed::Revoked(&self.uri),
            Self { content: known, .. } if *known != content => Passed::Differs(&self.uri),
            _ => Passed::Already(&self.uri),
        }
    }
}

impl Summary {
    fn count(&mut self, passed: Passed<'_>) {
        *match passed {
            Passed::Fault(_) => &mut self.faults,
            Passed::Differs(_) | Passed::Overtaken(_) => &mut self.differ,
            Passed::Revoked(_) => &mut self.revoked,
            Passed::Already(_) => &mut self.already,
        } += 1;
    }
}
