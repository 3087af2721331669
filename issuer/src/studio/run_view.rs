//! A run as the pages see it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::{
    Studio,
    books::{Counts, PassedRow, Run, RunState},
    problem::{Kind, Problem},
};

/// Rows without a new credential that are told with a run.
const MOST_PASSED: usize = 500;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RunView {
    /// Its number.
    pub run: i64,
    /// The template's name.
    pub template: String,
    /// Who asked for it.
    pub who: String,
    /// How it stands.
    pub state: RunState,
    /// Rows of its roster.
    pub rows: u64,
    /// How far its credentials have come.
    #[serde(flatten)]
    pub counts: Counts,
    /// Rows that got no new credential, the first ones; not there in the list of runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<Vec<PassedRow>>,
    /// What came of it, once it is over: `rows`, `issued`, `already`, `differ`, `revoked`, `faults`, `written`.
    #[schema(value_type = Option<Object>)]
    pub summary: Option<Value>,
    /// What keeps it waiting, or why it failed.
    pub error: Option<String>,
    /// Whether rows that failed can be had, to be mended.
    pub failed: bool,
    /// When it was asked for.
    pub asked: String,
    /// When it was first worked on.
    pub began: Option<String>,
    /// When it came to its end.
    pub ended: Option<String>,
}

impl Studio {
    /// A run, with the first rows that got nothing new.
    pub(super) fn run_view(&self, id: i64) -> Result<RunView, Problem> {
        let run = self.books.run(id)?.ok_or_else(|| Problem::new(Kind::Unknown, format!("there is no run {id}")))?;
        let passed = self.books.passed(id, MOST_PASSED)?;
        Ok(RunView { passed: Some(passed), ..self.view(run) })
    }

    pub(super) fn view(&self, run: Run) -> RunView {
        let time = |time: testamur_core::UnixSeconds| time.to_string();
        RunView {
            run: run.id,
            template: run.asked.template,
            who: run.asked.who,
            state: run.state,
            rows: run.asked.rows,
            counts: self.queue.counts(run.id).unwrap_or(run.counts),
            passed: None,
            summary: run.summary.and_then(|text| serde_json::from_str(&text).ok()),
            error: run.error,
            failed: self.failed_rows(run.id).is_some(),
            asked: time(run.at),
            began: run.began.map(time),
            ended: run.ended.map(time),
        }
    }

    /// The file of a run's rows that failed, and how it ends.
    pub(super) fn failed_rows(&self, run: i64) -> Option<(PathBuf, &'static str)> {
        let files = ["csv", "jsonl"].map(|ending| (self.failed_path(run, ending), ending));
        files.into_iter().find(|(path, _)| path.is_file())
    }
}
