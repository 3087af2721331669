//! Verified without a network: what was packed while there was one, and a block hash that the verifier trusts.

use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use serde_json::Value;
use testamur_tests::harness::{Chain, Node, Ran, World, run, until};

/// Samples that are anchored, on a chain that can be taken away.
struct Packed {
    world: World,
    node: Node,
    token: PathBuf,
    folder: PathBuf,
}

impl Packed {
    fn new() -> Self {
        let world = World::on(Chain::anvil());
        let node = world.node();
        let folder = world.samples();
        let token = node.token(&world.issuer.address, "submit,revoke");
        world.anchor(&node.url, &token, &[&folder], "final").expect(0);
        Self { world, node, token, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("botany.json")
    }

    /// `testamur evidence`; answers what it says.
    fn pack(&self, path: &Path, code: i32) -> Value {
        let policy = self.policy();
        let rpc = &self.world.chain.url;
        let fixed = ["--json", "evidence", "--rpc", rpc, "--policy", &policy, "--trust", &self.world.issuer.address];
        run("testamur", fixed.iter().map(OsStr::new).chain([path.as_os_str()])).expect(code).json()
    }

    /// The policy of the world, written by its first verification.
    fn policy(&self) -> String {
        self.world.verify(&[&self.file()], &[]);
        self.world.folder().join("policy.toml").to_str().expect("UTF-8").to_owned()
    }

    fn revoke(&self, file: &Path) {
        let node = ["revoke", "--node", &self.node.url, "--wait", "final", "--now", "--token-file"];
        run("testamur", node.iter().map(OsStr::new).chain([self.token.as_os_str(), file.as_os_str()])).expect(0);
    }

    fn offline(&self, path: &Path, more: &[&str]) -> Ran {
        let trust = ["--trust", &self.world.issuer.address, "--offline"];
        self.world.verify(&[path], &[&trust, more].concat())
    }
}

/// The block that an archive rests on, as `--block` takes it.
fn pin(packed: &Value) -> String {
    let block = &packed["blocks"][0];
    format!("{}:{}:{}", text(&block["chain"]), block["number"], text(&block["hash"]))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn verdicts(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

fn detail(report: &Value, check: usize) -> &Value {
    &report["checks"][check]["detail"]
}

#[test]
fn one_credential_is_verified_without_a_network() {
    let here = Packed::new();
    let file = here.file();
    let packed = here.pack(&file, 0);
    assert_eq!(
        (&packed["documents"], &packed["blocks"][0]["finality"]),
        (&1.into(), &"finalized".into()),
        "{packed:#}"
    );
    let (pin, policy) = (pin(&packed), here.policy());
    let bytes = fs::read(format!("{}.evidence", file.display())).expect("written beside it");
    assert_eq!(packed["bytes"], bytes.len());
    eprintln!("evidence of one credential: {} bytes", bytes.len());

    // An endpoint is configured, and hears nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("set");
    let rpc = format!("http://{}", listener.local_addr().expect("bound"));
    let offline = |more: &[&str]| {
        let fixed = ["--json", "verify", "--offline", "--rpc", &rpc, "--policy", &policy];
        let arguments = [&fixed, more].concat();
        run("testamur", arguments.iter().map(OsStr::new).chain([file.as_os_str()]))
    };
    drop(here.world.chain);
    here.node.kill();

    let valid = offline(&["--block", &pin]).expect(0);
    let report = &verdicts(&valid)[0];
    assert_eq!(report["verdict"], "valid");
    let rests_on = &report["restsOn"];
    assert_eq!(rests_on["settled"]["by"][0], "--block", "{report:#}");
    assert_eq!(rests_on["readFrom"][0], format!("{}.evidence", file.display()));
    assert!(report["status"]["block"]["time"].is_string() || report["status"]["block"]["time"].is_number());

    // A block that nobody vouches for, or another one, is no verdict.
    let untold = offline(&[]).expect(2);
    assert_eq!(detail(&verdicts(&untold)[0], 2)["fault"], "blockNotTrusted", "{untold:?}");
    assert!(untold.stdout.contains(pin.rsplit(':').next().expect("a hash")), "the hash to compare is told");
    let other = format!("{}:0x{}", pin.rsplit_once(':').expect("a hash").0, "12".repeat(32));
    offline(&["--block", &other]).expect(2);
    let checkpoints = file.with_file_name("checkpoints.txt");
    let words: Vec<&str> = pin.rsplitn(3, ':').collect();
    fs::write(&checkpoints, format!("# mine\n{} {} {}\n", words[2], words[1], words[0])).expect("written");
    offline(&["--checkpoints", checkpoints.to_str().expect("UTF-8")]).expect(0);

    // A tampered document stays invalid; its age is the policy's to judge.
    let old = file.with_file_name("strict.toml");
    fs::write(&old, format!("{}\n", fs::read_to_string(&policy).expect("a policy"))).expect("written");
    let strict = fs::read_to_string(&old).expect("read").replacen("chains", "max_status_age = '0s'\nchains", 1);
    fs::write(&old, strict).expect("written");
    until("the block is a second old", || (now() > block_time(&packed)).then_some(()));
    let arguments = ["--json", "verify", "--offline", "--block", &pin, "--policy"].map(OsStr::new);
    let ran = run("testamur", arguments.into_iter().chain([old.as_os_str(), file.as_os_str()])).expect(2);
    assert_eq!(detail(&verdicts(&ran)[0], 5)["kind"], "statusTooOld", "{ran:?}");
    let text = fs::read_to_string(&file).expect("readable");
    fs::write(&file, text.replacen("Botany", "Zoology", 1)).expect("written");
    offline(&["--block", &pin]).expect(1);

    assert!(listener.accept().is_err(), "somebody was asked");
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

fn block_time(packed: &Value) -> u64 {
    packed["blocks"][0]["time"].as_u64().expect("seconds")
}

#[test]
fn altered_evidence_is_no_verdict_whichever_byte_it_is() {
    let here = Packed::new();
    let file = here.file();
    let packed = here.pack(&file, 0);
    let pin = pin(&packed);
    let archive = PathBuf::from(format!("{}.evidence", file.display()));
    let bytes = fs::read(&archive).expect("written");
    for part in 0..12 {
        let mut altered = bytes.clone();
        let at = (bytes.len() - 1) * part / 11;
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        fs::write(&archive, &altered).expect("written");
        let ran = here.offline(&file, &["--block", &pin]).expect(2);
        let report = &verdicts(&ran)[0];
        assert_eq!(report["verdict"], "unverifiable", "byte {at}");
        assert!(text(&report["detail"]).contains("botany.json.evidence"), "byte {at}: {report:#}");
    }
    fs::remove_file(&archive).expect("removed");
    let none = here.offline(&file, &["--block", &pin]).expect(2);
    assert!(text(&verdicts(&none)[0]["detail"]).contains("is not there"), "{none:?}");
    let missing = ["--evidence", "/nonexistent"];
    here.offline(&file, &missing).expect(64);
}

#[test]
fn a_class_fits_into_one_archive_and_the_revoked_are_refused() {
    let here = Packed::new();
    let folder = here.world.folder().join("class");
    fs::create_dir_all(&folder).expect("a folder");
    let file = |number: usize| folder.join(format!("{number:02}.txt"));
    (0..50).for_each(|number| fs::write(file(number), format!("diploma {number}")).expect("written"));
    here.world.anchor(&here.node.url, &here.token, &[&folder], "final").expect(0);
    let clean = here.pack(&folder, 0);
    let before = pin(&clean);
    [3, 30].iter().for_each(|&number| here.revoke(&file(number)));

    let aside = here.world.folder().join("before.evidence");
    let archive = here.world.folder().join("class.evidence");
    fs::rename(&archive, &aside).expect("moved");
    let packed = here.pack(&folder, 1);
    assert_eq!((&packed["documents"], &packed["refused"]), (&48.into(), &2.into()), "{packed:#}");
    let pin = pin(&packed);
    eprintln!("evidence of a class of 48, two revoked: {} bytes", packed["bytes"]);

    // The archive shows of all 48 that they are good, and does not speak for the others: their bits are in the list.
    let ran = here.offline(&folder, &["--block", &pin]).expect(1);
    let reports = verdicts(&ran);
    let valid = reports.iter().filter(|report| report["verdict"] == "valid").count();
    assert_eq!((valid, reports.len()), (48, 50));
    for (number, report) in reports.iter().enumerate().filter(|(number, _)| [3, 30].contains(number)) {
        assert_ne!(report["verdict"], "valid", "{number}: {report:#}");
    }

    // Older evidence says what was so then, and that it was then; the newer of two trusted ones decides.
    let aside = aside.to_str().expect("UTF-8");
    let revoked = file(3);
    let then = here.offline(&revoked, &["--block", &before, "--evidence", aside]).expect(0);
    assert_eq!(verdicts(&then)[0]["restsOn"]["head"]["hash"], before.rsplit(':').next().expect("a hash"));
    let both =
        ["--block", &before, "--block", &pin, "--evidence", aside, "--evidence", archive.to_str().expect("UTF-8")];
    let ran = here.offline(&revoked, &both);
    assert_ne!(ran.code, 0, "{ran:?}");
}

#[test]
fn endpoints_are_asked_whether_the_block_is_the_chains() {
    let here = Packed::new();
    let file = here.file();
    let packed = here.pack(&file, 0);
    let archive = format!("{}.evidence", file.display());
    let ran = here.world.verify(&[&file], &["--evidence", &archive]).expect(0);
    let rests_on = &verdicts(&ran)[0]["restsOn"];
    assert_eq!(rests_on["readFrom"][0], archive.as_str());
    assert_eq!(rests_on["settled"]["hash"], packed["blocks"][0]["hash"]);
    assert!(text(&rests_on["settled"]["by"][0]).starts_with("http://127.0.0.1"), "{rests_on:#}");

    // Another chain of the same number does not know it: it is no verdict there, from evidence or from the chain.
    let other = Chain::anvil_with(&[]);
    here.world.verify(&[&file], &["--evidence", &archive, "--rpc", &other.url]).expect(2);
}

/// `testamur key new --kind ed25519`: the file, and the did:key.
fn witness(folder: &Path) -> (String, String) {
    let file = folder.join("witness.key").to_str().expect("UTF-8").to_owned();
    let made = run("testamur", ["--json", "key", "new", "--kind", "ed25519", "--out", &file]).expect(0).json();
    (file, text(&made["did"]).to_owned())
}

#[test]
fn what_was_verified_is_signed_and_verified_again() {
    let here = Packed::new();
    let (file, rpc) = (here.file(), here.world.chain.url.clone());
    let (key, did) = witness(here.world.folder());
    let out = here.world.folder().join("verified.jws").to_str().expect("UTF-8").to_owned();
    here.world.verify(&[&file], &["--receipt", &out, "--key", &key]).expect(0);
    let replay = |more: &[&str], files: &[&Path]| {
        let arguments = [&["--json", "replay", &out], more].concat();
        run("testamur", arguments.iter().map(OsStr::new).chain(files.iter().map(|file| file.as_os_str())))
    };

    let told = replay(&["--signer", &did], &[]).expect(0).json();
    assert_eq!((&told["signer"], &told["trusted"]), (&did.as_str().into(), &true.into()), "{told:#}");
    let receipt = &told["receipt"];
    assert_eq!(receipt["documents"][0]["verdict"], "valid");
    assert_eq!(receipt["documents"][0]["checks"].as_array().map(Vec::len), Some(7));
    assert_eq!(receipt["policy"]["chains"][0], format!("eip155:{}", here.world.chain_id));
    assert!(text(&receipt["restsOn"][0]["settled"]["by"][0]).starts_with("http://127.0.0.1"), "{receipt:#}");
    assert!(!told.to_string().contains("botany.json"), "names are told where that is asked for only");
    replay(&["--signer", "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"], &[]).expect(1);

    // Later it is revoked; at the receipt's moment it was not, and the chain still tells.
    let moment = receipt["restsOn"][0]["head"]["time"].as_u64().expect("seconds");
    here.revoke(&file);
    until("the moment is settled", || (finalized(&here.world.chain) > moment).then_some(()));
    let ran = replay(&["--rpc", &rpc], &[&file]).expect(0);
    let then = &verdicts(&ran)[1];
    assert_eq!(
        (&then["was"], &then["is"], &then["asOf"]),
        (&"valid".into(), &"valid".into(), &moment.into()),
        "{then:#}"
    );

    // One who looks now records that; another's file, or a changed one, is not what was verified.
    here.world.verify(&[&file], &["--receipt", &out, "--key", &key, "--names"]).expect(1);
    let told = replay(&[], &[]).expect(0).json();
    assert_eq!(told["receipt"]["documents"][0]["verdict"], "invalid");
    assert!(told.to_string().contains("botany.json") && told["trusted"] == false);
    replay(&["--rpc", &rpc], &[&here.folder.join("compilers.json")]).expect(2);

    let token = fs::read_to_string(&out).expect("written");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let other = if signature.starts_with('A') { "B" } else { "A" };
    fs::write(&out, format!("{signed}.{other}{}", &signature[1..])).expect("written");
    let refused = replay(&[], &[]).expect(1);
    assert!(refused.stderr.contains("not to be believed"), "{refused:?}");
}

fn finalized(chain: &Chain) -> u64 {
    let block = chain.rpc("eth_getBlockByNumber", serde_json::json!(["finalized", false]));
    u64::from_str_radix(text(&block["timestamp"]).trim_start_matches("0x"), 16).expect("hex")
}
