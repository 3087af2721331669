//! Every outcome of every check, by changing one thing at a time in a case that is valid.

use serde_json::{Value, json};

use super::*;
use crate::{
    Address, BatchTree, BlockNumber, ChainId, Entry, Hash, Purpose, Receipt, StatusIndex,
    checked::{
        KeyOwner, ListEntry, ListGap, ListOutcome, LooksLike, Missing, Signature, SignatureFault, SignatureGap,
        SignatureOutcome, TieAnswer, TieFound, TieSource,
    },
    digest::{blind, credential_hash, file_hash},
    observation::{AnchorRecord, BlockRef, Finality, StatusAt, StatusRecord, StatusSeen},
    policy::{Need, RecognisedIssuer},
    proof::{AnchorProof, ProofConfig},
    registry,
    status::StatusTree,
};

const CHAIN: ChainId = ChainId(31337);
const ISSUER: Address = Address([7; 20]);
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:web:example.edu", "name": "Example University"},
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:ada", "achievement": "Botany"},
    })
}

fn receipt(config: &ProofConfig, document_hash: Hash) -> Receipt {
    let status_index = StatusIndex::new(123_456).expect("in range");
    let other = Entry { digest: crate::Digest([1; 32]), status_index: StatusIndex::default() };
    let own = Entry { digest: blind(&config.to_json(), document_hash), status_index };
    let tree = BatchTree::new([other, own, other].map(|e| e.leaf_hash()).to_vec()).expect("not empty");
    Receipt {
        version: 1,
        leaf_index: 1,
        tree_size: 3,
        status_index,
        path: tree.path(1).expect("inside"),
        root: tree.root(),
        issuer: ISSUER,
        chain: CHAIN,
        registry: registry::ADDRESS,
        transaction: Hash([9; 32]),
        block: BlockNumber(50),
    }
}

fn anchored(mut value: Value) -> Value {
    let config = ProofConfig::new(value.get("@context"), CHAIN, ISSUER, UnixSeconds(1_790_000_000), [5; 32]);
    let receipt = receipt(&config, credential_hash(&value));
    let members = value.as_object_mut().expect("an object");
    AnchorProof { config, receipt }.embed(members).expect("not anchored yet");
    value
}

fn read(value: &Value) -> Result<Document, Error> {
    Document::from_credential(value.to_string().as_bytes())
}

fn observation(receipt: &Receipt) -> Observation {
    let block = |number| BlockRef { number: BlockNumber(number), hash: Hash([number as u8; 32]), time: NOW };
    let anchor = AnchorRecord { time: UnixSeconds(1_790_000_010), block: BlockNumber(50), size: 3, withdrawn: false };
    let clear = StatusAt { record: StatusRecord::default(), proof: None };
    let status = |purpose| StatusSeen { purpose, head: clear.clone(), settled: clear.clone() };
    Observation {
        chain: receipt.chain,
        registry: receipt.registry,
        code_hash: Some(registry::CODE_HASH),
        issuer: receipt.issuer,
        root: receipt.root,
        head: block(200),
        settled: block(100),
        finality: Finality::Finalized,
        anchor_at_head: Some(anchor),
        anchor_settled: Some(anchor),
        status: [Purpose::REVOCATION, Purpose::SUSPENSION].map(status).to_vec(),
    }
}

fn policy() -> Policy {
    let id = Some("did:web:example.edu".to_owned());
    let name = Some("Example University".to_owned());
    Policy {
        chains: vec![CHAIN],
        issuers: vec![RecognisedIssuer { id, name, accounts: vec![ISSUER] }],
        ..Policy::default()
    }
}

/// A valid case, and what it takes to spoil it.
struct Case {
    document: Value,
    seen: Result<Observation, Unseen>,
    checked: Checked,
    policy: Policy,
    now: UnixSeconds,
}

impl Case {
    fn new() -> Self {
        let document = anchored(credential());
        let seen = Ok(observation(&read(&document).expect("well formed").anchor.expect("anchored").receipt));
        Self { document, seen, checked: Checked::default(), policy: policy(), now: NOW }
    }

    fn of(credential: Value) -> Self {
        Self { document: anchored(credential), ..Self::new() }.look_again()
    }

    fn look_again(mut self) -> Self {
        self.seen = Ok(observation(&read(&self.document).expect("well formed").anchor.expect("anchored").receipt));
        self
    }

    fn verify(&self) -> Report {
        let document = read(&self.document);
        document.map_or_else(refuse, |document| verify(&document, &self.seen, &self.checked, &self.policy, self.now))
    }

    fn seen(&mut self) -> &mut Observation {
        self.seen.as_mut().expect("seen")
    }

    #[track_caller]
    fn fails(&self, kind: CheckKind, expected: impl Fn(&Fault) -> bool) {
        let report = self.verify();
        assert_eq!(report.verdict(), Verdict::Invalid, "{report:#?}");
        assert!(matches!(report.outcome(kind), Some(Outcome::Fail(fault)) if expected(fault)), "{report:#?}");
    }

    #[track_caller]
    fn is_unknown(&self, kind: CheckKind, expected: impl Fn(&Gap) -> bool) {
        let report = self.verify();
        assert_eq!(report.verdict(), Verdict::Unverifiable, "{report:#?}");
        assert!(matches!(report.outcome(kind), Some(Outcome::Unknown(gap)) if expected(gap)), "{report:#?}");
    }

    #[track_caller]
    fn is_valid(&self) {
        let report = self.verify();
        assert_eq!((report.verdict(), report.decisive()), (Verdict::Valid, None), "{report:#?}");
    }
}

#[test]
fn the_unspoilt_case_is_valid() {
    Case::new().is_valid();
}

#[test]
fn any_changed_member_is_noticed() {
    let original = anchored(credential());
    let pointers = ["/issuer/name", "/validFrom", "/credentialSubject/achievement", "/type/0", "/@context/0"];
    for pointer in pointers.into_iter().chain(["/proof/nonce", "/proof/created"]) {
        let mut case = Case::new();
        case.document = original.clone();
        let value = case.document.pointer_mut(pointer).expect("exists");
        *value = match pointer {
            "/validFrom" | "/proof/created" => json!("2026-01-02T00:00:00Z"),
            _ => json!(format!("{}x", value.as_str().expect("text"))),
        };
        case.fails(CheckKind::Integrity, |fault| *fault == Fault::Changed);
        case.fails(CheckKind::Inclusion, |fault| matches!(fault, Fault::Document(Error::Root { .. })));
    }
}

#[test]
fn order_and_spacing_of_members_do_not_matter() {
    let case = Case::new();
    let Value::Object(members) = &case.document else { panic!("an object") };
    let turned: serde_json::Map<_, _> = members.clone().into_iter().rev().collect();
    let pretty = serde_json::to_vec_pretty(&turned).expect("serialises");
    let document = Document::from_credential(&pretty).expect("well formed");
    assert_eq!(verify(&document, &case.seen, &case.checked, &case.policy, case.now).verdict(), Verdict::Valid);
}

#[test]
fn a_credential_holds_one_anchor_at_most() {
    let mut case = Case::new();
    let anchor = case.document["proof"].clone();
    case.document["proof"] = json!([]);
    case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::NoProof);
    case.policy.anchor = Need::Required;
    case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::NoAnchor);
    case.document["proof"] = json!([anchor.clone(), anchor]);
    case.fails(CheckKind::Integrity, |fault| *fault == Fault::Document(Error::SeveralAnchors));
}

#[test]
fn other_signatures_are_told_and_required_only_on_demand() {
    let mut case = Case::new();
    let anchor = case.document["proof"].clone();
    case.document["proof"] = json!([{"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"}, anchor]);
    case.is_valid();
    case.policy.signature = Need::Required;
    assert_eq!(case.verify().decisive().map(|check| check.kind), Some(CheckKind::Signature));
    case.is_unknown(CheckKind::Signature, |gap| *gap == Gap::UncheckedProofs { count: 1 });
}

#[test]
fn what_the_policy_does_not_trust_is_not_believed() {
    let mut case = Case::new();
    case.policy.chains = Policy::default().chains;
    case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::ChainNotAccepted { chain: CHAIN });

    let mut case = Case::new();
    let config = read(&case.document).expect("well formed").anchor.expect("anchored").config;
    let mut receipt = receipt(&config, credential_hash(&credential()));
    receipt.registry = Address([3; 20]);
    case.document = credential();
    let members = case.document.as_object_mut().expect("an object");
    AnchorProof { config, receipt }.embed(members).expect("not anchored yet");
    let mut case = case.look_again();
    case.is_unknown(CheckKind::Anchor, |gap| matches!(gap, Gap::RegistryNotAccepted { .. }));
    case.policy.registries = vec![Address([3; 20])];
    case.is_valid();
    case.seen().code_hash = Some(Hash([1; 32]));
    case.fails(CheckKind::Anchor, |fault| matches!(fault, Fault::ForeignCode { .. }));
}

#[test]
fn a_fault_of_the_network_is_never_a_verdict() {
    for unseen in [
        Unseen::Unreachable,
        Unseen::Unusable,
        Unseen::NoEndpoint { wanted: CHAIN },
        Unseen::OtherChain { wanted: CHAIN, served: ChainId(1) },
    ] {
        let mut case = Case::new();
        case.seen = Err(unseen);
        case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::Unseen(unseen));
        case.is_unknown(CheckKind::Status, |gap| *gap == Gap::Unseen(unseen));
        // What is false is false without a network.
        case.document["credentialSubject"]["achievement"] = json!("Alchemy");
        case.fails(CheckKind::Integrity, |fault| *fault == Fault::Changed);
    }
}

#[test]
fn an_observation_of_something_else_does_not_count() {
    let spoil: [fn(&mut Observation); 3] =
        [|o| o.root = Hash([2; 32]), |o| o.issuer = Address([2; 20]), |o| o.registry = Address([2; 20])];
    for spoil in spoil {
        let mut case = Case::new();
        spoil(case.seen());
        case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::OtherObservation);
    }
    let mut case = Case::new();
    case.seen().chain = ChainId(1);
    case.is_unknown(CheckKind::Anchor, |gap| matches!(gap, Gap::Unseen(Unseen::OtherChain { .. })));
}

#[test]
fn the_anchor_must_stand_settled_with_its_size() {
    let mut case = Case::new();
    case.seen().anchor_at_head = None;
    case.seen().anchor_settled = None;
    case.fails(CheckKind::Anchor, |fault| matches!(fault, Fault::NotAnchored { .. }));
    case.seen().head.number = BlockNumber(49);
    case.is_unknown(CheckKind::Anchor, |gap| matches!(gap, Gap::Behind { .. }));

    let mut case = Case::new();
    case.seen().code_hash = None;
    case.fails(CheckKind::Anchor, |fault| matches!(fault, Fault::NoRegistry { .. }));

    let mut case = Case::new();
    case.seen().anchor_settled = None;
    case.is_unknown(CheckKind::Anchor, |gap| matches!(gap, Gap::NotSettled { .. }));

    let mut case = Case::new();
    case.seen().finality = Finality::Included;
    case.is_unknown(CheckKind::Anchor, |gap| matches!(gap, Gap::LessSettled { .. }));
    case.policy.finality = Finality::Included;
    case.is_valid();

    let mut case = Case::new();
    case.seen().anchor_at_head.as_mut().expect("anchored").size = 4;
    case.fails(CheckKind::Anchor, |fault| *fault == Fault::TreeSize { anchored: 4, claimed: 3 });

    let mut case = Case::new();
    case.seen().anchor_at_head.as_mut().expect("anchored").withdrawn = true;
    case.fails(CheckKind::Anchor, |fault| *fault == Fault::Withdrawn);
}

#[test]
fn the_account_must_be_tied_to_the_issuer_it_speaks_for() {
    let mut case = Case::new();
    case.policy.issuers.clear();
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::NoTie { .. }));
    case.policy.issuer = Need::Optional;
    case.is_valid();

    let mut case = Case::new();
    case.policy.issuers[0].accounts = vec![Address([8; 20])];
    case.fails(CheckKind::Issuer, |fault| matches!(fault, Fault::NotTheirAccount { .. }));

    let named = |did: &str| {
        let mut value = credential();
        value["issuer"] = json!(did);
        let mut case = Case::of(value);
        case.policy.issuers.clear();
        case
    };
    named(&format!("did:pkh:eip155:31337:0x{}", "07".repeat(20))).is_valid();
    let other = |fault: &Fault| matches!(fault, Fault::OtherAccount { .. });
    named(&format!("did:pkh:eip155:31337:0x{}", "08".repeat(20))).fails(CheckKind::Issuer, other);
    named(&format!("did:pkh:eip155:1:0x{}", "07".repeat(20))).fails(CheckKind::Issuer, other);

    let mut value = credential();
    value.as_object_mut().expect("an object").remove("issuer");
    Case::of(value).fails(CheckKind::Issuer, |fault| *fault == Fault::Document(Error::Member { member: "issuer" }));
}

#[test]
fn proof_and_receipt_must_name_one_account_and_chain() {
    let mut case = Case::new();
    case.document["proof"]["verificationMethod"] = json!(format!("did:pkh:eip155:31337:0x{}", "08".repeat(20)));
    case.fails(CheckKind::Integrity, |fault| matches!(fault, Fault::Document(Error::Account { .. })));
    case.document["proof"]["verificationMethod"] = json!(format!("did:pkh:eip155:1:{ISSUER}"));
    case.fails(CheckKind::Integrity, |fault| matches!(fault, Fault::Document(Error::Chain { .. })));
}

/// A status of one set bit, with the proof of the receipt's bit.
fn status_with(set: u64) -> StatusAt {
    let mut tree = StatusTree::new();
    tree.toggle(&[StatusIndex::new(set).expect("in range")]);
    let record = StatusRecord { root: tree.root(), epoch: 1, time: NOW, block: BlockNumber(90) };
    StatusAt { record, proof: Some(tree.proof(StatusIndex::new(123_456).expect("in range"))) }
}

#[test]
fn a_set_bit_counts_at_once_and_a_cleared_one_when_settled() {
    for purpose in 0..2 {
        let is_set =
            |fault: &Fault| matches!(fault, Fault::StatusSet { purpose: p, .. } if usize::from(p.0) == purpose);
        let mut case = Case::new();
        case.seen().status[purpose].head = status_with(123_456);
        case.fails(CheckKind::Status, is_set);

        let mut case = Case::new();
        case.seen().status[purpose].settled = status_with(123_456);
        case.fails(CheckKind::Status, is_set);

        let mut case = Case::new();
        case.seen().status[purpose].head = status_with(5);
        case.is_valid();
    }
}

#[test]
fn status_that_cannot_be_told_is_unknown() {
    let unseen = |gap: &Gap| matches!(gap, Gap::StatusUnseen { .. });
    let mut case = Case::new();
    case.seen().status[0].head = StatusAt { proof: None, ..status_with(5) };
    case.is_unknown(CheckKind::Status, unseen);
    case.policy.status = Need::Optional;
    case.is_valid();

    let mut case = Case::new();
    case.seen().status[0].head.record = status_with(5).record;
    case.seen().status[0].head.proof = status_with(6).proof; // of another tree
    case.is_unknown(CheckKind::Status, unseen);

    let mut case = Case::new();
    case.seen().status.clear();
    case.is_unknown(CheckKind::Status, unseen);

    for purpose in 0..2 {
        let mut case = Case::new();
        case.seen().status.remove(purpose);
        case.is_unknown(
            CheckKind::Status,
            |gap| matches!(gap, Gap::StatusUnseen { purpose: p } if usize::from(p.0) == purpose),
        );
    }

    let mut case = Case::new();
    case.policy.max_status_age = Some(60);
    case.is_valid();
    case.now = UnixSeconds(NOW.0 + 61);
    case.is_unknown(CheckKind::Status, |gap| *gap == Gap::StatusTooOld { age: 61, allowed: 60 });

    let mut value = credential();
    value["credentialStatus"] = json!([{"type": "BitstringStatusListEntry"}, {}]);
    Case::of(value).is_unknown(CheckKind::Status, |gap| *gap == Gap::OtherStatusLists { count: 2 });

    let receipt = read(&anchored(credential())).expect("well formed").anchor.expect("anchored").receipt;
    let mut value = credential();
    value["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": receipt.status_index.within_list().to_string(),
        "statusListCredential":
            format!("https://any.example/v1/issuers/{}/status/revocation/lists/{}", receipt.issuer, receipt.status_index.list()),
    });
    Case::of(value).is_valid();
}

#[test]
fn a_credential_counts_within_its_period_only() {
    let with = |member: &str, date: &str| {
        let mut value = credential();
        value[member] = json!(date);
        Case::of(value)
    };
    for member in ["validFrom", "issuanceDate"] {
        with(member, "2040-01-01T00:00:00Z").fails(CheckKind::Validity, |fault| matches!(fault, Fault::NotYet { .. }));
        with(member, "soon").fails(CheckKind::Validity, |fault| {
            *fault
                == Fault::Document(Error::Member {
                    member: if member == "validFrom" { "validFrom" } else { "issuanceDate" },
                })
        });
    }
    for member in ["validUntil", "expirationDate"] {
        with(member, "2026-06-01T00:00:00Z").fails(CheckKind::Validity, |fault| matches!(fault, Fault::Expired { .. }));
        with(member, "2040-06-01T00:00:00Z").is_valid();
    }
}

#[test]
fn a_file_is_verified_by_the_receipt_beside_it() {
    let file = b"%PDF-1.7 a diploma";
    let config = ProofConfig::new(None, CHAIN, ISSUER, UnixSeconds(1_790_000_000), [6; 32]);
    let receipt = receipt(&config, file_hash(file));
    let seen = Ok(observation(&receipt));
    let beside = AnchorProof { config, receipt }.to_detached().to_string();
    let check = |file: &[u8], policy: &Policy| {
        let document = Document::from_file(file, beside.as_bytes()).expect("well formed");
        verify(&document, &seen, &Checked::default(), policy, NOW).verdict()
    };
    assert_eq!(check(file, &policy()), Verdict::Valid);
    assert_eq!(check(b"%PDF-1.7 a diplomA", &policy()), Verdict::Invalid);
    assert_eq!(check(file, &Policy { issuers: Vec::new(), ..policy() }), Verdict::Unverifiable);
    for spoilt in [
        beside.replace("leafIndex", "leafIndes"),
        beside.replace("\"version\":1", "\"version\":2"),
        beside.replace("31337", "1"),
    ] {
        let document = Document::from_file(file, spoilt.as_bytes());
        let verdict = document
            .map_or_else(refuse, |document| verify(&document, &seen, &Checked::default(), &policy(), NOW))
            .verdict();
        assert_ne!(verdict, Verdict::Valid, "{spoilt}");
    }
}

#[test]
fn reports_serialise_with_stable_names() {
    let mut case = Case::new();
    case.policy.issuers.clear();
    let report = serde_json::to_value(case.verify()).expect("serialises");
    assert_eq!(report["verdict"], "unverifiable");
    assert_eq!(report["checks"][0]["outcome"], "pass");
    assert_eq!(report["checks"][3]["detail"]["kind"], "noTie");
    assert_eq!(report["checks"][2]["detail"]["block"], 50);
}

/// A case without an anchor whose one signature came out like this.
fn signed(outcome: SignatureOutcome) -> Case {
    let mut case = Case::new();
    case.document = credential();
    case.document["proof"] = json!({"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"});
    case.seen = Err(Unseen::Unreachable);
    case.policy.issuers.clear();
    case.checked.signatures = vec![signature(outcome)];
    case
}

fn signature(outcome: SignatureOutcome) -> Signature {
    Signature { suite: "eddsa-jcs-2022".to_owned(), method: None, created: None, outcome }
}

fn by_issuer(until: Option<UnixSeconds>) -> SignatureOutcome {
    SignatureOutcome::Holds(KeyOwner::Issuer { as_of: Some(NOW), until })
}

fn unreachable(what: &str) -> Missing {
    Missing::Unreachable { what: what.to_owned(), detail: "timed out".to_owned() }
}

#[test]
fn without_an_anchor_a_signature_of_the_issuer_must_hold() {
    signed(by_issuer(None)).is_valid();

    let missing = SignatureOutcome::Unknown(SignatureGap::Missing(unreachable("a DID document")));
    signed(missing).is_unknown(CheckKind::Signature, |gap| matches!(gap, Gap::Signature { .. }));
    signed(SignatureOutcome::Fails(SignatureFault::Altered))
        .fails(CheckKind::Signature, |fault| matches!(fault, Fault::Signature { .. }));

    let unproven = SignatureOutcome::Holds(KeyOwner::Unproven(unreachable("a DID document")));
    signed(unproven).is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::KeyUnproven { .. }));
    let untied = SignatureOutcome::Holds(KeyOwner::Untied { owner: "did:key:z6Mk".to_owned() });
    let mut case = signed(untied);
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::KeyUntied { .. }));
    case.policy.issuer = Need::Optional;
    case.is_valid();

    let mut case = signed(by_issuer(None));
    case.policy.anchor = Need::Required;
    case.is_unknown(CheckKind::Anchor, |gap| *gap == Gap::NoAnchor);
}

#[test]
fn one_false_signature_spoils_what_others_prove() {
    let mut case = Case::new();
    case.checked.signatures =
        vec![signature(by_issuer(None)), signature(SignatureOutcome::Unknown(SignatureGap::NoKey))];
    case.is_valid();
    case.checked.signatures.push(signature(SignatureOutcome::Fails(SignatureFault::Altered)));
    case.fails(CheckKind::Signature, |fault| matches!(fault, Fault::Signature { .. }));
}

#[test]
fn an_ended_key_counts_for_what_was_anchored_before() {
    let anchored_at = UnixSeconds(1_790_000_010);
    let mut case = Case::new();
    case.policy.signature = Need::Required;
    case.checked.signatures = vec![signature(by_issuer(Some(anchored_at)))];
    case.is_valid();
    let earlier = UnixSeconds(anchored_at.0 - 1);
    case.checked.signatures = vec![signature(by_issuer(Some(earlier)))];
    case.is_unknown(CheckKind::Signature, |gap| *gap == Gap::KeyEnded { until: earlier });
    signed(by_issuer(Some(earlier))).is_unknown(CheckKind::Signature, |gap| matches!(gap, Gap::KeyEnded { .. }));
    signed(by_issuer(Some(UnixSeconds(NOW.0 + 1)))).is_valid();
}

#[test]
fn an_ended_key_is_not_made_good_by_somebody_else_s_signature() {
    let nobody = || SignatureOutcome::Holds(KeyOwner::Untied { owner: "did:key:z6Mk".to_owned() });
    let unproven = || SignatureOutcome::Holds(KeyOwner::Unproven(unreachable("a DID document")));
    for other in [nobody(), unproven()] {
        let mut case = signed(by_issuer(Some(UnixSeconds(NOW.0 - 1))));
        case.checked.signatures.push(signature(other));
        case.is_unknown(CheckKind::Issuer, |_| true);
    }
}

#[test]
fn a_signature_that_the_policy_asks_for_is_the_issuer_s() {
    let mut case = Case::new();
    case.checked.signatures = vec![signature(SignatureOutcome::Holds(KeyOwner::Unproven(unreachable("a document"))))];
    case.is_valid();
    case.policy.signature = Need::Required;
    case.is_unknown(CheckKind::Signature, |gap| matches!(gap, Gap::KeyUnproven { .. }));
    case.checked.signatures.push(signature(by_issuer(None)));
    case.is_valid();
    let untied = KeyOwner::Untied { owner: "did:key:z6Mk".to_owned() };
    case.checked.signatures = vec![signature(SignatureOutcome::Holds(untied))];
    case.is_unknown(CheckKind::Signature, |gap| matches!(gap, Gap::KeyUntied { .. }));
}

fn told(answer: TieAnswer) -> TieFound {
    TieFound { source: TieSource::DidDocument { url: "https://example.edu/.well-known/did.json".to_owned() }, answer }
}

fn theirs(as_of: UnixSeconds, until: Option<UnixSeconds>) -> TieAnswer {
    TieAnswer::Theirs { as_of, until }
}

#[test]
fn an_ended_account_counts_for_what_it_anchored_before() {
    let anchored_at = UnixSeconds(1_790_000_010);
    let mut case = Case::new();
    case.policy.issuers.clear();
    case.checked.ties = vec![told(theirs(NOW, Some(anchored_at)))];
    case.is_valid();
    let until = UnixSeconds(anchored_at.0 - 1);
    case.checked.ties = vec![told(theirs(NOW, Some(until)))];
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::AccountEnded { until: found, .. } if *found == until));
    case.checked.ties.push(told(theirs(NOW, None)));
    case.is_valid();
}

#[test]
fn an_account_is_tied_by_whoever_may_say_so_unless_another_contradicts() {
    let mut case = Case::new();
    case.policy.issuers.clear();
    case.checked.ties = vec![told(TieAnswer::Silent)];
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::NoTie { .. }));
    case.checked.ties.push(told(TieAnswer::Unknown(unreachable("a DNS record"))));
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::TieUnseen { .. }));
    case.checked.ties.push(told(theirs(UnixSeconds(NOW.0 - 100), None)));
    case.is_valid();
    case.policy.max_identity_age = Some(99);
    case.is_unknown(CheckKind::Issuer, |gap| *gap == Gap::IdentityTooOld { age: 100, allowed: 99 });
    case.policy.max_identity_age = Some(100);
    case.is_valid();
    case.policy.recognised = Need::Required;
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::NotRecognised { .. }));
    case.policy.issuers = vec![RecognisedIssuer { accounts: Vec::new(), ..policy().issuers[0].clone() }];
    case.is_valid();
    case.checked.ties.push(told(TieAnswer::Others { accounts: vec![Address([8; 20])] }));
    case.fails(CheckKind::Issuer, |fault| matches!(fault, Fault::NotTheirAccount { .. }));
    // The verifier's own word stands above all.
    case.policy = policy();
    case.is_valid();
}

#[test]
fn an_issuer_that_can_be_mistaken_for_another_is_not_taken_for_it() {
    let like = LooksLike { named: "did:web:examp1e.edu".to_owned(), recognised: "did:web:example.edu".to_owned() };
    let mut case = Case::new();
    case.checked.looks_like = Some(like.clone());
    case.is_valid(); // recognised itself
    case.policy.issuers.clear();
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::LooksLike { .. }));
    case.checked.ties = vec![told(theirs(NOW, None))];
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::LooksLike { .. }));
    let mut case = signed(by_issuer(None));
    case.checked.looks_like = Some(like);
    case.is_unknown(CheckKind::Issuer, |gap| matches!(gap, Gap::LooksLike { .. }));
}

#[test]
fn every_list_that_is_named_must_be_clear() {
    let list = "https://x.example/1".to_owned();
    let entry = |outcome| ListEntry { purpose: "revocation".to_owned(), list: list.clone(), signer: None, outcome };
    let clear = || entry(ListOutcome::Clear { as_of: NOW });
    let mut value = credential();
    value["credentialStatus"] = json!([{"type": "StatusList2021Entry"}, {"type": "StatusList2021Entry"}]);
    let mut case = Case::of(value);
    case.checked.lists = vec![clear()];
    case.is_unknown(CheckKind::Status, |gap| *gap == Gap::OtherStatusLists { count: 1 });
    case.checked.lists.push(clear());
    case.is_valid();
    let gap = ListGap::Missing(unreachable("https://x.example/1"));
    case.checked.lists[0] = entry(ListOutcome::Unknown(gap));
    case.is_unknown(CheckKind::Status, |gap| matches!(gap, Gap::ListUnknown { .. }));
    case.checked.lists[1] = entry(ListOutcome::Set { as_of: NOW });
    case.fails(CheckKind::Status, |fault| matches!(fault, Fault::ListSet { .. }));
    // A set status is told although the chain cannot be seen, and a bit that is set on chain although a list cannot.
    case.seen = Err(Unseen::Unreachable);
    case.fails(CheckKind::Status, |fault| matches!(fault, Fault::ListSet { .. }));
    let mut case = signed(by_issuer(None));
    case.checked.lists = vec![clear()];
    case.is_valid();
}
