//! An institution with its configuration, keys, templates and rosters, beside a node; and the employer who verifies.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use testamur_tests::harness::{Chain, Node, Ran, World, binary, run, until};

/// Four fields, and an end.
pub const TEMPLATE: &str = r#"
id = "botany"
validity = "5 years"
name = "Field Botany"
description = "Identifies vascular plants in the field."
criteria = "Forty species identified without keys."
tags = ["botany"]
"#;

/// An institution.
pub struct Office {
    /// The chain, the registry, the issuer's account and its operator.
    pub world: World,
    folder: PathBuf,
    /// What credentials call it.
    pub id: String,
}

impl Office {
    /// On a chain of its own, with a node that this function is told how to reach.
    pub fn open(arguments: &[&str], url: impl FnOnce(&World) -> (Node, String)) -> (Self, Node) {
        let world = World::on(Chain::anvil());
        let (node, url) = url(&world);
        let folder = world.folder().join("office");
        fs::create_dir_all(&folder).expect("a folder");
        let config = folder.join("issuer.toml");
        let fixed = ["--json", "--config", text(&config), "init", "--node", &url];
        let made = run("testamur-issuer", fixed.into_iter().chain(arguments.iter().copied())).expect(0).json();
        let id = made["issuer"].as_str().expect("an issuer").to_owned();
        let token = node.token(&world.issuer.address, "submit,revoke");
        fs::copy(token, folder.join("node.token")).expect("copied");
        fs::write(folder.join("templates/botany.toml"), TEMPLATE).expect("written");
        (Self { world, folder, id }, node)
    }

    /// As [`Self::open`], reaching the node directly.
    pub fn plain(arguments: &[&str]) -> (Self, Node) {
        Self::open(arguments, |world| {
            let node = world.node();
            let url = node.url.clone();
            (node, url)
        })
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file into its folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("written");
        path
    }

    /// `testamur-issuer` in this office, telling programs.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let config = self.path("issuer.toml");
        run("testamur-issuer", ["--json", "--config", text(&config)].iter().chain(arguments))
    }

    /// The same for people.
    pub fn tell(&self, arguments: &[&str]) -> Ran {
        let config = self.path("issuer.toml");
        run("testamur-issuer", ["--config", text(&config)].iter().chain(arguments))
    }

    /// Begins `testamur-issuer` and lets it run.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(binary("testamur-issuer"));
        command.arg("--json").arg("--config").arg(self.path("issuer.toml")).args(arguments);
        command.env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    /// Issues a roster of the folder into `out`, and expects it to end like this; the last line is its summary.
    #[track_caller]
    pub fn issue(&self, roster: &str, more: &[&str], code: i32) -> Value {
        let ran = self.run(&[&self.issuing(roster), more].concat()).expect(code);
        lines(&ran).pop().expect("a summary")
    }

    /// The arguments that issue a roster of the folder.
    pub fn issuing<'a>(&self, roster: &str) -> [&'a str; 7] {
        let roster = text(&self.path(roster)).to_owned().leak();
        let out = text(&self.path("out")).to_owned().leak();
        ["issue", "--template", "botany", "--roster", roster, "--out", out]
    }

    /// The credentials in `out`, by name.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.path("out"))
            .map(|folder| folder.map(|entry| entry.expect("an entry").path()).collect())
            .unwrap_or_default();
        files.retain(|file: &PathBuf| {
            let name = file.file_name().expect("a name").to_string_lossy();
            !name.starts_with('.') && !name.ends_with(".receipt.json")
        });
        files.sort();
        files
    }

    /// Of the credentials in `out`, the one whose file is called like this.
    pub fn file(&self, name: &str) -> PathBuf {
        let named = |file: &PathBuf| file.file_name().is_some_and(|found| found.to_string_lossy().starts_with(name));
        let mut found = self.files().into_iter().filter(named);
        let file = found.next().unwrap_or_else(|| panic!("no file of {name}"));
        assert!(found.next().is_none(), "two files of {name}");
        file
    }

    /// What was issued, as `list` tells it.
    pub fn list(&self, more: &[&str]) -> Vec<Value> {
        lines(&self.run(&[&["list"], more].concat()).expect(0))
    }

    /// The verdicts of an employer who knows the issuer under this policy.
    pub fn verify_by(&self, policy: &str, files: &[&Path]) -> Vec<Value> {
        let policy = self.write("policy.toml", policy);
        let fixed = ["--json", "verify", "--rpc", &self.world.chain.url, "--policy", text(&policy)];
        let files = files.iter().map(|file| text(file));
        lines(&run("testamur", fixed.into_iter().chain(files)))
    }

    /// The policy of an employer who knows the issuer's account.
    pub fn policy(&self) -> String {
        let Self { id, world, .. } = self;
        format!(
            "chains = ['eip155:{}']\n[[issuers]]\nid = '{id}'\naccounts = ['{}']\n",
            world.chain_id, world.issuer.address
        )
    }

    /// Whether an employer who knows the issuer's account takes all of these for valid.
    #[track_caller]
    pub fn assert_verdicts(&self, files: &[&Path], wanted: &str) {
        for verdict in self.verify_by(&self.policy(), files) {
            assert_eq!(verdict["verdict"], wanted, "{verdict:#}");
        }
    }

    /// Checks what must hold after any run: each learner has one credential that was not superseded, each credential its
    /// file, each file is valid, and the node has as many digests.
    #[track_caller]
    pub fn assert_whole(&self, node: &Node, learners: usize) {
        let listed = self.list(&[]);
        assert!(listed.iter().all(|one| one["state"] == "written"), "{listed:#?}");
        let current: Vec<_> = listed.iter().filter(|one| one["supersededBy"].is_null()).collect();
        let who: BTreeSet<_> = current.iter().map(|one| one["learner"].to_string()).collect();
        assert_eq!((current.len(), who.len()), (learners, learners));
        let written: BTreeSet<_> =
            listed.iter().map(|one| PathBuf::from(one["file"].as_str().expect("a path"))).collect();
        let real = |path: PathBuf| fs::canonicalize(path).expect("a file");
        assert_eq!(written, self.files().into_iter().map(real).collect());
        assert_eq!(written.len(), listed.len());
        let hidden = fs::read_dir(self.path("out")).expect("a folder").filter_map(Result::ok);
        assert_eq!(hidden.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count(), 0);
        let paths: Vec<_> = written.iter().map(PathBuf::as_path).collect();
        self.assert_verdicts(&paths, "valid");
        assert_eq!(digests(node, &self.world.issuer.address), listed.len());
    }
}

/// How many digests a node has of an issuer, in all its batches.
pub fn digests(node: &Node, issuer: &str) -> usize {
    let page: Value = node.get(&format!("/v1/issuers/{issuer}/batches")).expect("answered").json().expect("JSON");
    assert!(page["next"].is_null(), "one page is enough for a test");
    let sizes =
        page["batches"].as_array().expect("batches").iter().map(|batch| batch["size"].as_u64().expect("a size"));
    sizes.sum::<u64>() as usize
}

/// A roster of so many people.
pub fn people(count: usize) -> String {
    let row = |n| format!("s-{n},Learner {n},learner{n}@university.example\n");
    "id,name,email\n".to_owned() + &(0..count).map(row).collect::<String>()
}

/// Waits until a process has ended, and tells how: its exit code and what it told.
pub fn ended(mut child: Child) -> (Option<i32>, String, String) {
    until("it ends", || child.try_wait().expect("a child can be asked"));
    let output = child.wait_with_output().expect("it has ended");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON")
}

pub fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
