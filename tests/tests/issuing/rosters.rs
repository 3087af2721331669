//! Rosters with every fault, through the command: each bad row is told with its line, the others go on, and what is left
//! can be mended and given again.

use std::fs;

use serde_json::json;

use crate::office::{Office, lines};

#[test]
fn every_fault_costs_its_row_and_no_other() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let mut roster = b"\xef\xbb\xbfid,name,email,narrative\r\n".to_vec();
    let huge = "x".repeat(10 << 20);
    for row in [
        "1,\"Lovelace, Ada\",ada@example.com,\"two \"\"words\"\"\"".to_owned(), // 2
        "1,Ada again,ada@example.com,".to_owned(),                              // 3 the same learner
        "3,Short,short@example.com".to_owned(),                                 // 4 a cell is missing
        "4,\"Bro\"ken,broken@example.com,".to_owned(),                          // 5 a mark
        "5,=HYPERLINK(\"http://evil.example\"),formula,@SUM(1)".to_owned(),     // 6 formulas, and no address
        format!("6,Huge,huge@example.com,{huge}"),                              // 7
        "8,Zo\u{e9},zoe@example.com,".to_owned(),                               // 8
    ] {
        roster.extend(row.bytes());
        roster.extend(b"\r\n");
    }
    roster.extend(b"9,Mu\xf1oz,munoz@example.com,\r\n10,Last,last@example.com,\r\n"); // 9 another encoding, 10
    office.write("people.csv", &roster);
    let ran = office.run(&office.issuing("people.csv")).expect(1);
    let told = lines(&ran);
    let summary = told.last().expect("a summary");
    assert_eq!((&summary["rows"], &summary["issued"], &summary["faults"]), (&json!(9), &json!(3), &json!(6)));
    let why = |line: u64| {
        let told = told.iter().find(|told| told["line"] == line).unwrap_or_else(|| panic!("line {line} is not told"));
        told["why"].as_str().expect("a text").to_owned()
    };
    for (line, part) in [
        (3, "same learner (and period) as in line 2"),
        (4, "3 cells, where the headings are 4"),
        (5, "text follows a closing quotation mark"),
        (6, "no e-mail address"),
        (7, "more than 65536 bytes"),
        (9, "not valid UTF-8"),
    ] {
        assert!(why(line).contains(part), "{line}: {}", why(line));
    }
    office.assert_whole(&node, 3);

    // No spreadsheet runs what a learner wrote.
    let failed = office.path("people.failed.csv");
    assert_eq!(summary["failed"], json!(failed));
    let text = fs::read_to_string(&failed).expect("the rows that failed");
    assert!(text.contains("'=HYPERLINK") && text.contains(",'@SUM(1),"), "{text}");
    assert!(!text.contains(",=") && !text.contains(",@") && !text.contains("\"="), "{text}");

    // Mended there, and given again.
    let mended = text
        .replace("formula", "formula@example.com")
        .replace("3,Short,short@example.com,", "3,Short,short@example.com,")
        .replace("Ada again,ada@", "Ada again,again@")
        .replacen("1,Ada again", "2,Ada again", 1);
    office.write("mended.csv", mended);
    let ran = office.run(&office.issuing("mended.csv"));
    let summary = lines(&ran).pop().expect("a summary");
    assert!(summary["issued"].as_u64().is_some_and(|issued| issued >= 3), "{summary}");
    let names: Vec<_> = office.list(&[]).iter().map(|one| one["name"].to_string()).collect();
    assert!(names.iter().any(|name| name.contains("=HYPERLINK")), "{names:?}");
}

#[test]
fn a_roster_that_is_none_is_refused_before_anything_is_begun() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    for (content, part) in [
        (&b""[..], "empty"),
        (b"Nombre,Nota\nAda,9\n", "no column says who the learner is"),
        (b"PK\x03\x04", "save it as CSV"),
        (b"email,email\na@x.example,b@x.example\n", "two columns"),
        (b"[{\"email\": 1}]", "jq"),
    ] {
        office.write("people.csv", content);
        let ran = office.run(&office.issuing("people.csv")).expect(64);
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let missing = office.run(&office.issuing("nobody.csv")).expect(64);
    assert!(missing.stderr.contains("nobody.csv"), "{}", missing.stderr);
    assert!(office.list(&[]).is_empty() && office.files().is_empty());
    drop(node);
}

#[test]
fn utf_16_and_json_lines_are_rosters_too() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let text = "\u{feff}Matrikel;Vorname Name;E-Mail\r\n7;Ωμέγα;omega@example.com\r\n";
    office.write("people.csv", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    office.issue("people.csv", &["--map", "id=Matrikel", "--map", "name=Vorname Name"], 0);
    office.write(
        "people.jsonl",
        "{\"id\": 8, \"name\": \"Ada\", \"email\": \"ada@example.com\"}\n{\"id\": 9}\nnonsense\n",
    );
    let summary = office.issue("people.jsonl", &[], 1);
    assert_eq!((&summary["issued"], &summary["faults"]), (&json!(1), &json!(2)));
    let failed = fs::read_to_string(office.path("people.failed.jsonl")).expect("the rows that failed");
    assert_eq!(failed.lines().count(), 2, "{failed}");
    assert_eq!(office.list(&["--search", "ΩΜΈΓΑ"]).len(), 1);
    office.assert_whole(&node, 2);
}

#[test]
fn a_template_that_breaks_the_data_model_is_told_with_its_paths() {
    let (office, _node) = Office::plain(&["--name", "Example University"]);
    let broken = office.write("templates/broken.toml", "name = 'Botany'\ndescription = 'x'\nimage = 'missing.png'\n");
    let ran = office.run(&["template", "check", broken.to_str().expect("UTF-8")]).expect(1);
    let told = &lines(&ran)[0];
    let paths: Vec<_> =
        told["faults"].as_array().expect("faults").iter().map(|fault| fault["path"].to_string()).collect();
    assert!(
        paths.iter().any(|path| path.contains("criteria")) && paths.iter().any(|path| path.contains("image")),
        "{told}"
    );
    office.write("people.csv", "email\na@example.com\n");
    let roster = office.path("people.csv");
    let arguments = ["issue", "--template", "broken", "--roster", roster.to_str().expect("UTF-8"), "--out", "/nowhere"];
    assert!(office.run(&arguments).expect(64).stderr.contains("criteria"));
    let made = office.path("templates/new.toml");
    office.run(&["template", "new", made.to_str().expect("UTF-8")]).expect(0);
    office.run(&["template", "new", made.to_str().expect("UTF-8")]).expect(1);
    office.run(&["template", "check", made.to_str().expect("UTF-8")]).expect(0);
}
