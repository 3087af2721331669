//! Passwords, sessions and users over HTTP.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::{Answer, Desk, NOW, PASSWORD};
use crate::studio::role::Role::{Admin, Issuer, Viewer};

async fn sign_in(desk: &Desk, name: &str, password: &str) -> Answer {
    desk.ask("POST", "session", "", Some(json!({ "name": name, "password": password }))).await
}

async fn is_open(desk: &Desk, cookie: &str) -> bool {
    desk.ask("GET", "session", cookie, None).await.status == StatusCode::OK
}

#[tokio::test]
async fn somebody_signs_in_and_out() {
    let desk = Desk::with("public_url = \"https://studio.example\"");
    let answer = sign_in(&desk, " Issuer", PASSWORD).await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::OK, json!({ "name": "issuer", "role": "issuer", "password": true }))
    );
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.starts_with("__Host-studio="), "{set}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure", "; Max-Age=604800"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    let cookie = answer.cookie();
    assert!(is_open(&desk, &cookie).await);
    let out = desk.ask("DELETE", "session", &cookie, None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert!(!is_open(&desk, &cookie).await);
    let whats: Vec<_> = desk.log().into_iter().map(|(who, what, ..)| (who, what)).collect();
    let issuer = || "issuer".to_owned();
    assert_eq!(whats, [(issuer(), "sign-out".to_owned()), (issuer(), "sign-in".to_owned())]);
}

#[tokio::test]
async fn a_wrong_name_is_told_like_a_wrong_password() {
    let desk = Desk::new();
    let (wrong, unknown) = (sign_in(&desk, "admin", "nonsense").await, sign_in(&desk, "s3cret typed here", "x").await);
    assert_eq!((wrong.status, wrong.problem().as_str()), (StatusCode::UNAUTHORIZED, "wrong-password"));
    assert_eq!((unknown.status, unknown.json()), (wrong.status, wrong.json()));
    assert!(!wrong.headers.contains_key(header::SET_COOKIE));
    let log = desk.log();
    assert_eq!(log[0].0, "somebody", "what was typed for a name may be a password");
    assert_eq!((log[1].0.as_str(), log[1].3.as_deref()), ("admin", Some("refused: wrong-password")));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let desk = Desk::new();
    let mut last = None;
    for _ in 0..11 {
        last = Some(sign_in(&desk, "nobody", "guess").await);
    }
    let last = last.unwrap();
    assert_eq!((last.status, last.problem().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts"));
    assert!(last.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(sign_in(&desk, "admin", PASSWORD).await.status, StatusCode::OK, "others are not");
}

#[tokio::test]
async fn a_session_ends_with_the_password_and_the_role() {
    let desk = Desk::new();
    let admin = desk.session(Admin);
    let (one, other) = (desk.session(Viewer), desk.session(Viewer));
    let change = async |body| desk.ask("PATCH", "users/viewer", &admin, Some(body)).await;
    assert_eq!(change(json!({ "role": "issuer" })).await.json()["role"], "issuer");
    assert!(!is_open(&desk, &one).await && !is_open(&desk, &other).await);
    let one = desk.session(Viewer);
    assert_eq!(change(json!({ "password": "too short" })).await.problem(), "unfit");
    assert!(is_open(&desk, &one).await);
    assert_eq!(change(json!({ "password": "another long password" })).await.status, StatusCode::OK);
    assert!(!is_open(&desk, &one).await);
    assert_eq!(sign_in(&desk, "viewer", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&desk, "viewer", "another long password").await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_change_their_own_password() {
    let desk = Desk::new();
    let (mine, elsewhere) = (desk.session(Issuer), desk.session(Issuer));
    let change = async |current: &str, new: &str| {
        desk.ask("POST", "session/password", &mine, Some(json!({ "current": current, "new": new }))).await
    };
    assert_eq!(change("nonsense", "a password of mine").await.problem(), "wrong-password");
    let answer = change(PASSWORD, "a password of mine").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(is_open(&desk, &answer.cookie()).await);
    assert!(!is_open(&desk, &mine).await && !is_open(&desk, &elsewhere).await);
}

#[tokio::test]
async fn admins_manage_users() {
    let desk = Desk::new();
    let admin = desk.session(Admin);
    let add = async |body| desk.ask("POST", "users", &admin, Some(body)).await;
    let maria = json!({ "name": "Maria@university.example", "role": "viewer", "password": "a password of hers" });
    let answer = add(maria.clone()).await;
    assert_eq!((answer.status, &answer.json()["name"]), (StatusCode::CREATED, &json!("maria@university.example")));
    assert_eq!(add(maria).await.problem(), "taken");
    assert_eq!(
        add(json!({ "name": "a b", "role": "viewer", "password": "a password of hers" })).await.problem(),
        "unfit"
    );
    assert_eq!(add(json!({ "name": "bob", "role": "viewer" })).await.problem(), "unfit", "nobody could sign in so");
    assert_eq!(add(json!({ "name": "bob", "role": "owner", "password": "x" })).await.problem(), "bad-request");
    let users = desk.get("users", Admin).await;
    assert_eq!(users.json()["users"].as_array().unwrap().len(), 4);
    assert!(!String::from_utf8_lossy(&users.bytes).contains("argon2"));
    assert_eq!(users.json()["users"][0]["added"], NOW.to_string());
    let remove = async |name: &str| desk.ask("DELETE", &format!("users/{name}"), &admin, None).await;
    assert_eq!(remove("maria@university.example").await.status, StatusCode::NO_CONTENT);
    assert_eq!(remove("maria@university.example").await.problem(), "unknown");
    assert_eq!(remove("admin").await.problem(), "last-admin");
    let log = desk.log();
    assert!(log.iter().all(|(_, _, on, _)| !on.contains("password of hers")), "{log:?}");
    assert!(
        log.iter()
            .any(|(_, what, _, outcome)| what == "user.remove" && outcome.as_deref() == Some("refused: last-admin"))
    );
}

#[tokio::test]
async fn a_studio_without_passwords_takes_none() {
    let oidc = "public_url = \"https://studio.example\"\npasswords = false\n\
                [studio.oidc]\nissuer = \"https://accounts.example\"\nclient_id = \"studio\"";
    let desk = Desk::with(oidc);
    assert_eq!(sign_in(&desk, "admin", PASSWORD).await.problem(), "not-configured");
    let told = desk.ask("GET", "session", "", None).await.json();
    assert_eq!((&told["local"], &told["oidc"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn nobody_comes_back_from_a_way_that_is_not_theirs() {
    let oidc = "public_url = \"http://127.0.0.1:8650\"\n\
                [studio.oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"studio\"";
    let desk = Desk::with(oidc);
    for (path, cookie) in [
        ("oidc/callback", ""),
        ("oidc/callback?code=x&state=y", ""),
        ("oidc/callback?code=x&state=y", "studio-way=z"),
        ("oidc/callback?code=x&state=y", "studio-way=y"),
        ("oidc/callback?error=access_denied&state=y", "studio-way=y"),
        ("oidc/start", ""),
    ] {
        let answer = desk.ask("GET", path, cookie, None).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.headers[header::LOCATION], "/studio/?sign-in=failed", "{path}");
        assert!(!answer.cookie_of_session());
    }
    assert_eq!(Desk::new().ask("GET", "oidc/start", "", None).await.problem(), "not-configured");
}

impl Answer {
    fn cookie_of_session(&self) -> bool {
        self.headers.get_all(header::SET_COOKIE).iter().any(|cookie| cookie.as_bytes().starts_with(b"studio="))
    }
}
