//! Whole rosters: every fault that a file can have, and what comes of the rows around it.

use std::{
    io::{Cursor, SeekFrom},
    path::PathBuf,
};

use proptest::prelude::*;

use super::*;

fn open_bytes(bytes: &[u8], options: &RosterOptions) -> Result<Roster, RosterFault> {
    Roster::new(Box::new(Cursor::new(bytes.to_vec())), options)
}

fn rows(bytes: &[u8]) -> Vec<Row> {
    open_bytes(bytes, &RosterOptions::default()).unwrap().collect()
}

/// Each row's line, with its learner or what is wrong.
fn told(bytes: &[u8]) -> Vec<(u64, Result<String, String>)> {
    let tell = |row: Row| (row.line, row.award.map(|award| award.learner.key).map_err(|fault| fault.to_string()));
    rows(bytes).into_iter().map(tell).collect()
}

fn good(line: u64, key: &str) -> (u64, Result<String, String>) {
    (line, Ok(key.to_owned()))
}

/// Reads, and expects these lines to be good and bad.
fn expect(roster: &[u8], wanted: &[(u64, Result<&str, &str>)]) {
    let found = told(roster);
    let name = String::from_utf8_lossy(&roster[..roster.len().min(200)]).into_owned();
    assert_eq!(found.len(), wanted.len(), "{name}: {found:?}");
    for ((line, row), (wanted_line, wanted)) in found.iter().zip(wanted) {
        assert_eq!(line, wanted_line, "{name}: {found:?}");
        match (row, wanted) {
            (Ok(key), Ok(wanted)) => assert_eq!(key, wanted, "{name}"),
            (Err(fault), Err(part)) => assert!(fault.contains(part), "{name}: {fault}"),
            _ => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn a_roster_in_every_dress() {
    let plain =
        "email,name\na@x.example,\"Núñez, \"\"Pepe\"\"\"\r\n\"b@x.example\",\"two\nlines\"\nc@x.example,Ωμέγα\n";
    let wanted: &[(u64, Result<&str, &str>)] = &[
        (2, Ok("a@x.example")),
        (3, Err("column `name`: holds the control character U+000A")),
        (5, Ok("c@x.example")),
    ];
    let semicolons =
        plain.replace("\"Núñez, ", "\"Núñez; ").replace("email,", "email;").replace("example,", "example;");
    let semicolons = semicolons.replace("\",\"two", "\";\"two");
    // No tab stands within a name.
    let tabs = semicolons.replace("Núñez; ", "Núñez, ").replace(';', "\t");
    for text in [plain.to_owned(), semicolons.clone(), tabs, format!("sep=;\n{semicolons}")] {
        let shift = u64::from(text.starts_with("sep="));
        let shifted: Vec<_> = wanted.iter().map(|(line, row)| (line + shift, *row)).collect();
        expect(text.as_bytes(), &shifted);
        expect(format!("\u{feff}{text}").as_bytes(), &shifted);
        let units =
            |make: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(make).collect::<Vec<_>>();
        expect(&units(u16::to_le_bytes), &shifted);
        expect(&units(u16::to_be_bytes), &shifted);
    }
    let names: Vec<_> = rows(plain.as_bytes()).into_iter().filter_map(|row| row.award.ok()?.learner.name).collect();
    assert_eq!(names, ["Núñez, \"Pepe\"", "Ωμέγα"]);
}

#[test]
fn json_lines_are_rows_as_well() {
    let roster = r#"
{"id": 7, "name": "Ada", "awarded": "2026-03-04", "credits": 7.5, "evidence": ["https://e.example/1", {"narrative": "seen", "name": "Essay"}], "result": [{"of": "Oral", "value": "9"}]}
{"email": "b@x.example", "name": null, "shoe": 44}
{"email": "b@x.example"}
{"email": "c@x.example", "EMAIL": "d@x.example"}
["email"]
{"email": "e@x.example", "email": "f@x.example"}
{"email": {"a": 1}}
{"name": "nobody"}
nonsense
{"id": "9", "evidence": "javascript:alert(1)"}
"#;
    expect(
        roster.as_bytes(),
        &[
            (2, Ok("7")),
            (3, Ok("b@x.example")),
            (4, Err("same learner (and period) as in line 3")),
            (5, Err("`EMAIL` means the same")),
            (6, Err("no JSON object")),
            (7, Err("no valid JSON")),
            (8, Err("column `email`: a text is needed")),
            (9, Err("nothing says who the learner is")),
            (10, Err("no valid JSON")),
            (11, Err("column `evidence`: no web address")),
        ],
    );
    let mut roster = open_bytes(roster.as_bytes(), &RosterOptions::default()).unwrap();
    let award = roster.next().unwrap().award.unwrap();
    assert_eq!(award.credits_earned, Some(7.5));
    assert_eq!(award.evidence.len(), 2);
    assert_eq!(award.results, [ResultValue { of: Some("Oral".to_owned()), value: "9".to_owned() }]);
    roster.by_ref().for_each(drop);
    assert_eq!(roster.notes(), [Note::UnknownColumn("shoe".to_owned())]);
}

#[test]
fn broken_quotation_marks_cost_one_row() {
    // Opened and never closed, at the end and before many rows.
    expect(
        b"email,name\na@x.example,\"Ada\nb@x.example,Bob\n",
        &[(2, Err("opened and never closed")), (3, Ok("b@x.example"))],
    );
    let mut long = b"email,name\n\"a@x.example,Ada\n".to_vec();
    for nth in 0..60_000 {
        long.extend(format!("u{nth}@x.example,Somebody of no importance\n").bytes());
    }
    assert!(long.len() > 2 * lines::LONGEST_ROW, "the end of the file is out of reach");
    let found = told(&long);
    assert_eq!(found.len(), 60_001);
    assert!(found[0].1.is_err() && found[1..].iter().all(|(_, row)| row.is_ok()));
    assert_eq!(found.last(), Some(&good(60_002, "u59999@x.example")));
    // Closed by the mark that opens another row's cell.
    expect(
        b"email,name\n\"a@x.example,Ada\n\"b@x.example\",Bob\nc@x.example,\"Eve\"\n",
        &[(2, Err("text follows a closing quotation mark")), (3, Ok("b@x.example")), (4, Ok("c@x.example"))],
    );
    // Marks inside that are not doubled.
    expect(
        b"email,name\na@x.example,\"Ada \"the Countess\" L\"\nb@x.example,Bob\n",
        &[(2, Err("write quotation marks inside a quoted cell twice")), (3, Ok("b@x.example"))],
    );
    // What is left of a broken row is told as well, and never taken for a learner.
    expect(
        b"email,name,narrative\na@x.example,\"A\"da,\"x\ny\nz\"\nb@x.example,Bob,\n",
        &[
            (2, Err("text follows")),
            (3, Err("1 cells, where the headings are 3")),
            (4, Err("1 cells, where the headings are 3")),
            (5, Ok("b@x.example")),
        ],
    );
}

#[test]
fn a_huge_cell_costs_its_row_and_hides_no_other() {
    let huge = "x".repeat(10 << 20);
    for cell in [huge.clone(), format!("\"{huge}\"")] {
        let roster = format!("email,narrative\na@x.example,{cell}\nb@x.example,fine\n");
        expect(roster.as_bytes(), &[(2, Err("more than 65536 bytes")), (3, Ok("b@x.example"))]);
    }
    // A learner's own words, made to look like rows, in a cell too long to be kept: no row is ever read from it.
    let planted = "mallory@x.example,Mallory\n".repeat(100_000);
    let roster = format!("email,narrative\na@x.example,\"{planted}\"\nb@x.example,fine\n");
    expect(roster.as_bytes(), &[(2, Err("more than 65536 bytes")), (100_003, Ok("b@x.example"))]);
    let roster = format!("{{\"email\":\"a@x.example\",\"narrative\":\"{huge}\"}}\n{{\"email\":\"b@x.example\"}}\n");
    expect(roster.as_bytes(), &[(1, Err("more than 1048576 bytes")), (2, Ok("b@x.example"))]);
}

#[test]
fn a_file_of_broken_marks_is_read_to_its_end() {
    let mut roster = b"a,email\n".to_vec();
    for _ in 0..200_000 {
        roster.extend(b"b\",\"\n");
    }
    let found = told(&roster);
    assert!(!found.is_empty() && found.iter().all(|(_, row)| row.is_err()));
}

#[test]
fn rows_are_refused_for_what_is_wrong_with_them() {
    for (row, part) in [
        ("a@x.example,Ada", "2 cells, where the headings are 4"),
        ("a@x.example,Ada,,,x", "5 cells, where the headings are 4"),
        (",Ada,,", "nothing says who the learner is"),
        ("ada,Ada,,", "column `email`: no e-mail address: it has no @"),
        ("a@x.example,A\0da,,", "control character U+0000"),
        ("a@x.example,A\u{202e}da,,", "turns the direction of writing"),
        ("a@x.example,A\u{fffd}da,,", "a letter was lost"),
        ("a@x.example,Ada,03/04/2026,", "column `awarded`: can be 2026-04-03 or 2026-03-04"),
        ("a@x.example,Ada,2026-03-04,2026-03-03", "column `expires`: expires before it is awarded"),
        ("ada,A\0,soon,46085", "no @; column `name`: holds the control character U+0000: type the text anew; column"),
    ] {
        let roster = format!("email,name,awarded,expires\n{row}\nz@x.example,Zoe,,\n");
        expect(roster.as_bytes(), &[(2, Err(part)), (3, Ok("z@x.example"))]);
    }
}

#[test]
fn a_learner_is_there_once_for_each_period() {
    let roster = "id,email,period\n7,a@x.example,2025\n7,a@x.example,2026\n7,other@x.example,2025\n,A@x.example,\n,a@X.example,\n";
    expect(
        roster.as_bytes(),
        &[(2, Ok("7")), (3, Ok("7")), (4, Err("as in line 2")), (5, Ok("a@x.example")), (6, Err("as in line 5"))],
    );
    // A row that failed does not stand in the way of its better self.
    expect(b"email,name\na@x.example,A\0\na@x.example,Ada\n", &[(2, Err("U+0000")), (3, Ok("a@x.example"))]);
}

#[test]
fn encodings_are_told_apart_row_by_row() {
    expect(
        b"email,name\na@x.example,N\xc3\xba\xc3\xb1ez\nb@x.example,Mu\xf1oz\nc@x.example,Eve\n",
        &[(2, Ok("a@x.example")), (3, Err("column `name`: not valid UTF-8")), (4, Ok("c@x.example"))],
    );
    let western = b"email,name\na@x.example,Mu\xf1oz\nb@x.example,\x81\n";
    expect(western, &[(2, Ok("a@x.example")), (3, Err("not valid Windows-1252"))]);
    let mut roster = open_bytes(western, &RosterOptions::default()).unwrap();
    assert_eq!(roster.notes(), [Note::GuessedEncoding { line: 2 }]);
    assert_eq!(roster.next().unwrap().award.unwrap().learner.name.as_deref(), Some("Muñoz"));
    let said = RosterOptions { encoding: Some(Encoding::Utf8), ..RosterOptions::default() };
    let mut roster = open_bytes(western, &said).unwrap();
    assert!(roster.next().unwrap().award.is_err() && roster.notes().is_empty());
    let mut halved: Vec<u8> = "\u{feff}email\na@x.example\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    halved.extend([0x00, 0xd8, b'@', 0, b'x', 0, b'.', 0, b'e', 0]);
    expect(&halved, &[(2, Ok("a@x.example")), (3, Err("not valid UTF-16"))]);
}

#[test]
fn a_file_that_is_no_roster_is_refused_as_a_whole() {
    let fault = |bytes: &[u8]| open_bytes(bytes, &RosterOptions::default()).err().expect("refused").to_string();
    assert!(fault(b"").contains("empty"));
    assert!(fault(b"\n \r\n").contains("empty"));
    assert!(fault(b"Nombre,Nota\nAda,9\n").ends_with("Found: `Nombre`, `Nota`"));
    assert!(fault(b"email,\"name\nAda").contains("headings in line 1 cannot be read"));
    assert!(fault(b"[{\"email\": 1}]").contains("jq"));
    assert!(fault(b"PK\x03\x04").contains("save it as CSV"));
    assert!(read(&PathBuf::from("/nonexistent/roster.csv"), &RosterOptions::default()).is_err());
}

#[test]
fn platforms_rows_become_awards() {
    let gradebook = "Student,ID,SIS User ID,SIS Login ID,Section,Quiz 1 (87),Final Grade\n    Points Possible,,,,,10.00,(read only)\n\"Lovelace, Ada\",12,s-7,ada,Main,9,A\n";
    let mut roster = open_bytes(gradebook.as_bytes(), &RosterOptions::default()).unwrap();
    let Row { line, award, .. } = roster.next().unwrap();
    let award = award.unwrap();
    assert_eq!((line, award.learner.key.as_str(), award.learner.name.as_deref()), (3, "s-7", Some("Ada Lovelace")));
    assert_eq!(award.results, [ResultValue { of: None, value: "A".to_owned() }]);
    assert!(roster.next().is_none());
    assert!(roster.notes().contains(&Note::PointsRow { line: 2 }));
    let moodle = "Nombre;Apellido(s);Número de ID;Dirección de correo\nAda;Lovelace;;ada@x.example\n";
    let award = rows(moodle.as_bytes()).remove(0).award.unwrap();
    assert_eq!((award.learner.key.as_str(), award.learner.name.as_deref()), ("ada@x.example", Some("Ada Lovelace")));
}

#[test]
fn rosters_that_others_made_are_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/rosters");
    if !folder.exists() {
        eprintln!("SKIPPED: no corpora");
        return;
    }
    let tables = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for path in tables.filter(|path| path.extension().is_some_and(|ending| ending == "csv")) {
        let rows: Vec<_> = read(&path, &RosterOptions::default()).unwrap().collect();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.award.is_ok()), "{path:?}: {rows:?}");
    }
}

fn failed(roster: &[u8]) -> Vec<u8> {
    let mut roster = open_bytes(roster, &RosterOptions::default()).unwrap();
    let mut failed = Failed::new(Vec::new(), &roster.shape()).unwrap();
    for row in roster.by_ref() {
        if let Err(fault) = row.award {
            failed.write(row.line, &row.original, &fault.to_string()).unwrap();
        }
    }
    failed.finish().unwrap()
}

#[test]
fn failed_rows_are_mended_and_read_again() {
    let roster = "email;name;narrative\nada;=HYPERLINK(\"http://x\");+34 600 000 000\ngood@x.example;Zoe;\n\"eve@x.example;E\";x\nb@x.example;B\u{f1}\0b;@cmd\n";
    let first = failed(roster.as_bytes());
    let text = String::from_utf8(first.clone()).unwrap();
    assert!(text.starts_with("\u{feff}email;name;narrative;line;fault\r\n"), "{text}");
    assert!(text.contains("ada;\"'=HYPERLINK(\"\"http://x\"\")\";+34 600 000 000;2;column `email`"), "{text}");
    assert!(text.contains(";'@cmd;5;"), "{text}");
    // As it is, it fails as before, and grows no further columns.
    let second = failed(&first);
    let columns = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().map(str::to_owned);
    assert_eq!(columns(&second), columns(&first));
    let mended = text.replace("ada;", "ada@x.example;").replace('\0', "");
    let found = told(mended.as_bytes());
    assert_eq!(found.iter().filter(|(_, row)| row.is_ok()).count(), 2, "{found:?}");
    let names: Vec<_> = rows(mended.as_bytes()).into_iter().filter_map(|row| row.award.ok()?.learner.name).collect();
    assert_eq!(names, ["=HYPERLINK(\"http://x\")", "Bñb"]);
}

#[test]
fn failed_lines_of_json_stay_json() {
    let first = failed(b"{\"email\":\"ada\",\"name\":\"Ada\"}\nnonsense\n");
    let text = String::from_utf8(first).unwrap();
    assert!(text.starts_with("{\"email\":\"ada\",\"name\":\"Ada\",\"line\":1,\"fault\":\"column `email`"), "{text}");
    assert!(text.contains("{\"row\":\"nonsense\",\"line\":2,"), "{text}");
    expect(
        text.replace("\"ada\"", "\"ada@x.example\"").as_bytes(),
        &[(1, Ok("ada@x.example")), (2, Err("nothing says"))],
    );
}

/// A file that a disk stops reading.
struct Torn(Cursor<Vec<u8>>);

impl Read for Torn {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            length => Ok(length),
        }
    }
}

impl Seek for Torn {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_disk_that_fails_is_told_once() {
    let mut bytes = b"email\n".to_vec();
    bytes.extend(std::iter::repeat_n(b"a@x.example\n", 40_000).flatten());
    let rows: Vec<_> = Roster::new(Box::new(Torn(Cursor::new(bytes))), &RosterOptions::default()).unwrap().collect();
    let unreadable =
        |row: &&Row| row.award.as_ref().is_err_and(|fault| fault.to_string().contains("cannot be read further"));
    assert_eq!(rows.iter().filter(unreadable).count(), 1);
    assert!(rows.last().as_ref().is_some_and(unreadable));
}

proptest! {
    /// Whatever a cell holds, it is read from a table as it was written to it.
    #[test]
    fn what_is_written_is_read(
        table in proptest::collection::vec(proptest::collection::vec("[ -~éñΩ\n\r\t\"';,=+@-]{0,12}", 3), 0..8),
        separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
    ) {
        let shape = Shape::Table { headings: ["email", "name", "narrative"].map(str::to_owned).to_vec(), separator };
        let mut failed = Failed::new(Vec::new(), &shape).unwrap();
        for (nth, cells) in table.iter().enumerate() {
            failed.write(nth as u64, &Original::Cells(cells.clone()), "broken").unwrap();
        }
        let bytes = failed.finish().unwrap();
        let originals: Vec<_> = rows(&bytes).into_iter().map(|row| row.original).collect();
        prop_assert_eq!(originals.len(), table.len());
        for (original, cells) in originals.iter().zip(&table) {
            let Original::Cells(found) = original else { panic!("cells") };
            let plain = |cell: &String| cell.replace('\r', "");
            let wanted: Vec<_> = cells.iter().map(plain).collect();
            let found: Vec<_> = found[..3].iter().map(plain).collect();
            prop_assert_eq!(found, wanted);
        }
    }

    /// No bytes make it panic, and no row begins before the one above it.
    #[test]
    fn any_bytes_are_rows_or_faults(bytes in proptest::collection::vec(prop_oneof![
        4 => proptest::sample::select(&b"a@x.,;\"\"\n\n\r\t{}[]:' "[..]),
        1 => any::<u8>(),
    ], 0..300)) {
        let mut roster = b"email,name\n".to_vec();
        roster.extend(&bytes);
        for roster in [&roster[..], &bytes] {
            if let Ok(roster) = open_bytes(roster, &RosterOptions::default()) {
                let lines: Vec<_> = roster.map(|row| row.line).collect();
                prop_assert!(lines.is_sorted_by(|one, other| one < other));
            }
        }
    }

    /// Rows that are whole stay whole, whatever stands between them in a line of its own.
    #[test]
    fn a_bad_line_costs_no_good_row_before_it(bad in "[ -!#-~]{0,40}") {
        let roster = format!("email,name\na@x.example,Ada\n{bad}\nb@x.example,Bob\n");
        let keys: Vec<_> = rows(roster.as_bytes()).into_iter().filter_map(|row| row.award.ok()).map(|award| award.learner.key).collect();
        prop_assert_eq!(keys.first().map(String::as_str), Some("a@x.example"));
        prop_assert!(keys.iter().any(|key| key == "b@x.example"));
    }
}
