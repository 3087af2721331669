//! `testamur-issuer reissue`

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use testamur::terminal::{Console, Exit, Failure};
use testamur_issuer::{
    change::{corrected, reissue},
    config::Settings,
    store::{Issued, Store},
};

use super::{failure, making::Making, named::find_all, now, progress::Progress, store, template::find};

const AFTER_HELP: &str = "\
The new credential names the one that it replaces. It is issued first; only then is the old one revoked, so that its
holder is never without. A roster with many corrections: `issue --supersede`.

Example:
  testamur-issuer reissue urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed --set name='Ada King' --set awarded=2026-06-30";

/// Replace a credential by a corrected one
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Its id, digest or file.
    #[arg(value_name = "ID|FILE")]
    credential: String,
    /// What it is to say instead, by a heading of rosters; nothing behind `=`: to say nothing. Without any, it is made out
    /// anew by the template as it is now.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = change)]
    set: Vec<(String, Value)>,
    /// Your own code for the reason, from 0 to 255. The node keeps it; it is not published.
    #[arg(long, value_name = "N", default_value_t = 0)]
    reason: u8,
    /// The template. Default: the one that it was issued by.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<PathBuf>,
    /// The folder for the new file. Default: where the old one was written.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    making: Making,
}

fn change(text: &str) -> Result<(String, Value), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE: name=Ada King")?;
    let value = if value.is_empty() { Value::Null } else { value.into() };
    Ok((field.to_owned(), value))
}

pub async fn run(args: &Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut store = store(settings)?;
    let (found, exit) = find_all(std::slice::from_ref(&args.credential), &store, console)?;
    let Some(listed) = found.into_iter().next() else { return Ok(exit) };
    let issued = current(&store, &listed.id)?;
    let changes: Map<_, _> = args.set.iter().cloned().collect();
    let award = corrected(&issued, &changes)
        .map_err(|fault| Failure { message: format!("{}: {fault}", listed.id), exit: Exit::Invalid })?;
    let template = find(args.template.as_deref().unwrap_or(Path::new(&listed.template)), settings)?;
    let (key, node) = (settings.key().map_err(failure::of_settings)?, settings.node().map_err(failure::of_settings)?);
    let (journals, folder) = (settings.journals(), folder(args.out.as_deref(), &listed.file));
    let order = args.making.order(settings, &template, key.signer(), &folder, &journals);
    let mut progress = Progress::new(console);
    let mut tell = |step: testamur_issuer::issue::Step<'_>| progress.tell(step);
    let done = reissue(&node, &mut store, &order, vec![(issued, award)], args.reason, now(), &mut tell).await;
    progress.end();
    let summary = done.map_err(failure::of_issue)?;
    Ok(progress.sum_up(&summary, None))
}

/// All that is known of a credential, unless another one has taken its place.
pub(super) fn current(store: &Store, id: &str) -> Result<Issued, Failure> {
    let refused = |message: String| Failure { message, exit: Exit::Invalid };
    let issued = store.issued(id).map_err(failure::of_store)?;
    let issued = issued.ok_or_else(|| refused(format!("{id} was not issued here")))?;
    match &issued.listed.superseded_by {
        Some(newer) => Err(refused(format!("{id} was replaced by {newer}: that is the one to change"))),
        None => Ok(issued),
    }
}

/// Where the new file goes.
pub(super) fn folder(out: Option<&Path>, old: &str) -> PathBuf {
    out.or_else(|| Path::new(old).parent()).unwrap_or(Path::new("")).to_owned()
}
