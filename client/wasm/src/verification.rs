//! A verification from the file to the verdict: what is asked on the way, and what comes out.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use testamur_core::{
    Digest, Document, Error, Receipt, UnixSeconds,
    checked::Checked,
    observation::Unseen,
    policy::Policy,
    verify::{Check, Report, Verdict, refuse, verify},
};

use crate::{
    bits::StatusBit,
    exchange::{Answer, Exchange, Id, Question},
    look::{Basis, Look, Reading, Sight},
    quorum::Blind,
};

/// What a verification is to do, as the caller of the package says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The endpoints, as scheme and host: their URLs stay with whoever fetches.
    endpoints: Vec<String>,
    /// How many must agree.
    #[serde(default)]
    quorum: Option<usize>,
    #[serde(default)]
    reading: Reading,
    #[serde(default)]
    policy: Policy,
    /// The file's name.
    #[serde(default)]
    name: Option<String>,
    now: UnixSeconds,
}

/// A file, with what the caller gave beside it.
pub struct Input {
    /// Its bytes.
    pub file: Vec<u8>,
    /// The receipt beside it.
    pub receipt: Option<Vec<u8>>,
    /// What is to be done.
    pub settings: Settings,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    verdict: Verdict,
    checks: Vec<Check>,
    decisive: Option<Check>,
    opened: Option<Shown>,
    basis: Option<Basis>,
    status: Vec<StatusBit>,
    detail: Option<String>,
}

/// What a file is, for display.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    format: &'static str,
    credential: Option<Map<String, Value>>,
    #[serde(serialize_with = "hex_text")]
    digest: Option<Digest>,
    receipt: Option<Receipt>,
}

/// A verification under way: a future, and where its questions go.
pub struct Session {
    exchange: Exchange,
    work: Pin<Box<dyn Future<Output = Outcome>>>,
    outcome: Option<Outcome>,
}

impl Session {
    /// Begins.
    pub fn new(input: Input) -> Self {
        let exchange = Exchange::default();
        let work = Box::pin(run(exchange.clone(), input));
        Self { exchange, work, outcome: None }
    }

    /// Goes on as far as it can without answers, and gives the questions that came up.
    pub fn wanted(&mut self) -> Vec<(Id, Question)> {
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.work.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            self.outcome = Some(outcome);
        }
        self.exchange.take()
    }

    /// Hands in an answer.
    pub fn answer(&self, id: Id, answer: Answer) {
        self.exchange.answer(id, answer);
    }

    /// What came of it; `None` while it waits for answers.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }
}

/// Reads a file without asking anybody.
pub fn open(_name: Option<&str>, file: &[u8], receipt: Option<&[u8]>) -> Result<Document, Error> {
    match receipt {
        Some(receipt) => Document::from_file(file, receipt),
        None => Document::from_credential(file),
    }
}

async fn run(exchange: Exchange, input: Input) -> Outcome {
    let Input { file, receipt, settings } = input;
    match open(settings.name.as_deref(), &file, receipt.as_deref()) {
        Err(error) => Outcome::new(&refuse(error)),
        Ok(document) => {
            let sight = look(&exchange, &document, &settings).await;
            judge(document, sight, &Checked::default(), &settings)
        }
    }
}

/// Looks at the chain, where the policy would believe what is seen there.
async fn look(exchange: &Exchange, document: &Document, settings: &Settings) -> Result<Sight, Blind> {
    let Settings { endpoints, quorum, reading, policy, .. } = settings;
    let receipt = document.anchor.as_ref().map(|anchor| &anchor.receipt);
    let receipt = receipt.filter(|r| policy.accepts_chain(r.chain) && policy.accepts_registry(r.registry));
    let Some(receipt) = receipt else { return Err((Unseen::Unusable, String::new())) };
    Look { exchange, endpoints, needed: *quorum, reading: *reading, finality: policy.finality }.at(receipt).await
}

fn judge(document: Document, sight: Result<Sight, Blind>, checked: &Checked, settings: &Settings) -> Outcome {
    let seen = sight.as_ref().map(|sight| sight.seen.clone()).map_err(|(unseen, _)| *unseen);
    let report = verify(&document, &seen, checked, &settings.policy, settings.now);
    let mut outcome = Outcome::new(&report);
    match sight {
        Err((_, detail)) => outcome.detail = Some(detail).filter(|detail| !detail.is_empty()),
        Ok(sight) => {
            let index = document.anchor.as_ref().map(|anchor| anchor.receipt.status_index);
            let told = sight.seen.status.iter().zip(&sight.bits).zip(index.iter().cycle());
            outcome.status = told.map(|((seen, bits), index)| bits.told(seen.purpose, *index)).collect();
            outcome.basis = Some(sight.basis);
        }
    }
    Outcome { opened: Some(Shown::new(document)), ..outcome }
}

impl Outcome {
    fn new(report: &Report) -> Self {
        Self {
            verdict: report.verdict(),
            checks: report.checks().to_vec(),
            decisive: report.decisive().cloned(),
            opened: None,
            basis: None,
            status: Vec::new(),
            detail: None,
        }
    }
}

impl Shown {
    /// What is shown of a document.
    pub fn new(document: Document) -> Self {
        let digest = document.digest();
        Self {
            format: if document.credential.is_some() { "json" } else { "file" },
            credential: document.credential,
            digest,
            receipt: document.anchor.map(|anchor| anchor.receipt),
        }
    }
}

fn hex_text<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    digest.as_ref().map(Digest::to_string).serialize(serializer)
}
