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
    let links = office.invite(&files);
    let server = office.serve();

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
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let office = Self { world, folder: world.folder().join("office"), url };
        office.run(&["init", "--name", "Example University", "--domain", "university.example", "--node", &node.url]);
        office.configure();
        let token = node.token(&world.issuer.address, "submit,revoke");
        fs::copy(token, office.path("node.token")).expect("copied");
        fs::write(office.path("templates/badge.svg"), PICTURE).expect("written");
        fs::write(office.path("templates/field-botany.toml"), TEMPLATE).expect("written");
        let compilers = TEMPLATE.replace("Field Botany", "Compilers").replace("image = \"badge.svg\"\n", "");
        fs::write(office.path("templates/compilers.toml"), compilers).expect("written");
        office
    }

    /// Where the learners' pages are, and whom they recognise.
    fn configure(&self) {
        let settings = format!(
            "\n[share]\nlisten = {listen:?}\npublic_url = {url:?}\n\n[share.verify]\nendpoints = [{rpc:?}]\n\
             chains = [\"eip155:{chain}\"]\nlinkedin = 1337\n\n[[share.verify.issuers]]\nid = \"did:web:university.example\"\n\
             name = \"Example University\"\naccounts = [{account:?}]\n",
            listen = self.url.trim_start_matches("http://"),
            url = self.url,
            rpc = self.world.chain.url,
            chain = self.world.chain_id,
            account = self.world.issuer.address,
        );
        let mut file = File::options().append(true).open(self.path("issuer.toml")).expect("made by init");
        file.write_all(settings.as_bytes()).expect("written");
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
        table.map(|row| row.expect("a row").iter().last().expect("a link").to_owned()).collect()
    }

    fn serve(&self) -> Server {
        let log = File::create(self.path("serve.log")).expect("writable");
        let mut command = Command::new(binary("testamur-issuer"));
        command.args(["serve", "--config"]).arg(self.path("issuer.toml"));
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        let mut server = Server { child, url: self.url.clone(), log: self.path("serve.log") };
        until("the learners' pages are there", || {
            assert!(server.child.try_wait().expect("a child can be asked").is_none(), "it ended: {}", server.log());
            reqwest::blocking::get(format!("{}/healthz", server.url)).ok()
        });
        server
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
