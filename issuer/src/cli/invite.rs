//! `testamur-issuer invite`

use std::path::{Path, PathBuf};

use serde_json::json;
use testamur::terminal::{Console, Exit, Failure, Tone, printable};
use testamur_core::UnixSeconds;
use testamur_issuer::{
    certificate::{Fonts, Language},
    config::Settings,
    invite::{Desk, InviteError, Passed, Step, Wish},
    mail::{Courier, Outbox, Round},
    sharing,
    store::{Standing, Store, Wanted},
};
use tokio_util::sync::CancellationToken;

use super::{failure, links::Links, named::find_all, now, store};

const AFTER_HELP: &str = "\
Each learner gets a page of sealed content, and a one-time link that claims it. Who is invited already is
not invited again, so a command that was interrupted can be repeated. Mails that a mail server puts off
are sent later, by `testamur-issuer serve` or by `testamur-issuer invite --waiting`.

Examples:
  testamur-issuer invite diplomas/*.json
  testamur-issuer invite --template botany --language es
  testamur-issuer invite --search lovelace --again
  testamur-issuer invite --template botany --links links.csv";

/// Invite learners to claim their credentials
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Ids, digests or files of credentials.
    #[arg(value_name = "ID|FILE")]
    credentials: Vec<String>,
    /// All that are good and have this in their id, template, or the learner's key, name or e-mail.
    #[arg(long, value_name = "TEXT", conflicts_with = "credentials")]
    search: Option<String>,
    /// All that are good and under this template.
    #[arg(long, value_name = "NAME", conflicts_with = "credentials")]
    template: Option<String>,
    /// Invite those who are invited already anew: a link that nobody used is void then.
    #[arg(long)]
    again: bool,
    /// Write the links into this new file (CSV), in place of mails. It opens every page: keep it like a key.
    #[arg(long, value_name = "FILE")]
    links: Option<PathBuf>,
    /// The language of mails and certificates: `en` or `es`.
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    language: Option<Language>,
    /// Put the mails into the box and send none: `serve` does.
    #[arg(long, conflicts_with = "links")]
    later: bool,
    /// Send what waits in the box at once.
    #[arg(long, conflicts_with_all = ["credentials", "search", "template", "links", "later"])]
    waiting: bool,
}

pub async fn run(args: Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut desk = Desk::open(settings, Fonts::built_in()).map_err(of_invite)?;
    let courier = sharing::courier(settings).map_err(failure::of_settings)?;
    if courier.is_none() && args.links.is_none() {
        return Err(Failure::usage(
            "the configuration has no table [mail]: --links FILE writes the links in place of mails",
        ));
    }
    let began = now();
    let mut exit = Exit::Done;
    if args.waiting {
        desk.outbox().hurry(began).map_err(failure::of_store)?;
    } else {
        exit = invite(&args, &mut desk, settings, console)?;
    }
    match courier {
        Some(courier) if args.links.is_none() && !args.later => {
            Ok(exit.and(send(&courier, desk.outbox(), began, console).await?))
        }
        _ => Ok(exit),
    }
}

fn invite(args: &Args, desk: &mut Desk, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let store = store(settings)?;
    let (names, mut exit) = names(args, &store, console)?;
    let shared = settings.share.as_ref().map(|share| share.language);
    let mailed = settings.mail.as_ref().and_then(|mail| mail.language);
    let language = args.language.or(mailed).or(shared).unwrap_or_default();
    let wish = Wish { by_mail: args.links.is_none(), again: args.again, language };
    let mut links = args.links.as_deref().map(open_links).transpose()?;
    let mut hand_over = |some: &[_]| links.as_mut().map_or(Ok(()), |links: &mut Links| links.write(some));
    let mut tell = |step: Step<'_>| match step {
        Step::Invited(listed) => {
            console.object(&json!({ "id": listed.id, "learner": listed.learner, "state": "invited" }))
        }
        Step::Passed(name, Passed::Invited | Passed::Claimed | Passed::Deleted) => {
            console.object(&json!({ "id": name, "state": "invited-before" }));
        }
        Step::Passed(name, passed) => {
            console.object(&json!({ "id": name, "state": "passed", "why": passed }));
            console.error(&format!("{name}: {passed}"));
            exit = exit.and(Exit::Invalid);
        }
        Step::Note(listed, note) => console.note(&format!("{}: the certificate: {note}", printable(&listed.learner))),
    };
    let invited = desk.invite(&store, &names, wish, now(), &mut hand_over, &mut tell).map_err(of_invite)?;
    let before = names.len() as u64 - invited;
    let others = if before > 0 { format!("; {before} not, or before") } else { String::new() };
    console.line(&format!("{} {invited} invited{others}", console.tone(Tone::Good, "✓")));
    Ok(exit)
}

/// The ids of the credentials meant.
fn names(args: &Args, store: &Store, console: &Console) -> Result<(Vec<String>, Exit), Failure> {
    let ids = |found: Vec<testamur_issuer::store::Listed>| found.into_iter().map(|listed| listed.id).collect();
    if args.search.is_none() && args.template.is_none() {
        if args.credentials.is_empty() {
            return Err(Failure::usage("whom? Name credentials, or use --search, --template or --waiting"));
        }
        let (found, exit) = find_all(&args.credentials, store, console)?;
        return Ok((ids(found), exit));
    }
    let wanted = Wanted {
        text: args.search.clone(),
        template: args.template.clone(),
        standing: Some((Standing::Good, now())),
        ..Wanted::default()
    };
    Ok((ids(store.list(&wanted).map_err(failure::of_store)?), Exit::Done))
}

/// One round; those whom a mail server refused are named.
async fn send(courier: &Courier, outbox: &mut Outbox, began: UnixSeconds, console: &Console) -> Result<Exit, Failure> {
    let round = courier.round(outbox, &CancellationToken::new()).await.map_err(failure::of_store)?;
    for refused in outbox.refused_since(began).map_err(failure::of_store)? {
        console.object(&json!({ "refused": refused }));
        let why = refused.why.as_deref().unwrap_or_default();
        console.error(&format!("{} <{}>: {why}", printable(&refused.learner), printable(&refused.email)));
    }
    for delayed in outbox.delayed().map_err(failure::of_store)? {
        console.object(&json!({ "delayed": delayed }));
    }
    let Round { sent, refused, put_off, trouble } = &round;
    console.object(&json!({ "mails": round }));
    console.line(&format!("{} {sent} sent, {refused} refused, {put_off} put off", console.tone(Tone::Good, "✓")));
    if let Some(why) = trouble {
        let waiting = outbox.counts().map_err(failure::of_store)?.waiting;
        console.error(&format!(
            "the mail server cannot be used: {why}\n{waiting} mails wait: `testamur-issuer invite --waiting` sends them"
        ));
    }
    Ok(match (refused, put_off, trouble) {
        (1.., _, _) => Exit::Invalid,
        (_, 1.., _) | (_, _, Some(_)) => Exit::CouldNotTell,
        _ => Exit::Done,
    })
}

fn open_links(path: &Path) -> Result<Links, Failure> {
    Links::create(path).map_err(|error| Failure::usage(format!("--links {}: {error}", path.display())))
}

fn language(text: &str) -> Result<Language, String> {
    match text {
        "en" => Ok(Language::English),
        "es" => Ok(Language::Spanish),
        _ => Err("en or es".to_owned()),
    }
}

fn of_invite(error: InviteError) -> Failure {
    let exit = match &error {
        InviteError::NoPages | InviteError::Settings(_) => Exit::Usage,
        _ => Exit::CouldNotTell,
    };
    Failure { message: error.to_string(), exit }
}
