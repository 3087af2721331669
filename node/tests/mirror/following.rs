//! What a mirror knows, and what it makes of faults.

use std::{fs, path::Path, time::Duration};

use serde_json::json;
use testamur_chain::registry::anchor_call;
use testamur_core::{Address, BlockNumber, ChainId, Hash, status::StatusTree};
use testamur_node::mirror::{
    Key, Limits, NotKnown,
    snapshot::{Snapshot, Subject},
    transfer,
};

use crate::scene::{CHAIN, REVOCATION, Running, SUSPENSION, Scene, places, set, until};

#[tokio::test]
async fn from_nothing_it_knows_both_blocks_and_a_restart_asks_for_no_history() {
    let Some(scene) = Scene::new("from_nothing").await else { return };
    for n in 0..5 {
        scene.toggle(1, REVOCATION, &[n, 1000 * n + 7]).await;
    }
    scene.toggle(2, SUSPENSION, &[1 << 39]).await;
    scene.mine(4).await;
    scene.toggle(1, REVOCATION, &[500_000]).await;

    let running = scene.mirror(&[1, 2]).await;
    let view = running.until("six updates", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 6).await;
    assert_eq!(set(&view), [0, 1, 2, 3, 4, 7, 1007, 2007, 3007, 4007, 500_000]);
    assert_eq!((view.settled.record.epoch, view.settled.tree.bit(places(&[500_000])[0])), (5, false));
    assert_eq!(view.head.tree.root(), scene.root(1, REVOCATION));
    running.until("the other", scene.issuer(2), SUSPENSION, |view| set(view) == [1 << 39]).await;
    running.until("nothing", scene.issuer(2), REVOCATION, |view| view.head.record.epoch == 0).await;
    assert_eq!(running.mirror.wanted(scene.issuer(0), REVOCATION).await.unwrap_err(), NotKnown::NotFollowed);
    running.until_problems(&[]).await;

    scene.mine(4).await;
    running.until("settled", scene.issuer(1), REVOCATION, |view| view.settled.record.epoch == 6).await;
    running.stop().await;
    scene.proxy.forget();
    let again = scene.mirror(&[1, 2]).await;
    let view = again.until("resumed", scene.issuer(1), REVOCATION, |view| view.head.record.epoch == 6).await;
    assert_eq!(set(&view).len(), 11);
    again.until("resumed", scene.issuer(2), SUSPENSION, |view| set(view) == [1 << 39]).await;
    assert_eq!(scene.proxy.count("eth_getLogs"), 0, "nothing is walked again");
    scene.toggle(1, REVOCATION, &[9]).await;
    again.until("goes on", scene.issuer(1), REVOCATION, |view| view.head.tree.bit(places(&[9])[0])).await;
    assert_eq!(scene.proxy.count("eth_getLogs"), 1);
}

#[tokio::test]
async fn after_many_updates_their_bits_replace_them_on_disk() {
    let Some(scene) = Scene::new("after_many_updates").await else { return };
    let issuer = scene.issuer(1);
    let few = || {
        let mut config = scene.config(&[1]);
        config.limits.updates = 2;
        config
    };
    for round in 0..4_u64 {
        let running = Running::start(few()).await;
        for n in 0..2 {
            scene.toggle(1, REVOCATION, &[round * 10 + n]).await;
        }
        scene.mine(4).await;
        running.until("settled", issuer, REVOCATION, |view| view.settled.record.epoch == 2 * (round + 1)).await;
        assert_eq!(running.mirror.view(issuer, REVOCATION).unwrap().head.tree.root(), scene.root(1, REVOCATION));
        running.stop().await;
    }
    scene.proxy.forget();
    let running = Running::start(few()).await;
    running.until("resumed", issuer, REVOCATION, |view| set(view) == [0, 1, 10, 11, 20, 21, 30, 31]).await;
    assert_eq!(scene.proxy.count("eth_getLogs"), 0);
}

#[tokio::test]
async fn a_reorganisation_is_followed() {
    let Some(scene) = Scene::new("a_reorganisation").await else { return };
    let issuer = scene.issuer(1);
    scene.toggle(1, REVOCATION, &[1]).await;
    scene.mine(3).await;
    let running = scene.mirror(&[1]).await;
    scene.toggle(1, REVOCATION, &[2]).await;
    running.until("two", issuer, REVOCATION, |view| set(view) == [1, 2]).await;
    scene.reorganise(1, 1, REVOCATION, &[2]).await;
    running.until("undone", issuer, REVOCATION, |view| set(view) == [1]).await;
    scene.toggle(1, REVOCATION, &[3]).await;
    running.until("another", issuer, REVOCATION, |view| set(view) == [1, 3]).await;
    scene.mine(4).await;
    running.until("settled", issuer, REVOCATION, |view| view.settled.record.epoch == 2).await;
    running.stop().await;
    let again = scene.mirror(&[1]).await;
    again.until("kept as it stands", issuer, REVOCATION, |view| set(view) == [1, 3]).await;
    again.until_problems(&[]).await;
}

#[tokio::test]
async fn a_hostile_issuer_is_reported_and_the_others_go_on() {
    let Some(scene) = Scene::new("a_hostile_issuer").await else { return };
    let (hostile, good) = (scene.issuer(1), scene.issuer(2));
    let running = scene.mirror(&[1, 2]).await;
    for (epoch, delta, problem) in [
        (1, vec![5], "status-root-mismatch"),
        (2, vec![0x80], "status-delta-unreadable"),       // cut off
        (3, vec![0x80, 0x00], "status-delta-unreadable"), // overlong
        (4, vec![0xff; 12], "status-delta-unreadable"),   // beyond 2^40
    ] {
        scene.forge(1, REVOCATION, Hash([9; 32]), &delta).await;
        running.until("forged", hostile, REVOCATION, |view| view.head.record.epoch == epoch).await;
        running.until_problems(&[problem]).await;
        let standing = running.mirror.standing(hostile, REVOCATION).unwrap();
        assert!(standing.view.unwrap().head.fault.is_some());
        assert!(!standing.findings.is_empty());
        scene.toggle(2, REVOCATION, &[u64::from(delta[0])]).await;
        running.until("good", good, REVOCATION, |view| view.head.tree.root() == scene.root(2, REVOCATION)).await;
    }
    let findings = running.mirror.standing(hostile, REVOCATION).unwrap().findings;
    // The first delta could be read: bit 5 is set. The root of that, with no further toggles, heals it.
    scene.settle(1, REVOCATION, &[5]).await;
    running.until("healed", hostile, REVOCATION, |view| view.head.fault.is_none() && set(view) == [5]).await;
    running.until_problems(&[]).await;
    scene.toggle(1, REVOCATION, &[5]).await;
    running.until("cleared", hostile, REVOCATION, |view| set(view).is_empty()).await;
    let all = running.mirror.standing(hostile, REVOCATION).unwrap().findings;
    assert_eq!(all.len(), findings.len() + 1, "a cleared revocation is told, once: {all:?}");
    running.until_problems(&[]).await;
}

#[tokio::test]
async fn an_endpoint_that_lies_about_events_is_caught_by_the_root() {
    let Some(scene) = Scene::new("an_endpoint_that_lies").await else { return };
    let issuer = scene.issuer(1);
    scene.toggle(1, REVOCATION, &[1, 2, 3]).await;
    scene.toggle(1, REVOCATION, &[4]).await;
    scene.mine(4).await;
    // The indices 1, 2, 3 become 5, 6, 7.
    scene.proxy.lie(|method, result| {
        if method == "eth_getLogs" {
            let data = result[0]["data"].as_str().unwrap();
            result[0]["data"] = json!(data.replace("01000000000000", "05000000000000"));
        }
    });
    let mut config = scene.config(&[1]);
    config.limits.doubt = Duration::from_millis(200);
    let running = Running::start(config).await;
    running.until("a fault", issuer, REVOCATION, |view| view.settled.fault.is_some()).await;
    running.until_problems(&["status-root-mismatch"]).await;
    scene.proxy.be_honest();
    running.until("read once more", issuer, REVOCATION, |view| view.settled.fault.is_none()).await;
    running.until_problems(&[]).await;
    let view = running.mirror.view(issuer, REVOCATION).unwrap();
    assert_eq!(set(&view), [1, 2, 3, 4]);
}

#[tokio::test]
async fn while_the_chain_is_out_of_reach_it_shows_what_it_saw() {
    let Some(scene) = Scene::new("out_of_reach").await else { return };
    let issuer = scene.issuer(1);
    scene.toggle(1, REVOCATION, &[1]).await;
    let running = scene.mirror(&[1]).await;
    let seen = running.until("one", issuer, REVOCATION, |view| set(view) == [1]).await;
    scene.proxy.down(true);
    running.until_problems(&["chain-unavailable"]).await;
    let still = running.mirror.wanted(issuer, REVOCATION).await.unwrap();
    assert!(set(&still) == [1] && still.head.block.number >= seen.head.block.number);
    scene.toggle(1, REVOCATION, &[2]).await;
    scene.proxy.down(false);
    running.until("again", issuer, REVOCATION, |view| set(view) == [1, 2]).await;
    running.until_problems(&[]).await;
}

#[tokio::test]
async fn an_open_mirror_reads_anybody_when_asked_and_forgets_them_again() {
    let Some(scene) = Scene::new("an_open_mirror").await else { return };
    scene.toggle(1, REVOCATION, &(1..200).map(|n| n << 20).collect::<Vec<_>>()).await;
    scene.toggle(2, REVOCATION, &(0..300).map(|n| n << 20).collect::<Vec<_>>()).await;
    let mut config = scene.config(&[]);
    config.limits = Limits { unwritten: Duration::from_millis(300), memory_bytes: 80_000, ..config.limits };
    let running = Running::start(config).await;
    let (one, two, nobody) = (scene.issuer(1), scene.issuer(2), Address([0x55; 20]));
    assert!(running.mirror.view(one, REVOCATION).is_none());
    assert_eq!(set(&running.mirror.wanted(one, REVOCATION).await.unwrap()).len(), 199);
    let unwritten = running.mirror.wanted(nobody, REVOCATION).await.unwrap();
    assert_eq!((unwritten.head.record.epoch, unwritten.head.tree.root()), (0, Hash::ZERO));
    until("forgotten", || running.mirror.standing(nobody, REVOCATION).is_none(), String::new).await;
    // There is no room for both: the first goes.
    let second = running.mirror.wanted(two, REVOCATION).await.unwrap();
    assert_eq!((set(&second).len(), second.head.tree.footprint() < 80_000), (300, true));
    until("dropped", || running.mirror.standing(one, REVOCATION).is_none(), String::new).await;
    assert!(running.mirror.standing(two, REVOCATION).is_some());
    scene.proxy.forget();
    scene.mine(3).await;
    assert_eq!(set(&running.mirror.wanted(one, REVOCATION).await.unwrap()).len(), 199, "and is had again");
    running.until_problems(&[]).await;
}

#[tokio::test]
async fn first_readings_are_few_at_a_time_and_questions_wait_only_so_long() {
    let Some(scene) = Scene::new("first_readings").await else { return };
    scene.toggle(1, REVOCATION, &[1]).await;
    scene.toggle(2, REVOCATION, &[2]).await;
    let mut config = scene.config(&[]);
    config.limits = Limits { loads: 1, patience: Duration::from_millis(300), ..config.limits };
    let running = Running::start(config).await;
    until("a look", || running.mirror.look().is_some(), String::new).await;
    let open = scene.proxy.gate.available_permits();
    scene.proxy.gate.forget_permits(open);
    assert_eq!(running.mirror.wanted(scene.issuer(1), REVOCATION).await.unwrap_err(), NotKnown::Loading);
    assert_eq!(running.mirror.wanted(scene.issuer(2), REVOCATION).await.unwrap_err(), NotKnown::Loading);
    assert!(running.mirror.standing(scene.issuer(2), REVOCATION).is_none(), "it had no place yet");
    scene.proxy.gate.add_permits(1 << 20);
    running.until("the first", scene.issuer(1), REVOCATION, |view| set(view) == [1]).await;
    assert_eq!(set(&running.mirror.wanted(scene.issuer(2), REVOCATION).await.unwrap()), [2]);
}

#[tokio::test]
async fn while_the_chain_is_out_of_reach_strangers_do_not_pile_up() {
    let Some(scene) = Scene::new("strangers_do_not_pile_up").await else { return };
    scene.toggle(1, REVOCATION, &[1]).await;
    let mut config = scene.config(&[]);
    config.limits = Limits { followed: 4, ..config.limits };
    let running = Running::start(config).await;
    running.mirror.wanted(scene.issuer(1), REVOCATION).await.unwrap();
    scene.proxy.down(true);
    let strangers: Vec<_> = (0..40_u8).map(|n| Address([n; 20])).collect();
    for stranger in &strangers {
        let unseen = running.mirror.wanted(*stranger, REVOCATION).await.unwrap_err();
        assert!(matches!(unseen, NotKnown::Unseen(_)), "{unseen}");
    }
    let held = || strangers.iter().filter(|s| running.mirror.standing(**s, REVOCATION).is_some()).count();
    until("few are held", || held() <= 4, || format!("{} are held", held())).await;
    let kept = running.mirror.standing(scene.issuer(1), REVOCATION).and_then(|standing| standing.view);
    assert_eq!(set(&kept.expect("bits that were seen are shown on")), [1]);
}

#[tokio::test]
async fn a_stranger_with_too_many_bits_is_read_once_and_whom_the_mirror_follows_always_is_not_bounded() {
    let Some(scene) = Scene::new("a_stranger_with_too_many_bits").await else { return };
    let spread: Vec<u64> = (0..100).map(|n| n << 30).collect();
    scene.toggle(1, REVOCATION, &spread).await;
    scene.toggle(2, REVOCATION, &[1]).await;
    let bounded = |issuers| {
        let mut config = scene.config(issuers);
        config.limits = Limits { memory_bytes: 5000, ..config.limits };
        config
    };
    let running = Running::start(bounded(&[])).await;
    let refused = running.mirror.wanted(scene.issuer(1), REVOCATION).await.unwrap_err().to_string();
    assert!(refused.contains("more than 5000 bytes"), "{refused}");
    scene.proxy.forget();
    // Rounds go by.
    scene.toggle(2, REVOCATION, &[2]).await;
    running.mirror.wanted(scene.issuer(2), REVOCATION).await.unwrap();
    scene.toggle(2, REVOCATION, &[3]).await;
    running.until("goes on", scene.issuer(2), REVOCATION, |view| set(view) == [1, 2, 3]).await;
    running.mirror.wanted(scene.issuer(1), REVOCATION).await.unwrap_err();
    let events = scene.proxy.count("eth_getLogs");
    assert!(events <= 4, "{events}: for the other's three updates, and the one that was known");
    running.stop().await;
    let running = Running::start(bounded(&[1])).await;
    running.until("followed always", scene.issuer(1), REVOCATION, |view| set(view) == spread).await;
}

#[tokio::test]
async fn one_issuer_s_anchors_keep_nobody_waiting() {
    let Some(scene) = Scene::new("one_issuer_s_anchors").await else { return };
    scene.toggle(1, REVOCATION, &[1]).await;
    scene.act(2, &anchor_call(scene.issuer(2), Hash([1; 32]), 1)).await;
    scene.act(1, &anchor_call(scene.issuer(1), Hash([2; 32]), 1)).await;
    let mut config = scene.config(&[]);
    config.limits = Limits { patience: Duration::from_millis(300), ..config.limits };
    let running = Running::start(config).await;
    until("a look", || running.mirror.look().is_some(), String::new).await;
    scene.proxy.gate.forget_permits(scene.proxy.gate.available_permits());
    // Many questions about one issuer, whose events do not come.
    for _ in 0..10 {
        assert_eq!(running.mirror.anchors(scene.issuer(2), None).await.unwrap_err(), NotKnown::Loading);
    }
    running.mirror.wanted(scene.issuer(0), REVOCATION).await.expect("readings of status have places of their own");
    scene.proxy.gate.add_permits(1 << 20);
    let read = async { while running.mirror.anchors(scene.issuer(2), None).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("they are read in the end");
    assert_eq!(running.mirror.anchors(scene.issuer(1), None).await.unwrap().count, 1);
}

#[tokio::test]
async fn a_folder_that_is_gone_or_damaged_is_filled_again() {
    let Some(scene) = Scene::new("a_folder").await else { return };
    let issuer = scene.issuer(1);
    for n in 1..4 {
        scene.toggle(1, REVOCATION, &[n]).await;
    }
    scene.mine(4).await;
    let known = async |running: Running| {
        running.until("three", issuer, REVOCATION, |view| set(view) == [1, 2, 3]).await;
        running.until_problems(&[]).await;
        running.stop().await;
    };
    known(scene.mirror(&[1]).await).await;
    fs::remove_dir_all(scene.mirror_folder()).unwrap();
    known(scene.mirror(&[1]).await).await;
    damage(&scene.mirror_folder());
    known(scene.mirror(&[1]).await).await;
    scene.proxy.forget();
    known(scene.mirror(&[1]).await).await;
    assert_eq!(scene.proxy.count("eth_getLogs"), 0);
}

/// Overwrites every file.
fn damage(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => damage(&entry.path()),
            false => fs::write(entry.path(), b"damaged").unwrap(),
        }
    }
}

/// A snapshot of an issuer with any claims.
fn snapshot(scene: &Scene, bits: &[u64], epoch: u64, block: u64) -> Snapshot {
    let mut tree = StatusTree::new();
    tree.toggle(&places(bits));
    let of = Subject {
        chain: CHAIN,
        registry: scene.registry(),
        issuer: scene.issuer(1),
        purpose: REVOCATION,
        epoch,
        root: tree.root(),
        block: BlockNumber(block),
    };
    Snapshot { of, tree }
}

#[tokio::test]
async fn a_right_snapshot_saves_the_walk_and_a_wrong_one_is_thrown_away() {
    let Some(scene) = Scene::new("a_right_snapshot").await else { return };
    let issuer = scene.issuer(1);
    for n in 1..6 {
        scene.toggle(1, REVOCATION, &[n]).await;
    }
    scene.mine(4).await;
    let running = scene.mirror(&[1]).await;
    let view = running.until("five", issuer, REVOCATION, |view| view.settled.record.epoch == 5).await;
    let right = running.mirror.snapshot(&view).unwrap();
    running.stop().await;
    let key = Key { issuer, purpose: REVOCATION };
    let exported = transfer::export(&scene.mirror_folder(), key).unwrap();
    assert_eq!(exported.to_bytes().unwrap(), right.to_bytes().unwrap(), "one update, one file");

    let import = |snapshot: &Snapshot| {
        fs::remove_dir_all(scene.mirror_folder()).unwrap();
        transfer::import(&scene.mirror_folder(), std::slice::from_ref(snapshot)).unwrap();
        scene.proxy.forget();
    };
    import(&right);
    let running = scene.mirror(&[1]).await;
    running.until("taken up", issuer, REVOCATION, |view| set(view) == [1, 2, 3, 4, 5]).await;
    assert_eq!(scene.proxy.count("eth_getLogs"), 0);
    running.stop().await;
    scene.toggle(1, REVOCATION, &[6]).await;
    scene.mine(4).await;
    import(&right);
    let running = scene.mirror(&[1]).await;
    running.until("an older one", issuer, REVOCATION, |view| set(view) == [1, 2, 3, 4, 5, 6]).await;
    assert!(scene.proxy.count("eth_getLogs") <= 2, "its own update is looked at, and the one after it");
    running.stop().await;

    let block = right.of.block.0;
    for wrong in [
        snapshot(&scene, &[1, 2, 3, 4, 6], 5, block),
        snapshot(&scene, &[1, 2, 3, 4, 6], 4, block - 1),
        snapshot(&scene, &[1, 2, 3, 4, 6], 99, block),
        snapshot(&scene, &[1, 2, 3, 4, 6], 99, block + 1_000_000),
        snapshot(&scene, &[1, 2, 3, 4, 5], 5, 1),
    ] {
        import(&wrong);
        let running = scene.mirror(&[1]).await;
        running.until("rebuilt", issuer, REVOCATION, |view| set(view) == [1, 2, 3, 4, 5, 6]).await;
        running.until_problems(&[]).await;
        running.stop().await;
    }
    let elsewhere = Snapshot { of: Subject { chain: ChainId(1), ..right.of.clone() }, tree: right.tree };
    let refused = transfer::import(&scene.mirror_folder(), &[elsewhere]).unwrap_err().to_string();
    assert!(refused.contains("eip155:1,"), "{refused}");
}
