//! Every authorisation rule, by data: a room state, an event, and what has to come of it. Each row names
//! its rule, by the number it has in room version 1 unless a version is named with it.
//!
//! Every row is also put to ruma's rules, which must come to the same end.

mod auth_events;
mod differential;
mod joins;
mod membership;
mod power;
mod power_changes;
mod room_create;
mod senders;
mod speed;
mod third_party;

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use ruma::{EventId, OwnedRoomId, events::StateEventType, state_res};
use serde_json::{Value, json};

use super::{Rejection, RuledEvent, check_against};
use crate::{Event, RoomRules, testing::Sample, version::list_rules};

/// Made the room; has level 100, or in version 12 an infinite one.
const ALICE: &str = "@alice:a.org";
/// In the room, level 50.
const BOB: &str = "@bob:b.org";
/// In the room, level 0.
const CAROL: &str = "@carol:c.org";
/// Not in the room.
const DAVE: &str = "@dave:d.org";

const ALL: RangeInclusive<usize> = 1..=12;

/// A room state to check events against.
struct Scene {
    rules: &'static RoomRules,
    room_id: OwnedRoomId,
    state: BTreeMap<(String, String), Arc<Event>>,
}

impl Scene {
    /// Alice's room with Bob and Carol in it, open to who is invited.
    fn new(version: usize) -> Self {
        let rules = rules(version);
        let (create, room_id) = Sample::create(rules, ALICE).build_create(rules);
        let mut scene = Self { rules, room_id, state: BTreeMap::new() };
        scene.state.insert(("m.room.create".to_owned(), String::new()), create);
        for user in [ALICE, BOB, CAROL] {
            scene.put(Sample::member(user, user, "join"));
        }
        scene.put(scene.levels());
        scene.join_rule("invite");
        scene
    }

    /// Power levels as the scene begins with.
    fn levels(&self) -> Sample {
        let mut users = json!({ BOB: 50 });
        if !self.creators_infinite() {
            users[ALICE] = json!(100);
        }
        Sample::state("m.room.power_levels", ALICE, "", json!({ "users": users }))
    }

    fn creators_infinite(&self) -> bool {
        self.rules.ruma.authorization.explicitly_privilege_room_creators
    }

    fn put(&mut self, sample: Sample) -> Arc<Event> {
        let event = sample.build(self.rules, &self.room_id);
        let key = event.state_pair().expect("a state event");
        self.state.insert((key.0.to_owned(), key.1.to_owned()), Arc::clone(&event));
        event
    }

    fn remove(&mut self, kind: &str, state_key: &str) {
        self.state.remove(&(kind.to_owned(), state_key.to_owned()));
    }

    fn join_rule(&mut self, rule: &str) {
        let content = json!({ "join_rule": rule });
        self.put(Sample::state("m.room.join_rules", ALICE, "", content));
    }

    fn member(&mut self, user: &str, membership: &str) {
        self.put(Sample::member(user, user, membership));
    }

    fn level(&mut self, key: &str, value: Value) {
        let levels = self.levels().with(key, value);
        self.put(levels);
    }

    /// Puts a create event of other content in place of the first, in the same room.
    fn create_with(&mut self, key: &str, value: Value) {
        self.put(Sample::create(self.rules, ALICE).with(key, value));
    }

    fn get(&self, kind: &str, state_key: &str) -> Option<Arc<Event>> {
        self.state.get(&(kind.to_owned(), state_key.to_owned())).cloned()
    }

    fn check(&self, sample: Sample) -> Result<(), Rejection> {
        let event = sample.build(self.rules, &self.room_id);
        check_against(self.rules, &event, &|kind, state_key| self.get(kind, state_key))
    }

    fn check_by_ruma(&self, sample: Sample) -> Result<(), String> {
        let event = sample.build(self.rules, &self.room_id);
        state_res::check_state_dependent_auth_rules(
            &self.rules.ruma.authorization,
            RuledEvent::new(self.rules, event, false),
            |kind: &StateEventType, state_key: &str| {
                let event = self.get(&kind.to_string(), state_key)?;
                Some(RuledEvent::new(self.rules, event, false))
            },
        )
    }
}

/// One rule, one case.
struct Row {
    rule: &'static str,
    versions: RangeInclusive<usize>,
    scene: fn(&mut Scene),
    event: fn(&Scene) -> Sample,
    end: Option<Rejection>,
}

fn row(
    rule: &'static str,
    versions: RangeInclusive<usize>,
    scene: fn(&mut Scene),
    event: fn(&Scene) -> Sample,
    end: impl Into<Option<Rejection>>,
) -> Row {
    Row { rule, versions, scene, event, end: end.into() }
}

fn run(rows: Vec<Row>) {
    for Row { rule, versions, scene: prepare, event, end } in rows {
        for version in versions {
            let mut scene = Scene::new(version);
            prepare(&mut scene);
            let sample = event(&scene);
            let ours = scene.check(sample.clone());
            assert_eq!(ours.clone().err(), end, "rule {rule}, version {version}");
            let ruma = scene.check_by_ruma(sample);
            assert_eq!(ours.is_ok(), ruma.is_ok(), "rule {rule}, version {version}: {ruma:?}");
        }
    }
}

fn rules(version: usize) -> &'static RoomRules {
    &list_rules()[version - 1]
}

fn nothing(_: &mut Scene) {}

fn knock_and_invited(scene: &mut Scene) {
    scene.join_rule("knock");
    scene.member(DAVE, "invite");
}

fn join(user: &str) -> Sample {
    Sample::member(user, user, "join")
}

/// The lookup of a few events for the checks without a state.
fn lookup(events: &[(Arc<Event>, bool)]) -> impl Fn(&EventId) -> Option<(Arc<Event>, bool)> + '_ {
    |id| events.iter().find(|(event, _)| event.id == *id).cloned()
}

/// The current power levels, changed in one property, by a sender.
fn change(scene: &Scene, sender: &str, key: &str, value: Value) -> Sample {
    let current = scene.get("m.room.power_levels", "");
    let content = current.map_or_else(|| json!({}), |event| event.content_as().expect("JSON"));
    Sample::state("m.room.power_levels", sender, "", content).with(key, value)
}

/// The users of the scene, and one more.
fn users(scene: &Scene, user: &str, level: Value) -> Value {
    let mut users = scene.levels().content["users"].clone();
    users[user] = level;
    users
}
