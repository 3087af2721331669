//! Who verifies: a policy in a file, the command as its help says, and what it answered.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;
use testamur_tests::harness::{Ran, run};

use crate::server::Server;

/// An endpoint where nobody listens (the port of `discard`).
pub const NOBODY: &str = "http://127.0.0.1:9";

pub struct Employer {
    folder: TempDir,
    settings: String,
    /// The endpoints that are asked.
    pub rpc: Vec<String>,
}

/// What the command said of one document.
#[derive(Debug)]
pub struct Told(pub Value);

impl Employer {
    /// One with nothing but defaults, and no endpoint.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, settings: String::new(), rpc: Vec::new() }
    }

    /// Writes lines into the policy: above its tables.
    pub fn with(mut self, lines: &str) -> Self {
        self.settings = format!("{lines}\n{}", self.settings);
        self
    }

    /// Adds a table to the policy.
    pub fn with_table(mut self, lines: &str) -> Self {
        self.settings = format!("{}\n{lines}\n", self.settings);
        self
    }

    /// Trusts this server's certificate, and asks it although it is not public.
    pub fn knowing(self, server: &Server) -> Self {
        fs::write(self.folder.path().join("ca.pem"), &server.certificate).expect("writable");
        self.with_table(&format!("[identity]\nallow_hosts = ['localhost:{}']\nca = 'ca.pem'", server.port))
    }

    pub fn asking(mut self, rpc: &[&str]) -> Self {
        self.rpc = rpc.iter().map(|&url| url.to_owned()).collect();
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `testamur verify` with these arguments.
    pub fn run(&self, arguments: &[&str], files: &[&Path]) -> Ran {
        let policy = self.folder.path().join("policy.toml");
        fs::write(&policy, &self.settings).expect("writable");
        let mut all: Vec<OsString> = vec!["verify".into(), "--policy".into(), policy.into()];
        all.extend(self.rpc.iter().flat_map(|url| ["--rpc".into(), url.into()]));
        all.extend(arguments.iter().map(Into::into));
        all.extend(files.iter().map(|file| OsString::from(*file)));
        run("testamur", all)
    }

    /// Verifies one document.
    #[track_caller]
    pub fn verify(&self, file: &Path) -> Told {
        self.verify_with(&[], file)
    }

    #[track_caller]
    pub fn verify_with(&self, arguments: &[&str], file: &Path) -> Told {
        let ran = self.run(&[&["--json"], arguments].concat(), &[file]);
        let told = Told(ran.json());
        let code = match told.verdict() {
            "valid" => 0,
            "invalid" => 1,
            _ => 2,
        };
        ran.expect(code);
        told
    }

    /// Verifies in bulk, and returns the rows of the table under their headings.
    #[track_caller]
    pub fn bulk(&self, input: &Path, code: i32) -> Vec<Row> {
        let out = self.folder.path().join("verdicts.csv");
        let ran = self.run(&["--out", out.to_str().expect("UTF-8"), "--bulk", input.to_str().expect("UTF-8")], &[]);
        ran.expect(code);
        rows(&out)
    }
}

/// A row of a table of verdicts.
#[derive(Debug)]
pub struct Row {
    pub document: String,
    pub verdict: String,
    pub reason: String,
    pub title: String,
}

fn rows(table: &PathBuf) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(table).expect("a table");
    let headings = reader.headers().expect("a heading").clone();
    let column = |name| headings.iter().position(|heading| heading == name).expect("a column");
    let [document, verdict, reason, title] = ["document", "verdict", "reason", "title"].map(column);
    let records = reader.records().map(|record| record.expect("a row"));
    let text = |record: &csv::StringRecord, place: usize| record[place].to_owned();
    let row = |record: csv::StringRecord| Row {
        document: text(&record, document),
        verdict: text(&record, verdict),
        reason: text(&record, reason),
        title: text(&record, title),
    };
    records.map(row).collect()
}

impl Told {
    pub fn verdict(&self) -> &str {
        self.0["verdict"].as_str().expect("a verdict")
    }

    fn check(&self, kind: &str) -> &Value {
        let checks = self.0["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        checks.iter().find(|check| check["check"] == kind).unwrap_or(&Value::Null)
    }

    /// What came of a check.
    pub fn outcome(&self, kind: &str) -> &str {
        self.check(kind)["outcome"].as_str().unwrap_or_default()
    }

    /// What was said of a check.
    pub fn message(&self, kind: &str) -> &str {
        self.check(kind)["message"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub fn valid(self) -> Self {
        assert_eq!(self.verdict(), "valid", "{:#}", self.0);
        self
    }

    /// Invalid, because this check failed and says so.
    #[track_caller]
    pub fn invalid(self, kind: &str, says: &str) -> Self {
        self.verdict_because("invalid", "fail", kind, says)
    }

    /// Nothing is false, but this check could not be told and says why.
    #[track_caller]
    pub fn unverifiable(self, kind: &str, says: &str) -> Self {
        self.verdict_because("unverifiable", "unknown", kind, says)
    }

    #[track_caller]
    fn verdict_because(self, verdict: &str, outcome: &str, kind: &str, says: &str) -> Self {
        assert_eq!((self.verdict(), self.outcome(kind)), (verdict, outcome), "{:#}", self.0);
        assert!(self.message(kind).contains(says), "{says}: {:#}", self.0);
        self
    }
}
