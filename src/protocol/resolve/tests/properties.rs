//! Promise P3, on random rooms: whoever has seen the same events agrees.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use crate::{
    Checked, Resolved, RoomRules, StateMapOf, Verdict, check_hashes_and_signatures, list_rules, parse_pdu,
    testing::{Dice, RandomRoom, RandomRoomOptions, Replica, public_keys_of},
};

fn any_rules() -> impl Strategy<Value = &'static RoomRules> {
    (0..list_rules().len()).prop_map(|at| &list_rules()[at])
}

fn replica_of(room: &RandomRoom, dice: &mut Dice) -> Replica {
    let mut replica = Replica::new(room.rules);
    for event in room.delivery(dice) {
        let verdict = replica.receive(&event);
        assert!(!matches!(verdict, Verdict::Need(_)), "references came first");
    }
    replica
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Every order of delivery gives the same rejections, the same state before each event, and the
    /// same state at the ends.
    #[test]
    fn every_order_of_delivery_agrees(rules in any_rules(), seed in any::<u64>()) {
        let room = RandomRoom::generate(rules, seed, RandomRoomOptions::default());
        let mut dice = Dice::new(!seed);
        let first = replica_of(&room, &mut dice);
        let ends = room.ends(&first);
        for _ in 0..3 {
            let other = replica_of(&room, &mut dice);
            for (id, ours) in first.events() {
                let theirs = other.received(id).expect("received");
                prop_assert_eq!(ours.is_rejected(), theirs.is_rejected(), "{}", id);
                if ours.is_rejected() {
                    prop_assert_eq!(&ours.verdict, &theirs.verdict);
                }
                prop_assert_eq!(&ours.before, &theirs.before, "before {}", id);
            }
            prop_assert_eq!(&ends, &room.ends(&other));
            prop_assert_eq!(first.state_after(&ends), other.state_after(&ends));
        }
    }

    /// Neither the order of the sets, nor a set given twice, changes the result.
    #[test]
    fn the_order_of_sets_does_not_matter(rules in any_rules(), seed in any::<u64>()) {
        let options = RandomRoomOptions { events: 20, ..RandomRoomOptions::default() };
        let room = RandomRoom::generate(rules, seed, options);
        let mut dice = Dice::new(seed.rotate_left(7));
        let replica = replica_of(&room, &mut dice);
        let mut sets: Vec<StateMapOf> = (0..2 + dice.below(4))
            .map(|_| dice.pick(&room.events).id.clone())
            .map(|id| replica.received(&id).expect("received").after.clone())
            .collect();
        let resolved = replica.resolve(&sets);
        prop_assert!(matches!(resolved, Resolved::State(_)));
        for _ in 0..3 {
            dice.shuffle(&mut sets);
            prop_assert_eq!(&resolved, &replica.resolve(&sets));
        }
        let again = sets[0].clone();
        sets.push(again);
        prop_assert_eq!(&resolved, &replica.resolve(&sets));
    }

    /// What all auth chains have in common may be left out.
    #[test]
    fn common_parts_of_auth_chains_do_not_matter(rules in any_rules(), seed in any::<u64>()) {
        let options = RandomRoomOptions { events: 20, ..RandomRoomOptions::default() };
        let room = RandomRoom::generate(rules, seed, options);
        let mut dice = Dice::new(seed);
        let replica = replica_of(&room, &mut dice);
        let sets: Vec<StateMapOf> = (0..3)
            .map(|_| replica.received(&dice.pick(&room.events).id).expect("received").after.clone())
            .collect();
        let mut chains: Vec<_> = sets.iter().map(|set| replica.auth_chain_of(set)).collect();
        let common = chains[0].iter().filter(|id| chains.iter().all(|chain| chain.contains(*id)));
        let common: Vec<_> = common.cloned().collect();
        for chain in &mut chains {
            chain.retain(|id| !common.contains(id));
        }
        let shorter = crate::resolve(
            rules,
            &sets,
            &chains,
            &|id| replica.received(id).map(|received| Arc::clone(&received.event)),
            &|id| replica.received(id).is_some_and(crate::testing::Received::is_rejected),
        );
        prop_assert_eq!(replica.resolve(&sets), shorter);
    }
}

/// The events of random rooms pass the checks of a receiving server, and mean the same there.
#[test]
fn random_rooms_are_of_true_events() {
    let servers = RandomRoom::servers();
    let keys = public_keys_of(servers.iter().map(|server| &**server));
    for rules in list_rules() {
        let room = RandomRoom::generate(rules, 7, RandomRoomOptions::default());
        for event in &room.events {
            let pdu = parse_pdu(rules, Some(&room.room_id), &event.json).expect("a PDU");
            let checked = check_hashes_and_signatures(rules, pdu, &keys).expect("signed");
            let Checked::Intact(received) = checked else { panic!("not intact: {event:?}") };
            assert_eq!(received.id, event.id);
            assert_eq!(received.json.get(), event.json.get());
        }
    }
}

/// The random rooms have what they are for, in every version.
#[test]
fn random_rooms_are_wild_enough() {
    for rules in list_rules() {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for seed in 0..40 {
            let room = RandomRoom::generate(rules, seed, RandomRoomOptions::default());
            let replica = replica_of(&room, &mut Dice::new(seed));
            for received in replica.events().values() {
                let verdict = match received.verdict {
                    Verdict::Accept => "accepted",
                    Verdict::SoftFail(_) => "softly failed",
                    Verdict::Reject(_) => "rejected",
                    Verdict::Need(_) => "unknown",
                };
                *seen.entry(verdict).or_default() += 1;
                let merges = received.event.prev_events.len() > 1;
                *seen.entry("merges").or_default() += usize::from(merges);
                let differ = |id| replica.received(id).is_some_and(|e| e.after != received.before);
                let conflict = merges && received.event.prev_events.iter().all(|id| differ(&**id));
                *seen.entry("conflicts").or_default() += usize::from(conflict);
            }
        }
        for what in ["accepted", "softly failed", "rejected", "merges", "conflicts"] {
            assert!(seen.get(what).is_some_and(|count| *count > 20), "{}: {seen:?}", rules.version);
        }
    }
}
