//! What tests of whole files share: a verifier over a shelf, and the corpora that others wrote.

#![allow(dead_code)] // each test file uses a part of it

pub mod signer;

use std::{path::PathBuf, sync::LazyLock};

use serde_json::{Value, json};
use testamur_core::{
    UnixSeconds,
    checked::{Checked, Missing},
    observation::Unseen,
    policy::Policy,
    verify::{CheckKind, Outcome, Report, Verdict, refuse_because, verify},
};
use testamur_credentials::{
    Shelf, Supplied,
    check::check,
    opened::{Opened, open},
    ties::Known,
};
use testamur_linked_data::{Canonicalizer, Contexts};

/// 24 November 2026.
pub const NOW: UnixSeconds = UnixSeconds(1_795_478_400);

static CANONICALIZER: LazyLock<Canonicalizer> = LazyLock::new(|| Canonicalizer::new(Contexts::carried()));

/// A folder of the corpora; `None`, loudly, where they are not at hand.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(folder);
    if !path.is_dir() {
        eprintln!("SKIPPED: no corpus at {}", path.display());
        return None;
    }
    Some(path)
}

/// A verifier with everything in memory.
pub struct Desk {
    pub shelf: Shelf,
    pub policy: Policy,
    pub now: UnixSeconds,
}

impl Default for Desk {
    fn default() -> Self {
        Self { shelf: Shelf::default(), policy: Policy::default(), now: NOW }
    }
}

/// What came of a file.
pub struct Told {
    pub opened: Option<Opened>,
    pub checked: Checked,
    pub report: Report,
}

impl Desk {
    pub fn serve(&mut self, url: &str, bytes: &[u8]) {
        self.shelf.put_document(url, Ok(Supplied { bytes: bytes.into(), as_of: self.now }));
    }

    pub fn serve_json(&mut self, url: &str, value: &Value) {
        self.serve(url, value.to_string().as_bytes());
    }

    /// A document of keys as their host would serve it.
    pub fn serve_key(&mut self, url: &str, owner: &str, key: Value) {
        let mut method = json!({"id": format!("{owner}#{}", key["publicKeyMultibase"].as_str().unwrap_or("key")),
            "type": "Multikey", "controller": owner});
        method.as_object_mut().expect("an object").extend(key.as_object().expect("an object").clone());
        let id = method["id"].clone();
        self.serve_json(url, &json!({"id": owner, "verificationMethod": [method], "assertionMethod": [id]}));
    }

    pub fn verify(&mut self, bytes: &[u8]) -> Told {
        self.verify_named("file", bytes)
    }

    pub fn verify_named(&mut self, name: &str, bytes: &[u8]) -> Told {
        let mut opened = match open(Some(name), bytes, None) {
            Ok(opened) => opened,
            Err(refusal) => {
                let report = refuse_because(refusal.to_string());
                return Told { opened: None, checked: Checked::default(), report };
            }
        };
        let checked = loop {
            let checked = check(&mut opened, &self.shelf, &self.policy, &Known::default(), self.now);
            let wanted = self.shelf.take_wanted();
            if wanted.is_empty() {
                break checked;
            }
            for url in wanted.documents {
                let detail = "no route to host".to_owned();
                self.shelf.put_document(&url, Err(Missing::Unreachable { what: url.clone(), detail }));
            }
            for document in wanted.canonical {
                self.shelf.put_canonical(&document, CANONICALIZER.hash(&document).map_err(Missing::from));
            }
        };
        let report = verify(&opened.document, &Err(Unseen::Unreachable), &checked, &self.policy, self.now);
        Told { opened: Some(opened), checked, report }
    }
}

impl Told {
    #[track_caller]
    pub fn valid(self) -> Self {
        assert_eq!(self.report.verdict(), Verdict::Valid, "{:#?} {:#?}", self.report.decisive(), self.checked);
        self
    }

    /// Invalid, for a reason whose message has these words.
    #[track_caller]
    pub fn invalid(self, kind: CheckKind, words: &str) -> Self {
        let decisive = self.report.decisive().expect("something decides");
        assert_eq!(self.report.verdict(), Verdict::Invalid, "{decisive:#?} {:#?}", self.checked);
        assert_eq!(decisive.kind, kind, "{decisive:#?} {:#?}", self.checked);
        assert!(decisive.outcome.to_string().contains(words), "{}", decisive.outcome);
        self
    }

    #[track_caller]
    pub fn unverifiable(self, kind: CheckKind, words: &str) -> Self {
        let decisive = self.report.decisive().expect("something decides");
        assert_eq!(self.report.verdict(), Verdict::Unverifiable, "{decisive:#?} {:#?}", self.checked);
        let outcome = self.report.outcome(kind).expect("it was asked");
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(outcome.to_string().contains(words), "{outcome}");
        self
    }
}
