//! The rules for the list of auth events, and which events belong on it.

use std::sync::Arc;

use ruma::{OwnedRoomId, RoomId, UserId, state_res};
use serde_json::{Value, json};

use super::{ALICE, BOB, CAROL, DAVE, RuledEvent, Sample, Scene, lookup, rules};
use crate::{
    Event,
    auth::{Rejection as R, auth_pairs, check_independent},
};

/// A scene's events and a message that cites what it has to.
struct Citing {
    scene: Scene,
    known: Vec<(Arc<Event>, bool)>,
    cited: Vec<Arc<Event>>,
}

impl Citing {
    fn new(version: usize) -> Self {
        let scene = Scene::new(version);
        let known: Vec<_> = scene.state.values().map(|event| (Arc::clone(event), false)).collect();
        let mut kinds = vec![("m.room.power_levels", ""), ("m.room.member", CAROL)];
        if version < 12 {
            kinds.push(("m.room.create", ""));
        }
        let cited = kinds.iter().map(|(kind, key)| scene.get(kind, key).expect("there")).collect();
        Self { scene, known, cited }
    }

    fn message(&self) -> Arc<Event> {
        let sample = Sample {
            auth_events: self.cited.iter().map(|event| event.id.clone()).collect(),
            ..Sample::message("m.room.message", CAROL, json!({}))
        };
        sample.build(self.scene.rules, &self.scene.room_id)
    }

    /// Also by ruma's rules, which must agree.
    fn check(&self) -> Result<(), R> {
        let find = lookup(&self.known);
        let message = self.message();
        let ours = check_independent(self.scene.rules, &message, &find);
        let ruled = |event: Arc<Event>, rejected| RuledEvent::new(self.scene.rules, event, rejected);
        let ruma = state_res::check_state_independent_auth_rules(
            &self.scene.rules.ruma.authorization,
            ruled(message, false),
            |id| find(id).map(|(event, rejected)| ruled(event, rejected)),
        );
        assert_eq!(ours.is_ok(), ruma.is_ok(), "{ours:?}, ruma {ruma:?}");
        ours
    }

    fn cite(&mut self, event: Arc<Event>, rejected: bool) {
        self.known.retain(|(known, _)| known.id != event.id);
        self.known.push((Arc::clone(&event), rejected));
        self.cited.push(event);
    }
}

#[test]
fn rule_2_the_right_auth_events() {
    for version in 1..=12 {
        assert_eq!(Citing::new(version).check(), Ok(()), "version {version}");
    }
}

#[test]
fn rule_2_1_duplicates() {
    for version in 1..=12 {
        let mut citing = Citing::new(version);
        let again = citing.scene.put(Sample::member(CAROL, CAROL, "join").with("again", json!(1)));
        let id = again.id.clone();
        citing.cite(again, false);
        assert_eq!(citing.check(), Err(R::AuthEventDuplicate(id)), "version {version}");

        let mut citing = Citing::new(version);
        let same = Arc::clone(&citing.cited[0]);
        let id = same.id.clone();
        citing.cited.push(same);
        assert_eq!(citing.check(), Err(R::AuthEventDuplicate(id)), "version {version}");
    }
}

#[test]
fn rule_2_2_unexpected_entries() {
    for version in 1..=12 {
        for (kind, state_key) in [("m.room.join_rules", ""), ("m.room.member", BOB)] {
            let mut citing = Citing::new(version);
            let other = citing.scene.get(kind, state_key).expect("there");
            let id = other.id.clone();
            citing.cited.push(other);
            assert_eq!(citing.check(), Err(R::AuthEventUnexpected(id)), "version {version}");
        }
        let mut citing = Citing::new(version);
        let message = Sample::message("m.room.message", BOB, json!({}));
        let message = message.build(citing.scene.rules, &citing.scene.room_id);
        let id = message.id.clone();
        citing.cite(message, false);
        assert_eq!(citing.check(), Err(R::AuthEventUnexpected(id)), "version {version}");
    }
}

#[test]
fn rule_3_2_of_version_12_no_create_event() {
    let mut citing = Citing::new(12);
    let create = citing.scene.get("m.room.create", "").expect("there");
    let id = create.id.clone();
    citing.cited.push(create);
    assert_eq!(citing.check(), Err(R::AuthEventUnexpected(id)));
}

#[test]
fn rule_2_3_rejected_entries() {
    for version in 1..=12 {
        let mut citing = Citing::new(version);
        let levels = citing.cited.remove(0);
        let id = levels.id.clone();
        citing.cite(levels, true);
        assert_eq!(citing.check(), Err(R::AuthEventRejected(id)), "version {version}");
    }
}

#[test]
fn rule_2_4_no_create_event_up_to_version_11() {
    for version in 1..=11 {
        let mut citing = Citing::new(version);
        citing.cited.retain(|event| event.kind != "m.room.create");
        assert_eq!(citing.check(), Err(R::AuthEventsWithoutCreate), "version {version}");
    }
}

#[test]
fn rule_2_5_entries_of_another_room() {
    for version in 1..=12 {
        let mut citing = Citing::new(version);
        citing.cited.remove(0);
        let elsewhere = RoomId::parse("!other:a.org").expect("a room id");
        let levels = citing.scene.levels().build(citing.scene.rules, &elsewhere);
        let id = levels.id.clone();
        citing.cite(levels, false);
        assert_eq!(citing.check(), Err(R::AuthEventOfOtherRoom(id)), "version {version}");
    }
}

#[test]
fn rule_2_of_version_12_the_room_id() {
    let is_create = |(event, _): &(Arc<Event>, bool)| event.kind == "m.room.create";
    let mut unknown = Citing::new(12);
    unknown.known.retain(|known| !is_create(known));
    assert_eq!(unknown.check(), Err(R::RoomIdNotACreateEvent));

    let mut rejected = Citing::new(12);
    for known in &mut rejected.known {
        known.1 = is_create(known);
    }
    assert_eq!(rejected.check(), Err(R::RoomIdNotACreateEvent));
}

#[test]
fn rule_2_of_version_12_the_room_id_names_another_event() {
    let rules = rules(12);
    let message = Sample::message("m.room.message", ALICE, json!({}));
    let other = message.clone().build(rules, &RoomId::parse("!x").expect("a room id"));
    let room_id = OwnedRoomId::try_from(other.id.as_str().replace('$', "!")).expect("a room id");
    let event = message.build(rules, &room_id);
    let end = check_independent(rules, &event, &lookup(&[(other, false)]));
    assert_eq!(end, Err(R::RoomIdNotACreateEvent));
}

fn pairs(version: usize, sender: &str, kind: &str, key: Option<&str>, content: &Value) -> Vec<String> {
    let sender = <&UserId>::try_from(sender).expect("a user id");
    let content = serde_json::value::to_raw_value(content).expect("JSON");
    let pairs = auth_pairs(rules(version), sender, kind, key, &content).expect("selected");
    let short = |kind: &str| kind.trim_start_matches("m.room.").to_owned();
    let mut pairs: Vec<_> =
        pairs.iter().map(|(kind, key)| format!("{} {key}", short(kind)).trim().to_owned()).collect();
    pairs.sort();
    pairs
}

#[test]
fn selection_of_auth_events() {
    let member =
        |version, sender, target, content: Value| pairs(version, sender, "m.room.member", Some(target), &content);
    assert!(pairs(10, ALICE, "m.room.create", Some(""), &json!({})).is_empty());
    let message = |version| pairs(version, CAROL, "m.room.message", None, &json!({}));
    assert_eq!(message(11), ["create", "member @carol:c.org", "power_levels"]);
    assert_eq!(message(12), ["member @carol:c.org", "power_levels"]);

    let join = json!({ "membership": "join" });
    let expected = ["join_rules", "member @dave:d.org", "power_levels"];
    assert_eq!(member(12, DAVE, DAVE, join), expected);
    let leave = json!({ "membership": "leave" });
    let expected = ["member @bob:b.org", "member @dave:d.org", "power_levels"];
    assert_eq!(member(12, BOB, DAVE, leave), expected);
    for membership in ["invite", "knock"] {
        let content = json!({ "membership": membership });
        assert!(member(12, BOB, DAVE, content).contains(&"join_rules".to_owned()));
    }
    let invite = json!({
        "membership": "invite",
        "third_party_invite": { "signed": { "token": "abc" } },
    });
    assert!(member(12, BOB, DAVE, invite).contains(&"third_party_invite abc".to_owned()));
    let by = json!({ "membership": "join", "join_authorised_via_users_server": BOB });
    assert!(member(8, DAVE, DAVE, by.clone()).contains(&"member @bob:b.org".to_owned()));
    assert!(!member(7, DAVE, DAVE, by).contains(&"member @bob:b.org".to_owned()));
    let not_a_join = json!({ "membership": "leave", "join_authorised_via_users_server": BOB });
    assert!(!member(8, DAVE, DAVE, not_a_join).contains(&"member @bob:b.org".to_owned()));
}
