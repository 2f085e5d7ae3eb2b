//! Small forks whose outcome the specification decides, and the edges of [`resolve`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ruma::{EventId, OwnedEventId, OwnedRoomId};
use serde_json::json;

use crate::{
    Event, Resolved, RoomRules, StateMapOf, resolve, rules_of,
    testing::{Replica, Sample},
};

const ALICE: &str = "@alice:a.org";
const BOB: &str = "@bob:b.org";
const CAROL: &str = "@carol:c.org";

fn rules(version: &str) -> &'static RoomRules {
    rules_of(&ruma::RoomVersionId::try_from(version).expect("a version")).expect("a known one")
}

/// A room that grows by hand.
struct Room {
    rules: &'static RoomRules,
    id: OwnedRoomId,
    replica: Replica,
}

impl Room {
    /// Alice made it, Bob is a moderator, Carol is there.
    fn new(version: &str) -> (Self, OwnedEventId) {
        let rules = rules(version);
        let (create, id) = Sample::create(rules, ALICE).build_create(rules);
        let mut replica = Replica::new(rules);
        replica.receive(&create);
        let mut room = Self { rules, id, replica };
        let mut users = json!({ BOB: 50 });
        if !rules.room_id_is_create_hash {
            users[ALICE] = json!(100);
        }
        let mut last = create.id.clone();
        for sample in [
            Sample::member(ALICE, ALICE, "join"),
            Sample::state("m.room.power_levels", ALICE, "", json!({ "users": users })),
            Sample::state("m.room.join_rules", ALICE, "", json!({ "join_rule": "public" })),
            Sample::member(BOB, BOB, "join"),
            Sample::member(CAROL, CAROL, "join"),
        ] {
            last = room.add(sample, &[&last]);
        }
        (room, last)
    }

    fn add(&mut self, mut sample: Sample, prev: &[&OwnedEventId]) -> OwnedEventId {
        sample.prev_events = prev.iter().map(|id| (*id).clone()).collect();
        let before = self.replica.state_after(&sample.prev_events);
        let depth = |id: &OwnedEventId| self.replica.received(id).map_or(0, |e| e.event.depth);
        sample.depth = 1 + sample.prev_events.iter().map(depth).max().unwrap_or(0);
        let sender = ruma::UserId::parse(&sample.sender).expect("a user id");
        let content = serde_json::value::to_raw_value(&sample.content).expect("JSON");
        let key = sample.state_key.as_deref();
        let pairs = crate::auth_pairs(self.rules, &sender, &sample.kind, key, &content);
        let pairs = pairs.expect("well formed");
        sample.auth_events = pairs.iter().filter_map(|pair| before.get(pair)).cloned().collect();
        let event = sample.build(self.rules, &self.id);
        self.replica.receive(&event);
        event.id.clone()
    }

    fn resolved(&self, ends: &[&OwnedEventId], kind: &str, key: &str) -> Option<OwnedEventId> {
        let ends: Vec<_> = ends.iter().map(|id| (*id).clone()).collect();
        self.replica.state_after(&ends).remove(&(kind.to_owned(), key.to_owned()))
    }
}

fn topic(sender: &str, text: &str, ts: u64) -> Sample {
    let sample = Sample::state("m.room.topic", sender, "", json!({ "topic": text }));
    Sample { origin_server_ts: ts, ..sample }
}

/// Version 2: a ban takes effect before what the banned user did at the same time.
#[test]
fn a_ban_beats_a_topic_by_the_banned() {
    for version in ["2", "6", "10", "11", "12"] {
        let (mut room, start) = Room::new(version);
        let topic = room.add(topic(BOB, "mine", 9_000), &[&start]);
        let ban = room.add(Sample::member(ALICE, BOB, "ban"), &[&start]);
        let ends = [&topic, &ban];
        assert_eq!(room.resolved(&ends, "m.room.topic", ""), None, "version {version}");
        assert_eq!(room.resolved(&ends, "m.room.member", BOB), Some(ban.clone()));
    }
}

/// Version 1: the topic has no conflict, and stays.
#[test]
fn version_1_keeps_the_topic_of_the_banned() {
    let (mut room, start) = Room::new("1");
    let topic = room.add(topic(BOB, "mine", 9_000), &[&start]);
    let ban = room.add(Sample::member(ALICE, BOB, "ban"), &[&start]);
    assert_eq!(room.resolved(&[&topic, &ban], "m.room.topic", ""), Some(topic.clone()));
    assert_eq!(room.resolved(&[&topic, &ban], "m.room.member", BOB), Some(ban));
}

/// Version 2: of two topics the later by its time stands.
#[test]
fn the_later_topic_stands() {
    for version in ["2", "9", "12"] {
        let (mut room, start) = Room::new(version);
        let earlier = room.add(topic(ALICE, "one", 2_000), &[&start]);
        let later = room.add(topic(BOB, "two", 3_000), &[&start]);
        let resolved = room.resolved(&[&earlier, &later], "m.room.topic", "");
        assert_eq!(resolved, Some(later), "version {version}");
    }
}

/// Version 1: of two topics the deeper stands.
#[test]
fn version_1_takes_the_deeper_topic() {
    let (mut room, start) = Room::new("1");
    let between = room.add(Sample::message("m.room.message", ALICE, json!({})), &[&start]);
    let deeper = room.add(topic(ALICE, "one", 2_000), &[&between]);
    let later = room.add(topic(BOB, "two", 3_000), &[&start]);
    assert_eq!(room.resolved(&[&deeper, &later], "m.room.topic", ""), Some(deeper));
}

/// Version 2: one's demotion by another of more power is not undone by a change on a fork.
#[test]
fn a_demotion_holds() {
    for version in ["2", "11"] {
        let (mut room, start) = Room::new(version);
        let levels = |users| Sample::state("m.room.power_levels", ALICE, "", json!({ "users": users }));
        let demote = room.add(levels(json!({ ALICE: 100 })), &[&start]);
        let by_bob = Sample { sender: BOB.to_owned(), ..levels(json!({ ALICE: 100, BOB: 50, CAROL: 50 })) };
        let by_bob = room.add(Sample { origin_server_ts: 9_000, ..by_bob }, &[&start]);
        let resolved = room.resolved(&[&demote, &by_bob], "m.room.power_levels", "");
        assert_eq!(resolved, Some(demote), "version {version}");
    }
}

/// Version 2.1 looks at the events between two conflicted ones also, where version 2 does not: old
/// levels on one side, the newest on the other, and those between in neither state.
#[test]
fn the_conflicted_subgraph_is_taken_in() {
    let (mut room, start) = Room::new("12");
    let levels = |level| {
        let users = json!({ BOB: 50, CAROL: level });
        Sample::state("m.room.power_levels", ALICE, "", json!({ "users": users }))
    };
    let one = room.add(levels(1), &[&start]);
    let two = room.add(levels(2), &[&one]);
    let three = room.add(levels(3), &[&two]);
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let sets: Vec<_> = [&one, &three].map(|id| room.replica.state_after(std::slice::from_ref(id))).into();
    let result = resolve(
        room.rules,
        &sets,
        &[BTreeSet::new(), BTreeSet::new()],
        &|id| {
            asked.borrow_mut().insert(id.to_owned());
            room.replica.received(id).map(|received| Arc::clone(&received.event))
        },
        &|_| false,
    );
    assert!(asked.borrow().contains(&two));
    let Resolved::State(state) = result else { panic!("{result:?}") };
    let key = ("m.room.power_levels".to_owned(), String::new());
    assert_eq!(state.get(&key), Some(&three));
}

fn no_event(_: &EventId) -> Option<Arc<Event>> {
    None
}

#[test]
fn no_set_one_set_and_equal_sets_need_no_event() {
    for version in ["1", "2", "12"] {
        let rules = rules(version);
        let id = OwnedEventId::try_from("$one:a.org").expect("an event id");
        let set: StateMapOf = BTreeMap::from([(("m.room.name".to_owned(), String::new()), id)]);
        let resolved = |sets: &[StateMapOf]| resolve(rules, sets, &[], &no_event, &|_| false);
        assert_eq!(resolved(&[]), Resolved::State(StateMapOf::new()));
        assert_eq!(resolved(std::slice::from_ref(&set)), Resolved::State(set.clone()));
        assert_eq!(resolved(&[set.clone(), set.clone()]), Resolved::State(set.clone()));
    }
}

/// Whatever is not found, the result says so.
#[test]
fn any_missing_event_voids_the_result() {
    for version in ["1", "2", "10", "12"] {
        let (mut room, start) = Room::new(version);
        let topic = room.add(topic(BOB, "mine", 9_000), &[&start]);
        let ban = room.add(Sample::member(ALICE, BOB, "ban"), &[&start]);
        let other = room.add(self::topic(ALICE, "two", 9_500), &[&ban]);
        let sets: Vec<_> = [&topic, &other].map(|id| room.replica.state_after(std::slice::from_ref(id))).into();
        let chains: Vec<_> = sets.iter().map(|set| room.replica.auth_chain_of(set)).collect();
        let run = |gap: Option<&OwnedEventId>, asked: &std::cell::RefCell<BTreeSet<OwnedEventId>>| {
            resolve(
                room.rules,
                &sets,
                &chains,
                &|id| {
                    asked.borrow_mut().insert(id.to_owned());
                    let found = room.replica.received(id).filter(|_| gap.is_none_or(|gap| gap != id));
                    found.map(|received| Arc::clone(&received.event))
                },
                &|_| false,
            )
        };
        let asked = std::cell::RefCell::default();
        assert!(matches!(run(None, &asked), Resolved::State(_)), "version {version}");
        for id in asked.take() {
            match run(Some(&id), &std::cell::RefCell::default()) {
                Resolved::Missing(missing) => assert!(missing.contains(&id)),
                other => panic!("version {version}: {other:?}"),
            }
        }
    }
}
