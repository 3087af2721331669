//! `testamur-issuer user`: who may sign in, from the command line.

use std::fs;

use serde_json::{Value, json};
use testamur_tests::harness::{Ran, run};

#[test]
fn users_are_managed_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("issuer.toml").display().to_string();
    let issuer = |arguments: &[&str]| -> Ran {
        run("testamur-issuer", ["--json", "--config", config.as_str()].iter().chain(arguments))
    };
    issuer(&["init", "--domain", "university.example"]).expect(0);
    let drawn = issuer(&["user", "add", "Ana", "--role", "admin", "--draw"]).expect(0).json();
    assert_eq!((&drawn["name"], drawn["password"].as_str().map(str::len)), (&json!("ana"), Some(24)));
    let file = folder.path().join("password");
    fs::write(&file, "a password of his\nand not this line").expect("written");
    let file = file.display().to_string();
    let told = issuer(&["user", "add", "ben", "--role", "viewer", "--password-file", &file]).expect(0);
    assert!(!told.stdout.contains("a password of his"));
    issuer(&["user", "add", "carla@university.example", "--role", "issuer", "--oidc"]).expect(0);

    issuer(&["user", "add", "BEN", "--role", "viewer", "--draw"]).expect(1);
    issuer(&["user", "add", "a b", "--role", "viewer", "--draw"]).expect(64);
    issuer(&["user", "add", "dan", "--role", "owner", "--draw"]).expect(64);
    fs::write(&file, "short").expect("written");
    issuer(&["user", "add", "dan", "--role", "viewer", "--password-file", &file]).expect(64);
    issuer(&["user", "role", "ana", "viewer"]).expect(1); // nobody could manage users
    issuer(&["user", "remove", "nobody"]).expect(1);

    issuer(&["user", "role", "ben", "admin"]).expect(0);
    issuer(&["user", "remove", "ana"]).expect(0);
    let listed = issuer(&["user", "list"]).expect(0).stdout;
    let users: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = users.iter().map(|user| (&user["name"], &user["role"], &user["password"])).collect();
    let (ben, carla) = (json!("ben"), json!("carla@university.example"));
    assert_eq!(told, [(&ben, &json!("admin"), &json!(true)), (&carla, &json!("issuer"), &json!(false))]);
}
