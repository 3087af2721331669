//! Power fails: between a claim and its reply, and in the middle of mails.

use std::{
    io::Write as _,
    net::{Shutdown, TcpStream},
};

use reqwest::Method;
use serde_json::json;
use testamur_tests::harness::{MailServer, ShareServer, until};

use crate::{
    learner::Learner,
    mails::{by_address, office, table},
};

#[test]
fn a_claim_whose_reply_was_lost_is_the_learner_s() {
    let (office, _node) = office(1, "");
    let config = office.path("issuer.toml");
    let text = std::fs::read_to_string(&config).expect("readable");
    let url = text.lines().find_map(|line| line.strip_prefix("public_url = ")).expect("a URL").trim_matches('"').to_owned();
    let links = office.path("links.csv");
    office.run(&["invite", "--template", "botany", "--links", links.to_str().expect("UTF-8")]).expect(0);
    let links = std::fs::read_to_string(links).expect("readable").replace(',', " ");
    let learner = Learner::with_link_in(&links);

    // The claim is sent, and nobody reads its reply.
    let server = ShareServer::start(&config, &url);
    let host = url.trim_start_matches("http://");
    let mut line = TcpStream::connect(host).expect("connected");
    let body = learner.claim_body();
    write!(
        line,
        "POST /v1/claims/{} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        learner.id,
        body.len()
    )
    .expect("sent");
    until("the claim is on disk", || (learner.ask(Method::GET, "", None).status() == 200).then_some(()));
    server.kill();
    let _ = line.shutdown(Shutdown::Both);

    let server = ShareServer::start(&config, &url);
    assert_eq!(learner.claim().0, 200);
    assert_eq!(learner.elsewhere().claim(), (409, "already-claimed".to_owned()));
    assert!(learner.part("credential").contains("Learner 0"));
    server.stop();
}

#[test]
fn whoever_is_killed_in_the_middle_of_mails_sends_the_others_and_one_twice_at_most() {
    let Some(mut server) = MailServer::start("whoever_is_killed_in_the_middle", &json!({ "holdAt": 3 })) else { return };
    let (office, _node) = office(6, &table(server.port));
    let mut sending = office.begin(&["invite", "--template", "botany"]);
    let mut mails = server.mails(2);
    server.event("held");
    sending.kill().expect("killed");
    sending.wait().expect("ended");
    server.let_go();
    office.run(&["invite", "--waiting"]).expect(0);
    mails.extend(server.end().iter().filter_map(|event| event.get("mail").cloned()));
    let got = by_address(&mails);
    assert_eq!(got.len(), 6, "{got:?}");
    let twice: Vec<_> = got.values().filter(|ids| ids.len() > 1).collect();
    assert!(twice.len() <= 1 && twice.iter().all(|ids| ids.len() == 2 && ids[0] == ids[1]), "{twice:?}");
}
