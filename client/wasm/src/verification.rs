//! A verification from the file to the verdict: what is asked on the way, and what comes out.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use testamur_core::{
    Digest, Receipt,
    evidence::{Evidence, IdentityDocument},
    observation::Unseen,
    verify::{Check, Report, Verdict, refuse, refuse_because, verify},
};
use testamur_credentials::opened::{self, Format, Opened, Refusal};

use crate::{
    bits::StatusBit,
    exchange::{Answer, Exchange, Id, Question, both},
    look::{Basis, Look, Sight},
    quorum::Blind,
    settings::Settings,
    supply,
};

/// A file, with what the caller gave beside it.
pub struct Input {
    /// Its bytes.
    pub file: Vec<u8>,
    /// The receipt beside it.
    pub receipt: Option<Vec<u8>>,
    /// Evidence that was kept.
    pub evidence: Option<Vec<u8>>,
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
    /// What proves it later, without the network.
    #[serde(skip)]
    pub evidence: Option<Vec<u8>>,
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

async fn run(exchange: Exchange, input: Input) -> Outcome {
    let Input { file, receipt, evidence, settings } = input;
    let mut opened = match opened::open(settings.name.as_deref(), &file, receipt.as_deref()) {
        Err(Refusal::Document(error)) => return Outcome::new(&refuse(error)),
        Err(refusal) => return Outcome::new(&refuse_because(refusal.to_string())),
        Ok(opened) => opened,
    };
    drop((file, receipt));
    let kept = match evidence.as_deref().map(Evidence::parse) {
        None => Ok(Evidence::default()),
        Some(kept) => kept.map_err(|error| error.to_string()),
    };
    let documents = kept.as_ref().map_or(&[][..], |kept| &kept.documents);
    let anchor = opened.document.anchor.clone().map(|anchor| anchor.receipt);
    let look = look(&exchange, anchor.as_ref(), &kept, &settings);
    let (sight, (checked, had)) = both(look, supply::settle(&exchange, &mut opened, &settings, documents)).await;
    let seen = sight.as_ref().map(|sight| sight.seen.clone()).map_err(|(unseen, _)| *unseen);
    let report = verify(&opened.document, &seen, &checked, &settings.policy, settings.now);
    Outcome::new(&report).with(sight, opened, had)
}

/// Looks at the chain, where the policy would believe what is seen there; where it cannot be seen, at what was kept.
async fn look(
    exchange: &Exchange,
    receipt: Option<&Receipt>,
    kept: &Result<Evidence, String>,
    settings: &Settings,
) -> Result<Sight, Blind> {
    let Settings { endpoints, quorum, reading, policy, checkpoints, .. } = settings;
    let receipt = receipt.filter(|r| policy.accepts_chain(r.chain) && policy.accepts_registry(r.registry));
    let Some(receipt) = receipt else { return Err((Unseen::Unusable, String::new())) };
    let look = Look { exchange, endpoints, needed: *quorum, reading: *reading, finality: policy.finality };
    let (unseen, detail) = match look.at(receipt).await {
        Ok(sight) => return Ok(sight),
        Err(blind) => blind,
    };
    match kept {
        Err(error) => Err((unseen, format!("{detail}; {error}"))),
        Ok(kept) if kept.views.is_empty() => Err((unseen, detail)),
        Ok(kept) => {
            let trusted = |chain, number, hash| checkpoints.contains(chain, number, hash);
            let seen = kept.observe(receipt, &trusted, policy.finality);
            seen.map(Sight::kept).map_err(|gap| (gap.unseen(), gap.to_string()))
        }
    }
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
            evidence: None,
        }
    }

    fn with(mut self, sight: Result<Sight, Blind>, opened: Opened, documents: Vec<IdentityDocument>) -> Self {
        match sight {
            Err((_, detail)) => self.detail = Some(detail).filter(|detail| !detail.is_empty()),
            Ok(sight) => {
                if let Some(anchor) = &opened.document.anchor {
                    self.status = sight.told(anchor.receipt.status_index);
                    self.evidence = sight.evidence(&anchor.receipt, documents).map(|evidence| evidence.to_bytes());
                }
                self.basis = Some(sight.basis);
            }
        }
        self.opened = Some(Shown::new(opened));
        self
    }
}

impl Shown {
    /// What is shown of a document.
    pub fn new(opened: Opened) -> Self {
        let Opened { document, format, .. } = opened;
        let digest = document.digest();
        let format = match format {
            Format::Json => "json",
            Format::Jwt => "jwt",
            Format::Png => "png",
            Format::Svg => "svg",
            Format::File => "file",
        };
        let receipt = document.anchor.map(|anchor| anchor.receipt);
        Self { format, credential: document.credential, digest, receipt }
    }
}

fn hex_text<S: Serializer>(digest: &Option<Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    digest.as_ref().map(Digest::to_string).serialize(serializer)
}
