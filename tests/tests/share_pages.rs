//! Learners and employers in a real browser: `testamur-issuer` issues, invites and serves; a node anchors on a real chain.
//! Screenshots: target/screens.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Node, Ran, ShareServer, World, pages, run};

/// What the browser's side computes without a page: sealing, against the vectors of `tests/vectors`.
#[test]
fn the_browser_seals_as_the_vectors_say() {
    let Some(web) = pages("the_browser_seals_as_the_vectors_say", "share/index.html") else { return };
    let status = Command::new("node").args(["--test", "tests/share-pure.mjs"]).current_dir(web).status();
    assert!(status.expect("Node.js, with which the pages were built").success(), "what failed is above");
}

#[test]
fn learners_claim_share_and_manage_and_employers_verify() {
    let Some(web) = pages("learners_claim_share_and_manage_and_employers_verify", "share/index.html") else { return };
    let world = World::on(Chain::anvil());
    let mut node = Some(world.node());
    let office = Office::open(&world, node.as_ref().expect("just started"));
    let files = office.issue();
    let links = office.invite(&files);
    let server = ShareServer::start(&office.path("issuer.toml"), &office.url);

    let mut looker = Command::new("node");
    looker.arg("tests/share.mjs").current_dir(&web).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut looker = looker.spawn().expect("Node.js, with which the pages were built");
    let given = json!({
        "url": office.url, "rpc": world.chain.url, "folder": world.folder(), "screens": web.join("../target/screens"),
        "invitations": { "botany": links[0], "another": links[1], "compilers": links[2], "replaced": links[3] },
    });
    let mut input = looker.stdin.take().expect("piped");
    let wishes = BufReader::new(looker.stdout.take().expect("piped")).lines();
    writeln!(input, "{given}").expect("written");
    for wish in wishes.map_while(Result::ok) {
        let wish: Value = serde_json::from_str(&wish).unwrap_or_else(|error| panic!("{error}: {wish}"));
        let text = |name: &str| wish[name].as_str().expect("a text");
        let done = match text("do") {
            "verify" => json!({ "verdict": office.verdict(Path::new(text("file"))) }),
            "revoke" => office.revoke(text("id")),
            "stop-node" => json!({ "stopped": node.take().map(Node::stop) }),
            other => panic!("{other}?"),
        };
        writeln!(input, "{done}").expect("written");
    }
    let log = server.log();
    let last: Vec<&str> = log.lines().rev().take(20).collect();
    assert!(
        looker.wait().expect("ended").success(),
        "what the pages showed is above; the server, newest first: {last:#?}"
    );
    assert!(log.contains("/v1/pages/{id}/sealed"), "it logs what is asked: {log}");
    let ids = links.iter().map(|link| link.split(['/', '#']).rev().nth(1).expect("an id"));
    for text in ids.chain(["Rosa", "Botany", "utm_source"]) {
        assert!(!log.contains(text), "{text} stands in the server's log");
    }
}

const TEMPLATE: &str = r#"
identity = "name"
name = "Field Botany"
description = "Identifies vascular plants of temperate Europe in the field."
kind = "Certificate"
field = "Biology"
criteria = "Forty species identified in the field without keys."
image = "badge.svg"
tags = ["botany", "fieldwork"]
"#;

const PICTURE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><circle cx="100" cy="100" r="96" fill="#2e7d32"/><path d="M100 30c45 40 45 95 0 140-45-45-45-100 0-140z" fill="#c8e6c9"/><path d="M100 62v112" stroke="#2e7d32" stroke-width="6"/></svg>"##;

/// Names are hostile now and then.
const ROSA: &str = "id,name\n1,Rosa <b>Luz</b>\n";
const ANA: &str = "2,Ana\n";

/// An institution that issues and invites.
struct Office<'a> {
    world: &'a World,
    folder: PathBuf,
    /// Of the learners' pages.
    url: String,
}

impl<'a> Office<'a> {
    fn open(world: &'a World, node: &Node) -> Self {
        let folder = world.folder().join("office");
        let mut office = Self { world, folder, url: String::new() };
        office.run(&["init", "--name", "Example University", "--domain", "university.example", "--node", &node.url]);
        office.url = ShareServer::configure(&office.path("issuer.toml"), &office.recognised());
        let token = node.token(&world.issuer.address, "submit,revoke");
        fs::copy(token, office.path("node.token")).expect("copied");
        fs::write(office.path("templates/badge.svg"), PICTURE).expect("written");
        fs::write(office.path("templates/field-botany.toml"), TEMPLATE).expect("written");
        let compilers = TEMPLATE.replace("Field Botany", "Compilers").replace("image = \"badge.svg\"\n", "");
        fs::write(office.path("templates/compilers.toml"), compilers).expect("written");
        office
    }

    /// Whom the pages recognise.
    fn recognised(&self) -> String {
        format!(
            "[share.verify]\nendpoints = [{rpc:?}]\nchains = [\"eip155:{chain}\"]\nlinkedin = 1337\n\
             [[share.verify.issuers]]\nid = \"did:web:university.example\"\nname = \"Example University\"\n\
             accounts = [{account:?}]\n",
            rpc = self.world.chain.url,
            chain = self.world.chain_id,
            account = self.world.issuer.address,
        )
    }

    /// Two learners' credentials under one template, and another of the first one's.
    fn issue(&self) -> Vec<PathBuf> {
        let (both, one) = (self.path("both.csv"), self.path("one.csv"));
        fs::write(&both, [ROSA, ANA].concat()).expect("written");
        fs::write(&one, ROSA).expect("written");
        let issued = [("field-botany", both), ("compilers", one)].map(|(template, roster)| {
            let out = self.path(template);
            self.run(&["issue", "--template", template, "--roster", text(&roster), "--out", text(&out)]);
            let entries = fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").path());
            let mut files: Vec<PathBuf> = entries.collect();
            // Rosa before Ana.
            files.sort_by(|one, other| other.cmp(one));
            files
        });
        issued.concat()
    }

    /// The links that claim: of each file, and one that a later invitation replaced.
    fn invite(&self, files: &[PathBuf]) -> Vec<String> {
        let replaced = self.links("replaced.csv", &files[..1], &[]);
        let links = self.links("links.csv", files, &["--again"]);
        [links, replaced].concat()
    }

    fn links(&self, name: &str, files: &[PathBuf], more: &[&str]) -> Vec<String> {
        let out = self.path(name);
        let arguments = [&["invite", "--links", text(&out)], more].concat();
        self.run(&[arguments, files.iter().map(|file| text(file)).collect()].concat());
        let table = csv::Reader::from_path(out).expect("a table").into_records();
        table.map(|row| row.expect("a row").iter().next_back().expect("a link").to_owned()).collect()
    }

    /// As an employer's command line says.
    fn verdict(&self, file: &Path) -> Value {
        let ran = self.world.verify(&[file], &[]);
        ran.json()["verdict"].clone()
    }

    /// By the issuer's own key, without the node.
    fn revoke(&self, id: &str) -> Value {
        self.run(&["revoke", id, "--now", "--wait", "final"]);
        json!({ "revoked": id })
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let config = self.path("issuer.toml");
        let config: [&OsStr; 2] = ["--config".as_ref(), config.as_os_str()];
        run("testamur-issuer", arguments.iter().map(OsStr::new).chain(config)).expect(0)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
