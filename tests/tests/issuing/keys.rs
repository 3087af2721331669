//! Keys: a new one orphans nothing, and one that somebody else has counts only where an anchor is older.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::runtime::Runtime;

use crate::{
    office::{Office, lines, people, text},
    server::{Reply, Server},
};

const DOMAIN: [&str; 4] = ["--name", "Example University", "--domain", "university.example"];

fn key(office: &Office, arguments: &[&str]) -> String {
    let ran = office.run(&[&["key"], arguments].concat()).expect(0);
    lines(&ran).remove(0)["key"].as_str().expect("a key").to_owned()
}

#[test]
fn the_document_lists_every_key_that_ever_signed() {
    let (office, node) = Office::plain(&DOMAIN);
    office.write("first.csv", people(1));
    office.issue("first.csv", &[], 0);
    let first = key(&office, &["list"]);
    // A new key is listed first, and signs later.
    let second = key(&office, &["new"]);
    assert_ne!(first, second);
    let document = office.run(&["key", "document"]).expect(0).json();
    for name in [&first, &second] {
        let method = format!("did:web:university.example#{name}");
        assert!(document["assertionMethod"].as_array().expect("methods").iter().any(|known| *known == method));
    }
    // Nobody can look whether it is published: that is told apart from *not published*, and the key is not taken.
    let refused = office.run(&["key", "use", &second]).expect(2);
    assert!(refused.stderr.contains("could not be had"), "{}", refused.stderr);
    key(&office, &["use", &second, "--unchecked"]);
    office.write("second.csv", "id,name,email\ns-9,New,new@university.example\n");
    office.issue("second.csv", &[], 0);
    let method = |file: &Path| crate::office::read(file)["proof"].to_string();
    assert!(method(&office.file("learner-0-")).contains(&first));
    assert!(method(&office.file("new-")).contains(&second));
    office.assert_whole(&node, 2);
    office.run(&["key", "use", &first, "--unchecked"]).expect(0);
    office.run(&["key", "revoke", &second, "--since", "2d"]).expect(0);
    office.run(&["key", "use", &second, "--unchecked"]).expect(1);
    let document = office.run(&["key", "document"]).expect(0).json();
    let revoked = document["verificationMethod"].as_array().expect("methods").iter();
    assert_eq!(revoked.filter(|method| method["revoked"].is_string()).count(), 1);
    office.run(&["key", "revoke", &first]).expect(0);
    office.write("third.csv", people(3));
    let ran = office.run(&office.issuing("third.csv")).expect(64);
    assert!(ran.stderr.contains("no key signs"), "{}", ran.stderr);
}

#[test]
fn an_issuer_that_is_its_key_has_one() {
    let (office, _node) = Office::plain(&["--name", "Example University"]);
    let ran = office.run(&["key", "new"]).expect(1);
    assert!(ran.stderr.contains("another issuer"), "{}", ran.stderr);
    office.run(&["key", "check"]).expect(0);
    let ran = office.run(&["key", "document"]).expect(1);
    assert!(ran.stderr.contains("statement"), "{}", ran.stderr);
}

/// The issuer's web server: whatever path is asked for, it gives its document.
struct Web {
    document: Arc<Mutex<String>>,
    server: Server,
    _runtime: Runtime,
}

impl Web {
    fn serve() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let document = Arc::new(Mutex::new(String::new()));
        let served = document.clone();
        let reply = move |_: &str| Reply::ok(served.lock().expect("whole").as_bytes());
        let server = runtime.block_on(Server::start(reply));
        Self { document, server, _runtime: runtime }
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.server.port)
    }

    fn publish(&self, office: &Office) {
        *self.document.lock().expect("whole") = office.run(&["key", "document"]).expect(0).stdout;
    }

    /// The policy of an employer who knows the issuer's name, and believes its document about keys and accounts.
    fn policy(&self, office: &Office) -> String {
        office.write("ca.pem", &self.server.certificate);
        let (chain, id, host) = (office.world.chain_id, &office.id, self.host());
        format!(
            "chains = ['eip155:{chain}']\nsignature = 'required'\n[identity]\nallow_hosts = ['{host}']\nca = 'ca.pem'\n\
             [[issuers]]\nid = '{id}'\nname = 'Example University'\naccounts = []\n"
        )
    }
}

#[test]
fn rotation_orphans_nothing_and_a_stolen_key_counts_where_an_anchor_is_older() {
    let web = Web::serve();
    let (office, node) = Office::plain(&["--name", "Example University", "--domain", &web.host()]);
    let settings = fs::read_to_string(office.path("issuer.toml")).expect("readable");
    let account = format!("eip155:{}:{}", office.world.chain_id, office.world.issuer.address);
    let settings = settings.replace("[signing]\n", &format!("[signing]\naccounts = [{{ id = \"{account}\" }}]\n"));
    office.write("issuer.toml", settings);
    let policy = web.policy(&office);
    let issue = |name: &str| {
        office.write("people.csv", format!("id,name,email\n{name},{name},{name}@university.example\n"));
        office.issue("people.csv", &[], 0);
        office.file(&format!("{name}-"))
    };
    let first = key(&office, &["list"]);
    let by_first = issue("first");
    let second = key(&office, &["new"]);
    key(&office, &["use", &second, "--unchecked"]);
    let by_second = issue("second");
    let verdicts = || {
        let verdicts = office.verify_by(&policy, &[&by_first, &by_second]).into_iter();
        verdicts.map(|verdict| verdict["verdict"].as_str().expect("a verdict").to_owned()).collect::<Vec<_>>()
    };
    web.publish(&office);
    assert_eq!(verdicts(), ["valid", "valid"]);
    // The first one is retired by being stolen now: what it signed is older, and an anchor proves it.
    let now = office.world.chain.now().to_string();
    key(&office, &["revoke", &first, "--since", &now]);
    web.publish(&office);
    assert_eq!(verdicts(), ["valid", "valid"]);
    // The second one was stolen before it signed anything that counts.
    key(&office, &["revoke", &second, "--since", "2d"]);
    web.publish(&office);
    assert_eq!(verdicts(), ["valid", "unverifiable"], "it may be the thief's: nobody can tell");
    // With another one it goes on, and what was lost is issued again.
    let third = key(&office, &["new"]);
    key(&office, &["use", &third, "--unchecked"]);
    web.publish(&office);
    office.run(&["reissue", text(&by_second)]).expect(0);
    let listed = office.list(&["--search", "second"]);
    let again = PathBuf::from(listed[0]["file"].as_str().expect("a path"));
    assert_eq!(office.verify_by(&policy, &[&again]).remove(0)["verdict"], "valid");
    drop(node);
}
