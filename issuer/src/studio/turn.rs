//! One turn of a run: to its end, or until it has to wait. The next one begins where it was.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use testamur::files;

use super::{
    Studio,
    books::{Books, BooksError, Counts, PassedRow, Run},
    runs::{Correction, Options},
    templates,
};
use crate::{
    change::{corrected, reissue},
    clock::now,
    config::SettingsError,
    invite::InviteError,
    issue::{AT_ONCE, IssueError, Order, Passed, Step, Summary, issue},
    roster::{Award, Roster, RosterFault, Shape, failed},
    store::{Issued, RunId, State, Store, StoreError},
};

/// How long a node is waited for in one turn that tells of trouble; then another turn begins.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows without a new credential that are written down at a time, and in all.
const PASSED_AT_ONCE: usize = 1_000;
const MOST_PASSED: usize = 10_000;

/// Why a turn of a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TurnError {
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error(transparent)]
    Roster(#[from] RosterFault),
    #[error("the credentials are issued, and their learners not invited: {0}")]
    Invite(#[from] InviteError),
    #[error("a file of the run: {0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Order(String),
}

impl TurnError {
    /// Whether it may well go on in a while: what is outside comes back, disks are emptied. The others need somebody to
    /// change something first.
    pub fn passes(&self) -> bool {
        match self {
            Self::Issue(IssueError::Write { .. } | IssueError::Store(_)) => true,
            Self::Issue(error) => error.is_transient(),
            Self::Store(_) | Self::Books(_) | Self::File(_) | Self::Invite(_) => true,
            Self::Settings(_) | Self::Roster(_) | Self::Order(_) => false,
        }
    }
}

/// What a run is to do.
enum Work {
    /// To issue to the rows of a roster.
    Roster(Box<Roster>),
    /// To make out a credential anew, with a code for the revocation of the old one.
    Correction(Box<(Issued, Award)>, u8),
}

impl Work {
    /// A corrected credential goes where the old one is.
    fn folder(&self, usual: PathBuf) -> PathBuf {
        match self {
            Self::Roster(_) => usual,
            Self::Correction(one, _) => Path::new(&one.0.listed.file).parent().map_or(usual, Path::to_owned),
        }
    }
}

/// A run while it is worked on.
pub(super) struct Turn<'a> {
    studio: &'a Studio,
    run: &'a Run,
    store: Store,
    /// What turns before this one made.
    before: Counts,
    theirs: HashSet<String>,
    counts: Counts,
    passed: Vec<PassedRow>,
    passed_count: usize,
    is_held: bool,
    /// The first thing that could not be written down.
    fault: Option<BooksError>,
    last: Option<RunId>,
}

impl<'a> Turn<'a> {
    /// Looks at what turns before this one made.
    pub fn begin(studio: &'a Studio, run: &'a Run) -> Result<Self, TurnError> {
        let store = Store::open(&studio.config.store()?)?;
        let turns = studio.books.turns(run.id)?;
        let tally = store.tally(&turns)?;
        let from = |state: State| tally.range(state..).map(|(_, count)| count).sum();
        let before = Counts {
            drafted: from(State::Drafted),
            submitted: from(State::Submitted),
            anchored: from(State::Anchored),
            written: from(State::Written),
        };
        let theirs = store.ids_of(&turns)?;
        studio.queue.show(Some((run.id, before)));
        Ok(Self {
            studio,
            run,
            store,
            before,
            theirs,
            counts: before,
            passed: Vec::new(),
            passed_count: 0,
            is_held: false,
            fault: None,
            last: None,
        })
    }

    /// To the run's end: its counts, and its summary or why it failed. An error: it has to wait.
    pub async fn take(mut self) -> Result<(Counts, Result<Value, TurnError>), TurnError> {
        match self.issue().await {
            Ok(summary) => {
                let whole = self.before.drafted + summary.issued;
                let already = summary.already.saturating_sub(self.before.drafted);
                let mut summary = json!(Summary { issued: whole, already, ..summary });
                let counts = Counts { drafted: whole, submitted: whole, anchored: whole, written: whole };
                self.keep_failed()?;
                if let Some(invited) = self.invite()? {
                    summary["invited"] = invited.into();
                }
                Ok((counts, Ok(summary)))
            }
            Err(error) if error.passes() => Err(error),
            Err(error) => Ok((self.counts, Err(error))),
        }
    }

    async fn issue(&mut self) -> Result<Summary, TurnError> {
        let Self { studio, run, .. } = *self;
        let options = Options::read(&run.asked.options).map_err(|problem| TurnError::Order(problem.detail))?;
        let mut template = templates::parse(&run.asked.text, &studio.templates(), &run.asked.template)
            .map_err(|faults| TurnError::Order(faults.to_string()))?;
        template.identity = options.identity().unwrap_or(template.identity);
        let config = &studio.config;
        let (key, node) = (config.key()?, config.node()?);
        // The store apart from the one that is looked into meanwhile.
        let mut store = Store::open(&config.store()?)?;
        let work = match options.correction {
            None => Work::Roster(Box::new(self.roster()?)),
            Some(Correction { id, changes, reason }) => {
                let issued =
                    store.issued(&id)?.ok_or_else(|| TurnError::Order(format!("{id} is not here any more")))?;
                let award = corrected(&issued, &changes).map_err(|fault| TurnError::Order(fault.to_string()))?;
                Work::Correction(Box::new((issued, award)), reason)
            }
        };
        let (folder, journals) = (work.folder(config.path(&studio.settings.out).join(&template.id)), config.journals());
        let order = Order {
            profile: &config.profile,
            template: &template,
            signer: key.signer(),
            suite: config.signing.suite,
            account: config.node.account,
            folder: &folder,
            supersede: None,
            wait: config.node.wait.into(),
            at_once: AT_ONCE,
            patience: PATIENCE,
            journals: &journals,
        };
        let mut tell = |step: Step<'_>| self.tell(step);
        let issued = match work {
            Work::Roster(roster) => issue(&node, &mut store, &order, *roster, now(), &mut tell).await,
            Work::Correction(one, reason) => {
                reissue(&node, &mut store, &order, vec![*one], reason, now(), &mut tell).await
            }
        };
        self.note_passed();
        match self.fault.take() {
            Some(fault) => Err(fault.into()),
            None => Ok(issued?),
        }
    }

    /// Invites the learners of the run, where that was asked for; those of a turn before this one are invited already.
    fn invite(&self) -> Result<Option<usize>, TurnError> {
        let options = Options::read(&self.run.asked.options).map_err(|problem| TurnError::Order(problem.detail))?;
        if !options.invite {
            return Ok(None);
        }
        let turns = self.studio.books.turns(self.run.id)?;
        let ids: Vec<String> = self.store.ids_of(&turns)?.into_iter().collect();
        let passed = self.studio.invite_now(&ids, true, false)?.passed;
        Ok(Some(ids.len() - passed.iter().filter(|passed| !passed.before).count()))
    }

    fn roster(&self) -> Result<Roster, TurnError> {
        let asked = &self.run.asked;
        let options = Options::read(&asked.options).map_err(|problem| TurnError::Order(problem.detail))?;
        let options = options.roster().map_err(|problem| TurnError::Order(problem.detail))?;
        let path = self.studio.roster_path(&asked.roster);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TurnError::Order("its roster is gone: hand it in again".to_owned()),
            _ => error.into(),
        })?;
        Ok(Roster::new(Box::new(file), &options)?)
    }

    fn tell(&mut self, step: Step<'_>) {
        let count = |count: usize| count as u64;
        match step {
            Step::Began(number) => {
                self.last = Some(number);
                self.keep(|books, run| books.note_turn(run, number));
            }
            Step::Passed(line, passed) => self.pass(line, passed),
            Step::Drafted(more) => self.counts.drafted += count(more),
            Step::Submitted(more) => self.counts.submitted += count(more),
            Step::Anchored(more) => self.counts.anchored += count(more),
            Step::Written(more) => self.counts.written += count(more),
            Step::Revoked(_) => {}
            Step::Unrevoked(id, why) => tracing::warn!(id, why, "the node does not revoke a credential"),
            Step::Trouble(trouble) => {
                self.is_held = true;
                self.keep(|books, run| books.set_run_error(run, Some(trouble)));
                return self.show();
            }
        }
        if std::mem::take(&mut self.is_held) {
            self.keep(|books, run| books.set_run_error(run, None));
        }
        self.show();
    }

    /// What earlier runs left is finished by this one, and is not counted as its own.
    fn show(&self) {
        let Counts { drafted, submitted, anchored, written } = self.counts;
        let [submitted, anchored, written] = [submitted, anchored, written].map(|count| count.min(drafted));
        self.studio.queue.show(Some((self.run.id, Counts { drafted, submitted, anchored, written })));
    }

    fn pass(&mut self, line: u64, passed: Passed<'_>) {
        let kind = match passed {
            Passed::Already(id) if self.theirs.contains(id) => return,
            Passed::Already(_) => "already",
            Passed::Differs(_) => "differs",
            Passed::Revoked(_) => "revoked",
            Passed::Fault(_) => "fault",
            Passed::Overtaken(_) => "overtaken",
        };
        self.passed_count += 1;
        if self.passed_count <= MOST_PASSED {
            self.passed.push(PassedRow { line, kind: kind.to_owned(), why: passed.to_string() });
        }
        if self.passed.len() >= PASSED_AT_ONCE {
            self.note_passed();
        }
    }

    fn note_passed(&mut self) {
        let rows = std::mem::take(&mut self.passed);
        self.keep(|books, run| books.note_passed(run, &rows));
    }

    fn keep(&mut self, write: impl FnOnce(&Books, i64) -> Result<(), BooksError>) {
        if let Err(error) = write(&self.studio.books, self.run.id) {
            self.fault.get_or_insert(error);
        }
    }

    /// Writes the rows that failed, as they were, to be mended and handed in again.
    fn keep_failed(&self) -> Result<(), TurnError> {
        let Some(last) = self.last else { return Ok(()) };
        let faults = self.store.faults(last)?;
        let options = Options::read(&self.run.asked.options).map_err(|problem| TurnError::Order(problem.detail))?;
        if faults.is_empty() || options.correction.is_some() {
            return Ok(());
        }
        let roster = self.roster()?;
        let ending = if matches!(roster.shape(), Shape::Table { .. }) { "csv" } else { "jsonl" };
        let path = self.studio.failed_path(self.run.id, ending);
        let rows = failed::rewrite(roster, &faults, Vec::new())?;
        private_anew(&path, &rows)?;
        Ok(())
    }
}

/// Writes a file for its owner only, in place of what a turn before left there.
fn private_anew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    files::create(path, bytes)
}
