//! `testamur-issuer init`

use std::{fs, path::Path};

use serde_json::json;
use testamur::terminal::{Console, Exit, Failure, Tone};
use testamur_issuer::{
    keys::{KeyRing, document_url},
    template::EXAMPLE,
};

use super::{failure, now, template::begin};

const KEYS: &str = "keys";
const TOKEN: &str = "node.token";
const EXAMPLE_FILE: &str = "templates/example.toml";

/// Make what an issuer needs: a configuration, a signing key, and an example of a template
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  testamur-issuer init --name 'Example University' --domain university.example --node https://node.example")]
pub struct Args {
    /// What people call the issuer.
    #[arg(long, default_value = "Example University")]
    name: String,
    /// The domain under whose name it issues, as did:web. Default: under the name of its key, as did:key, which needs no
    /// web server, and is lost with the key.
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The node that anchors.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8642")]
    node: String,
}

pub fn run(args: &Args, config: &Path, console: &Console) -> Result<Exit, Failure> {
    let folder = config.parent().unwrap_or(Path::new(""));
    if config.exists() {
        let message = format!("{} exists already: it is left as it is", config.display());
        return Err(Failure { message, exit: Exit::Invalid });
    }
    fs::create_dir_all(folder.join("templates"))
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    // The key first: a configuration that names one must find it. One that an earlier attempt left is taken.
    let mut ring = KeyRing::open(&folder.join(KEYS)).map_err(failure::of_keys)?;
    let key = match ring.current() {
        Some(key) => key.name.clone(),
        None => ring.create(now()).map_err(failure::of_keys)?,
    };
    let did = format!("did:key:{key}");
    let id = args.domain.as_ref().map_or(did, |domain| web_did(domain));
    let published = document_url(&id).ok();
    if args.domain.is_some() && published.is_none() {
        return Err(Failure::usage(format!("--domain: {id} is no did:web; write university.example, or with a path")));
    }
    begin(config, &text(&args.name, &id, &args.node))?;
    let example = folder.join(EXAMPLE_FILE);
    if !example.exists() {
        begin(&example, EXAMPLE)?;
    }
    console.object(&json!({ "config": config, "key": key, "example": example, "issuer": id }));
    tell(config, &example, &id, published.as_deref(), console);
    Ok(Exit::Done)
}

/// A host, with a port or a path or without, as did:web writes it.
fn web_did(domain: &str) -> String {
    format!("did:web:{}", domain.trim_end_matches('/').replace(':', "%3A").replace('/', ":"))
}

fn text(name: &str, id: &str, node: &str) -> String {
    // A TOML string: what JSON escapes, TOML escapes alike.
    let quoted = |text: &str| json!(text).to_string();
    format!(
        "# testamur-issuer: who issues, how it is signed, and where it is anchored.

[profile]
id = {id}
name = {name}
# url = \"https://university.example\"
# email = \"registrar@university.example\"
# description = \"…\"
# image = \"https://university.example/logo.png\"

[signing]
keys = \"{KEYS}\"                       # a folder: keep a copy in a safe place
# suite = \"eddsa-rdfc-2022\"         # for readers that know nothing else; ten times slower
# accounts = [{{ id = \"eip155:1:0x…\" }}] # the issuer's, now and formerly: for the document that verifiers read

[node]
url = {node}
token_file = \"{TOKEN}\"            # from the node's operator, with the scopes submit and revoke
# account = \"0x…\"                  # the account that the token must speak for
# wait = \"included\"                # do not wait until anchors are final

# data_dir = \"data\"                # what was issued to whom: people's data, to be backed up
# templates = \"templates\"
",
        id = quoted(id),
        name = quoted(name),
        node = quoted(node),
    )
}

fn tell(config: &Path, example: &Path, id: &str, published: Option<&str>, console: &Console) {
    let tick = console.tone(Tone::Good, "✓");
    console.line(&format!("{tick} {} and {KEYS}/: you issue as {id}", config.display()));
    console.line(&format!("{tick} {}: a template with every field, explained\n\nNext:", example.display()));
    let mut steps = vec![
        format!(
            "Put the node's token into {TOKEN} (its operator runs: testamur-node token create --scope submit,revoke)."
        ),
        "Write a template, and check it: testamur-issuer template check templates/FILE.toml".to_owned(),
        "Issue: testamur-issuer issue --template NAME --roster people.csv --out DIR".to_owned(),
    ];
    if let Some(url) = published {
        let step = format!("Publish what `testamur-issuer key document` prints at {url}.");
        steps.insert(1, step);
    }
    steps.iter().zip(1..).for_each(|(step, number)| console.line(&format!("  {number}. {step}")));
}
