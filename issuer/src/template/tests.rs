//! Templates as people write them, and as they should not.

use std::collections::HashSet;

use super::*;
use model::{Class, Kind};

const DOZEN: &str = r#"
name = "Field Botany"
description = "Identifies vascular plants of temperate Europe in the field."
criteria = "Forty species identified in the field without keys."
image = "https://university.example/badges/botany.png"
kind = "Certificate"
credits = 6
tags = ["botany", "fieldwork"]
language = "en"
validity = "2y"
identity = "email"
skills = [{ name = "collect biological data", url = "http://data.europa.eu/esco/skill/68698869" }]
results = [{ name = "Grade", kind = "LetterGrade", allowed = ["C", "B", "A"] }]
"#;

fn toml(text: &str) -> Result<Template, TemplateFaults> {
    Template::parse(text, Format::Toml, Path::new("/nowhere"), "Field Botany (2026)")
}

fn json(value: &Value) -> Result<Template, TemplateFaults> {
    Template::parse(&value.to_string(), Format::Json, Path::new("/nowhere"), "any")
}

fn told(text: &str) -> String {
    toml(text).unwrap_err().to_string()
}

#[test]
fn a_dozen_lines_make_a_template() {
    let template = toml(DOZEN).unwrap();
    assert_eq!(template.id, "field-botany--2026");
    assert_eq!(template.validity, Some(Validity::For { months: 24, days: 0 }));
    assert_eq!(template.identity, Identity::These(vec![IdentityKind::Email]));
    let wanted = json!({
        "id": template.achievement_json("did:web:university.example")["id"],
        "type": ["Achievement"],
        "name": "Field Botany",
        "description": "Identifies vascular plants of temperate Europe in the field.",
        "criteria": { "narrative": "Forty species identified in the field without keys." },
        "image": { "id": "https://university.example/badges/botany.png", "type": "Image" },
        "achievementType": "Certificate",
        "alignment": [{
            "type": ["Alignment"],
            "targetName": "collect biological data",
            "targetUrl": "http://data.europa.eu/esco/skill/68698869",
            "targetFramework": "ESCO",
        }],
        "creditsAvailable": 6,
        "inLanguage": "en",
        "tag": ["botany", "fieldwork"],
        "resultDescription": [{
            "id": template.achievement_json("did:web:university.example")["resultDescription"][0]["id"],
            "type": ["ResultDescription"],
            "name": "Grade",
            "resultType": "LetterGrade",
            "allowedValue": ["C", "B", "A"],
        }],
    });
    let read = Value::Object(template.achievement_json("did:web:university.example"));
    assert_eq!(serde_json::to_string_pretty(&read).unwrap(), serde_json::to_string_pretty(&wanted).unwrap());
}

#[test]
fn the_example_is_a_template_and_shows_every_field() {
    let template = Template::parse(EXAMPLE, Format::Toml, Path::new("/nowhere"), "example").map_err(|f| f.to_string());
    let template = template.unwrap();
    let complete = template.achievement_json("did:web:university.example");
    let level = &complete["resultDescription"][2]["rubricCriterionLevel"][1];
    assert_eq!(complete["resultDescription"][2]["requiredLevel"], level["id"], "by name in the file, by id outside");
    assert_eq!(template.evidence.len(), 1);
    // Every member of every class is used, or told of in a comment.
    let read = Value::Object(complete).to_string() + &json!(template.evidence).to_string();
    for class in classes() {
        for member in class.members {
            assert!(EXAMPLE.contains(member.name), "{}.{}", class.name, member.name);
            let is_told = matches!(member.kind, Kind::Endorsement | Kind::Jws);
            assert!(is_told || read.contains(&format!("\"{}\":", member.name)), "{}.{}", class.name, member.name);
            let shown = member.alias.is_none_or(|alias| EXAMPLE.contains(&format!("[{alias}]")));
            assert!(shown, "{}.{} is {:?} in short", class.name, member.name, member.alias);
        }
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let faults = told(
        r#"
        id = "Field Botany"
        validty = "2y"
        validity = "for ever"
        identity = ["email", "phone"]
        [achievement]
        name = " "
        achievementType = "Certifcate"
        creditsAvailable = "6"
        inLanguage = "english"
        colour = "green"
        image = "../../etc/passwd"
        type = "BadgeClass"
        tag = ["botany", 7]
        version = 1.0
        [[achievement.alignment]]
        targetName = "one"
        targetUrl = "https://skills.example/1"
        [[achievement.alignment]]
        targetName = "two"
        targetUrl = "www.skills.example/2"
        targetCdoe = "2"
        [[achievement.alignment]]
        targetUrl = "https://skills.example/3"
        name = "three"
        targetName = "drei"
        [[achievement.resultDescription]]
        name = "Grade"
        resultType = "LetterGrade"
        allowedValue = ["B", "A"]
        requiredValue = "C"
        "#,
    );
    let wanted = [
        "validty: a template has no such member; did you mean validity? (an achievement's members go below it)",
        "id: it is no name for a template; write up to 64 small letters, digits, -, _ and ., a letter or digit first",
        "validity: \"for ever\" says no length of time and no date; write \"2 years\", \"18 months\", \"90 days\", or a date such as \"2028-06-30\"",
        "identity: \"phone\" is no way to say whose a credential is; write \"did\", \"email\" (hashed), \"name\", a list of these, or \"none\"",
        "achievement.colour: an Achievement has no such member; known here: id, name, description, criteria, image, kind, achievementType, skills, alignment, credits, creditsAvailable, field, fieldOfStudy, specialization, code, humanCode, language, inLanguage, version, tags, tag, results, resultDescription, creator, otherIdentifier, related, endorsement, endorsementJwt",
        "achievement.type: \"BadgeClass\" is not the type of an Achievement; write \"Achievement\", or leave it out",
        "achievement.name: it is blank; write something, or leave it out",
        "achievement.description: it is missing; write `description`, which Open Badges 3.0 asks for",
        "achievement.criteria: it is missing; write what one has to do for it, or the address of a page that says it",
        "achievement.image: the file does not lie in the template's folder; put a PNG or SVG file beside the template and write its name, or write an https:// address",
        "achievement.achievementType: \"Certifcate\" is none of the words for it; did you mean Certificate?; a word of your own begins with ext:",
        "achievement.alignment[1].targetCdoe: an Alignment has no such member; did you mean targetCode?",
        "achievement.alignment[1].targetUrl: \"www.skills.example/2\" is no web address; write one that begins with https://",
        "achievement.alignment[2].name: it is the same as targetName, which is there too; keep one of the two",
        "achievement.creditsAvailable: it is a text, and no number from 0 to 1000000; write one, without quotes",
        "achievement.inLanguage: \"english\" is no language code; write one such as en, es or pt-BR",
        "achievement.version: it is a number, and no text; write it in quotes",
        "achievement.tag[1]: it is a number, and no text; write it in quotes",
        "achievement.resultDescription[0].requiredValue: \"C\" is none of allowedValue; write one of them",
    ];
    let told: HashSet<&str> = faults.lines().collect();
    for line in wanted {
        assert!(told.contains(line), "{line}\nis not among\n{faults}");
    }
    assert_eq!(faults.lines().count(), wanted.len(), "{faults}");
}

#[test]
fn a_template_without_criteria_is_refused() {
    let start = "name = \"A\"\ndescription = \"B\"\n";
    for criteria in
        ["", "criteria = \"\"", "criteria = {}", "criteria = []", "criteria = { narrative = \"\\n \" }", "criteria = 7"]
    {
        let faults = told(&format!("{start}{criteria}"));
        assert!(faults.starts_with("criteria"), "{criteria}: {faults}");
    }
    let page = toml(&format!("{start}criteria = \"https://university.example/criteria\"")).unwrap();
    assert_eq!(
        (page.achievement.criteria_url(), page.achievement.criteria()),
        (Some("https://university.example/criteria"), None)
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_its_place() {
    assert!(
        told("name = \"A\"\ndescription = B\n").starts_with("line 2, column 15: "),
        "{}",
        told("name = \"A\"\ndescription = B\n")
    );
    assert!(told("name = \"A\"\nname = \"B\"").starts_with("line 2, column 1: duplicate key"));
    let twice = Template::parse(r#"{"name": "A", "name": "B"}"#, Format::Json, Path::new(""), "any").unwrap_err();
    assert!(twice.to_string().contains("line 1"), "{twice}");
    assert_eq!(
        json(&json!([1])).unwrap_err().to_string(),
        "it is a list; write an object with the members of an achievement"
    );
    let credential = json!({ "credentialSubject": {} });
    assert!(json(&credential).unwrap_err().to_string().contains("credentialSubject.achievement"));
    let nothing = Template::read(Path::new("/nowhere/botany.toml")).unwrap_err();
    assert!(nothing.to_string().starts_with("/nowhere/botany.toml: "), "{nothing}");
}

#[test]
fn files_are_read_with_the_pictures_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Botánica de campo.toml");
    std::fs::write(folder.path().join("disc.svg"), r#"<svg xmlns="http://www.w3.org/2000/svg"/>"#).unwrap();
    std::fs::write(&path, "\u{feff}name = 'A'\ndescription = 'B'\ncriteria = 'C'\nimage = 'disc.svg'\n").unwrap();
    let template = Template::read(&path).unwrap();
    assert_eq!(template.id, "bot-nica-de-campo");
    assert!(template.achievement.image().unwrap().starts_with("data:image/svg+xml;base64,"));
    std::fs::write(folder.path().join("disc.svg"), r#"<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>"#)
        .unwrap();
    let faults = Template::read(&path).unwrap_err().to_string();
    assert!(faults.starts_with("image: the SVG has the event attribute onload; export it as plain SVG"), "{faults}");
    std::fs::write(&path, vec![b'#'; 3 << 20]).unwrap();
    assert!(Template::read(&path).unwrap_err().to_string().contains("more than 2 MiB"));
}

#[test]
fn achievements_of_others_are_templates_as_they_stand() {
    let sample: Value = serde_json::from_str(include_str!("../../../tests/samples/credentials/botany.json")).unwrap();
    let achievement = &sample["credentialSubject"]["achievement"];
    let template = json(achievement).unwrap();
    assert_eq!(Value::Object(template.achievement_json("did:web:another.example")), *achievement, "member for member");
    let wrapped = json(&json!({ "achievement": achievement, "validity": "2028-06-30" })).unwrap();
    assert_eq!(wrapped.achievement, template.achievement);
}

#[test]
fn the_specifications_own_example_is_a_template() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/open-badges-3/complete.json");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return;
    };
    let credential: Value = serde_json::from_slice(&bytes).unwrap();
    let mut achievement = credential["credentialSubject"]["achievement"].clone();
    // Its endorsements have types that only a third context defines: told, and not signed unseen.
    let faults = json(&achievement).unwrap_err();
    assert!(faults.0.iter().all(|fault| fault.path.contains("endorsement[")), "{faults}");
    achievement.as_object_mut().unwrap().shift_remove("endorsement");
    achievement["creator"].as_object_mut().unwrap().shift_remove("endorsement");
    let template = json(&achievement).map_err(|faults| faults.to_string()).unwrap();
    assert_eq!(Value::Object(template.achievement_json("did:web:any.example")), achievement, "member for member");
}

#[test]
fn ids_are_the_same_for_all_learners_and_for_nobody_else() {
    let id = |text: &str, issuer: &str| toml(text).unwrap().achievement_json(issuer)["id"].as_str().unwrap().to_owned();
    let here = id(DOZEN, "did:web:a.example");
    assert_eq!(here, id(DOZEN, "did:web:a.example"));
    assert!(here.starts_with("urn:uuid:") && here.as_bytes()[23] == b'8', "RFC 9562, version 8: {here}");
    assert_ne!(here, id(DOZEN, "did:web:b.example"));
    assert_ne!(here, id(&format!("version = \"2\"\n{DOZEN}"), "did:web:a.example"));
    assert_ne!(here, id(&format!("id = \"botany\"\n{DOZEN}"), "did:web:a.example"));
    let own = "https://university.example/achievements/1";
    assert_eq!(id(&format!("id = \"{own}\"\n{DOZEN}"), "did:web:a.example"), own);
}

#[test]
fn more_than_verifiers_read_is_refused() {
    let many = format!("tags = [{}]\nname = 'A'\ndescription = 'B'\ncriteria = 'C'", "'t', ".repeat(6_000));
    assert!(told(&many).contains("there are 5000 values up to here"), "{}", told(&many));
    let deep = (0..40)
        .fold("id = 'did:web:a'".to_owned(), |inside, _| format!("id = 'did:web:a', parentOrg = {{ {inside} }}"));
    let deep = format!("name = 'A'\ndescription = 'B'\ncriteria = 'C'\ncreator = {{ {deep} }}");
    assert!(told(&deep).contains("it lies too deep"), "{}", told(&deep));
    let long = format!("name = 'A'\ndescription = '{}'\ncriteria = 'C'", "x".repeat(70_000));
    assert!(told(&long).contains("description: it has more than 64 KiB"));
    assert!(
        told("name = \"A\\u0000\"\ndescription = 'B'\ncriteria = 'C'")
            .contains("name: it has control characters in it")
    );
    assert!(
        told("name = 'A'\ndescription = 'B'\ncriteria = 'C'\ncredits = nan")
            .contains("credits: it is a text, and no number")
    );
}

/// All classes that an achievement reaches, and evidence.
fn classes() -> Vec<&'static Class> {
    let mut found: Vec<&'static Class> = vec![&model::ACHIEVEMENT, &model::EVIDENCE];
    let mut at = 0;
    while let Some(class) = found.get(at).copied() {
        for member in class.members {
            if let Kind::Object(inner) = member.kind
                && !found.iter().any(|known| known.name == inner.name)
            {
                found.push(inner);
            }
        }
        at += 1;
    }
    found
}

/// Whatever the data model allows.
pub(crate) mod arbitrary {
    use proptest::{collection::vec, option, prelude::*, sample::select};

    use super::*;
    use crate::template::model::Member;

    const DISC: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=";

    /// Text with everything in it that JSON, JSON-LD or people find hard.
    pub(crate) fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z][a-zA-Z0-9 .,-]{0,30}[a-z]",
            "[\"'\\\\<>&{}@:#$*_`ñé漢字🎓 \n\t]{1,20}x",
            select(vec!["@id", "type", "_:b0", "https://a.example", "did:key:z6Mk", "null", "1", "urn:x", "ext:a"])
                .prop_map(str::to_owned),
        ]
    }

    /// Addresses, some of them unusual.
    pub(crate) fn uri() -> impl Strategy<Value = String> {
        prop_oneof![
            "https://[a-z]{1,8}\\.example(:8[0-9]{2})?/[a-zA-Z0-9._~/-]{0,20}(\\?q=[a-z0-9&=]{1,5})?(#[a-z]{1,5})?",
            "did:web:[a-z]{1,9}\\.example(:[a-z]{1,4})?",
            "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
        ]
    }

    fn value(kind: Kind, depth: u32) -> BoxedStrategy<Value> {
        match kind {
            Kind::Text => text().prop_map(Value::from).boxed(),
            Kind::Number { from, to } => {
                prop_oneof![(from..=to).prop_map(|n| json!(n)), ((from as i64)..=(to as i64)).prop_map(|n| json!(n))]
                    .boxed()
            }
            Kind::Uri => uri().prop_map(Value::from).boxed(),
            Kind::Link => "https?://[a-z]{1,8}\\.example/[a-z0-9]{0,9}".prop_map(Value::from).boxed(),
            Kind::Language => select(vec!["en", "es", "pt-BR", "zh-Hant-TW", "es-419"]).prop_map(Value::from).boxed(),
            Kind::Term(words) => prop_oneof![select(words).prop_map(Value::from), Just(json!("ext:own_word"))].boxed(),
            Kind::Picture => prop_oneof![
                Just(json!("https://a.example/a.png")),
                Just(json!({ "id": DISC, "type": "Image", "caption": "A disc" })),
            ]
            .boxed(),
            Kind::Jws | Kind::Endorsement => unreachable!("nobody here signs them"),
            Kind::Object(class) => object(class, depth),
        }
    }

    fn member(member: &'static Member, depth: u32) -> BoxedStrategy<Option<(String, Value)>> {
        let is_deep = depth == 0 && matches!(member.kind, Kind::Object(_));
        if (is_deep && !member.required) || matches!(member.kind, Kind::Endorsement | Kind::Jws) {
            return Just(None).boxed();
        }
        let one = value(member.kind, depth.saturating_sub(1));
        let one = if member.many { vec(one, 0..3).prop_map(Value::Array).boxed() } else { one };
        let named = one.prop_map(|value| (member.name.to_owned(), value));
        if member.required { named.prop_map(Some).boxed() } else { option::of(named).boxed() }
    }

    fn object(class: &'static Class, depth: u32) -> BoxedStrategy<Value> {
        let members: Vec<_> = class.members.iter().map(|found| member(found, depth)).collect();
        members.prop_map(|members| settled(Value::Object(members.into_iter().flatten().collect()), class)).boxed()
    }

    /// What members must have in common.
    fn settled(mut object: Value, class: &Class) -> Value {
        let members = object.as_object_mut().unwrap();
        for list in ["resultDescription", "rubricCriterionLevel"] {
            for (at, one) in members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
                one["name"] = json!(format!("{} {at}", one["name"].as_str().unwrap_or_default()));
                one.as_object_mut().unwrap().shift_remove("id");
            }
        }
        match class.name {
            "Criteria" => drop(members.insert("narrative".to_owned(), json!("Do it."))),
            "Evidence" => drop(members.insert("name".to_owned(), json!("It"))),
            "Profile" => drop(members.shift_remove("email")),
            "ResultDescription" => {
                for name in ["requiredValue", "requiredLevel", "valueMin", "valueMax"] {
                    members.shift_remove(name);
                }
                if let Some(level) = members.get("rubricCriterionLevel").and_then(|levels| levels.get(0)).cloned() {
                    members.insert("requiredLevel".to_owned(), level["name"].clone());
                }
            }
            _ => (),
        }
        object
    }

    /// A template that is right.
    pub(crate) fn template() -> impl Strategy<Value = Template> {
        let identity =
            select(vec![json!("did"), json!("email"), json!(["name", "email", "did"]), json!("none"), Value::Null]);
        let validity = select(vec![json!("2y"), json!("2099-12-31"), json!("90 days"), Value::Null]);
        let evidence = vec(value(Kind::Object(&model::EVIDENCE), 1), 0..3);
        (object(&model::ACHIEVEMENT, 3), identity, validity, evidence).prop_map(
            |(achievement, identity, validity, evidence)| {
                let mut file = json!({ "achievement": achievement, "evidence": evidence });
                for (name, value) in [("identity", identity), ("validity", validity)] {
                    if !value.is_null() {
                        file[name] = value;
                    }
                }
                json(&file).map_err(|faults| format!("{faults}\n{file:#}")).unwrap()
            },
        )
    }
}
