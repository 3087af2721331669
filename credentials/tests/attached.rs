//! Credentials attached to PDF files: found where other people's software put them, and hostile files by name.

use std::{fs, io::Write};

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;
use testamur_credentials::{
    attached::{Fault, MAX_FILES, credential},
    baked::MAX_TEXT,
};

const JSON: &str = r#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}"#;
const OTHER: &str = r#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["OpenBadgeCredential"]}"#;
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJ0eXBlIjoiViJ9.c2ln";

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("into memory")
}

/// A PDF of these objects; readers of the whole standard would want a table behind them.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n".to_vec();
    for (number, object) in objects.iter().enumerate() {
        file.extend(format!("{} 0 obj\n", number + 10).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    file.extend(b"trailer\n<</Size 20/Root 1 0 R>>\n%%EOF\n");
    file
}

fn stream(dict: &str, data: &[u8]) -> Vec<u8> {
    [format!("<<{dict}/Length {}>>\nstream\n", data.len()).as_bytes(), data, b"\nendstream"].concat()
}

fn plain(text: &str) -> Vec<u8> {
    stream("/Type/EmbeddedFile/Subtype/application#2Fvc", text.as_bytes())
}

fn deflated(text: &[u8]) -> Vec<u8> {
    stream("/Type /EmbeddedFile /Filter [ /FlateDecode ] /Params <</Size 1/CheckSum (\\)>>)>>", &zlib(text))
}

fn found(objects: &[Vec<u8>]) -> Result<Option<String>, Fault> {
    let found = credential(&pdf(objects))?;
    Ok(found.map(|text| String::from_utf8(text).expect("text")))
}

#[test]
fn what_is_attached_is_found() {
    for text in [JSON, TOKEN, &format!("\u{feff}\n{JSON}\n")] {
        assert_eq!(found(&[plain(text)]).as_ref().map(Option::as_deref), Ok(Some(text)));
        assert_eq!(found(&[deflated(text.as_bytes())]).as_ref().map(Option::as_deref), Ok(Some(text)));
    }
    let saved_twice = found(&[plain(JSON), deflated(JSON.as_bytes())]);
    assert_eq!(saved_twice, Ok(Some(JSON.to_owned())), "the same file twice is one");
    let among_others = [plain("{\"invoice\":1}"), plain("<xml/>"), deflated(b"%PDF-1.4"), plain(JSON), plain("")];
    assert_eq!(found(&among_others), Ok(Some(JSON.to_owned())));
    let indirect = format!("<</Type/EmbeddedFile/Length 99 0 R>>\nstream\r\n{JSON}endstream").into_bytes();
    assert_eq!(found(&[indirect]), Ok(Some(JSON.to_owned())), "how long it is stands elsewhere");
}

#[test]
fn other_files_have_none() {
    for bytes in [&b""[..], b"%PDF", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", JSON.as_bytes(), &[0xff; 4096]] {
        assert_eq!(credential(bytes), Ok(None));
    }
    for object in [
        stream("/Type/XObject", JSON.as_bytes()),
        stream("/Type/EmbeddedFile/Filter/LZWDecode", JSON.as_bytes()),
        stream("/Type/EmbeddedFile/Filter[/ASCIIHexDecode/FlateDecode]", &zlib(JSON.as_bytes())),
        stream("/Type/EmbeddedFile/Filter/FlateDecode/DecodeParms<</Predictor 12>>", &zlib(JSON.as_bytes())),
        stream("/Type/EmbeddedFile/F(elsewhere.json)", JSON.as_bytes()),
        stream("/Params<</Type/EmbeddedFile>>", JSON.as_bytes()),
        b"(/Type/EmbeddedFile stream {\"@context\":1} endstream)".to_vec(),
        b"% <</Type/EmbeddedFile>> stream".to_vec(),
    ] {
        let named = String::from_utf8_lossy(&object).into_owned();
        assert_eq!(found(&[object]), Ok(None), "{named}");
    }
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/samples/credentials/diploma.pdf");
    assert_eq!(credential(&fs::read(sample).expect("a sample")), Ok(None));
}

#[test]
fn two_credentials_are_refused() {
    assert!(matches!(found(&[plain(JSON), plain(OTHER)]), Err(Fault::Two { first, second }) if first < second));
    assert!(matches!(found(&[plain(JSON), deflated(TOKEN.as_bytes())]), Err(Fault::Two { .. })));
    // Saved again with another attachment: the old one is still there.
    let twice = [pdf(&[plain(JSON)]), pdf(&[plain(OTHER)])].concat();
    assert!(matches!(credential(&twice), Err(Fault::Two { .. })));
}

#[test]
fn a_length_that_lies_hides_nothing() {
    let hidden = [&b"<</Length 500/Type/Metadata>>\nstream\nx\nendstream\nendobj\n"[..], &plain(OTHER)].concat();
    assert!(matches!(found(&[hidden, plain(JSON)]), Err(Fault::Two { .. })));
    let short = format!("<</Type/EmbeddedFile/Length 3>>\nstream\n{JSON}\nendstream").into_bytes();
    assert_eq!(found(&[short]), Ok(Some(format!("{JSON}\n"))));
    let vast = format!("<</Type/EmbeddedFile/Length 18446744073709551615>>\nstream\n{JSON}endstream").into_bytes();
    assert_eq!(found(&[vast]), Ok(Some(JSON.to_owned())));
    let open = format!("<</Type/EmbeddedFile\nstream\n{OTHER}\nendstream").into_bytes();
    assert_eq!(found(&[open, plain(JSON)]), Ok(Some(JSON.to_owned())), "a dictionary without an end says nothing");
}

#[test]
fn bombs_are_defused() {
    let bomb = format!("{{\"@context\":1,\"a\":\"{}\"}}", " ".repeat(4 * MAX_TEXT));
    assert_eq!(found(&[deflated(bomb.as_bytes())]), Err(Fault::TooLarge { limit: MAX_TEXT }));
    let harmless = " ".repeat(64 << 20);
    assert_eq!(found(&[deflated(harmless.as_bytes())]), Ok(None), "not even inflated");
    let many = vec![plain("{}"); MAX_FILES + 1];
    assert_eq!(found(&many), Err(Fault::Many));
    assert_eq!(found(&vec![plain("<xml/>"); 10 * MAX_FILES]), Ok(None), "a folder of invoices is none of ours");
    let mut cut = deflated(JSON.repeat(50).as_bytes());
    let middle = cut.len() - 40;
    cut[middle..middle + 8].fill(0);
    assert!(matches!(found(&[cut]), Err(Fault::Damaged { .. })));
}

#[test]
fn nesting_and_loops_end() {
    for part in ["<<", "[", "(", "<</A", "<</A[", "<<<", "%", "stream ", "<</Type/EmbeddedFile/Length 1>>stream\n"] {
        let deep = [b"%PDF-1.7\n", part.repeat(200_000).as_bytes()].concat();
        assert_eq!(credential(&deep), Ok(None), "{part}");
    }
    let itself = b"<</Type/EmbeddedFile/Length 10 0 R/Filter 10 0 R>>\nstream\nx\nendstream".to_vec();
    assert_eq!(found(&[itself]), Ok(None));
}

#[test]
fn an_encrypted_pdf_is_told() {
    let encrypted = |objects: &[Vec<u8>]| {
        let mut file = pdf(objects);
        file.extend(b"trailer\n<</Encrypt 9 0 R/ID[<00><00>]>>\n");
        credential(&file)
    };
    assert_eq!(encrypted(&[plain("\x00\x17 scrambled")]), Err(Fault::Encrypted));
    assert_eq!(encrypted(&[plain(JSON)]), Err(Fault::Encrypted));
    assert_eq!(encrypted(&[]), Ok(None), "nothing is attached");
    let cross_reference = stream("/Type/XRef/Encrypt 9 0 R", &[0; 20]);
    assert_eq!(found(&[plain("x"), cross_reference]), Err(Fault::Encrypted));
}

proptest! {
    #[test]
    fn any_change_is_answered(place in 0_usize..700, byte: u8, cut in 0_usize..700) {
        let mut file = pdf(&[deflated(JSON.as_bytes()), plain(OTHER)]);
        let place = place.min(file.len() - 1);
        file[place] = byte;
        _ = credential(&file);
        file.truncate(cut);
        _ = credential(&file);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(prop::sample::select(b"<>[]()/% \n0R{\"streamndobj".to_vec()), 0..400)) {
        _ = credential(&[b"%PDF-1.7\n", &bytes[..]].concat());
    }
}
