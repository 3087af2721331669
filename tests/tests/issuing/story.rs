//! From a roster to credentials, to verdicts, and to their end.

use std::{fs, path::Path};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testamur_core::digest::file_hash;

use crate::office::{Office, people, read, text};

/// What a check of a verdict says.
fn check<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let checks = verdict["checks"].as_array().unwrap_or_else(|| panic!("{verdict:#}"));
    checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name} in {verdict:#}"))
}

#[test]
fn a_roster_becomes_credentials_that_anybody_verifies() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    assert!(office.id.starts_with("did:key:z6Mk"));
    office.write(
        "people.csv",
        "id;nombre;apellidos;correo\r\n7;Ada;Lovelace;Ada@Example.com\r\n8;José;Ñandú;jose@example.com\r\n",
    );
    let summary = office.issue("people.csv", &[], 0);
    assert_eq!((&summary["rows"], &summary["issued"], &summary["written"]), (&json!(2), &json!(2), &json!(2)));
    office.assert_whole(&node, 2);

    // The issuer's own statement ties its account to its key: the employer knows its name only.
    let account = format!("eip155:{}:{}", office.world.chain_id, office.world.issuer.address);
    let statement = office.run(&["key", "statement", &account]).expect(0).json();
    office.write("statement.jwt", statement["statement"].as_str().expect("a token"));
    let id = &office.id;
    let chain = office.world.chain_id;
    let policy = format!(
        "chains = ['eip155:{chain}']\nsignature = 'required'\nstatements = ['statement.jwt']\n\
         [[issuers]]\nid = '{id}'\nname = 'Example University'\naccounts = []\n"
    );
    let ada = office.file("ada-lovelace-");
    let verdict = office.verify_by(&policy, &[&ada]).remove(0);
    assert_eq!(verdict["verdict"], "valid", "{verdict:#}");

    // The address is there as a hash that whoever knows it can check, spelt as the roster has it, and in lower case.
    let credential = read(&ada);
    assert!(!credential.to_string().to_lowercase().contains("ada@example.com"));
    let identifiers = credential["credentialSubject"]["identifier"].as_array().expect("identifiers");
    let salt = identifiers[0]["salt"].as_str().expect("a salt");
    for spelling in ["Ada@Example.com", "ada@example.com"] {
        let hash = format!("sha256${}", hex::encode(file_hash(format!("{spelling}{salt}").as_bytes()).0));
        assert!(identifiers.iter().any(|identifier| identifier["identityHash"] == hash), "{spelling}");
    }
    assert_ne!(read(&office.file("josé-ñandú-"))["credentialSubject"]["identifier"][0]["salt"], salt);

    // Again: nothing to do, nothing changed; a file that is missing comes back as it was.
    let before = fs::read(&ada).expect("readable");
    fs::remove_file(&ada).expect("removed");
    let again = office.issue("people.csv", &[], 0);
    assert_eq!((&again["issued"], &again["already"], &again["written"]), (&json!(0), &json!(2), &json!(1)));
    assert_eq!(fs::read(&ada).expect("readable"), before);
    office.assert_whole(&node, 2);

    // One letter is changed by somebody.
    let forged = office.write("forged.json", text_of(&ada).replace("Field Botany", "Field Medicine"));
    office.assert_verdicts(&[&forged], "invalid");

    // Revoked by its file; the other one stays.
    office.run(&["revoke", text(&ada), "--reason", "4", "--now", "--wait", "final"]).expect(0);
    let verdict = office.verify_by(&policy, &[&ada]).remove(0);
    assert_eq!(verdict["verdict"], "invalid", "{verdict:#}");
    let jose = office.file("josé-");
    office.assert_verdicts(&[&jose], "valid");
    let listed = office.list(&["--search", "lovelace"]);
    assert!(listed.len() == 1 && listed[0]["revoked"].is_u64(), "{listed:?}");
    // Nobody gets a revoked one again by mistake.
    let summary = office.issue("people.csv", &[], 1);
    assert_eq!((&summary["revoked"], &summary["already"]), (&json!(1), &json!(1)));

    // Suspended, and reinstated.
    office.run(&["suspend", text(&jose), "--now", "--wait", "final"]).expect(0);
    office.assert_verdicts(&[&jose], "invalid");
    office.run(&["reinstate", text(&jose), "--now", "--wait", "final"]).expect(0);
    office.assert_verdicts(&[&jose], "valid");

    // Nothing personal reached the node.
    let metrics = node.get("/metrics").expect("answered").text().expect("text");
    let data = walk(&office.world.folder().join("data"));
    for secret in ["Lovelace", "Ada@", "ada@example", "Ñandú", "Botany"] {
        assert!(!node.log().contains(secret) && !metrics.contains(secret), "{secret}");
        assert!(!data.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in the node's store");
    }
}

/// All bytes below a folder.
fn walk(folder: &Path) -> Vec<u8> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { fs::read(&path).expect("readable") }).collect()
}

fn text_of(file: &Path) -> String {
    fs::read_to_string(file).expect("readable")
}

#[test]
fn every_suite_is_signed_anchored_and_verified() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let learner = |name: &str| format!("id,name,email\n{name},{name},{name}@university.example\n");
    for (name, suite) in [("jcs", "eddsa-jcs-2022"), ("rdfc", "eddsa-rdfc-2022"), ("token", "vc-jwt")] {
        office.write("people.csv", learner(name));
        office.issue("people.csv", &["--suite", suite], 0);
    }
    office.assert_whole(&node, 3);
    let policy = format!("{}\n", office.policy()).replace("[[issuers]]", "signature = 'required'\n[[issuers]]");
    for (name, suite) in [("jcs-", "eddsa-jcs-2022"), ("rdfc-", "eddsa-rdfc-2022"), ("token-", "JWT EdDSA")] {
        let verdict = office.verify_by(&policy, &[&office.file(name)]).remove(0);
        assert_eq!(verdict["verdict"], "valid", "{verdict:#}");
        assert!(verdict.to_string().contains(suite), "{suite}: {verdict:#}");
    }

    // A token says whose it is, and stands beside its receipt: neither is anything without the other.
    let token = office.file("token-");
    assert!(token.extension().is_some_and(|ending| ending == "jwt"));
    let claims = text_of(&token).split('.').nth(1).map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64"));
    let claims: Value = serde_json::from_slice(&claims.expect("a payload")).expect("JSON");
    assert_eq!(claims["credentialSubject"]["achievement"]["name"], "Field Botany");
    let alone = office.write("alone.jwt", text_of(&token));
    let verdict = office.verify_by(&policy, &[&alone]).remove(0);
    assert_ne!(verdict["verdict"], "valid", "{verdict:#}");
    office.run(&["revoke", text(&token), "--now", "--wait", "final"]).expect(0);
    office.assert_verdicts(&[&token], "invalid");
}

#[test]
fn an_issuer_by_its_domain_is_known_by_its_account() {
    let (office, node) = Office::plain(&["--name", "Example University", "--domain", "university.example"]);
    assert_eq!(office.id, "did:web:university.example");
    office.write("people.csv", people(2));
    let ran = office.tell(&office.issuing("people.csv")).expect(0);
    assert!(ran.stdout.contains("2 issued, of 2 rows; 2 files written"), "{}", ran.stdout);
    office.assert_whole(&node, 2);
    let files = office.files();
    let verdict = office.verify_by(&office.policy(), &[&files[0]]).remove(0);
    assert_eq!(check(&verdict, "issuer")["outcome"]["result"].as_str().or(verdict["verdict"].as_str()), Some("valid"));
    // Another account of that name is not believed.
    let other = office.policy().replace(&office.world.issuer.address, &office.world.operator.address);
    assert_eq!(office.verify_by(&other, &[&files[0]]).remove(0)["verdict"], "invalid");
}

#[test]
fn whose_it_is_can_be_said_in_other_ways() {
    let (office, _node) = Office::plain(&["--name", "Example University"]);
    let did = office.id.clone();
    office.write("people.csv", format!("id,name,email,did\n1,Ada,ada@example.com,{did}\n2,Eve,eve@example.com,\n"));
    let summary = office.issue("people.csv", &["--identity", "did,name"], 1);
    assert_eq!((&summary["issued"], &summary["faults"]), (&json!(1), &json!(1)));
    let subject = read(&office.file("ada-"))["credentialSubject"].clone();
    assert_eq!((&subject["id"], &subject["identifier"][0]["identityHash"]), (&json!(did), &json!("Ada")));
    let failed = fs::read_to_string(office.path("people.failed.csv")).expect("the rows that failed");
    assert!(failed.contains("2,Eve,eve@example.com,") && failed.contains("DID"), "{failed}");
    office.issue("people.csv", &["--identity", "none"], 1); // Ada has another one already.
    let eve = read(&office.file("eve-"));
    assert_eq!(eve["credentialSubject"]["id"], format!("{}#holder", eve["id"].as_str().expect("an id")));
    assert!(eve["credentialSubject"].get("identifier").is_none());
}
