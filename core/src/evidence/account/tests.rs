use serde_json::json;

use super::*;
use crate::evidence::world::{World, string};

const ISSUER: Address = Address([7; 20]);
const ROOT: Hash = Hash([5; 32]);

/// A world in which the root is anchored and something was revoked, and the slots that say so.
fn world() -> (World, Vec<Hash>) {
    let mut world = World::new();
    let mut packed = [0; 32];
    (packed[15], packed[23], packed[31]) = (3, 2, 1);
    let [first, second] = slots::status(ISSUER, Purpose::REVOCATION);
    let anchor = slots::anchor(ISSUER, ROOT);
    world.slots.extend([(anchor, Hash(packed)), (first, Hash([4; 32])), (second, Hash(packed))]);
    (world, vec![anchor, first, second])
}

fn check(world: &World, answer: &Value, slots: &[Hash]) -> Result<Proven, ProofError> {
    AccountProof::from_rpc(answer)?.check(&world.header(), world.address, slots)
}

#[test]
fn what_is_written_and_what_is_not_is_proven() {
    let (world, mut asked) = world();
    asked.push(slots::anchor(ISSUER, Hash([6; 32])));
    asked.extend(slots::status(ISSUER, Purpose::SUSPENSION));
    let proven = check(&world, &world.answer(&asked), &asked).expect("an honest proof");
    assert_eq!((proven.block(), proven.address()), (world.header().block(), world.address));
    assert_eq!(proven.code_hash(), Some(crate::registry::CODE_HASH));
    let anchor = proven.anchor(ISSUER, ROOT).expect("proven").expect("anchored");
    assert_eq!((anchor.size, anchor.block.0, anchor.time.0, anchor.withdrawn), (3, 2, 1, false));
    assert_eq!(proven.anchor(ISSUER, Hash([6; 32])), Ok(None));
    let status = proven.status(ISSUER, Purpose::REVOCATION).expect("proven");
    assert_eq!((status.root, status.epoch), (Hash([4; 32]), 1));
    assert_eq!(proven.status(ISSUER, Purpose::SUSPENSION), Ok(StatusRecord::default()));
    let slot = slots::anchor(ISSUER, Hash([8; 32]));
    assert_eq!(proven.anchor(ISSUER, Hash([8; 32])), Err(ProofError::NotProven { slot }));
}

#[test]
fn an_account_that_is_not_there_has_neither_code_nor_slots() {
    let (mut world, slots) = world();
    world.is_deployed = false;
    let proven = check(&world, &world.answer(&slots), &slots).expect("a proof that there is nothing");
    assert_eq!((proven.code_hash(), proven.anchor(ISSUER, ROOT)), (None, Ok(None)));
    let mut answer = world.answer(&slots);
    answer["storageProof"][0]["proof"] = json!(["0x80"]);
    assert!(check(&world, &answer, &slots).is_ok(), "some clients list the empty root");
    answer["storageProof"][0]["value"] = json!("0x1");
    assert!(matches!(check(&world, &answer, &slots), Err(ProofError::Claim { .. })));
}

#[test]
fn an_account_without_code_has_none() {
    let (mut world, slots) = world();
    world.code_hash = keccak256(b"");
    assert_eq!(check(&world, &world.answer(&slots), &slots).map(|proven| proven.code_hash()), Ok(None));
}

#[test]
fn a_lie_is_told_from_what_is_proven() {
    let (world, slots) = world();
    let honest = world.answer(&slots);
    let lie = |path: &str, value: Value| {
        let mut answer = honest.clone();
        *answer.pointer_mut(path).expect("a member") = value;
        check(&world, &answer, &slots).expect_err("a lie")
    };
    let proven = Hash([4; 32]);
    let claim = ProofError::Claim { what: "the slot's value", claimed: Hash::ZERO, proven };
    assert_eq!(lie("/storageProof/1/value", json!("0x0")), claim);
    assert!(matches!(lie("/codeHash", json!(Hash([1; 32]))), ProofError::Claim { what: "the code hash", .. }));
    assert!(matches!(lie("/address", json!(ISSUER)), ProofError::OtherAccount { .. }));
    // The proof of another slot, and none at all.
    assert!(lie("/storageProof/1/proof", honest["storageProof"][0]["proof"].clone()) != claim);
    assert!(matches!(lie("/storageProof/1/proof", json!([])), ProofError::MissingNode { .. }));
    assert!(matches!(lie("/accountProof", json!([])), ProofError::MissingNode { .. }));
    // Slots that were not asked for, twice the same, one too few.
    let other_slot = lie("/storageProof/1/key", json!("0x1"));
    assert!(!matches!(other_slot, ProofError::Answer { .. }), "{other_slot}");
    assert!(matches!(lie("/storageProof/1", honest["storageProof"][0].clone()), ProofError::NotAsked { .. }));
    assert_eq!(lie("/storageProof", json!([])), ProofError::NotProven { slot: slots[0] });
    let fewer = check(&world, &honest, &slots[1..]);
    assert_eq!(fewer, Err(ProofError::NotAsked { slot: slots[0] }));
}

#[test]
fn proofs_of_another_block_or_contract_do_not_hold() {
    let (world, slots) = world();
    let (mut later, _) = self::world();
    later.slots.insert(slots[1], Hash([3; 32]));
    let stale = check(&later, &world.answer(&slots), &slots);
    assert!(matches!(stale, Err(ProofError::WrongNode { .. })), "{stale:?}");
    let (mut look_alike, _) = self::world();
    look_alike.address = Address([9; 20]);
    let mut answer = look_alike.answer(&slots);
    answer["address"] = json!(world.address);
    assert!(check(&world, &answer, &slots).is_err());
}

#[test]
fn what_is_no_answer_or_too_much_is_named() {
    let (world, slots) = world();
    let honest = world.answer(&slots);
    for member in ["address", "accountProof", "codeHash", "storageProof"] {
        for strange in [Value::Null, json!(7), json!("0x"), json!("0xzz"), json!([7])] {
            let mut answer = honest.clone();
            answer[member] = strange.clone();
            let refused = AccountProof::from_rpc(&answer).expect_err(member);
            assert!(matches!(refused, ProofError::Answer { .. }), "{member}: {strange}");
        }
    }
    let node = format!("0x{}", "00".repeat(MAX_NODE_BYTES + 1));
    let mut answer = honest.clone();
    answer["accountProof"] = json!([node]);
    assert!(matches!(AccountProof::from_rpc(&answer), Err(ProofError::TooLarge { .. })));
    answer["accountProof"] = json!(vec!["0x80"; MAX_NODES + 1]);
    assert!(matches!(AccountProof::from_rpc(&answer), Err(ProofError::TooLarge { .. })));
}

/// A storage of one slot, whose leaf holds a number that nobody writes so.
#[test]
fn a_number_has_one_form() {
    for (bytes, is_right) in [(vec![1], true), (vec![0, 1], false), (vec![], false), (vec![1; 33], false)] {
        let mut trie = crate::evidence::world::Trie::default();
        trie.0.insert(keccak256(&ROOT.0), string(&bytes));
        let (storage_root, nodes) = trie.prove(keccak256(&ROOT.0));
        let account = Account { storage_root, code_hash: Hash::ZERO };
        let value = Account::slot(Some(&account), ROOT, &mut Listed::new(&nodes));
        assert_eq!(value.is_ok(), is_right, "{bytes:?}: {value:?}");
    }
}
