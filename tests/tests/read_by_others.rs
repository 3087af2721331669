//! What an issuer gives out, read by other people's packages with none of our code: signatures, tokens, baked pictures,
//! and the certificate's attachment. And by our own verifier, out of the PDF.

#[allow(dead_code, reason = "the tests of issuing use the rest")]
#[path = "issuing/office.rs"]
mod office;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::office::{Office, read, text};

const TEMPLATE: &str = r#"
id = "botany"
identity = ["name"]
name = "Field Botany"
description = "Identifies vascular plants in the field."
criteria = "Forty species identified without keys."
image = "disc.svg"
creditsAvailable = 6
"#;
const DISC: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="30" fill="#2e7d32"/></svg>"##;
const VC: &str = "@digitalbazaar/vc";
const CORE: &str = "@digitalcredentials/verifier-core";

/// An institution that has issued one credential to Ada in each way of signing.
fn office() -> (Office, testamur_tests::harness::Node) {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    office.write("templates/botany.toml", TEMPLATE);
    office.write("templates/disc.svg", DISC);
    office.write("people.csv", "id,name\n7,Ada Lovelace\n");
    (office, node)
}

/// Issues to Ada, and copies what came out to `name`.
fn issue(office: &Office, suite: &str, name: &str) -> PathBuf {
    let (roster, out) = (office.path("people.csv"), office.path(suite));
    let arguments = ["issue", "--template", "botany", "--roster", text(&roster), "--out", text(&out)];
    office.run(&[&arguments[..], &["--suite", suite, "--period", suite]].concat()).expect(0);
    let files = fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut credentials: Vec<_> = files.filter(|file| !text(file).ends_with(".receipt.json")).collect();
    let to = office.path(name);
    fs::copy(credentials.pop().expect("a credential"), &to).expect("copied");
    assert_eq!(credentials, [] as [PathBuf; 0]);
    to
}

/// Exports a credential, and returns the file.
fn export(office: &Office, credential: &Path, form: &str) -> PathBuf {
    let out = office.path("exported");
    let link = ["--link", "https://verify.example/verify/"];
    let told =
        office.run(&[&["export", text(credential), form, "--out", text(&out)], &link[..]].concat()).expect(0).json();
    assert_eq!(told["notes"], json!([]));
    PathBuf::from(told["file"].as_str().expect("a file"))
}

/// A copy in which somebody else has achieved it.
fn forged(office: &Office, credential: &Path, name: &str) -> PathBuf {
    let text = fs::read_to_string(credential).expect("readable");
    let forged = text.replace("Ada Lovelace", "Eve Lovelace");
    assert_ne!(forged, text);
    office.write(name, forged)
}

/// What other people's packages say of these files.
fn others(test: &str, files: &[&Path]) -> Option<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("js");
    if !folder.join("node_modules/@digitalcredentials/verifier-core").is_dir() {
        eprintln!("SKIPPED {test}: other people's readers are not installed (run scripts/setup-js)");
        return None;
    }
    let mut node = Command::new("node");
    let output = node.arg("read-credentials.mjs").args(files).current_dir(folder).output().expect("Node.js");
    let told = String::from_utf8_lossy(&output.stdout);
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|error| {
        panic!("{error} in {told} {}", String::from_utf8_lossy(&output.stderr));
    });
    Some(told["report"].clone())
}

#[test]
fn others_accept_what_an_issuer_signs() {
    let (office, _node) = office();
    let jcs = issue(&office, "eddsa-jcs-2022", "jcs.json");
    let rdfc = issue(&office, "eddsa-rdfc-2022", "rdfc.json");
    let token = issue(&office, "vc-jwt", "token.jwt");
    let (bad_jcs, bad_rdfc) = (forged(&office, &jcs, "bad-jcs.json"), forged(&office, &rdfc, "bad-rdfc.json"));
    let bad_token = office.write("bad-token.jwt", fs::read_to_string(&token).expect("readable").replace(".e", ".f"));
    let Some(report) =
        others("others_accept_what_an_issuer_signs", &[&jcs, &rdfc, &token, &bad_jcs, &bad_rdfc, &bad_token])
    else {
        return;
    };
    // The anchor stands beside the signature, and those who do not know it pass over it.
    assert_eq!(report["jcs.json"]["proofs"], json!(["eddsa-jcs-2022", "merkle-anchor-jcs-2026"]));
    assert_eq!(report["jcs.json"][VC], "accepted", "{report:#}");
    assert_eq!(report["rdfc.json"][VC], "accepted", "{report:#}");
    assert_eq!(report["rdfc.json"][CORE], "accepted", "{report:#}");
    assert_eq!(report["token.jwt"]["jose"], "accepted", "{report:#}");
    // It knows eddsa-rdfc-2022 only, and does not tell a suite that it does not know from a forgery: whoever wants its
    // word signs that way.
    assert_eq!(report["jcs.json"][CORE], "invalid_signature: The signature is not valid.", "{report:#}");
    for (file, reader) in
        [("bad-jcs.json", VC), ("bad-rdfc.json", VC), ("bad-rdfc.json", CORE), ("bad-token.jwt", "jose")]
    {
        assert_ne!(report[file][reader], "accepted", "{file} by {reader}: {report:#}");
    }
}

#[test]
fn others_find_the_credential_in_pictures_and_certificates() {
    const NAME: &str = "others_find_the_credential_in_pictures_and_certificates";
    let (office, _node) = office();
    let credential = issue(&office, "eddsa-jcs-2022", "ada.json");
    let (png, svg) = (export(&office, &credential, "--png"), export(&office, &credential, "--svg"));
    let pdf = export(&office, &credential, "--pdf");
    office.assert_verdicts(&[&png, &svg, &pdf], "valid");
    if let Some(report) = others(NAME, &[&png]) {
        let found = report["ada.png"]["png-chunks-extract"].as_str().unwrap_or_else(|| panic!("{report:#}"));
        assert_eq!(serde_json::from_str::<Value>(found).expect("JSON"), read(&credential));
    }
    // Python's XML reader.
    let program = "import sys, xml.etree.ElementTree as tree\n\
                   found = tree.parse(sys.argv[1]).iter('{https://purl.imsglobal.org/ob/v3p0}credential')\n\
                   print(''.join(one.text for one in found))";
    let output = Command::new("python3").args(["-c", program]).arg(&svg).output().expect("Python");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).expect("JSON"), read(&credential));
    // Poppler's.
    let saved = office.path("detached.json");
    match Command::new("pdfdetach").args(["-save", "1", "-o"]).arg(&saved).arg(&pdf).status() {
        Ok(status) => {
            assert!(status.success());
            assert_eq!(fs::read(&saved).expect("readable"), fs::read(&credential).expect("readable"), "byte by byte");
        }
        Err(_) => eprintln!(
            "SKIPPED {NAME}, the part with Poppler: pdfdetach is not installed (apt-get install poppler-utils)"
        ),
    }
}

#[test]
fn a_certificate_is_verified_as_its_credential_is() {
    let (office, node) = office();
    let credential = issue(&office, "eddsa-jcs-2022", "ada.json");
    let pdf = export(&office, &credential, "--pdf");
    let verdict = |file: &Path| office.verify_by(&office.policy(), &[file]).remove(0);
    let (of_pdf, of_json) = (verdict(&pdf), verdict(&credential));
    assert_eq!(of_pdf["verdict"], "valid", "{of_pdf:#}");
    assert_eq!(of_pdf["title"], of_json["title"], "{of_pdf:#}");

    // Somebody draws another name on the page: the verdict is about what is attached, and says so. Somebody changes what
    // is attached: it is refused.
    let forged = forged(&office, &credential, "eve.json");
    let eve = export(&office, &forged, "--pdf");
    assert_eq!(verdict(&eve)["verdict"], "invalid");
    let both = [fs::read(&pdf).expect("readable"), fs::read(&eve).expect("readable")].concat();
    let two = verdict(&office.write("both.pdf", both));
    assert_eq!(two["verdict"], "invalid");
    assert!(two.to_string().contains("two credentials are attached"), "{two:#}");

    // A receipt beside the file is about the file, and goes first.
    let whole = office.path("whole.pdf");
    fs::copy(&pdf, &whole).expect("copied");
    office.world.anchor(&node.url, &office.path("node.token"), &[&whole], "included").expect(0);
    office.assert_verdicts(&[&whole], "valid");

    office.run(&["revoke", text(&credential), "--now", "--wait", "final"]).expect(0);
    assert_eq!(verdict(&pdf)["verdict"], "invalid", "what is revoked is revoked on paper");
    assert_eq!(verdict(&whole)["verdict"], "valid", "the file itself was never revoked");
}
