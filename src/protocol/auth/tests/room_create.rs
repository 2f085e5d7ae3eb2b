//! The rules for create events.

use std::sync::Arc;

use ruma::{OwnedEventId, RoomId};
use serde_json::json;

use super::{ALICE, Sample, lookup, rules};
use crate::{
    Event,
    auth::{Rejection as R, check_independent},
};

fn check(version: usize, sample: Sample) -> Result<(), R> {
    let rules = rules(version);
    let (event, _) = sample.build_create(rules);
    check_independent(rules, &event, &lookup(&[]))
}

fn create(version: usize) -> Sample {
    Sample::create(rules(version), ALICE)
}

#[test]
fn rule_1_5_otherwise_allow() {
    for version in 1..=12 {
        assert_eq!(check(version, create(version)), Ok(()), "version {version}");
    }
}

#[test]
fn rule_1_1_no_previous_events() {
    for version in 1..=12 {
        let before = OwnedEventId::try_from("$before:a.org").expect("an event id");
        let sample = Sample { prev_events: vec![before], ..create(version) };
        assert_eq!(check(version, sample), Err(R::CreateHasPrevEvents), "version {version}");
    }
}

#[test]
fn rule_1_2_room_id() {
    let elsewhere = RoomId::parse("!room:b.org").expect("a room id");
    for version in 1..=11 {
        let event = create(version).build(rules(version), &elsewhere);
        let end = check_independent(rules(version), &event, &lookup(&[]));
        assert_eq!(end, Err(R::CreateRoomIdDomain), "version {version}");
    }
    let (event, _) = create(12).build_create(rules(12));
    let mut fields: serde_json::Value = serde_json::from_str(event.json.get()).expect("JSON");
    fields["room_id"] = json!("!room:a.org");
    let json = serde_json::value::to_raw_value(&fields).expect("JSON");
    let event = Event { json, ..Arc::unwrap_or_clone(event) };
    assert_eq!(check_independent(rules(12), &event, &lookup(&[])), Err(R::CreateHasRoomId));
}

#[test]
fn rule_1_3_room_version() {
    for version in 1..=12 {
        for named in [json!("13"), json!("org.other"), json!(1), json!(["1"])] {
            let sample = create(version).with("room_version", named);
            assert_eq!(check(version, sample), Err(R::CreateRoomVersion), "version {version}");
        }
    }
    let mut unnamed = create(1);
    unnamed.content = json!({ "creator": ALICE });
    assert_eq!(check(1, unnamed.clone()), Ok(()));
    assert_eq!(check(2, unnamed), Err(R::CreateRoomVersion));
}

#[test]
fn rule_1_4_creator_up_to_version_10() {
    for version in 1..=12 {
        let mut sample = create(version);
        sample.content = json!({ "room_version": version.to_string() });
        let end = if version <= 10 { Err(R::CreateWithoutCreator) } else { Ok(()) };
        assert_eq!(check(version, sample), end, "version {version}");
    }
}

#[test]
fn rule_1_4_of_version_12_additional_creators() {
    for wrong in [json!("@b:b.org"), json!(["b"]), json!([1]), json!({}), json!(null)] {
        let sample = |version| create(version).with("additional_creators", wrong.clone());
        assert_eq!(check(12, sample(12)), Err(R::CreateAdditionalCreators), "{wrong}");
        assert_eq!(check(11, sample(11)), Ok(()), "{wrong}");
    }
    let sample = create(12).with("additional_creators", json!(["@b:b.org", "@c:c.org"]));
    assert_eq!(check(12, sample), Ok(()));
}
