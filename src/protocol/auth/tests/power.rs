//! What a power levels event may contain, and what cannot be read of it.

use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, Sample, Scene, change, nothing, row, run, users};
use crate::{
    auth::{LevelField, Rejection as R},
    power::{PowerLevels, UserLevel},
};

#[test]
fn rule_10_1_users() {
    run(vec![
        row("10.1 no object", ALL, nothing, |s| change(s, BOB, "users", json!([])), R::PowerUsersMalformed),
        row("10.1 no user id", ALL, nothing, |s| change(s, BOB, "users", json!({ "bob": 1 })), R::PowerUsersMalformed),
        row(
            "10.1 no level",
            ALL,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!(null))),
            R::PowerUsersMalformed,
        ),
        row(
            "10.1 not a number",
            ALL,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!("x"))),
            R::PowerUsersMalformed,
        ),
        row(
            "10.1 strings up to version 9",
            1..=9,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!(" +0025 "))),
            None,
        ),
        row(
            "9.3 of version 10: no strings",
            10..=12,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!("25"))),
            R::PowerUsersMalformed,
        ),
        row(
            "10.1 fractions up to version 5",
            1..=5,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!(25.75))),
            None,
        ),
        row(
            "10.1 no fractions since version 6",
            6..=12,
            nothing,
            |s| change(s, BOB, "users", users(s, CAROL, json!(25.75))),
            R::PowerUsersMalformed,
        ),
    ]);
}

#[test]
fn rules_9_1_and_9_2_of_version_10_integers() {
    for field in LevelField::ALL {
        for (value, versions_ok) in [(json!(1), 1..=12), (json!("1"), 1..=9), (json!(1.5), 1..=5)] {
            for version in ALL {
                let scene = Scene::new(version);
                let sample = change(&scene, ALICE, field.name(), value.clone());
                let expected = if versions_ok.contains(&version) { Ok(()) } else { Err(R::PowerFieldMalformed(field)) };
                assert_eq!(scene.check(sample), expected, "{field} {value} version {version}");
            }
        }
    }
    run(vec![
        row("9.1 null", ALL, nothing, |s| change(s, BOB, "ban", json!(null)), R::PowerFieldMalformed(LevelField::Ban)),
        row("9.2 events", 10..=12, nothing, |s| change(s, BOB, "events", json!({ "a": "1" })), R::PowerMapMalformed),
        row("9.2 no object", ALL, nothing, |s| change(s, BOB, "events", json!(1)), R::PowerMapMalformed),
        row(
            "9.2 notifications",
            10..=12,
            nothing,
            |s| change(s, BOB, "notifications", json!({ "room": "1" })),
            R::PowerMapMalformed,
        ),
        row("strings before", 1..=9, nothing, |s| change(s, BOB, "notifications", json!({ "room": "1" })), None),
    ]);
}

#[test]
fn rule_10_4_of_version_12_creators_are_not_named() {
    run(vec![
        row("10.4", 12..=12, nothing, |s| change(s, ALICE, "users", json!({ ALICE: 100 })), R::PowerNamesCreator),
        row(
            "10.4 additional creators",
            12..=12,
            |s| s.create_with("additional_creators", json!([CAROL])),
            |s| change(s, ALICE, "users", json!({ CAROL: 0 })),
            R::PowerNamesCreator,
        ),
        row(
            "10.4 also in the first power levels event",
            12..=12,
            |s| s.remove("m.room.power_levels", ""),
            |s| change(s, ALICE, "users", json!({ ALICE: 100 })),
            R::PowerNamesCreator,
        ),
        row("before", 1..=11, nothing, |s| change(s, ALICE, "users", json!({ ALICE: 100 })), None),
    ]);
}

/// What cannot be read refuses what needs it, and nothing else.
#[test]
fn unreadable_levels_in_the_state() {
    let message = |_: &Scene| Sample::message("m.room.message", CAROL, json!({}));
    run(vec![
        row("users", ALL, |s| s.level("users", json!(1)), message, R::PowerUsersMalformed),
        row("events", ALL, |s| s.level("events", json!(1)), message, R::PowerMapMalformed),
        row("ban, not needed", ALL, |s| s.level("ban", json!([])), message, None),
        row(
            "events_default, needed",
            ALL,
            |s| s.level("events_default", json!([])),
            message,
            R::PowerFieldMalformed(LevelField::EventsDefault),
        ),
    ]);
}

#[test]
fn string_levels_have_their_effect_up_to_version_9() {
    for version in 1..=9 {
        let mut scene = Scene::new(version);
        scene.level("users", json!({ CAROL: "00060", BOB: "-5" }));
        let levels = |scene: &Scene| {
            let create = scene.get("m.room.create", "").expect("one");
            let levels = scene.get("m.room.power_levels", "");
            PowerLevels::from_state(scene.rules, &create, levels.as_deref())
        };
        let user = |name: &str| ruma::UserId::parse(name).expect("a user id");
        assert_eq!(levels(&scene).user_level(&user(CAROL)), UserLevel::Finite(60));
        assert_eq!(levels(&scene).user_level(&user(BOB)), UserLevel::Finite(-5));
        if version < 6 {
            scene.level("users", json!({ CAROL: 50.57, BOB: -3.9 }));
            assert_eq!(levels(&scene).user_level(&user(CAROL)), UserLevel::Finite(50));
            assert_eq!(levels(&scene).user_level(&user(BOB)), UserLevel::Finite(-3));
        }
    }
}
