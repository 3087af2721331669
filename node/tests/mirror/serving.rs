//! `testamur-node mirror` as a process: from a URL alone it serves anybody's status and anchors, and snapshots go from
//! one to another.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use testamur_chain::registry::{anchor_call, withdraw_call};
use testamur_core::{Hash, StatusIndex, status::StatusProof};

use crate::scene::{REVOCATION, SUSPENSION, Scene};

/// A running mirror; killed when dropped.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(scene: &Scene, data_dir: &Path, more: &[&str]) -> Self {
        let mut command = command(data_dir);
        command.args(["mirror", "--json", "--listen", "127.0.0.1:0", "--rpc", scene.proxy.url()]);
        let mut child = command.args(more).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("a mirror that starts says where it listens");
        Self { child, url: told["listening"].as_str().unwrap().to_owned() }
    }

    async fn ask(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    async fn json(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    async fn until_ready(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while self.ask("/readyz").await.0 != 200 {
            assert!(tokio::time::Instant::now() < deadline, "never ready");
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testamur-node"));
    command.arg("--data-dir").arg(data_dir).args(["--set", "chain.poll_seconds=0.05", "--set", "log.filter=error"]);
    command
}

// The endpoint answers while a process is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_url_alone_it_serves_anybody() {
    let Some(scene) = Scene::new("from_a_url_alone").await else { return };
    scene.toggle(1, REVOCATION, &[3, 200_000]).await;
    scene.toggle(2, SUSPENSION, &[1]).await;
    for n in 1..=60 {
        scene.act(1, &anchor_call(scene.issuer(1), Hash([n; 32]), u64::from(n))).await;
    }
    scene.act(1, &withdraw_call(scene.issuer(1), Hash([60; 32]), 1)).await;
    scene.mine(4).await;
    let folder = tempfile::tempdir().unwrap();
    let mirror = Process::start(&scene, folder.path(), &[]);
    mirror.until_ready().await;
    let described = mirror.json("/v1/node").await;
    assert_eq!((&described["role"], &described["chain"]), (&"mirror".into(), &"eip155:31337".into()));
    assert_eq!((&described["open"], &described["registry"]), (&true.into(), &scene.registry().to_string().into()));

    let status = format!("/v1/issuers/{}/status", scene.issuer(1));
    for (index, set) in [(3_u64, true), (200_000, true), (4, false)] {
        let answer = mirror.json(&format!("{status}/revocation/{index}")).await;
        assert_eq!(answer["set"], set);
        let proof: StatusProof = serde_json::from_value(answer["proof"].clone()).unwrap();
        let index = StatusIndex::new(index).unwrap();
        assert_eq!((proof.root(index).unwrap(), proof.bit(index)), (scene.root(1, REVOCATION), set));
    }
    let other = mirror.json(&format!("/v1/issuers/{}/status/suspension/1", scene.issuer(2))).await;
    assert_eq!(other["set"], true);
    let nobody = mirror.json(&format!("/v1/issuers/{}/status/revocation/1", scene.issuer(0))).await;
    assert_eq!((&nobody["set"], &nobody["epoch"]), (&false.into(), &0.into()));

    let anchors = format!("/v1/issuers/{}/anchors", scene.issuer(1));
    let first = mirror.json(&anchors).await;
    assert_eq!(
        (&first["count"], &first["next"], first["anchors"].as_array().unwrap().len()),
        (&60.into(), &10.into(), 50)
    );
    let newest = &first["anchors"][0];
    assert_eq!((&newest["number"], &newest["withdrawn"], &newest["size"]), (&59.into(), &true.into(), &60.into()));
    assert_eq!(newest["settled"], true);
    let rest = mirror.json(&format!("{anchors}?before=10")).await;
    assert_eq!((&rest["next"], rest["anchors"].as_array().unwrap().len()), (&Value::Null, 10));
    assert_eq!(rest["anchors"][9]["root"], Hash([1; 32]).to_string());

    let root = newest["root"].as_str().unwrap();
    let stated = mirror.json(&format!("{anchors}/{root}")).await;
    for member in ["root", "size", "block", "time", "withdrawn", "settled"] {
        assert_eq!(stated[member], newest[member], "{member}");
    }
    assert_eq!(mirror.ask(&format!("{anchors}/0x{}", "ee".repeat(32))).await.0, 404);

    let updates = mirror.json(&format!("{status}/revocation/updates")).await;
    let update = &updates["updates"][0];
    assert_eq!((&updates["count"], &updates["since"], &updates["next"]), (&1.into(), &1.into(), &Value::Null));
    assert_eq!((&update["epoch"], &update["toggled"], &update["settled"]), (&1.into(), &2.into(), &true.into()));
    assert_eq!(update["root"], scene.root(1, REVOCATION).to_string());
    assert!(update["time"].as_u64() > Some(0) && update.get("cost").is_none(), "a mirror sends no transactions");
    assert_eq!(mirror.json(&format!("{status}/suspension/updates")).await["count"], 0);

    let api = mirror.json("/openapi.json").await;
    let paths = api["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v1/issuers/{issuer}/anchors") && !paths.keys().any(|path| path.contains("digests")));
    for path in ["/docs", "/metrics", "/healthz"] {
        assert_eq!(mirror.ask(path).await.0, 200, "{path}");
    }
    assert_eq!(mirror.ask("/v1/issuers/0x12/anchors").await.0, 400);
    assert_eq!(mirror.ask("/v1/token").await.0, 404);
}

// The endpoint answers while a process is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_goes_from_one_mirror_to_another() {
    let Some(scene) = Scene::new("a_snapshot_goes").await else { return };
    for n in 0..4 {
        scene.toggle(1, REVOCATION, &[n]).await;
    }
    scene.mine(4).await;
    let folder = tempfile::tempdir().unwrap();
    let (issuer, file) = (scene.issuer(1).to_string(), folder.path().join("snapshot"));
    let of = ["snapshot", "export", "--issuer", &issuer, "-o", file.to_str().unwrap()];
    let first = Process::start(&scene, &folder.path().join("a"), &["--issuer", &issuer]);
    first.until_ready().await;
    let exported = command(folder.path()).args(of).args(["--from", &first.url]).output().unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let refused = command(folder.path()).args(of).args(["--from", &first.url]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "it overwrites nothing");
    let other = first.ask(&format!("/v1/issuers/{}/status/revocation/1", scene.issuer(2))).await;
    assert_eq!(other.0, 404, "issuers are named, so no others are served");

    let second = folder.path().join("b");
    let import = |data_dir: &Path| command(data_dir).args(["snapshot", "import"]).arg(&file).output().unwrap();
    assert!(import(&second).status.success());
    let busy = import(&folder.path().join("a"));
    assert_eq!(busy.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&busy.stderr).contains("in use"));
    scene.proxy.forget();
    let second = Process::start(&scene, &second, &["--issuer", &issuer]);
    second.until_ready().await;
    let answer = second.json(&format!("/v1/issuers/{issuer}/status/revocation/3")).await;
    assert_eq!((&answer["set"], &answer["epoch"]), (&true.into(), &4.into()));
    assert_eq!(
        second.ask(&format!("/v1/issuers/{issuer}/status/revocation/snapshot")).await.1,
        std::fs::read(&file).unwrap()
    );

    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let wrong = import(&folder.path().join("c"));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("hash to"), "{wrong:?}");
}
