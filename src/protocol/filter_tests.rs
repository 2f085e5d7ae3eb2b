//! Filters by table.

use ruma::{room_id, user_id};
use serde_json::{Value, json};

use super::*;
use crate::sample_events::{draft, rules, signed};

fn filter(json: Value) -> EventFilter {
    EventFilter::compile(&serde_json::from_value(json).unwrap())
}

#[test]
fn stars_stand_for_any_text() {
    let cases = [
        ("m.room.message", "m.room.message", true),
        ("m.room.message", "m.room.messages", false),
        ("m.room.*", "m.room.", true),
        ("m.room.*", "m.room.name", true),
        ("m.room.*", "m.roomname", false),
        ("*", "", true),
        ("*", "anything", true),
        ("", "", true),
        ("", "x", false),
        ("*.message", "m.room.message", true),
        ("*.message", "m.room.message.x", false),
        ("m.*.mess*e", "m.room.message", true),
        ("a*b*c", "abc", true),
        ("a*b*c", "acb", false),
        ("a**c", "ac", true),
        ("a*a", "a", false),
        ("a*ab", "aab", true),
        ("*ab*ab", "abxab", true),
        ("*ab*ab", "ab", false),
        // Only `*` is special.
        ("m.?oom", "m.room", false),
        ("m.[r]oom", "m.room", false),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
    }
}

#[test]
fn many_stars_take_no_long_time() {
    let pattern = "a*".repeat(2_000) + "b";
    assert!(!Glob::new(&pattern).matches(&"a".repeat(20_000)));
}

#[test]
fn events_pass_or_not() {
    let plain = signed(rules(12), draft("m.room.message", None, &json!({ "body": "x" })));
    let image = signed(rules(12), draft("m.room.message", None, &json!({ "url": "mxc://a/b" })));
    let cases = [
        (json!({}), true, true),
        (json!({ "types": ["m.room.*"] }), true, true),
        (json!({ "types": [] }), false, false),
        (json!({ "types": ["m.room.name"] }), false, false),
        (json!({ "not_types": ["m.*"] }), false, false),
        (json!({ "types": ["m.room.message"], "not_types": ["m.room.message"] }), false, false),
        (json!({ "senders": ["@alice:domain"] }), true, true),
        (json!({ "senders": [] }), false, false),
        (json!({ "senders": ["@bob:domain"] }), false, false),
        (json!({ "not_senders": ["@alice:domain"] }), false, false),
        (json!({ "rooms": ["!room:domain"] }), true, true),
        (json!({ "rooms": ["!other:domain"] }), false, false),
        (json!({ "rooms": [] }), false, false),
        (json!({ "not_rooms": ["!room:domain"] }), false, false),
        (json!({ "rooms": ["!room:domain"], "not_rooms": ["!room:domain"] }), false, false),
        (json!({ "contains_url": true }), false, true),
        (json!({ "contains_url": false }), true, false),
    ];
    for (json, plain_passes, image_passes) in cases {
        let filter = filter(json.clone());
        assert_eq!((filter.matches(&plain), filter.matches(&image)), (plain_passes, image_passes), "{json}");
        if filter.is_nothing() {
            assert!(!plain_passes && !image_passes, "{json}");
        }
    }
}

#[test]
fn options_are_read() {
    let default = EventFilter::all();
    assert_eq!((default.limit, default.lazy_load_members, default.contains_url), (None, false, None));
    let filter = filter(json!({ "limit": 7, "lazy_load_members": true, "include_redundant_members": true,
        "unread_thread_notifications": true }));
    assert_eq!(filter.limit, Some(7));
    assert!(filter.lazy_load_members && filter.include_redundant_members);
    assert!(filter.unread_thread_notifications);
    assert!(self::filter(json!({ "limit": 0 })).is_nothing());
    assert!(!default.is_nothing());
}

#[test]
fn what_is_no_room_event_passes_by_type_and_sender() {
    let filter = filter(json!({ "types": ["m.typing"], "not_senders": ["@a:b"] }));
    assert!(filter.matches_parts("m.typing", None));
    assert!(!filter.matches_parts("m.receipt", None));
    assert!(!filter.matches_parts("m.typing", Some(user_id!("@a:b"))));
    assert!(filter.matches_parts("m.typing", Some(user_id!("@b:b"))));
}

#[test]
fn a_filter_of_a_sync_has_its_parts() {
    let definition = json!({
        "event_fields": ["type"], "event_format": "federation",
        "presence": { "types": [] }, "account_data": { "not_types": ["a"] },
        "room": { "include_leave": true, "not_rooms": ["!x:y"], "timeline": { "limit": 3 },
            "state": { "lazy_load_members": true }, "ephemeral": { "types": ["m.typing"] },
            "account_data": { "types": ["m.tag"] } },
    });
    let filter = SyncFilter::compile(&serde_json::from_value(definition).unwrap());
    assert!(filter.federation_format && filter.include_leave && filter.presence.is_nothing());
    assert!(!filter.account_data.matches_type("a") && filter.account_data.matches_type("b"));
    assert_eq!((filter.timeline.limit, filter.state.lazy_load_members), (Some(3), true));
    assert!(filter.ephemeral.matches_type("m.typing") && !filter.ephemeral.matches_type("m.receipt"));
    assert!(filter.room_account_data.matches_type("m.tag"));
    assert!(!filter.matches_room(room_id!("!x:y")) && filter.matches_room(room_id!("!y:y")));
    assert!(SyncFilter::all().matches_room(room_id!("!x:y")));
}
