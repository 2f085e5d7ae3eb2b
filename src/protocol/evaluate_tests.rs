//! What becomes of an event, by where it came from and by which of the three states refuses it.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ruma::{EventId, OwnedEventId, OwnedRoomId};
use serde_json::json;

use super::{AuthRef, Candidate, Origin, RoomAtEvent, Verdict, evaluate};
use crate::{Event, Rejection, RoomRules, testing::Sample, version::list_rules};

const ALICE: &str = "@alice:a.org";
const BOB: &str = "@bob:b.org";

type State = BTreeMap<(String, String), Arc<Event>>;

/// A room with Alice and Bob in it.
struct Scene {
    rules: &'static RoomRules,
    room_id: OwnedRoomId,
    known: BTreeMap<OwnedEventId, (Arc<Event>, bool)>,
    state: State,
}

impl Scene {
    fn new(rules: &'static RoomRules) -> Self {
        let (create, room_id) = Sample::create(rules, ALICE).build_create(rules);
        let mut scene = Self { rules, room_id, known: BTreeMap::new(), state: State::new() };
        scene.insert(create);
        scene.put(Sample::member(ALICE, ALICE, "join"));
        scene.put(Sample::member(BOB, BOB, "join"));
        scene.put(Sample::state("m.room.join_rules", ALICE, "", json!({ "join_rule": "invite" })));
        scene
    }

    fn insert(&mut self, event: Arc<Event>) {
        let (kind, key) = event.state_pair().expect("a state event");
        self.state.insert((kind.to_owned(), key.to_owned()), Arc::clone(&event));
        self.known.insert(event.id.clone(), (event, false));
    }

    fn put(&mut self, sample: Sample) {
        let event = sample.build(self.rules, &self.room_id);
        self.insert(event);
    }

    /// The state, but for one event.
    fn state_with(&self, sample: Sample) -> State {
        let event = sample.build(self.rules, &self.room_id);
        let (kind, key) = event.state_pair().expect("a state event");
        let mut state = self.state.clone();
        state.insert((kind.to_owned(), key.to_owned()), Arc::clone(&event));
        state
    }

    /// A message of Bob's that cites the scene's state.
    fn message(&self) -> Arc<Event> {
        let mut cited = vec![self.id_of("m.room.member", BOB)];
        if !self.rules.room_id_is_create_hash {
            cited.push(self.id_of("m.room.create", ""));
        }
        let sample = Sample::message("m.room.message", BOB, json!({}));
        Sample { auth_events: cited, ..sample }.build(self.rules, &self.room_id)
    }

    fn id_of(&self, kind: &str, key: &str) -> OwnedEventId {
        self.state[&(kind.to_owned(), key.to_owned())].id.clone()
    }

    fn evaluate(&self, event: &Event, origin: Origin, before: &State, current: &State) -> Verdict {
        fn of(state: &State) -> impl Fn(&str, &str) -> Option<Arc<Event>> {
            move |kind, key| state.get(&(kind.to_owned(), key.to_owned())).cloned()
        }
        let room = RoomAtEvent {
            rules: self.rules,
            auth: &|id: &EventId| match self.known.get(id) {
                Some((event, rejected)) => AuthRef::Known(Arc::clone(event), *rejected),
                None => AuthRef::Unknown,
            },
            before: &of(before),
            current: &of(current),
        };
        evaluate(&Candidate { event, origin }, &room)
    }
}

const ORIGINS: [Origin; 4] = [Origin::Local, Origin::Remote, Origin::Backfill, Origin::JoinSnapshot];

fn for_each_version(check: impl Fn(Scene)) {
    list_rules().iter().map(Scene::new).for_each(check);
}

#[test]
fn all_three_states_allow() {
    for_each_version(|scene| {
        for origin in ORIGINS {
            let verdict = scene.evaluate(&scene.message(), origin, &scene.state, &scene.state);
            assert_eq!(verdict, Verdict::Accept, "{origin:?}");
        }
    });
}

#[test]
fn the_auth_events_refuse() {
    for_each_version(|mut scene| {
        let joined = scene.state.clone();
        scene.put(Sample::member(BOB, BOB, "leave"));
        let message = scene.message();
        for origin in ORIGINS {
            let verdict = scene.evaluate(&message, origin, &joined, &joined);
            assert_eq!(verdict, Verdict::Reject(Rejection::SenderNotJoined), "{origin:?}");
        }
    });
}

#[test]
fn the_state_before_refuses() {
    for_each_version(|scene| {
        let banned = scene.state_with(Sample::member(ALICE, BOB, "ban"));
        for origin in ORIGINS {
            let verdict = scene.evaluate(&scene.message(), origin, &banned, &scene.state);
            let expected = if origin == Origin::JoinSnapshot {
                Verdict::Accept
            } else {
                Verdict::Reject(Rejection::SenderNotJoined)
            };
            assert_eq!(verdict, expected, "{origin:?}");
        }
    });
}

#[test]
fn the_current_state_refuses() {
    for_each_version(|scene| {
        let banned = scene.state_with(Sample::member(ALICE, BOB, "ban"));
        for origin in ORIGINS {
            let verdict = scene.evaluate(&scene.message(), origin, &scene.state, &banned);
            let expected = match origin {
                Origin::Local | Origin::Remote => Verdict::SoftFail(Rejection::SenderNotJoined),
                Origin::Backfill | Origin::JoinSnapshot => Verdict::Accept,
            };
            assert_eq!(verdict, expected, "{origin:?}");
        }
    });
}

#[test]
fn unknown_auth_events_are_asked_for() {
    for_each_version(|mut scene| {
        let message = scene.message();
        let create = scene.id_of("m.room.create", "");
        let member = scene.id_of("m.room.member", BOB);
        // In version 12 the create event is named by the room id, and asked for as well.
        for gone in [vec![member.clone()], vec![create.clone()], vec![member, create]] {
            let kept = scene.known.clone();
            scene.known.retain(|id, _| !gone.contains(id));
            let need = Verdict::Need(gone.iter().cloned().collect::<BTreeSet<_>>());
            for origin in ORIGINS {
                let verdict = scene.evaluate(&message, origin, &scene.state, &scene.state);
                assert_eq!(verdict, need, "{origin:?}");
            }
            scene.known = kept;
        }
    });
}

#[test]
fn rejected_auth_events_reject() {
    for_each_version(|mut scene| {
        let message = scene.message();
        let member = scene.id_of("m.room.member", BOB);
        scene.known.get_mut(&member).expect("known").1 = true;
        let verdict = scene.evaluate(&message, Origin::Remote, &scene.state, &scene.state);
        assert_eq!(verdict, Verdict::Reject(Rejection::AuthEventRejected(member)));
    });
}

#[test]
fn a_create_event_needs_no_state() {
    for_each_version(|scene| {
        let key = ("m.room.create".to_owned(), String::new());
        let none = State::new();
        let verdict = scene.evaluate(&scene.state[&key], Origin::Remote, &none, &none);
        assert_eq!(verdict, Verdict::Accept);
    });
}

/// A part of the state that the rules do not read for this event changes nothing, and a state that is
/// equal in what they read is not asked for twice what it holds.
#[test]
fn only_what_the_rules_read_is_looked_up() {
    for_each_version(|scene| {
        let message = scene.message();
        let asked = Cell::new(0);
        let state = |kind: &str, key: &str| {
            asked.set(asked.get() + 1);
            scene.state.get(&(kind.to_owned(), key.to_owned())).cloned()
        };
        let room = RoomAtEvent {
            rules: scene.rules,
            auth: &|id: &EventId| AuthRef::Known(Arc::clone(&scene.known[id].0), false),
            before: &state,
            current: &state,
        };
        let candidate = Candidate { event: &message, origin: Origin::Local };
        assert_eq!(evaluate(&candidate, &room), Verdict::Accept);
        assert!(asked.get() <= 8, "{} look-ups", asked.get());
    });
}
