//! Learners and employers in a real browser: `testamur-issuer` issues, invites and serves; a node anchors on a real chain.
//! Screenshots: target/screens.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use testamur_tests::harness::{Chain, Node, Ran, World, binary, pages, run, until};

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
    let (server, links) = office.serve(&files);

    let mut looker = Command::new("node");
    looker.arg("tests/share.mjs").current_dir(&web).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut looker = looker.spawn().expect("Node.js, with which the pages were built");
    let given = json!({
        "url": server.url, "rpc": world.chain.url, "folder": world.folder(), "screens": web.join("../target/screens"),
        "invitations": { "botany": links[0], "compilers": links[1], "replaced": links[2] },
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
    assert!(looker.wait().expect("ended").success(), "what the pages showed is above; the server: {}", server.log());
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
const ROSTER: &str = "id,name\n1,Rosa <b>Luz</b>\n";

/// An institution that issues and invites.
struct Office<'a> {
    world: &'a World,
    folder: PathBuf,
}

impl<'a> Office<'a> {
    fn open(world: &'a World, node: &Node) -> Self {
        let office = Self { world, folder: world.folder().join("office") };
        office.run(&["init", "--name", "Example University", "--domain", "university.example", "--node", &node.url]);
        let token = node.token(&world.issuer.address, "submit,revoke");
        fs::copy(token, office.path("node.token")).expect("copied");
        fs::write(office.path("templates/badge.svg"), PICTURE).expect("written");
        fs::write(office.path("templates/field-botany.toml"), TEMPLATE).expect("written");
        let compilers = TEMPLATE.replace("Field Botany", "Compilers").replace("image = \"badge.svg\"\n", "");
        fs::write(office.path("templates/compilers.toml"), compilers).expect("written");
        fs::write(office.path("people.csv"), ROSTER).expect("written");
        office
    }

    /// The credential of the only learner, under each template.
    fn issue(&self) -> Vec<PathBuf> {
        let issued = ["field-botany", "compilers"].map(|template| {
            let out = self.path(template);
            let roster = self.path("people.csv");
            self.run(&["issue", "--template", template, "--roster", text(&roster), "--out", text(&out)]);
            let file = fs::read_dir(&out).expect("a folder").next().expect("a credential").expect("an entry");
            file.path()
        });
        issued.into()
    }

    /// The learners' pages, and the links that claim: of each file, and one that a later invitation replaced.
    fn serve(&self, files: &[PathBuf]) -> (Server, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        drop(listener);
        let settings = format!(
            "listen = {address:?}\npublic_url = \"http://{address}\"\n[verify]\nendpoints = [{rpc:?}]\nchains = [\"eip155:{chain}\"]\n\
             [[verify.issuers]]\nid = \"did:web:university.example\"\nname = \"Example University\"\naccounts = [{account:?}]\n",
            rpc = self.world.chain.url,
            chain = self.world.chain_id,
            account = self.world.issuer.address,
        );
        fs::write(self.path("share.toml"), settings).expect("written");
        let log = File::create(self.path("share.log")).expect("writable");
        let mut command = Command::new(binary("examples/pages_tmp"));
        command.arg(&self.folder).arg(self.path("share.toml")).args(files).arg(&files[0]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("read");
        let links: Vec<String> = serde_json::from_str(&line).expect("links");
        let server = Server { child, url: format!("http://{address}"), log: self.path("share.log") };
        until("the learners' pages are there", || reqwest::blocking::get(format!("{}/healthz", server.url)).ok());
        (server, links)
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

/// `testamur-issuer serve`. It ends when dropped.
struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
