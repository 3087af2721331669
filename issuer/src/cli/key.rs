//! `testamur-issuer key …`

use serde_json::json;
use testamur::{
    fetch::{FetchSettings, Fetcher},
    span,
    terminal::{Console, Exit, Failure, Tone},
};
use testamur_core::{UnixSeconds, checked::Missing};
use testamur_issuer::{
    config::Settings,
    keys::{self, Account, IssuerKey, Key, KeyRing, check_published, did_document, document_url},
};

use super::{failure, now};

/// The keys that sign, and what is published of them
#[derive(clap::Subcommand)]
pub enum Command {
    /// Make a new key. The first one signs at once; a later one does after `key use`
    #[command(after_help = "\
Rotation orphans nothing: make the new key, publish `key document`, then `key use` it. The old one stays
in the document, and what it signed stays valid.

Example:
  testamur-issuer key new")]
    New,
    /// List a key whose secret is not here, so that what it signed on another platform is not orphaned
    #[command(after_help = "Example:\n  testamur-issuer key former z6Mk…")]
    Former {
        /// The public key as a Multikey.
        #[arg(value_name = "KEY")]
        name: String,
    },
    /// List the keys
    #[command(after_help = "Example:\n  testamur-issuer key list --json")]
    List,
    /// Sign with this key from now on, if the published document lists it
    #[command(after_help = "Example:\n  testamur-issuer key use z6Mk…")]
    Use {
        /// Its name.
        #[arg(value_name = "KEY")]
        name: String,
        /// Do not look whether the published document lists it. Until it does, verifiers call its signatures false.
        #[arg(long)]
        unchecked: bool,
    },
    /// Tell everybody that somebody else may have a key: then only that counts which an anchor proves to be older
    #[command(after_help = "\
Publish `key document` afterwards, and issue again what the key signed and no anchor proves to be older.

Example:
  testamur-issuer key revoke z6Mk… --since 2027-01-31")]
    Revoke {
        /// Its name.
        #[arg(value_name = "KEY")]
        name: String,
        /// Since when: a date, a time, or how long ago (`2d`). Default: now.
        #[arg(long, value_name = "SPAN|TIME")]
        since: Option<String>,
    },
    /// Look, as verifiers do, whether the published document lists the key that signs
    #[command(after_help = "Example:\n  testamur-issuer key check")]
    Check,
    /// Print the document in which verifiers find the keys and accounts, to be published at the issuer's domain
    #[command(after_help = "Example:\n  testamur-issuer key document > .well-known/did.json")]
    Document,
    /// Print a statement for each account, for an issuer whose DID is its key
    #[command(after_help = "\
Verifiers keep it in their policy (`statements`), because there is no document in which they could look.

Example:
  testamur-issuer key statement eip155:1:0x…")]
    Statement {
        /// Accounts. Default: those in the configuration.
        #[arg(value_name = "ACCOUNT")]
        accounts: Vec<String>,
    },
}

pub async fn run(command: Command, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let mut ring = settings.keys().map_err(failure::of_settings)?;
    match command {
        Command::New => create(&mut ring, settings, console),
        Command::Former { name } => {
            ring.add_former(&name, now()).map_err(failure::of_keys)?;
            Ok(done(console, &name, "is listed; publish the document again: testamur-issuer key document"))
        }
        Command::List => Ok(list(&ring, console)),
        Command::Use { name, unchecked } => {
            let key = IssuerKey::named(&ring, &name, &settings.profile.id).map_err(failure::of_keys)?;
            if !unchecked {
                check(&key).await?;
            }
            ring.use_key(&name).map_err(failure::of_keys)?;
            Ok(done(console, &name, "signs from now on"))
        }
        Command::Revoke { name, since } => {
            ring.revoke(&name, moment(since.as_deref())?).map_err(failure::of_keys)?;
            Ok(done(console, &name, "is revoked; publish the document again: testamur-issuer key document"))
        }
        Command::Check => {
            let key = settings.key().map_err(failure::of_settings)?;
            check(&key).await?;
            Ok(done(console, key.signer().method, "is found by verifiers"))
        }
        Command::Document => document(&ring, settings, console),
        Command::Statement { accounts } => statement(&accounts, settings, console),
    }
}

fn create(ring: &mut KeyRing, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let id = &settings.profile.id;
    if id.starts_with("did:key:") && ring.current().is_some() {
        let message = format!("{id} is its key: with another key it would be another issuer. Use a did:web to rotate");
        return Err(Failure { message, exit: Exit::Invalid });
    }
    let is_first = ring.current().is_none();
    let name = ring.create(now()).map_err(failure::of_keys)?;
    let next = if is_first {
        "signs from now on".to_owned()
    } else {
        format!("is listed; publish the document (testamur-issuer key document), then: testamur-issuer key use {name}")
    };
    Ok(done(console, &name, &next))
}

fn done(console: &Console, key: &str, what: &str) -> Exit {
    console.object(&json!({ "key": key, "done": what }));
    console.line(&format!("{} {key} {what}", console.tone(Tone::Good, "✓")));
    Exit::Done
}

fn list(ring: &KeyRing, console: &Console) -> Exit {
    for key in ring.keys() {
        let signs = ring.current() == Some(key);
        let Key { name, listed, revoked } = key;
        console.object(&json!({ "key": name, "listed": listed, "revoked": revoked, "signs": signs }));
        let state = match (revoked, signs) {
            (Some(since), _) => console.tone(Tone::Bad, &format!("revoked since {since}")),
            (None, true) => console.tone(Tone::Good, "signs"),
            (None, false) => console.tone(Tone::Faint, "listed"),
        };
        console.line(&format!("{name}  {listed}  {state}"));
    }
    Exit::Done
}

/// As verifiers look: *false* apart from *could not be had*.
async fn check(key: &IssuerKey) -> Result<(), Failure> {
    let served = match document_url(key.issuer()) {
        Ok(url) => {
            let fetcher = Fetcher::new(&FetchSettings::default());
            let fetcher = fetcher.map_err(|error| Failure { message: error.to_string(), exit: Exit::CouldNotTell })?;
            fetcher.get(&url).await
        }
        // Nothing is asked for: the name is the key.
        Err(_) => Err(Missing::NotAsked { what: key.issuer().to_owned() }),
    };
    check_published(key, served).map_err(|error| {
        let exit = match error {
            keys::NotPublished::Unseen(_) => Exit::CouldNotTell,
            _ => Exit::Invalid,
        };
        Failure { message: error.to_string(), exit }
    })
}

/// A time, or how long ago.
fn moment(text: Option<&str>) -> Result<UnixSeconds, Failure> {
    let Some(text) = text else { return Ok(now()) };
    let ago = span::seconds(text).map(|span| UnixSeconds(now().0.saturating_sub(span)));
    let moment = ago.or_else(|| span::point(text, now()));
    moment.ok_or_else(|| Failure::usage(format!("--since: {text} is neither a span like 2d nor a date")))
}

fn document(ring: &KeyRing, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let id = &settings.profile.id;
    let accounts = &settings.signing.accounts;
    let document = did_document(id, ring.keys(), accounts).map_err(failure::of_keys)?;
    console.raw(format!("{}\n", serde_json::to_string_pretty(&document).expect("JSON values serialise")).as_bytes());
    if accounts.is_empty() {
        console
            .note("It names no account: with signing.accounts in the configuration, verifiers need no policy for it.");
    }
    if let Ok(url) = document_url(id) {
        console.note(&format!("Publish it at {url}"));
    }
    Ok(Exit::Done)
}

fn statement(accounts: &[String], settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let read = |text: &String| serde_json::from_value::<Account>(json!({ "id": text }));
    let given = accounts.iter().map(read).collect::<Result<Vec<_>, _>>();
    let given = given.map_err(|error| Failure::usage(error.to_string()))?;
    let accounts = if given.is_empty() { &settings.signing.accounts } else { &given };
    if accounts.is_empty() {
        return Err(Failure::usage("which account? Name it, or put it into signing.accounts of the configuration"));
    }
    let key = settings.key().map_err(failure::of_settings)?;
    for account in accounts {
        let statement = keys::account_statement(&key, account, now());
        console.object(&json!({ "account": account.caip10(), "statement": statement }));
        console.line(&statement);
    }
    Ok(Exit::Done)
}
