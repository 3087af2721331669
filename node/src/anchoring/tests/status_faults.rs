//! Every request of a change's life fails in every form, with and without a restart; and two nodes of one issuer race.

use std::sync::Arc;

use testamur_chain::{Key, Roles, registry::set_operator_call};
use testamur_core::Purpose;

use super::{
    faults::tick_or_die,
    proxy::{Form, Which},
    stories::NEVER,
    world::{KEYS, Node, World, is_done},
};
use crate::store::{Action, Store};

/// A life in which the n-th request fails; whether it had so many.
async fn life_with_fault(world: &World, store: &Arc<Store>, nth: usize, form: Form, restart: bool) -> bool {
    let mut node = world.node_over(store.clone(), |_| ());
    let (base, nonce) = (nth as u64 * 10_000, world.nonce(0).await);
    node.change(world.issuer(1), Action::Revoke, [base, base + 1, base + 5000]);
    node.change(world.issuer(2), Action::Suspend, [base, base + 2]);
    node.change(world.issuer(2), Action::Reinstate, [base + 2]);
    world.mirror_looks().await;
    world.proxy.fail(Which::Nth(nth), form);
    let mut failed = false;
    while !failed && !is_done(store) {
        failed = !tick_or_die(world, &mut node).await;
        if !failed {
            world.anvil.mine(1).await;
            world.mirror_looks().await;
        }
    }
    world.proxy.heal();
    if restart || form.hangs() {
        node = world.node_over(node.store, |_| ());
    }
    world.finish_changes(&mut node).await;
    assert_eq!(node.problems(), Vec::<&str>::new(), "request {nth}, {form:?}");
    assert_eq!(world.nonce(0).await, nonce + 2, "request {nth}, {form:?}: two updates, and none in vain");
    failed
}

/// All requests of a life, one after the other.
async fn every_request_fails(form: Form, restart: bool) {
    let Some(world) = World::new().await else { return };
    let (store, mut nth) = (world.store(), 0);
    while life_with_fault(&world, &store, nth, form, restart).await {
        nth += 1;
    }
    assert!(nth > 30, "a life has more requests than {nth}");
    world.check_changes(&world.node_over(store, |_| ())).await;
    for (issuer, purpose, toggles) in [(1, Purpose::REVOCATION, 3), (2, Purpose::SUSPENSION, 1)] {
        let (updates, tree) = world.check_updates(world.issuer(issuer), purpose).await;
        assert_eq!((updates.len(), tree.set_bits().count()), (nth + 1, toggles * (nth + 1)), "one update each life");
    }
}

#[tokio::test]
async fn whichever_request_is_refused_each_bit_is_changed_once() {
    every_request_fails(Form::Refused, false).await;
    every_request_fails(Form::Refused, true).await;
}

#[tokio::test]
async fn whichever_reply_is_lost_each_bit_is_changed_once() {
    every_request_fails(Form::ReplyLost, false).await;
    every_request_fails(Form::ReplyLost, true).await;
}

#[tokio::test]
async fn wherever_the_process_is_killed_each_bit_is_changed_once() {
    every_request_fails(Form::HangsBefore, true).await;
    every_request_fails(Form::HangsAfter, true).await;
}

// --- Races

/// What happens next in a race.
#[derive(Clone, Copy, Debug)]
enum Move {
    First,
    Second,
    /// A block, and the mirror sees it.
    Block,
    /// A block that the mirror does not see yet.
    Unseen,
}

/// An order of eight moves for each number.
fn order(number: usize) -> impl Iterator<Item = Move> {
    let moves = [Move::First, Move::Second, Move::Block, Move::Unseen];
    let digits = (0..8).map(move |place| number.wrapping_mul(2_654_435_761) >> (2 * place + 3) & 3);
    digits.map(move |digit| moves[digit])
}

#[tokio::test]
async fn of_two_nodes_of_one_issuer_one_is_faster_and_nothing_is_lost() {
    let Some(world) = World::new().await else { return };
    let second_key = || world.key(KEYS[3]);
    let appointment = set_operator_call(world.issuer(1), second_key().address(), Roles::REVOKE, NEVER);
    world.act(1, &appointment).await;
    let mut first = world.node_with(|config| config.issuers.clear());
    let mut second =
        world.node_with(|config| (config.key, config.issuers) = (Arc::<Key>::new(second_key()), Vec::new()));
    for number in 0..24 {
        let base = number as u64 * 100;
        let issuer = world.issuer(1);
        // They agree on some, and each has its own.
        first.change(issuer, Action::Suspend, base..base + 20);
        second.change(issuer, Action::Suspend, base + 10..base + 30);
        for step in order(number) {
            match step {
                Move::First => drop(first.anchoring.tick().await),
                Move::Second => drop(second.anchoring.tick().await),
                Move::Block => {
                    world.anvil.mine(1).await;
                    world.mirror_looks().await;
                }
                Move::Unseen => world.anvil.mine(1).await,
            }
        }
        if number % 3 == 0 {
            // Later ones overrule, also while the others are under way.
            first.change(issuer, Action::Reinstate, base..base + 5);
        }
    }
    for _ in 0..3 {
        finish_together(&world, &mut first, &mut second).await;
    }
    let (_, tree) = world.check_updates(world.issuer(1), Purpose::SUSPENSION).await;
    for number in 0..24 {
        let base = number * 100;
        for index in base..base + 30 {
            let reinstated = number % 3 == 0 && index < base + 5;
            let bit = tree.bit(testamur_core::StatusIndex::new(index).unwrap());
            assert_eq!(bit, !reinstated, "{index} in race {number}");
        }
    }
    assert_eq!((first.problems(), second.problems()), (vec![], vec![]));
}

async fn finish_together(world: &World, first: &mut Node, second: &mut Node) {
    for _ in 0..60 {
        world.mirror_looks().await;
        let _ = first.anchoring.tick().await;
        let _ = second.anchoring.tick().await;
        world.anvil.mine(1).await;
        if is_done(&first.store) && is_done(&second.store) {
            return;
        }
    }
    panic!("never final: {:?}, {:?}", first.store.open_changes(), second.store.open_changes());
}
