//! The rules for power levels events.

use serde_json::{Value, json};

use super::{ALICE, ALL, BOB, CAROL, Sample, Scene, nothing, row, run};
use crate::{
    auth::{LevelField, Rejection as R},
    power::{PowerLevels, UserLevel},
};

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

#[test]
fn rule_10_1_users() {
    run(vec![
        row("10.1 no object", ALL, nothing, |s| change(s, BOB, "users", json!([])), {
            R::PowerUsersMalformed
        }),
        row("10.1 no user id", ALL, nothing, |s| change(s, BOB, "users", json!({ "bob": 1 })), {
            R::PowerUsersMalformed
        }),
        row("10.1 no level", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!(null))), {
            R::PowerUsersMalformed
        }),
        row("10.1 not a number", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!("x"))), {
            R::PowerUsersMalformed
        }),
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
                let expected = if versions_ok.contains(&version) {
                    Ok(())
                } else {
                    Err(R::PowerFieldMalformed(field))
                };
                assert_eq!(scene.check(sample), expected, "{field} {value} version {version}");
            }
        }
    }
    run(vec![
        row("9.1 null", ALL, nothing, |s| change(s, BOB, "ban", json!(null)), {
            R::PowerFieldMalformed(LevelField::Ban)
        }),
        row("9.2 events", 10..=12, nothing, |s| change(s, BOB, "events", json!({ "a": "1" })), {
            R::PowerMapMalformed
        }),
        row("9.2 no object", ALL, nothing, |s| change(s, BOB, "events", json!(1)), {
            R::PowerMapMalformed
        }),
        row(
            "9.2 notifications",
            10..=12,
            nothing,
            |s| change(s, BOB, "notifications", json!({ "room": "1" })),
            R::PowerMapMalformed,
        ),
        row(
            "strings before",
            1..=9,
            nothing,
            |s| change(s, BOB, "notifications", json!({ "room": "1" })),
            None,
        ),
    ]);
}

#[test]
fn rule_10_4_of_version_12_creators_are_not_named() {
    run(vec![
        row("10.4", 12..=12, nothing, |s| change(s, ALICE, "users", json!({ ALICE: 100 })), {
            R::PowerNamesCreator
        }),
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

#[test]
fn rule_10_2_the_first_power_levels() {
    run(vec![row(
        "10.2 any levels, by the creator",
        ALL,
        |s| s.remove("m.room.power_levels", ""),
        |_| Sample::state("m.room.power_levels", ALICE, "", json!({ "ban": 1000, "users": { BOB: 500 } })),
        None,
    )]);
}

#[test]
fn rule_10_3_fields() {
    for field in LevelField::ALL {
        for version in ALL {
            let mut scene = Scene::new(version);
            // State needs no level, so that this rule alone decides.
            scene.level("events", json!({ "m.room.power_levels": 0 }));
            let refused = || Err(R::PowerFieldChange(field));
            let change =
                |scene: &Scene, value| scene.check(change(scene, BOB, field.name(), json!(value)));
            assert_eq!(change(&scene, 50), Ok(()), "{field} {version}");
            assert_eq!(change(&scene, 51), refused(), "10.3.2, {field} {version}");

            let mut content = scene.levels().with(field.name(), json!(51));
            content.content["events"] = json!({ "m.room.power_levels": 0 });
            scene.put(content);
            assert_eq!(change(&scene, 51), Ok(()), "unchanged, {field} {version}");
            if field != LevelField::UsersDefault {
                assert_eq!(change(&scene, 50), refused(), "10.3.1, {field} {version}");
            }
        }
    }
    run(vec![
        row(
            "10.3.1 a removed property",
            ALL,
            |s| s.level("ban", json!(51)),
            |s| Sample::state("m.room.power_levels", BOB, "", s.levels().content),
            R::PowerFieldChange(LevelField::Ban),
        ),
        row(
            "10.3.1 an added property counts from its default",
            ALL,
            |s| {
                let content = json!({ "users": users(s, BOB, json!(49)), "state_default": 0 });
                s.put(Sample::state("m.room.power_levels", ALICE, "", content));
            },
            |s| change(s, BOB, "kick", json!(10)),
            R::PowerFieldChange(LevelField::Kick),
        ),
    ]);
}

#[test]
fn rules_10_4_and_10_5_events() {
    let refused = || R::PowerEventChange("a".to_owned());
    run(vec![
        row("10.5.1 added", ALL, nothing, |s| change(s, BOB, "events", json!({ "a": 51 })), {
            refused()
        }),
        row("10.5 within reach", ALL, nothing, |s| change(s, BOB, "events", json!({ "a": 50 })), None),
        row(
            "10.4.1 changed",
            ALL,
            |s| s.level("events", json!({ "a": 51 })),
            |s| change(s, BOB, "events", json!({ "a": 1 })),
            refused(),
        ),
        row(
            "10.4.1 removed",
            ALL,
            |s| s.level("events", json!({ "a": 51 })),
            |s| change(s, BOB, "events", json!({})),
            refused(),
        ),
        row(
            "10.4 unchanged",
            ALL,
            |s| s.level("events", json!({ "a": 51 })),
            |s| change(s, BOB, "events", json!({ "a": 51, "b": 1 })),
            None,
        ),
    ]);
}

#[test]
fn rules_9_4_and_9_5_of_version_6_notifications() {
    let refused = || R::PowerNotificationChange("room".to_owned());
    run(vec![
        row("9.5.1", 6..=12, nothing, |s| change(s, BOB, "notifications", json!({ "room": 51 })), {
            refused()
        }),
        row(
            "9.4.1",
            6..=12,
            |s| s.level("notifications", json!({ "room": 51 })),
            |s| change(s, BOB, "notifications", json!({ "room": 1 })),
            refused(),
        ),
        row("before", 1..=5, nothing, |s| change(s, BOB, "notifications", json!({ "room": 51 })), None),
    ]);
}

#[test]
fn rules_10_6_and_10_7_users() {
    let refused = |user: &str| R::PowerUserChange(user.to_owned());
    fn carol_too(scene: &mut Scene) {
        let users = users(scene, CAROL, json!(50));
        scene.level("users", users);
    }
    run(vec![
        row("10.7.1", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!(51))), {
            refused(CAROL)
        }),
        row("10.7", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!(50))), None),
        row("10.7.1 oneself", ALL, nothing, |s| change(s, BOB, "users", users(s, BOB, json!(51))), {
            refused(BOB)
        }),
        row("10.6.1 an equal", ALL, carol_too, |s| change(s, BOB, "users", users(s, CAROL, json!(1))), {
            refused(CAROL)
        }),
        row(
            "10.6.1 an equal removed",
            ALL,
            carol_too,
            |s| change(s, BOB, "users", s.levels().content["users"].clone()),
            refused(CAROL),
        ),
        row("10.6 oneself", ALL, nothing, |s| change(s, BOB, "users", users(s, BOB, json!(1))), None),
        row(
            "10.6.1 one above",
            1..=11,
            nothing,
            |s| change(s, BOB, "users", users(s, ALICE, json!(1))),
            refused(ALICE),
        ),
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
        row("events_default, needed", ALL, |s| s.level("events_default", json!([])), message, {
            R::PowerFieldMalformed(LevelField::EventsDefault)
        }),
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
