//! What is told while credentials are issued, and what is said at the end.

use std::path::Path;

use indicatif::ProgressBar;
use serde_json::json;
use testamur::terminal::{Console, Exit, Tone, printable};
use testamur_issuer::{
    issue::{Passed, Step, Summary},
    store::RunId,
};

/// Rows without a new credential that are told on the terminal; all are in the file of the failed ones.
const MOST_TOLD: u64 = 20;

/// The steps of a run, as a bar for people and as lines for programs.
pub(super) struct Progress<'a> {
    console: &'a Console,
    bar: ProgressBar,
    phase: &'static str,
    run: Option<RunId>,
    drafted: usize,
    told: u64,
    unrevoked: u64,
}

impl<'a> Progress<'a> {
    pub fn new(console: &'a Console) -> Self {
        // The length is said later.
        let bar = console.bar(usize::MAX, "signing");
        Self { console, bar, phase: "signing", run: None, drafted: 0, told: 0, unrevoked: 0 }
    }

    /// Whether anybody looks at the bar.
    pub fn is_seen(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// So many rows will come.
    pub fn expect(&mut self, rows: usize) {
        self.bar.set_length(rows as u64);
    }

    pub fn tell(&mut self, step: Step<'_>) {
        match step {
            Step::Began(run) => self.run = Some(run),
            Step::Passed(line, passed) => {
                self.passed(line, passed);
                self.bar.inc(1);
            }
            Step::Drafted(count) => {
                self.drafted += count;
                self.bar.inc(count as u64);
            }
            Step::Submitted(_) => {}
            Step::Trouble(trouble) => {
                let told = format!("The node cannot anchor now, and is waited for: {}", printable(trouble));
                self.bar.suspend(|| self.console.note(&told));
            }
            Step::Anchored(count) => self.go_on("waiting for the anchor", count),
            Step::Written(count) => self.go_on("writing", count),
            Step::Revoked(count) => self.console.object(&json!({ "revoked": count })),
            Step::Unrevoked(id, why) => {
                self.unrevoked += 1;
                self.bar.suspend(|| self.console.error(&format!("{id} is not revoked: {why}")));
            }
        }
    }

    /// Counts from the beginning in another phase.
    fn go_on(&mut self, phase: &'static str, count: usize) {
        if self.phase != phase {
            self.phase = phase;
            self.bar.set_message(phase);
            self.bar.set_length(self.drafted as u64);
            self.bar.set_position(0);
        }
        self.bar.inc(count as u64);
    }

    fn passed(&mut self, line: u64, passed: Passed<'_>) {
        let (kind, id) = match passed {
            Passed::Fault(_) => ("fault", None),
            Passed::Differs(id) => ("differs", Some(id)),
            Passed::Revoked(id) => ("revoked", Some(id)),
            Passed::Already(id) => ("already", Some(id)),
            Passed::Overtaken(id) => ("overtaken", Some(id)),
        };
        let why = passed.to_string();
        self.console.object(&json!({ "line": line, "passed": kind, "id": id, "why": why }));
        let is_told = !self.console.is_json() && !matches!(passed, Passed::Already(_));
        self.told += u64::from(is_told);
        if is_told && self.told <= MOST_TOLD {
            self.bar.suspend(|| self.console.error(&format!("line {line}: {why}")));
        }
    }

    /// Ends the bar. The run, if it was begun.
    pub fn end(&self) -> Option<RunId> {
        self.bar.finish_and_clear();
        self.run
    }

    /// Says what came of it, and where the rows are that failed.
    pub fn sum_up(&self, summary: &Summary, failed: Option<&Path>) -> Exit {
        let mut object = json!(summary);
        object["failed"] = json!(failed);
        self.console.object(&object);
        let Summary { rows, issued, superseded, already, differ, revoked, faults, written, elsewhere } = *summary;
        let tick = self.console.tone(Tone::Good, "✓");
        let cross = self.console.tone(Tone::Bad, "✗");
        self.console.line(&format!("{tick} {issued} issued, of {rows} rows; {written} files written"));
        let good = [
            (superseded, "took the place of another one, which the node revokes with its next update"),
            (already, "had exactly this before"),
        ];
        let bad = [
            (differ, "have this already, with other content; `issue --supersede` replaces it"),
            (revoked, "had this, and it was revoked"),
            (faults, "cannot be used as they are"),
            (elsewhere, "wait for another node, account or chain than the one configured"),
        ];
        let marked = good.map(|told| (&tick, told)).into_iter().chain(bad.map(|told| (&cross, told)));
        for (mark, (count, what)) in marked.filter(|(_, (count, _))| *count > 0) {
            self.console.line(&format!("{mark} {count} {what}"));
        }
        if let Some(failed) = failed {
            self.console.line(&format!("  The rows that failed, to be mended: {}", failed.display()));
        }
        match summary {
            _ if self.unrevoked > 0 => Exit::Invalid,
            _ if summary.is_whole() => Exit::Done,
            Summary { differ: 0, revoked: 0, faults: 0, .. } => Exit::CouldNotTell,
            _ => Exit::Invalid,
        }
    }
}
