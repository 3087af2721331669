//! `testamur-issuer issue`

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use testamur::{
    files,
    terminal::{Console, Exit, Failure, printable},
};
use testamur_issuer::{
    config::Settings,
    issue::{Order, issue},
    roster::{self, DateOrder, Encoding, Field, Roster, RosterOptions, Shape, failed},
    store::{RunId, Store},
    template::{self, IdentityKind},
};

use super::{failure, making::Making, now, progress::Progress, store, template::find};

const AFTER_HELP: &str = "\
The roster is a table (CSV) with a heading for each column, or JSON lines. A row that cannot be
used is told with its line, and the others go on; ROSTER.failed.csv has those rows again, to be
mended and given to the same command.

Nobody gets the same twice: a learner (column id, did or email) has one credential for a template
and period. A run that was interrupted is finished by the next one.

Example:
  testamur-issuer issue --template botany --roster people.csv --out diplomas/";

/// Issue credentials to the people of a roster
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// What they have achieved: a template's file, or its name in the folder of templates.
    #[arg(long, value_name = "TEMPLATE")]
    template: PathBuf,
    /// Who has: a CSV file, or JSON lines.
    #[arg(long, value_name = "FILE")]
    roster: PathBuf,
    /// The folder for the credentials.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How a credential says whose it is; several with commas. Default: as the template says.
    #[arg(long, value_enum, value_delimiter = ',')]
    identity: Vec<Identity>,
    #[command(flatten)]
    making: Making,
    /// Replace credentials that the roster corrects: the new one is issued, then the old one is revoked.
    #[arg(long)]
    supersede: bool,
    /// Your own code for the reason of such revocations, from 0 to 255.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "supersede")]
    reason: u8,
    /// Which heading is meant by learner, name, email…: `email=Work address`.
    #[arg(long, value_name = "COLUMN=HEADING", value_parser = mapping)]
    map: Vec<(Field, String)>,
    /// What tells several awards of one achievement apart, for rows that do not say it themselves: a year, a term.
    #[arg(long, value_name = "TEXT", default_value = "")]
    period: String,
    /// Which comes first in dates like 03/04/2026. Default: they are refused.
    #[arg(long, value_enum)]
    dates: Option<Dates>,
    /// How the roster's letters are written. Default: found out.
    #[arg(long, value_enum)]
    encoding: Option<Letters>,
    /// What stands between cells: one character, or `tab`. Default: found out.
    #[arg(long, value_name = "SEPARATOR", value_parser = separator)]
    separator: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Identity {
    /// The learner's own DID.
    Did,
    /// The e-mail address, hashed with salt.
    HashedEmail,
    /// The name, as it is.
    Name,
    /// Nothing: whoever holds it.
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dates {
    /// The third of April.
    DayFirst,
    /// The fourth of March.
    MonthFirst,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "verbatim")]
enum Letters {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
    #[value(name = "windows-1252")]
    Windows1252,
}

fn mapping(text: &str) -> Result<(Field, String), String> {
    let (field, heading) = text.split_once('=').ok_or("write COLUMN=HEADING: email=Work address")?;
    Ok((field.parse().map_err(|error: roster::UnknownField| error.to_string())?, heading.to_owned()))
}

fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if *one != b'"' && !one.is_ascii_alphanumeric() => Ok(*one),
        _ => Err("write one character, or `tab`".to_owned()),
    }
}

impl Args {
    fn options(&self) -> RosterOptions {
        RosterOptions {
            map: self.map.clone(),
            encoding: self.encoding.map(|letters| match letters {
                Letters::Utf8 => Encoding::Utf8,
                Letters::Utf16Le => Encoding::Utf16Le,
                Letters::Utf16Be => Encoding::Utf16Be,
                Letters::Windows1252 => Encoding::Windows1252,
            }),
            separator: self.separator,
            dates: self.dates.map(|dates| match dates {
                Dates::DayFirst => DateOrder::DayFirst,
                Dates::MonthFirst => DateOrder::MonthFirst,
            }),
            period: self.period.clone(),
        }
    }

    /// As the template says, unless it is said here.
    fn identity(&self) -> Result<Option<template::Identity>, Failure> {
        if self.identity.len() > 1 && self.identity.contains(&Identity::None) {
            return Err(Failure::usage("--identity: none, or one of the others, not both"));
        }
        let kind = |identity: &Identity| match identity {
            Identity::Did => Some(IdentityKind::Did),
            Identity::HashedEmail => Some(IdentityKind::Email),
            Identity::Name => Some(IdentityKind::Name),
            Identity::None => None,
        };
        let kinds = self.identity.iter().filter_map(kind).collect();
        Ok((!self.identity.is_empty()).then_some(template::Identity::These(kinds)))
    }
}

/// A roster that is read twice: for its credentials, and for the rows that failed.
struct Source<'a> {
    path: &'a Path,
    file: File,
    options: RosterOptions,
}

impl<'a> Source<'a> {
    fn open(args: &'a Args) -> Result<Self, Failure> {
        let file = roster::open(&args.roster).map_err(|error| unreadable(&args.roster, &error))?;
        Ok(Self { path: &args.roster, file, options: args.options() })
    }

    fn read(&self) -> Result<Roster, Failure> {
        let file = self.file.try_clone().map_err(|error| unreadable(self.path, &error))?;
        Roster::new(Box::new(file), &self.options).map_err(|fault| unreadable(self.path, &fault))
    }

    /// Beside the roster; beside the credentials where that is no file.
    fn failed_path(&self, shape: &Shape, out: &Path) -> PathBuf {
        let ending = match shape {
            Shape::Table { .. } => "failed.csv",
            Shape::JsonLines => "failed.jsonl",
        };
        let base = if self.path.is_file() { self.path.to_owned() } else { out.join("roster") };
        base.with_extension(ending)
    }
}

fn unreadable(path: &Path, error: &impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}

pub async fn run(args: Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut template = find(&args.template, settings)?;
    if let Some(identity) = args.identity()? {
        template.identity = identity;
    }
    let source = Source::open(&args)?;
    let roster = source.read()?;
    roster.notes().iter().for_each(|note| console.note(&printable(&note.to_string())));
    let key = settings.key().map_err(failure::of_settings)?;
    let node = settings.node().map_err(failure::of_settings)?;
    let mut store = store(settings)?;
    let journals = settings.journals();
    let order = Order {
        supersede: args.supersede.then_some(args.reason),
        ..args.making.order(settings, &template, key.signer(), &args.out, &journals)
    };
    let mut progress = Progress::new(console);
    if progress.is_seen() {
        progress.expect(source.read()?.count());
    }
    let issued = issue(&node, &mut store, &order, roster, now(), &mut |step| progress.tell(step)).await;
    let run = progress.end();
    let failed = run.map(|run| keep_failed(&source, &store, run, &args.out)).transpose()?.flatten();
    let summary = issued.map_err(failure::of_issue)?;
    Ok(progress.sum_up(&summary, failed.as_deref()))
}

/// Writes the rows that failed, as they were, to be mended; nothing where none did.
fn keep_failed(source: &Source<'_>, store: &Store, run: RunId, out: &Path) -> Result<Option<PathBuf>, Failure> {
    let faults = store.faults(run).map_err(failure::of_store)?;
    if faults.is_empty() {
        return Ok(None);
    }
    let roster = source.read()?;
    let path = source.failed_path(&roster.shape(), out);
    let written = failed::rewrite(roster, &faults, Vec::new()).and_then(|rows| files::replace(&path, &rows));
    written.map_err(|error: io::Error| Failure {
        message: format!("{}: the rows that failed cannot be kept: {error}", path.display()),
        exit: Exit::CouldNotTell,
    })?;
    Ok(Some(path))
}
