//! Three hundred documents with every kind of fault among them, in a folder, an archive and a table of links: each is one
//! row with a verdict and a reason, in its order, and never the end.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::Arc,
};

use serde_json::json;
use testamur_credentials::link;
use tokio::runtime::Runtime;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    employer::{Employer, Row},
    server::{Reply, Server},
    signer::{Signer, badge},
};

/// A document, and what must come of it.
struct Case {
    ending: &'static str,
    bytes: Vec<u8>,
    verdict: &'static str,
    reason: &'static str,
}

const fn case(ending: &'static str, bytes: Vec<u8>, verdict: &'static str, reason: &'static str) -> Case {
    Case { ending, bytes, verdict, reason }
}

/// One of each kind. `server` is the host of some issuers.
fn kinds(server: &Server) -> Vec<Case> {
    let signer = Signer::new(8);
    let issued_at = |host: &str| Signer::new(9).named(&format!("did:web:{host}")).badge("Hosted").to_string();
    let local = |path: &str| issued_at(&format!("localhost%3A{}:{path}", server.port)).into_bytes();
    let good = signer.badge("Field Botany").to_string().into_bytes();
    let mut tampered = signer.badge("Field Botany");
    tampered["name"] = json!("Surgery");
    let mut expired = badge(&signer.issuer, "Field Botany");
    expired["validUntil"] = json!("2026-01-02T00:00:00Z");
    let text = String::from_utf8(good.clone()).expect("UTF-8");
    let duplicate = text.replacen('{', r#"{"name":"Surgery","#, 1);
    let deep = format!(r#"{{"name":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let unsigned = |alg| signer.token(alg, |_, _| Vec::new());
    vec![
        case("json", good.clone(), "valid", ""),
        case("json", signer.badge("=HYPERLINK(\"https://evil.example\")").to_string().into_bytes(), "valid", ""),
        case("jwt", signer.token("EdDSA", Signer::eddsa).into_bytes(), "valid", ""),
        case("png", png(&[&text]), "valid", ""),
        case("json", tampered.to_string().into_bytes(), "invalid", "changed after it was signed"),
        case("json", signer.sign(expired).to_string().into_bytes(), "invalid", "expired 2026-01-02"),
        case("json", good[..good.len() / 2].to_vec(), "invalid", "not JSON that can be read"),
        case("json", Vec::new(), "unverifiable", "neither an anchor nor a signature"),
        case("json", deep.into_bytes(), "invalid", "not JSON that can be read"),
        case("json", duplicate.into_bytes(), "invalid", "the same key twice"),
        case("png", png(&[&text, &text]), "invalid", "two"),
        case("jwt", unsigned("none").into_bytes(), "invalid", "none"),
        case("jwt", signer.token("HS256", Signer::hmac_with_public_key).into_bytes(), "invalid", "HS256"),
        case("pdf", b"%PDF-1.7\n".to_vec(), "unverifiable", "neither an anchor nor a signature"),
        case("json", issued_at("10.0.0.1").into_bytes(), "unverifiable", "no public address"),
        case("json", issued_at("169.254.169.254").into_bytes(), "unverifiable", "no public address"),
        case("json", local("large"), "unverifiable", "longer than 1048576 bytes"),
        case("json", local("moved"), "unverifiable", "leads on to"),
        case("json", local("absent"), "unverifiable", "is not there"),
        case("json", local("html"), "unverifiable", "cannot be read"),
    ]
}

/// Three hundred of them, by name.
fn documents(server: &Server) -> BTreeMap<String, Case> {
    let rounds =
        (0..15).flat_map(|round| kinds(server).into_iter().enumerate().map(move |(kind, case)| (round, kind, case)));
    let mut documents: BTreeMap<String, Case> =
        rounds.map(|(round, kind, case)| (format!("{round:02}-{kind:02}.{}", case.ending), case)).collect();
    let large = png(&[&"x".repeat(50 << 20)]);
    documents.insert("99-large.png".to_owned(), case("png", large, "unverifiable", "neither an anchor"));
    documents
}

/// A PNG image with these texts baked in.
fn png(texts: &[&str]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        let body = [kind.as_slice(), data].concat();
        [&length, body.as_slice(), &crc32(&body).to_be_bytes()].concat()
    };
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.extend(chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
    for text in texts {
        image.extend(chunk(b"iTXt", &[b"openbadgecredential\0\0\0\0\0", text.as_bytes()].concat()));
    }
    image.extend(chunk(b"IDAT", b"\x78\x9c\x63\x00\x01\x00\x00\x05\x00\x01"));
    image.extend(chunk(b"IEND", b""));
    image
}

/// The checksum of PNG's chunks (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Hosts of issuers as they should not be, and of documents.
fn serve(runtime: &Runtime, documents: Arc<BTreeMap<String, Vec<u8>>>) -> Server {
    runtime.block_on(Server::start(move |path| match path {
        "large/did.json" => Reply::ok(&vec![b' '; 10 << 20]),
        "moved/did.json" => Reply::redirect("https://169.254.169.254/latest/meta-data/"),
        "html/did.json" => Reply::ok(b"<html>Welcome</html>"),
        "inward" => Reply::redirect("https://169.254.169.254/latest/meta-data/"),
        "good.json" => Reply::ok(Signer::new(8).badge("Field Botany").to_string().as_bytes()),
        path => documents.get(path).map_or_else(|| Reply::new(404, "", b""), |bytes| Reply::ok(bytes)),
    }))
}

#[track_caller]
fn assert_row(row: &Row, document: &str, case: &Case) {
    assert!(row.document.ends_with(document), "{document}: {row:?}");
    assert_eq!(row.verdict, case.verdict, "{row:?}");
    assert!(row.reason.contains(case.reason) && row.reason.is_empty() == (case.verdict == "valid"), "{row:?}");
    for cell in [&row.document, &row.reason, &row.title] {
        assert!(!cell.starts_with(['=', '+', '-', '@']) && !cell.contains(char::is_control), "{row:?}");
    }
}

#[track_caller]
fn assert_rows(rows: &[Row], documents: &BTreeMap<String, Case>) {
    assert_eq!(rows.len(), documents.len());
    rows.iter().zip(documents).for_each(|(row, (name, case))| assert_row(row, name, case));
    assert!(rows.iter().any(|row| row.title.starts_with("'=HYPERLINK")));
}

#[test]
fn a_folder_and_an_archive_of_everything() {
    let runtime = Runtime::new().expect("a runtime");
    let server = serve(&runtime, Arc::default());
    let mut documents = documents(&server);
    let employer = Employer::new().knowing(&server);
    let folder = employer.folder().join("applications");
    fs::create_dir(&folder).expect("a folder");
    for (name, case) in &documents {
        fs::write(folder.join(name), &case.bytes).expect("writable");
    }
    assert_rows(&employer.bulk(&folder, 1), &documents);

    // What only an archive can hold.
    documents.remove("99-large.png");
    documents.insert("../../99-outside.json".to_owned(), case("", b"{}".to_vec(), "unverifiable", "leads out"));
    documents.insert("99-bomb.json".to_owned(), case("", vec![b' '; 12 << 20], "unverifiable", "200-fold"));
    documents.insert("99-large.json".to_owned(), case("", vec![b' '; 60 << 20], "unverifiable", ""));
    let archive = employer.folder().join("applications.zip");
    pack(&archive, &documents);
    assert_rows(&employer.bulk(&archive, 1), &documents);
    assert!(!employer.folder().join("../../99-outside.json").exists());
}

fn pack(archive: &Path, documents: &BTreeMap<String, Case>) {
    let mut zip = ZipWriter::new(File::create(archive).expect("writable"));
    for (name, case) in documents {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("begun");
        zip.write_all(&case.bytes).expect("written");
    }
    zip.finish().expect("written");
}

#[test]
fn a_table_of_links_to_everything() {
    let runtime = Runtime::new().expect("a runtime");
    // The documents name their host, so it is there before them; what it serves comes from a second one.
    let issuers = serve(&runtime, Arc::default());
    let mut documents = documents(&issuers);
    let large = documents.get_mut("99-large.png").expect("one of them");
    large.reason = "longer than 16777216 bytes";
    let served = documents.iter().map(|(name, case)| (name.clone(), case.bytes.clone())).collect();
    let server = serve(&runtime, Arc::new(served));
    let employer = Employer::new();
    fs::write(employer.folder().join("ca.pem"), [issuers.certificate.as_str(), &server.certificate].concat())
        .expect("writable");
    let employer = employer.with_table(&format!(
        "[identity]\nallow_hosts = ['localhost:{}', 'localhost:{}']\nca = 'ca.pem'",
        issuers.port, server.port
    ));

    let mut links: Vec<(String, Case)> = Vec::new();
    for (number, (name, document)) in documents.into_iter().enumerate() {
        // A link has no ending that would tell spoilt JSON from any other file.
        let link = match number % 2 {
            0 if document.bytes.len() < 1 << 20 => {
                format!("https://verify.example/verify#{}", link::encode(&document.bytes))
            }
            _ => server.url(&name),
        };
        links.push((link, document));
    }
    let none = |verdict, reason| case("", Vec::new(), verdict, reason);
    links.extend([
        ("http://example.edu/badge.json".to_owned(), none("unverifiable", "no https link")),
        ("https://127.0.0.1/badge.json".to_owned(), none("unverifiable", "no public address")),
        (server.url("absent"), none("unverifiable", "is not there")),
        (server.url("inward"), none("unverifiable", "no public address")),
        ("https://verify.example/#c1.cut0ff".to_owned(), none("unverifiable", "cut off")),
        ("=cmd|'/C calc'!A1".to_owned(), none("unverifiable", "no https link")),
        (String::new(), none("unverifiable", "no link")),
        (server.url("good.json"), none("valid", "")),
    ]);
    let table = employer.folder().join("links.csv");
    let mut csv = csv::Writer::from_path(&table).expect("writable");
    csv.write_record(["applicant", "link"]).expect("written");
    links.iter().for_each(|(link, _)| csv.write_record(["Ada", link]).expect("written"));
    csv.flush().expect("written");

    let rows = employer.bulk(&table, 1);
    assert_eq!(rows.len(), links.len());
    for (place, (row, (_, case))) in rows.iter().zip(&links).enumerate() {
        assert!(row.document.starts_with(&format!("line {}: ", place + 2)), "{row:?}");
        assert_row(row, "", case);
        assert!(!row.document.contains("c1."), "a credential is not printed: {row:?}");
    }
}
