//! Relations, well formed and not.

use serde_json::{Value, json};

use super::{RELATION_KEY_BYTES_MAX, Relation, relation_of};
use crate::{testing::Sample, version::list_rules};

fn relation(content: Value) -> Option<Relation> {
    let rules = &list_rules()[9];
    let room_id = ruma::RoomId::parse("!room:a.org").expect("a room id");
    relation_of(&Sample::message("m.room.message", "@alice:a.org", content).build(rules, &room_id))
}

fn related(relates_to: &Value) -> Option<Relation> {
    relation(json!({ "m.relates_to": relates_to }))
}

#[test]
fn well_formed() {
    for rel_type in ["m.replace", "m.thread", "m.reference", "org.example.other"] {
        let found = related(&json!({ "rel_type": rel_type, "event_id": "$one" })).expect("found");
        assert_eq!((found.rel_type.as_str(), found.target.as_str()), (rel_type, "$one"));
        assert_eq!(found.key, None);
    }
    let reaction = json!({ "rel_type": "m.annotation", "event_id": "$one", "key": "👍" });
    assert_eq!(related(&reaction).and_then(|found| found.key), Some("👍".to_owned()));
    let thread = json!({
        "rel_type": "m.thread", "event_id": "$root", "is_falling_back": true,
        "m.in_reply_to": { "event_id": "$latest" },
    });
    assert_eq!(related(&thread).expect("found").target, "$root");
}

#[test]
fn not_well_formed() {
    assert_eq!(relation(json!({ "body": "m.relates_to" })), None);
    for wrong in [
        json!({}),
        json!(1),
        json!([]),
        json!({ "rel_type": "m.replace" }),
        json!({ "event_id": "$one" }),
        json!({ "rel_type": "", "event_id": "$one" }),
        json!({ "rel_type": 1, "event_id": "$one" }),
        json!({ "rel_type": "m.replace", "event_id": "one" }),
        json!({ "rel_type": "x".repeat(300), "event_id": "$one" }),
        json!({ "m.in_reply_to": { "event_id": "$one" } }),
        json!({ "rel_type": "m.annotation", "event_id": "$one" }),
        json!({ "rel_type": "m.annotation", "event_id": "$one", "key": 1 }),
        json!({ "rel_type": "m.annotation", "event_id": "$one",
                "key": "x".repeat(RELATION_KEY_BYTES_MAX + 1) }),
    ] {
        assert_eq!(related(&wrong), None, "{wrong}");
    }
}
