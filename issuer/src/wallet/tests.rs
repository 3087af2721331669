use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use super::token::GRANT;
use crate::pages::tests::{Answer, Link, SECRET_TEXT, Site};

impl Site {
    /// The code of a new offer.
    async fn code(&self, link: &Link) -> String {
        let offer = self.own(link, "POST", "/offers", None).await;
        assert_eq!(offer.status, 201);
        format!("{}.{}.{}", link.id, *link.key.reveal(), offer.json()["code"].as_str().unwrap())
    }

    async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(form).unwrap();
        let request = Request::post("/oid4vci/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    async fn redeem(&self, code: &str) -> Answer {
        self.token(&[("grant_type", GRANT), ("pre-authorized_code", code)]).await
    }

    async fn credential(&self, token: &str, body: Value) -> Answer {
        let request = Request::post("/oid4vci/credential")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap().to_owned())
}

fn wanted() -> Value {
    json!({ "credential_configuration_id": "OpenBadgeCredential" })
}

#[tokio::test]
async fn a_wallet_takes_the_credential_as_it_was_issued() {
    let site = Site::new();
    let link = site.claimed().await;
    let metadata = site.get("/.well-known/openid-credential-issuer").await;
    assert_eq!(metadata.headers["access-control-allow-origin"], "*");
    assert_eq!(metadata.json()["credential_issuer"], "https://badges.example");
    assert_eq!(metadata.json()["credential_configurations_supported"]["OpenBadgeCredential"]["format"], "ldp_vc");
    let server = site.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(server["token_endpoint"], "https://badges.example/oid4vci/token");

    let token = site.redeem(&site.code(&link).await).await;
    assert_eq!((token.status.as_u16(), &token.json()["token_type"]), (200, &json!("Bearer")));
    assert_eq!(token.headers[header::CACHE_CONTROL], "no-store");
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    let taken = site.credential(&token, wanted()).await;
    assert_eq!(
        String::from_utf8(taken.body).unwrap(),
        format!(r#"{{"credentials":[{{"credential":{SECRET_TEXT}}}]}}"#)
    );
    assert_eq!(site.credential(&token, wanted()).await.status, 200, "a lost reply");
    let more = json!({ "credential_configuration_id": "OpenBadgeCredential", "proofs": { "jwt": ["x"] }, "new": 1 });
    assert_eq!(site.credential(&token, more).await.status, 200, "what is not known is ignored");
}

#[tokio::test]
async fn a_wallet_may_ask_in_detail() {
    let site = Site::new();
    let link = site.claimed().await;
    let details = r#"[{"type":"openid_credential","credential_configuration_id":"OpenBadgeCredential"}]"#;
    let code = site.code(&link).await;
    let form = [("grant_type", GRANT), ("pre-authorized_code", &code), ("authorization_details", details)];
    let token = site.token(&form).await.json();
    let name = token["authorization_details"][0]["credential_identifiers"][0].clone();
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(site.credential(token, json!({ "credential_identifier": name })).await.status, 200);
    assert_eq!(
        refusal(&site.credential(token, json!({ "credential_identifier": "x" })).await),
        (400, "unknown_credential_identifier".into())
    );
    for details in
        ["[]", "{", r#"[{"type":"other"}]"#, r#"[{"type":"openid_credential","credential_configuration_id":"x"}]"#]
    {
        let code = site.code(&link).await;
        let form = [("grant_type", GRANT), ("pre-authorized_code", &code), ("authorization_details", details)];
        assert_eq!(refusal(&site.token(&form).await), (400, "invalid_authorization_details".into()));
        assert_eq!(site.redeem(&code).await.status, 200, "a refusal does not use the code up");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_a_short_time() {
    let site = Site::new();
    let link = site.claimed().await;
    let invalid = (400, "invalid_grant".to_owned());
    let code = site.code(&link).await;
    let newer = site.code(&link).await;
    assert_eq!(refusal(&site.redeem(&code).await), invalid, "a newer offer takes its place");
    let token = site.redeem(&newer).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(refusal(&site.redeem(&newer).await), invalid);
    assert_eq!(refusal(&site.redeem(&token).await), invalid, "an access token is no code");
    assert_eq!(refusal(&site.credential(&newer, wanted()).await), (401, "invalid_token".into()), "nor the other way");
    site.wait(300);
    assert_eq!(refusal(&site.credential(&token, wanted()).await), (401, "invalid_token".into()));
    let late = site.code(&link).await;
    site.wait(600);
    assert_eq!(refusal(&site.redeem(&late).await), invalid);
    let last = site.redeem(&site.code(&link).await).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(site.own(&link, "DELETE", "", None).await.status, 204);
    assert_eq!(refusal(&site.credential(&last, wanted()).await), (401, "invalid_token".into()), "the page is gone");
}

#[tokio::test]
async fn hostile_wallets_are_refused() {
    let site = Site::new();
    let (link, other) = (site.claimed().await, site.claimed().await);
    let code = site.code(&link).await;
    let other_key = code.replacen(link.key.reveal().as_str(), other.key.reveal().as_str(), 1);
    let twice = format!("grant_type={GRANT}&grant_type={GRANT}&pre-authorized_code={code}");
    for (form, error) in [
        (vec![("grant_type", "authorization_code"), ("code", "x")], "unsupported_grant_type"),
        (vec![("pre-authorized_code", code.as_str())], "invalid_request"),
        (vec![("grant_type", GRANT)], "invalid_request"),
        (vec![("grant_type", GRANT), ("pre-authorized_code", &code), ("tx_code", "1")], "invalid_request"),
        (vec![("grant_type", GRANT), ("pre-authorized_code", "a.b.c")], "invalid_grant"),
        (vec![("grant_type", GRANT), ("pre-authorized_code", &code[1..])], "invalid_grant"),
    ] {
        assert_eq!(refusal(&site.token(&form).await), (400, error.to_owned()));
    }
    let raw = async |kind: &str, body: &str| {
        let request = Request::post("/oid4vci/token").header(header::CONTENT_TYPE, kind);
        refusal(&site.ask(request.body(Body::from(body.to_owned())).unwrap()).await)
    };
    assert_eq!(raw("application/x-www-form-urlencoded", &twice).await.1, "invalid_request");
    assert_eq!(raw("application/json", "{}").await.1, "invalid_request");

    // A code under a wrong key is redeemed, for the server cannot know the right one, and opens nothing.
    let token = site.redeem(&other_key).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(refusal(&site.credential(&token, wanted()).await), (400, "credential_request_denied".into()));
    for (body, error) in [
        (json!({}), "invalid_credential_request"),
        (json!([]), "invalid_credential_request"),
        (json!({ "credential_configuration_id": "x" }), "unknown_credential_configuration"),
        (
            json!({ "credential_configuration_id": "OpenBadgeCredential", "credential_response_encryption": {} }),
            "invalid_encryption_parameters",
        ),
    ] {
        assert_eq!(refusal(&site.credential(&token, body).await), (400, error.to_owned()));
    }
    let challenged = site.credential("x", wanted()).await;
    assert!(challenged.headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_token"));
}
