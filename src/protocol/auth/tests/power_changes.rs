//! Who may change which power levels.

use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, Sample, Scene, change, nothing, row, run, users};
use crate::auth::{LevelField, Rejection as R};

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
            let change = |scene: &Scene, value| scene.check(change(scene, BOB, field.name(), json!(value)));
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
        row("10.5.1 added", ALL, nothing, |s| change(s, BOB, "events", json!({ "a": 51 })), refused()),
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
        row("9.5.1", 6..=12, nothing, |s| change(s, BOB, "notifications", json!({ "room": 51 })), refused()),
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

fn carol_too(scene: &mut Scene) {
    let users = users(scene, CAROL, json!(50));
    scene.level("users", users);
}

#[test]
fn rules_10_6_and_10_7_users() {
    let refused = |user: &str| R::PowerUserChange(user.to_owned());
    run(vec![
        row("10.7.1", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!(51))), refused(CAROL)),
        row("10.7", ALL, nothing, |s| change(s, BOB, "users", users(s, CAROL, json!(50))), None),
        row("10.7.1 oneself", ALL, nothing, |s| change(s, BOB, "users", users(s, BOB, json!(51))), refused(BOB)),
        row("10.6.1 an equal", ALL, carol_too, |s| change(s, BOB, "users", users(s, CAROL, json!(1))), refused(CAROL)),
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
