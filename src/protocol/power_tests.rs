//! Power levels as the rest of the server reads them.

use std::sync::Arc;

use ruma::{OwnedUserId, UserId};
use serde_json::{Value, json};

use super::{PowerLevels, UserLevel};
use crate::{Event, testing::Sample, version::list_rules};

const ALICE: &str = "@alice:a.org";
const BOB: &str = "@bob:b.org";

fn user(id: &str) -> OwnedUserId {
    UserId::parse(id).expect("a user id")
}

/// The power levels of a room of Alice's, with this content or without the event.
fn levels(version: usize, content: Option<Value>) -> PowerLevels {
    let rules = &list_rules()[version - 1];
    let create = Sample::create(rules, ALICE).with("additional_creators", json!([BOB]));
    let (create, room_id) = create.build_create(rules);
    let event: Option<Arc<Event>> =
        content.map(|content| Sample::state("m.room.power_levels", ALICE, "", content).build(rules, &room_id));
    PowerLevels::from_state(rules, &create, event.as_deref())
}

#[test]
fn defaults_without_an_event() {
    for version in 1..=12 {
        let levels = levels(version, None);
        let alice = levels.user_level(&user(ALICE));
        let bob = levels.user_level(&user(BOB));
        if version == 12 {
            assert_eq!((alice, bob), (UserLevel::Infinite, UserLevel::Infinite));
            assert!(levels.users().is_empty());
            assert_eq!(levels.infinite_users().count(), 2);
        } else {
            assert_eq!((alice, bob), (UserLevel::Finite(100), UserLevel::Finite(0)));
            assert_eq!(levels.users().len(), 1);
            assert_eq!(levels.infinite_users().count(), 0);
        }
        assert_eq!(levels.required_for_event("m.room.topic", true), 50);
        assert_eq!(levels.required_for_event("m.room.message", false), 0);
        assert_eq!([levels.ban(), levels.kick(), levels.redact(), levels.invite()], [50, 50, 50, 0]);
        assert_eq!(levels.notification("room"), 50);
    }
}

#[test]
fn an_event_says_otherwise() {
    for version in 1..=12 {
        let levels = levels(
            version,
            Some(json!({
                "users": { "@carol:c.org": 7 }, "users_default": 3, "events_default": 4,
                "state_default": 60, "events": { "m.room.topic": 6 }, "ban": 1, "kick": 2,
                "redact": 5, "invite": 8, "notifications": { "room": 20 },
            })),
        );
        assert_eq!(levels.user_level(&user("@carol:c.org")), UserLevel::Finite(7));
        assert_eq!(levels.user_level(&user("@dave:d.org")), UserLevel::Finite(3));
        assert_eq!(levels.required_for_event("m.room.topic", true), 6);
        assert_eq!(levels.required_for_event("m.room.name", true), 60);
        assert_eq!(levels.required_for_event("m.room.message", false), 4);
        assert_eq!([levels.ban(), levels.kick(), levels.redact(), levels.invite()], [1, 2, 5, 8]);
        assert_eq!(levels.notification("room"), 20);
        assert!(levels.may_send(&user("@carol:c.org"), "m.room.topic", true));
        assert!(!levels.may_send(&user("@dave:d.org"), "m.room.topic", true));
    }
}

#[test]
fn infinite_is_above_all() {
    assert!(UserLevel::Infinite > UserLevel::Finite(i64::MAX));
    assert!(UserLevel::Infinite > i64::MAX);
    assert!(UserLevel::Finite(50) >= 50 && UserLevel::Finite(49) < 50);
    // That the levels do not name them does not lower them.
    let levels = levels(12, Some(json!({ "users_default": -1 })));
    assert_eq!(levels.user_level(&user(ALICE)), UserLevel::Infinite);
    assert_eq!(levels.user_level(&user("@carol:c.org")), UserLevel::Finite(-1));
}

#[test]
fn what_cannot_be_read_counts_as_absent() {
    let levels = levels(11, Some(json!({ "users": 1, "ban": "x", "events": [], "users_default": 9 })));
    assert_eq!(levels.user_level(&user(ALICE)), UserLevel::Finite(9));
    assert_eq!(levels.ban(), 50);
    assert_eq!(levels.required_for_event("m.room.topic", true), 50);
}
