//! Credentials as a whole: what stands in them, and that every reader reads the same.

use std::{path::Path, sync::LazyLock};

use proptest::{collection::vec, option, prelude::*};
use serde_json::json;
use testamur_core::digest::file_hash;
use testamur_credentials::opened::{self, Format, Opened};
use testamur_linked_data::{Canonicalizer, Contexts};

use super::*;
use crate::{
    roster::{Learner, ResultValue},
    template::{self, EXAMPLE, Identity, IdentityKind, tests::arbitrary},
};

static CANONICALIZER: LazyLock<Canonicalizer> = LazyLock::new(|| Canonicalizer::new(Contexts::carried()));

fn profile() -> Profile {
    Profile {
        id: "did:web:university.example".to_owned(),
        name: "Example University".to_owned(),
        url: Some("https://university.example".to_owned()),
        email: Some("registrar@university.example".to_owned()),
        description: Some("A university that exists in examples only.".to_owned()),
        image: Some("https://university.example/logo.png".to_owned()),
    }
}

fn example() -> Template {
    Template::parse(EXAMPLE, template::Format::Toml, Path::new(""), "example").unwrap()
}

fn award() -> Award {
    Award {
        learner: Learner {
            key: "4711".to_owned(),
            name: Some("Ada Lovelace".to_owned()),
            email: Some("Ada@university.example".to_owned()),
            did: Some("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".to_owned()),
        },
        awarded: Some("2026-06-30T10:00:00Z".parse().unwrap()),
        expires: None,
        period: String::new(),
        term: Some("Summer 2026".to_owned()),
        role: Some("Excursion leader".to_owned()),
        license_number: Some("B-17".to_owned()),
        credits_earned: Some(6.0),
        narrative: Some("With **distinction**.".to_owned()),
        evidence: vec![Evidence { id: Some("https://ada.example/herbarium".to_owned()), ..Evidence::default() }],
        results: [("Final grade", "A"), ("oral examination", "97.5"), ("Herbarium", "Complete")]
            .map(|(of, value)| ResultValue { of: Some(of.to_owned()), value: value.to_owned() })
            .into(),
    }
}

fn status(purpose: &str) -> Value {
    json!({
        "id": format!("https://node.example/status/0xabc/{purpose}/3#8192"),
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": "8192",
        "statusListCredential": format!("https://node.example/status/0xabc/{purpose}/3"),
    })
}

fn issuing(status: &[Value]) -> Issuing<'_> {
    let id = "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b01".to_owned();
    Issuing { id, issued: "2026-11-24T12:00:00Z".parse().unwrap(), status, salt: [7; 16], supersedes: None }
}

/// It is defined as a whole, and our own verifier opens it.
fn check_whole(credential: &Map<String, Value>) -> Opened {
    let document = Value::Object(credential.clone());
    match CANONICALIZER.n_quads(&document) {
        Ok(quads) => assert!(quads.contains("https://www.w3.org/2018/credentials#credentialSubject")),
        Err(testamur_linked_data::LinkedDataError::UnknownContext { help, .. }) => eprintln!("skipped: {help}"),
        Err(error) => panic!("{error}\n{document:#}"),
    }
    let opened = opened::open(Some("ada.json"), document.to_string().as_bytes(), None).unwrap();
    assert_eq!(opened.format, Format::Json);
    opened
}

#[test]
fn everything_that_template_and_roster_say_is_in_it() {
    let status = [status("revocation"), status("suspension")];
    let credential = credential(&profile(), &example(), &award(), &issuing(&status)).unwrap();
    let names: Vec<&str> = credential.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "@context",
            "id",
            "type",
            "name",
            "issuer",
            "validFrom",
            "validUntil",
            "awardedDate",
            "credentialSubject",
            "evidence",
            "credentialStatus"
        ]
    );
    assert_eq!(credential["@context"], json!(CONTEXTS));
    assert_eq!(credential["validFrom"], "2026-06-30T10:00:00Z");
    assert_eq!(credential["validUntil"], "2031-06-30T10:00:00Z");
    assert_eq!(credential["awardedDate"], "2026-06-30T10:00:00Z");
    assert_eq!(credential["credentialStatus"], json!(status));
    assert_eq!(credential["evidence"], json!([{ "id": "https://ada.example/herbarium", "type": ["Evidence"] }]));
    let subject = &credential["credentialSubject"];
    assert_eq!(subject["creditsEarned"], json!(6));
    assert_eq!(subject["licenseNumber"], "B-17");
    let described = &subject["achievement"]["resultDescription"];
    assert_eq!(
        subject["result"],
        json!([
            { "type": ["Result"], "resultDescription": described[0]["id"], "value": "A" },
            { "type": ["Result"], "resultDescription": described[1]["id"], "value": "97.5" },
            {
                "type": ["Result"],
                "resultDescription": described[2]["id"],
                "achievedLevel": described[2]["rubricCriterionLevel"][1]["id"],
            },
        ])
    );
    check_whole(&credential);
}

#[test]
fn one_status_entry_stands_alone_as_open_badges_has_it() {
    let status = [status("revocation")];
    let one = credential(&profile(), &example(), &award(), &issuing(&status)).unwrap();
    assert_eq!(one["credentialStatus"], status[0]);
    check_whole(&one);
    assert!(!credential(&profile(), &example(), &award(), &issuing(&[])).unwrap().contains_key("credentialStatus"));
}

#[test]
fn people_are_identified_as_the_template_says() {
    let subject = |identity: Identity, learner: &Learner| {
        let template = Template { identity, ..example() };
        let award = Award { learner: learner.clone(), ..award() };
        credential(&profile(), &template, &award, &issuing(&[])).map(|credential| {
            check_whole(&credential);
            credential["credentialSubject"].clone()
        })
    };
    let ada = award().learner;
    let did = ada.did.clone().unwrap();
    let salt = "07070707070707070707070707070707";
    assert_eq!(subject(Identity::Known, &ada).unwrap()["id"], json!(did));
    let by_mail = subject(Identity::These(vec![IdentityKind::Email]), &ada).unwrap();
    assert_eq!(by_mail.get("id"), None);
    let hash = |email: &str| format!("sha256${}", hex::encode(file_hash(format!("{email}{salt}").as_bytes()).0));
    for (at, email) in ["Ada@university.example", "ada@university.example"].into_iter().enumerate() {
        let object = json!({
            "type": "IdentityObject", "identityType": "emailAddress", "hashed": true, "identityHash": hash(email), "salt": salt
        });
        assert_eq!(by_mail["identifier"][at], object);
    }
    assert!(!by_mail.to_string().to_lowercase().contains("ada"), "{by_mail}");
    let both = subject(Identity::These(vec![IdentityKind::Did, IdentityKind::Name]), &ada).unwrap();
    assert_eq!(both["id"], json!(did));
    let name =
        json!({ "type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": "Ada Lovelace" });
    assert_eq!(both["identifier"], json!([name]));
    let bearer = subject(Identity::These(Vec::new()), &ada).unwrap();
    assert_eq!(bearer["id"], "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b01#holder");
    assert_eq!(bearer.get("identifier"), None);

    let nobody = Learner { name: None, email: None, did: None, ..ada.clone() };
    assert_eq!(subject(Identity::Known, &nobody), Err(Misfit::Nobody));
    for (kind, what) in
        [(IdentityKind::Did, "DID"), (IdentityKind::Email, "e-mail address"), (IdentityKind::Name, "name")]
    {
        assert_eq!(subject(Identity::These(vec![kind]), &nobody), Err(Misfit::Unidentified(what)));
    }
    let odd = Learner { did: Some("did:example:a b".to_owned()), ..nobody };
    assert_eq!(subject(Identity::Known, &odd), Err(Misfit::Did));
}

#[test]
fn a_replacement_names_what_it_replaces_and_is_the_newer_one() {
    let superseded = Superseded {
        id: "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b00".to_owned(),
        hash: Hash([1; 32]),
        form: "token",
    };
    let issuing = Issuing { supersedes: Some(superseded), ..issuing(&[]) };
    let credential = credential(&profile(), &example(), &award(), &issuing).unwrap();
    assert_eq!(credential["validFrom"], "2026-11-24T12:00:00Z");
    assert_eq!(credential["awardedDate"], "2026-06-30T10:00:00Z");
    assert_eq!(credential["validUntil"], "2031-06-30T10:00:00Z", "as before: it was only mended");
    let related = &credential["relatedResource"][0];
    assert_eq!(related["id"], "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b00");
    assert_eq!(related["digestMultibase"], format!("uEiAB{}", "AQEB".repeat(10) + "AQ"));
    check_whole(&credential);
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_reserved() {
    let check = |change: &dyn Fn(&mut Award, &mut Template)| {
        let (mut award, mut template) = (award(), example());
        change(&mut award, &mut template);
        check(&profile(), &template, &award, "2026-11-24T12:00:00Z".parse().unwrap())
            .map_err(|misfit| misfit.to_string())
    };
    let result = |of: Option<&str>, value: &str| {
        let results = vec![ResultValue { of: of.map(str::to_owned), value: value.to_owned() }];
        check(&move |award, _| award.results = results.clone())
    };
    assert_eq!(check(&|_, _| ()), Ok(()));
    let over = "it would be valid from 2026-06-30T10:00:00Z until 2026-01-01T00:00:00Z: give a later date of expiry, or a later one of award";
    assert_eq!(check(&|award, _| award.expires = "2026-01-01T00:00:00Z".parse().ok()), Err(over.to_owned()));
    assert_eq!(check(&|_, template| template.validity = "2026-01-01T00:00:00Z".parse().ok()), Err(over.to_owned()));
    assert!(check(&|award, _| award.awarded = "9998-01-01T00:00:00Z".parse().ok()).unwrap_err().contains("9999"));
    for credits in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert!(check(&|award, _| award.credits_earned = Some(credits)).unwrap_err().contains("no number of credits"));
    }
    assert!(check(&|award, _| award.evidence[0].id = Some("my drawer".to_owned())).unwrap_err().contains("no address"));
    assert_eq!(
        result(Some("Grade"), "A"),
        Err("the template has no result Grade: it has Final grade, Oral examination, Herbarium".to_owned())
    );
    assert!(result(None, "A").unwrap_err().contains("which one it means"));
    assert_eq!(
        result(Some("Final grade"), "E"),
        Err("\"E\" is no value of Final grade: write one of D, C, B, A".to_owned())
    );
    let percent = "\"101\" is no value of Oral examination: write a number from 0 up to 100";
    assert_eq!(result(Some("Oral examination"), "101"), Err(percent.to_owned()));
    assert!(result(Some("Oral examination"), "good").is_err());
    assert!(result(Some("Herbarium"), "Lost").unwrap_err().contains("write one of Begun, Complete"));
    let twice = check(&|award, _| award.results = vec![award.results[0].clone(), award.results[0].clone()]);
    assert_eq!(twice, Err("the row has two values of Final grade: keep one".to_owned()));
}

fn any_learner() -> impl Strategy<Value = Learner> {
    (
        option::of(arbitrary::text()),
        option::of("[A-Za-z.]{1,9}@[a-z]{1,9}\\.example"),
        option::of("did:web:[a-z]{1,9}\\.example"),
    )
        .prop_map(|(name, email, did)| Learner { key: "k".to_owned(), name, email, did })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    (
        option::of(arbitrary::uri()),
        option::of(arbitrary::text()),
        option::of(arbitrary::text()),
        option::of(arbitrary::text()),
    )
        .prop_map(|(id, name, narrative, genre)| Evidence { id, name, narrative, genre, ..Evidence::default() })
}

fn any_award() -> impl Strategy<Value = Award> {
    let dates = (option::of(0_u64..4_000_000_000), option::of(0_u64..8_000_000_000));
    let texts = (option::of(arbitrary::text()), option::of(arbitrary::text()), option::of(arbitrary::text()));
    let credits = option::of(0.0..1e6_f64);
    let results = vec((option::of(arbitrary::text()), arbitrary::text()), 0..2);
    (any_learner(), dates, texts, credits, vec(any_evidence(), 0..3), results).prop_map(
        |(learner, (awarded, expires), (term, role, narrative), credits_earned, evidence, results)| Award {
            learner,
            awarded: awarded.map(UnixSeconds),
            expires: expires.map(UnixSeconds),
            period: String::new(),
            term,
            role,
            license_number: None,
            credits_earned,
            narrative,
            evidence,
            results: results.into_iter().map(|(of, value)| ResultValue { of, value }).collect(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is said, it is either told why not, or a credential that is defined as a whole.
    #[test]
    fn every_template_and_award_give_a_credential(template in arbitrary::template(), mut award in any_award(), replaces in any::<bool>()) {
        let status = [status("revocation"), status("suspension")];
        let superseded = Superseded { id: "urn:uuid:0b8f2b4c-2f0e-4d6a-9f63-5a3d1a6f7b00".to_owned(), hash: Hash([1; 32]), form: "token" };
        let issuing = Issuing { supersedes: replaces.then_some(superseded), ..issuing(&status) };
        // Results that the template describes; a random text is rarely one.
        if let Some(value) = award.results.first_mut()
            && let Some(described) = template.achievement.results().first()
        {
            value.of = described["name"].as_str().map(str::to_owned);
            for list in ["allowedValue", "rubricCriterionLevel"] {
                let first = &described[list][0];
                if let Some(first) = first["name"].as_str().or(first.as_str()) {
                    value.value = first.to_owned();
                }
            }
        }
        if let Ok(credential) = credential(&profile(), &template, &award, &issuing) {
            let opened = check_whole(&credential);
            prop_assert_eq!(opened.credential(), Some(&credential));
        }
    }
}
