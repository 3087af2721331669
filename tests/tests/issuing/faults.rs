//! What fails on the way: the command is killed at each step, the node is away, replies are lost, the operator's
//! appointment ends, the disk is full. Afterwards the same command finishes, and nobody got two.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
};

use serde_json::json;
use testamur_tests::harness::{Fault, Node, Proxy, run, until};

use crate::office::{Office, ended, people, text};

const PEOPLE: usize = 25;

/// An office that reaches its node over a line that fails on demand.
fn over_a_line() -> (Office, Node, Proxy) {
    let mut line = None;
    let (office, node) = Office::open(&["--name", "Example University"], |world| {
        let node = world.node();
        let proxy = Proxy::to(&node.url);
        let url = proxy.url.clone();
        line = Some(proxy);
        (node, url)
    });
    office.write("people.csv", people(PEOPLE));
    (office, node, line.expect("made above"))
}

/// As a crash would (SIGKILL).
fn kill(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// Begins to issue, kills the command once a call that goes wrong was made, and finishes.
fn killed_while(call: &str, fault: Fault) {
    let (office, node, line) = over_a_line();
    line.set(call, Some(fault));
    let child = office.begin(&[&office.issuing("people.csv")[..], &["--at-once", "10"]].concat());
    until("the step is reached", || (line.calls(call) > 0).then_some(()));
    kill(child);
    line.set(call, None);
    office.issue("people.csv", &[], 0);
    office.assert_whole(&node, PEOPLE);
    let again = office.issue("people.csv", &[], 0);
    assert_eq!((&again["issued"], &again["already"], &again["written"]), (&json!(0), &json!(PEOPLE), &json!(0)));
    office.assert_whole(&node, PEOPLE);
}

#[test]
fn killed_before_anything_is_drafted() {
    killed_while("indices", Fault::Hangs);
    killed_while("indices", Fault::HangsButTookEffect);
}

#[test]
fn killed_with_drafts_that_the_node_does_not_have() {
    killed_while("digests", Fault::Hangs);
}

#[test]
fn killed_while_the_node_s_reply_is_lost() {
    killed_while("digests", Fault::HangsButTookEffect);
}

#[test]
fn killed_while_waiting_for_anchors() {
    killed_while("receipts", Fault::Hangs);
    killed_while("batches", Fault::HangsButTookEffect);
}

#[test]
fn killed_while_files_are_written() {
    let (office, node, _line) = over_a_line();
    let count = 200;
    office.write("people.csv", people(count));
    // One at a time, so that there is a time between the first and the last.
    let child = office.begin(&[&office.issuing("people.csv")[..], &["--at-once", "1"]].concat());
    until("a file is written", || (!office.files().is_empty()).then_some(()));
    kill(child);
    let written = office.files().len();
    assert!(written < count, "killed too late: nothing is shown");
    let summary = office.issue("people.csv", &[], 0);
    assert_eq!(summary["issued"], json!(0));
    office.assert_whole(&node, count);
}

#[test]
fn lost_replies_change_nothing() {
    for (call, fault) in [
        ("digests", Fault::FailedButTookEffect),
        ("indices", Fault::FailedButTookEffect),
        ("receipts", Fault::Failed),
        ("batches", Fault::FailedButTookEffect),
    ] {
        let (office, node, line) = over_a_line();
        line.set(call, Some(fault));
        let child = office.begin(&office.issuing("people.csv"));
        until("the reply was lost twice", || (line.calls(call) > 1).then_some(()));
        line.set(call, None);
        let (code, stdout, stderr) = ended(child);
        assert_eq!(code, Some(0), "{call}: {stdout}{stderr}");
        office.assert_whole(&node, PEOPLE);
    }
}

#[test]
fn the_node_is_away_for_a_while() {
    let (office, mut node, line) = over_a_line();
    // It goes away at each step; the command waits for it.
    for (round, call) in ["indices", "digests", "receipts"].into_iter().enumerate() {
        office.write("people.csv", people(PEOPLE + round));
        line.set(call, Some(Fault::Failed));
        let child = office.begin(&office.issuing("people.csv"));
        let before = line.calls(call);
        until("the step is reached", || (line.calls(call) > before).then_some(()));
        let url = node.kill();
        line.set(call, None);
        node = Node::restart(office.world.folder(), &url);
        let (code, stdout, stderr) = ended(child);
        assert_eq!(code, Some(0), "{call}: {stdout}{stderr}");
    }
    office.assert_whole(&node, PEOPLE + 2);
    // Away from the beginning: told, and nothing is begun.
    let url = node.stop();
    office.write("people.csv", people(PEOPLE + 3));
    let ran = office.run(&office.issuing("people.csv")).expect(2);
    assert!(ran.stderr.contains("Nothing is lost"), "{}", ran.stderr);
    let node = Node::restart(office.world.folder(), &url);
    office.issue("people.csv", &[], 0);
    office.assert_whole(&node, PEOPLE + 3);
}

#[test]
fn an_operator_whose_appointment_ended_is_told_and_waited_for() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    office.write("people.csv", people(3));
    appoint(&office, "3s");
    until("the node tells", || {
        let ready = node.get("/readyz").expect("answered").text().expect("text");
        (!ready.contains("\"ready\":true")).then_some(())
    });
    let ran = office.run(&[&office.issuing("people.csv")[..], &["--patience", "1"]].concat()).expect(2);
    assert!(ran.stderr.contains("cannot anchor") && ran.stderr.contains("Nothing is lost"), "{}", ran.stderr);
    assert!(office.files().is_empty());
    let states: Vec<_> = office.list(&[]).iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [json!("submitted"), json!("submitted"), json!("submitted")]);
    appoint(&office, "30d");
    let summary = office.issue("people.csv", &[], 0);
    assert_eq!((&summary["issued"], &summary["written"]), (&json!(0), &json!(3)));
    office.assert_whole(&node, 3);
}

fn appoint(office: &Office, expires: &str) {
    let world = &office.world;
    let key = text(&world.issuer.key_file);
    let operator = ["issuer", "appoint", &world.operator.address, "--roles", "anchor,revoke", "--expires", expires];
    run("testamur", operator.into_iter().chain(["--rpc", &world.chain.url, "--key-file", key])).expect(0);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_lost() {
    let (office, node, line) = over_a_line();
    let out = office.path("out");
    // Before anything is begun.
    fs::write(&out, "a file").expect("written");
    let ran = office.run(&office.issuing("people.csv")).expect(2);
    assert!(ran.stderr.contains("out cannot be written"), "{}", ran.stderr);
    assert!(office.list(&[]).is_empty());
    // In the middle.
    fs::remove_file(&out).expect("removed");
    line.set("receipts", Some(Fault::Failed));
    let child = office.begin(&office.issuing("people.csv"));
    until("it waits for receipts", || (line.calls("receipts") > 0).then_some(()));
    fs::remove_dir(&out).expect("still empty");
    fs::write(&out, "a file").expect("written");
    line.set("receipts", None);
    let (code, _, stderr) = ended(child);
    assert!(code == Some(2) && stderr.contains("cannot be written") && stderr.contains("Nothing is lost"), "{stderr}");
    fs::remove_file(&out).expect("removed");
    assert_eq!(office.issue("people.csv", &[], 0)["written"], json!(PEOPLE));
    office.assert_whole(&node, PEOPLE);
}

/// A file system of so many KiB on a folder, until it is dropped.
struct Small(PathBuf);

impl Small {
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&folder).expect("a folder");
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(&folder);
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_is_told_and_the_next_run_finishes() {
    let (office, node) = Office::plain(&["--name", "Example University"]);
    let Some(small) = Small::mount(office.path("out"), "40k") else {
        eprintln!("SKIPPED a_full_disk_is_told_and_the_next_run_finishes: no small file system can be mounted here");
        return;
    };
    office.write("people.csv", people(PEOPLE));
    let ran = office.run(&office.issuing("people.csv")).expect(2);
    assert!(ran.stderr.contains("cannot be written") && ran.stderr.contains("Nothing is lost"), "{}", ran.stderr);
    drop(small);
    office.issue("people.csv", &[], 0);
    office.assert_whole(&node, PEOPLE);
}

#[test]
fn a_correction_that_is_interrupted_leaves_nobody_without() {
    for (call, fault) in [
        ("digests", Fault::Hangs),
        ("receipts", Fault::Hangs),
        ("changes", Fault::Hangs),
        ("changes", Fault::HangsButTookEffect),
    ] {
        let (office, _node, line) = over_a_line();
        office.write("people.csv", people(2));
        office.issue("people.csv", &[], 0);
        let old = office.file("learner-1-");
        line.set(call, Some(fault));
        let before = line.calls(call);
        let child = office.begin(&["reissue", text(&old), "--set", "email=other@university.example"]);
        until("the step is reached", || (line.calls(call) > before).then_some(()));
        kill(child);
        // Whatever happened, there is one that is good.
        if fault == Fault::Hangs {
            office.assert_verdicts(&[&old], "valid");
        }
        line.set(call, None);
        office.write("others.csv", "id,name,email\nx,Other,x@university.example\n");
        office.issue("others.csv", &[], 0);
        let listed = office.list(&["--search", "s-1"]);
        assert_eq!(listed.len(), 2, "{listed:#?}");
        assert!(listed[0]["state"] == "written" && listed[0]["revoked"].is_null());
        assert!(listed[1]["revoked"].is_u64() && listed[1]["supersededBy"] == listed[0]["id"], "{listed:#?}");
        until("the old one is revoked on the chain", || {
            let verdict = office.verify_by(&office.policy(), &[&old]).remove(0);
            (verdict["verdict"] == "invalid").then_some(())
        });
        office.assert_verdicts(&[&PathBuf::from(listed[0]["file"].as_str().expect("a path"))], "valid");
    }
}
