//! A small world of changes, strangers, blocks and reorgs, in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use testamur_core::{Address, Hash, UnixSeconds};

use super::*;
use crate::store::Action;

fn index(n: u64) -> StatusIndex {
    StatusIndex::new(n).unwrap()
}

fn wish(id: u64, action: Action, indices: &[u64], state: ChangeState) -> Wish {
    let (issuer, accepted_at, count) = (Address([1; 20]), UnixSeconds(id), indices.len() as u64);
    let change = ChangeRecord { id: ChangeId(id), issuer, action, reason: 0, count, accepted_at, now: false, state };
    Wish { change, indices: indices.iter().map(|&n| index(n)).collect() }
}

fn at(epoch: u64, block: u64) -> UpdatedAt {
    let (block, time) = (BlockNumber(block), UnixSeconds(1000 + block));
    UpdatedAt { epoch, block, time, transaction: Hash([epoch as u8; 32]) }
}

fn tree(bits: &[u64]) -> StatusTree {
    let mut tree = StatusTree::new();
    tree.toggle(&bits.iter().map(|&n| index(n)).collect::<Vec<_>>());
    tree
}

/// What became of each change that moved.
fn moves(outcome: &Outcome) -> Vec<(u64, ChangeState)> {
    outcome.moved.iter().map(|change| (change.id.0, change.state)).collect()
}

const PENDING: ChangeState = ChangeState::Pending;

#[test]
fn the_newer_change_counts_and_the_older_is_no_longer_waited_for() {
    let open = [wish(1, Action::Suspend, &[5, 6], PENDING), wish(2, Action::Reinstate, &[6, 7], PENDING)];
    let bits = tree(&[7]);
    let sight = Sight { bits: &bits, newest: at(3, 30), settled: BlockNumber(20) };
    let outcome = reconcile(&open, sight, &[], &[]);
    assert_eq!(outcome.missing, [index(5), index(7)], "6 is to be clear, and is");
    assert_eq!((outcome.waiting.len(), moves(&outcome)), (2, vec![]));
}

#[test]
fn what_a_transaction_under_way_would_undo_is_not_included() {
    let open = [wish(1, Action::Suspend, &[5], PENDING), wish(2, Action::Reinstate, &[5], PENDING)];
    let bits = tree(&[]);
    let sight = Sight { bits: &bits, newest: at(3, 30), settled: BlockNumber(30) };
    let flight = |epoch| Flight { epoch, toggles: [index(5)].into(), minable: true };
    let outcome = reconcile(&open, sight, &[flight(4)], &[]);
    assert!(outcome.contested && outcome.missing.is_empty());
    assert_eq!(moves(&outcome), [(1, ChangeState::Final { at: at(3, 30) })], "overruled: nothing can come of it");
    let outcome = reconcile(&open, sight, &[flight(3)], &[]);
    assert!(!outcome.contested, "its epoch is taken");
    assert_eq!(outcome.moved.len(), 2);
}

#[test]
fn a_change_rests_on_its_update_and_strangers_are_not_fought() {
    let included = ChangeState::Included { at: at(3, 30) };
    let open = [wish(1, Action::Suspend, &[5], included)];
    let bits = tree(&[]);
    let look =
        |newest, stands: &[_]| reconcile(&open, Sight { bits: &bits, newest, settled: BlockNumber(20) }, &[], stands);
    let outcome = look(at(4, 31), &[]);
    assert_eq!((outcome.unsure, outcome.missing), (vec![at(3, 30)], vec![]), "somebody toggled it back, or a reorg");
    assert_eq!(look(at(4, 31), &[(at(3, 30), true)]), Outcome::default());
    let outcome = look(at(4, 31), &[(at(3, 30), false)]);
    assert_eq!((moves(&outcome), outcome.missing), (vec![(1, PENDING)], vec![index(5)]));
    for reorganised in [at(2, 20), at(3, 31), at(4, 29)] {
        assert_eq!(look(reorganised, &[]).missing, [index(5)], "{reorganised:?}");
    }
}

#[test]
fn changes_become_final_in_their_order() {
    let included = |epoch, block| ChangeState::Included { at: at(epoch, block) };
    let bits = tree(&[5, 6]);
    let sight = Sight { bits: &bits, newest: at(3, 30), settled: BlockNumber(30) };
    let waits = wish(1, Action::Suspend, &[4], PENDING);
    let open = [waits.clone(), wish(2, Action::Suspend, &[5], included(3, 30))];
    assert_eq!(moves(&reconcile(&open, sight, &[], &[])), []);
    let open =
        [wish(2, Action::Suspend, &[5], included(2, 20)), wish(3, Action::Suspend, &[6], included(3, 30)), waits];
    assert_eq!(reconcile(&open, sight, &[], &[]).unsure, [at(2, 20)], "before it is final, it is looked at");
    let told = reconcile(&open, sight, &[], &[(at(2, 20), true)]);
    let expected = [(2, ChangeState::Final { at: at(2, 20) }), (3, ChangeState::Final { at: at(3, 30) })];
    assert_eq!(moves(&told), expected);
}

#[test]
fn what_is_missing_is_due_by_age_by_count_or_now() {
    let policy = StatusPolicy { max_age: Duration::from_secs(30), max_changes: 100 };
    let due = |missing, age, now| is_due(missing, Duration::from_secs(age), now, &policy);
    assert!(!due(99, 29, false));
    assert!(due(99, 30, false) && due(100, 0, false) && due(1, 0, true));
    assert!(!due(0, 1000, true), "nothing to write");
}

#[test]
fn turns_go_round() {
    assert_eq!(next_turn(&[3, 1, 2], None), Some(1));
    assert_eq!(next_turn(&[3, 1, 2], Some(1)), Some(2));
    assert_eq!(next_turn(&[3, 1, 2], Some(3)), Some(1));
    assert_eq!(next_turn(&[], Some(3)), None);
}

// --- The small world

/// An update on the model's chain.
#[derive(Clone, Debug)]
struct Update {
    at: UpdatedAt,
    toggles: Vec<StatusIndex>,
    ours: bool,
}

#[derive(Clone, Debug)]
enum Op {
    Accept(Action, Vec<u64>),
    /// Somebody else with the right to do so.
    Stranger(Vec<u64>),
    Tick {
        limit: usize,
    },
    /// A block, with our transaction if it is still possible.
    Mine {
        with_ours: bool,
    },
    Reorg {
        depth: usize,
    },
    Settle {
        blocks: u64,
    },
}

#[derive(Default)]
struct Model {
    updates: Vec<Update>,
    block: u64,
    settled: u64,
    /// Counts everything that ever happened, so that no two updates are the same.
    made: u64,
    open: Vec<Wish>,
    done: Vec<Wish>,
    /// Ours that are not on chain.
    flights: Vec<Sent>,
}

/// An update of ours on its way.
#[derive(Clone, Debug)]
struct Sent {
    epoch: u64,
    toggles: Vec<StatusIndex>,
    /// The root that it was made for. On another one its own root would be wrong, so it is taken back.
    base: Hash,
}

impl Model {
    fn bits(&self, epoch: u64) -> StatusTree {
        let mut tree = StatusTree::new();
        self.updates.iter().take(epoch as usize).for_each(|update| tree.toggle(&update.toggles));
        tree
    }

    fn newest(&self) -> UpdatedAt {
        let nothing = UpdatedAt { epoch: 0, block: BlockNumber(0), time: UnixSeconds(0), transaction: Hash::ZERO };
        self.updates.last().map_or(nothing, |update| update.at)
    }

    fn append(&mut self, toggles: Vec<StatusIndex>, ours: bool) {
        self.block += 1;
        self.made += 1;
        let mut transaction = [0; 32];
        transaction[..8].copy_from_slice(&self.made.to_be_bytes());
        let epoch = self.updates.len() as u64 + 1;
        let at = UpdatedAt {
            epoch,
            block: BlockNumber(self.block),
            time: UnixSeconds(self.block),
            transaction: Hash(transaction),
        };
        self.updates.push(Update { at, toggles, ours });
    }

    fn mine(&mut self) {
        let (epoch, base) = (self.updates.len() as u64 + 1, self.bits(u64::MAX).root());
        match self.flights.iter().position(|sent| sent.epoch == epoch && sent.base == base) {
            Some(ours) => {
                let Sent { toggles, .. } = self.flights.remove(ours);
                self.append(toggles, true);
            }
            None => self.block += 1,
        }
        // What lost its epoch for good is void.
        let settled = self.updates.iter().filter(|update| update.at.block.0 <= self.settled).count() as u64;
        self.flights.retain(|sent| sent.epoch > settled);
    }

    /// What the chain answers about updates.
    fn answer(&self, asked: &[UpdatedAt]) -> Vec<(UpdatedAt, bool)> {
        asked.iter().map(|at| (*at, self.updates.iter().any(|update| update.at == *at))).collect()
    }

    fn outcome(&self) -> Outcome {
        let bits = self.bits(u64::MAX);
        let sight = Sight { bits: &bits, newest: self.newest(), settled: BlockNumber(self.settled) };
        let flight =
            |sent: &Sent| Flight { epoch: sent.epoch, toggles: sent.toggles.iter().copied().collect(), minable: true };
        let flights: Vec<_> = self.flights.iter().map(flight).collect();
        let (mut stands, mut rounds) = (Vec::new(), 0);
        loop {
            let outcome = reconcile(&self.open, sight, &flights, &stands);
            let asked: Vec<_> = outcome.unsure.iter().filter(|at| known(&stands, at).is_none()).copied().collect();
            if asked.is_empty() {
                return outcome;
            }
            stands.extend(self.answer(&asked));
            rounds += 1;
            assert!(rounds < 10, "it ends");
        }
    }

    fn tick(&mut self, limit: usize) {
        let outcome = self.outcome();
        for moved in outcome.moved {
            let wish = self.open.iter_mut().find(|wish| wish.change.id == moved.id).unwrap();
            wish.change = moved;
        }
        let is_final = |wish: &Wish| matches!(wish.change.state, ChangeState::Final { .. });
        self.done.extend(self.open.extract_if(.., |wish| is_final(wish)));
        let (next, base) = (self.updates.len() as u64 + 1, self.bits(u64::MAX).root());
        self.flights.retain(|sent| sent.epoch != next || sent.base == base);
        if self.flights.iter().any(|sent| sent.epoch == next) {
            return; // one at a time
        }
        let mut toggles = outcome.missing;
        toggles.truncate(limit.max(1));
        if !toggles.is_empty() || outcome.contested {
            self.flights.push(Sent { epoch: next, toggles, base });
        }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Accept(action, indices) => {
                let id = (self.open.len() + self.done.len()) as u64 + 1;
                self.open.push(wish(id, action, &indices, PENDING));
            }
            Op::Stranger(toggles) => self.append(toggles.iter().map(|&n| index(n)).collect(), false),
            Op::Tick { limit } => self.tick(limit),
            Op::Mine { with_ours: true } => self.mine(),
            Op::Mine { with_ours: false } => self.block += 1,
            Op::Reorg { depth } => {
                let settled = self.updates.iter().filter(|update| update.at.block.0 <= self.settled).count();
                let keep = self.updates.len().saturating_sub(depth).max(settled);
                let before = self.updates.clone();
                for update in self.updates.split_off(keep) {
                    if update.ours {
                        let (epoch, toggles) = (update.at.epoch, update.toggles);
                        let mut tree = StatusTree::new();
                        before[..epoch as usize - 1].iter().for_each(|update| tree.toggle(&update.toggles));
                        let base = tree.root();
                        self.flights.push(Sent { epoch, toggles, base }); // back in the pool
                    }
                }
            }
            Op::Settle { blocks } => self.settled = (self.settled + blocks).min(self.block),
        }
    }

    /// Nothing more happens but ticks and blocks.
    fn finish(&mut self) {
        for _ in 0..40 {
            self.tick(usize::MAX);
            self.mine();
            self.settled = self.block;
            if self.open.is_empty() {
                return;
            }
        }
        panic!("never final: {:?} over {:?}, {:?}", self.open, self.updates, self.flights);
    }

    /// Each change had what it wanted after the update that it rests on, except where a newer one overruled it, and
    /// what we wrote from then on never took that away.
    fn check(&self) {
        for wish in &self.done {
            let Some(at) = rests_on(wish.change.state) else { panic!("final") };
            assert!(at.epoch == 0 || self.updates.iter().any(|update| update.at == at), "{at:?} stands");
            let newer = |index: &StatusIndex| {
                self.done.iter().any(|other| other.change.id > wish.change.id && other.indices.contains(index))
            };
            for index in wish.indices.iter().filter(|index| !newer(index)) {
                let wanted = wish.change.action.bit();
                assert_eq!(self.bits(at.epoch).bit(*index), wanted, "{wish:?}: {index} at {at:?}");
                for later in &self.updates[at.epoch as usize..] {
                    let lost = later.ours && later.toggles.contains(index) && !self.bits(later.at.epoch).bit(*index);
                    assert!(!(lost && wanted), "{wish:?}: we took {index} away ourselves");
                }
            }
        }
    }

    /// The bits that the newest change of each index wants.
    fn wanted(&self) -> BTreeMap<StatusIndex, bool> {
        let mut done: Vec<_> = self.done.iter().collect();
        done.sort_by_key(|wish| wish.change.id);
        let each = |wish: &&Wish| wish.indices.iter().map(|i| (*i, wish.change.action.bit())).collect::<Vec<_>>();
        done.iter().flat_map(each).collect()
    }
}

fn few() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::btree_set(0_u64..6, 1..4).prop_map(|set| set.into_iter().collect())
}

fn op(strangers: bool) -> impl Strategy<Value = Op> {
    let action = prop_oneof![Just(Action::Suspend), Just(Action::Reinstate)];
    prop_oneof![
        3 => (action, few()).prop_map(|(action, indices)| Op::Accept(action, indices)),
        u32::from(strangers) => few().prop_map(Op::Stranger),
        4 => (1_usize..5).prop_map(|limit| Op::Tick { limit }),
        4 => any::<bool>().prop_map(|with_ours| Op::Mine { with_ours }),
        1 => (1_usize..4).prop_map(|depth| Op::Reorg { depth }),
        2 => (1_u64..4).prop_map(|blocks| Op::Settle { blocks }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_happens_each_change_takes_effect_and_none_is_fought(ops in prop::collection::vec(op(true), 0..60)) {
        let mut model = Model::default();
        ops.into_iter().for_each(|op| model.run(op));
        model.finish();
        model.check();
    }

    #[test]
    fn where_nobody_else_writes_the_bits_are_what_was_acknowledged(ops in prop::collection::vec(op(false), 0..60)) {
        let mut model = Model::default();
        ops.into_iter().for_each(|op| model.run(op));
        model.finish();
        model.check();
        let bits = model.bits(u64::MAX);
        for (index, wanted) in model.wanted() {
            prop_assert_eq!(bits.bit(index), wanted, "{}", index);
        }
    }
}
