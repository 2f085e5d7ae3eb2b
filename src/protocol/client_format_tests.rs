//! Events for clients, and stripped state.

use ruma::owned_event_id;
use serde_json::{Value, json};

use super::*;
use crate::event::Placement;
use crate::event_build::build_event;
use crate::sample_events::{draft, place, rules, signed};
use crate::version::list_rules;

fn client(event: &Event) -> Value {
    serde_json::from_str(&format!("{}}}", client_json_head(event))).unwrap()
}

#[test]
fn a_message_and_a_state_event() {
    for rules in list_rules() {
        let message = signed(rules, draft("m.\"x\"", None, &json!({ "body": "\u{1}ä" })));
        let expected = json!({ "content": { "body": "\u{1}ä" }, "event_id": message.id,
            "origin_server_ts": 1_700_000_000_000_u64, "sender": "@alice:domain", "type": "m.\"x\"" });
        assert_eq!(client(&message), expected);
        let state = signed(rules, draft("m.room.name", Some(""), &json!({})));
        assert_eq!(client(&state)["state_key"], "");
    }
}

#[test]
fn a_redaction_names_its_target_twice_in_every_version() {
    for rules in list_rules() {
        for content in [json!({}), json!({ "reason": "x" })] {
            let mut redaction = draft("m.room.redaction", None, &content);
            redaction.redacts = Some(owned_event_id!("$t:domain"));
            let shown = client(&signed(rules, redaction));
            let mut expected = content;
            expected["redacts"] = json!("$t:domain");
            assert_eq!((&shown["redacts"], &shown["content"]), (&json!("$t:domain"), &expected));
        }
    }
}

#[test]
fn what_only_looks_like_a_redaction_stays_as_it_is() {
    let content = json!({ "redacts": "$t:domain" });
    let shown = client(&signed(rules(12), draft("m.room.message", None, &content)));
    assert_eq!((shown.get("redacts"), &shown["content"]), (None, &content));
}

#[test]
fn the_caller_may_add_room_and_unsigned() {
    let create = draft("m.room.create", Some(""), &json!({}));
    let unplaced = Placement { room_id: None, ..place(rules(12)) };
    let event = build_event(rules(12), create, unplaced).unwrap().event;
    let full: Value = serde_json::from_str(&client_json(&event, true, Some("{\"age\":5}"))).unwrap();
    assert_eq!(full["room_id"], event.room_id.as_str());
    assert_eq!(full["unsigned"]["age"], 5);
    let bare = client_json(&event, false, None);
    assert_eq!(bare, format!("{}}}", client_json_head(&event)));
    assert!(!bare.contains("room_id"));
}

#[test]
fn stripped_state_has_four_fields() {
    let event = signed(rules(11), draft("m.room.name", Some("k"), &json!({ "name": "x" })));
    let expected = r#"{"content":{"name":"x"},"sender":"@alice:domain","state_key":"k","type":"m.room.name"}"#;
    assert_eq!(stripped_state(&event).get(), expected);
}
