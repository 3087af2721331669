//! `testamur-issuer renew`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use testamur::{
    span,
    terminal::{Console, Exit, Failure},
};
use testamur_issuer::{
    change::{renew, renewed},
    config::Settings,
    roster::Award,
    store::{Issued, Listed, Standing, Store, Wanted},
    template::{Template, Validity},
};

use super::{
    failure,
    making::Making,
    named::find_all,
    now,
    progress::Progress,
    reissue::{current, folder},
    store,
    template::find,
};

const AFTER_HELP: &str = "\
The new credential ends later and names the one that it replaces, which is not revoked: it ends by itself.

Example:
  testamur-issuer renew --expiring 60d --template first-aid --until '2 years'";

/// Renew credentials that end
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Ids, digests or files.
    #[arg(value_name = "ID|FILE", required_unless_present = "expiring")]
    credentials: Vec<String>,
    /// All that are good and end within this span (`60d`, `1y`) or before this date.
    #[arg(long, value_name = "SPAN|DATE", conflicts_with = "credentials")]
    expiring: Option<String>,
    /// Only those of this template.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// The new end: a date, or a span from the old end on (`2 years`). Default: as the template says.
    #[arg(long, value_name = "SPAN|DATE", value_parser = validity)]
    until: Option<Validity>,
    /// The folder for the new files. Default: where the old ones were written.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    making: Making,
}

fn validity(text: &str) -> Result<Validity, String> {
    text.parse().map_err(|_| "write \"2 years\", \"90 days\", or a date such as 2028-06-30".to_owned())
}

/// Credentials of one template and folder, which one run renews.
type Groups = BTreeMap<(String, PathBuf), Vec<Listed>>;

pub async fn run(args: &Args, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut store = store(settings)?;
    let (found, mut exit) = wanted(args, &store, console)?;
    let mut groups = Groups::new();
    for listed in found {
        groups.entry((listed.template.clone(), folder(args.out.as_deref(), &listed.file))).or_default().push(listed);
    }
    if groups.is_empty() {
        console.note("nothing to renew");
    }
    for ((template, folder), credentials) in groups {
        let template = find(Path::new(&template), settings)?;
        let (renewals, left) = renewals(args, &store, &template, &credentials, console)?;
        exit = exit.and(left).and(group(args, settings, &mut store, &template, &folder, renewals, console).await?);
    }
    Ok(exit)
}

fn wanted(args: &Args, store: &Store, console: &Console) -> Result<(Vec<Listed>, Exit), Failure> {
    let Some(expiring) = &args.expiring else { return find_all(&args.credentials, store, console) };
    let end = span::point(expiring, now())
        .ok_or_else(|| Failure::usage(format!("--expiring: {expiring} is neither a span like 60d nor a date")))?;
    let wanted = Wanted {
        ends_before: Some(end),
        standing: Some((Standing::Good, now())),
        template: args.template.clone(),
        ..Wanted::default()
    };
    Ok((store.list(&wanted).map_err(failure::of_store)?, Exit::Done))
}

/// What can be renewed; the others are told.
fn renewals(
    args: &Args,
    store: &Store,
    template: &Template,
    credentials: &[Listed],
    console: &Console,
) -> Result<(Vec<(Issued, Award)>, Exit), Failure> {
    let (mut good, mut exit) = (Vec::new(), Exit::Done);
    for Listed { id, .. } in credentials {
        let issued = current(store, id)?;
        let renewed = match issued.listed.standing(now()) {
            Standing::Revoked | Standing::Suspended => Err("it is revoked or suspended".to_owned()),
            _ => renewed(&issued, template, args.until, now()).map_err(|no_end| no_end.to_string()),
        };
        match renewed {
            Ok(award) => good.push((issued, award)),
            Err(why) => {
                console.error(&format!("{id}: {why}"));
                exit = Exit::Invalid;
            }
        }
    }
    Ok((good, exit))
}

async fn group(
    args: &Args,
    settings: &Settings,
    store: &mut Store,
    template: &Template,
    folder: &Path,
    renewals: Vec<(Issued, Award)>,
    console: &Console,
) -> Result<Exit, Failure> {
    if renewals.is_empty() {
        return Ok(Exit::Done);
    }
    let (key, node) = (settings.key().map_err(failure::of_settings)?, settings.node().map_err(failure::of_settings)?);
    let journals = settings.journals();
    let order = args.making.order(settings, template, key.signer(), folder, &journals);
    let mut progress = Progress::new(console);
    let done = renew(&node, store, &order, renewals, now(), &mut |step| progress.tell(step)).await;
    progress.end();
    Ok(progress.sum_up(&done.map_err(failure::of_issue)?, None))
}
