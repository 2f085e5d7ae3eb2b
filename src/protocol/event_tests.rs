//! Reading stored events.

use ruma::{owned_event_id, room_id};
use serde_json::json;

use super::*;
use crate::sample_events::{draft, rules, signed, text_raw};
use crate::version::list_rules;

fn from_stored(version: usize, json: &str) -> Result<Event, BadEvent> {
    let id = owned_event_id!("$id:domain");
    Event::from_stored(rules(version), id, room_id!("!room:domain"), text_raw(json))
}

#[test]
fn a_stored_event_reads_as_it_was_built_in_every_version() {
    for rules in list_rules() {
        let mut redaction = draft("m.room.redaction", None, &json!({ "reason": "ä\n" }));
        redaction.redacts = Some(owned_event_id!("$target:domain"));
        let state = draft("m.room.name", Some(""), &json!({ "name": "x" }));
        for draft in [redaction, state] {
            let built = signed(rules, draft);
            let json = built.json.clone();
            let read = Event::from_stored(rules, built.id.clone(), &built.room_id, json).unwrap();
            assert_eq!(format!("{read:?}"), format!("{built:?}"), "version {}", rules.version);
        }
    }
}

#[test]
fn the_target_of_a_redaction_is_where_the_version_has_it() {
    let both = |kind: &str| {
        format!(
            r#"{{"auth_events":[],"content":{{"redacts":"$inside"}},"depth":1,"origin_server_ts":1,
            "prev_events":[],"redacts":"$outside","sender":"@a:domain","type":"{kind}"}}"#
        )
    };
    let redacts = |version, kind: &str| from_stored(version, &both(kind)).unwrap().redacts;
    assert_eq!(redacts(10, "m.room.redaction"), Some(owned_event_id!("$outside")));
    assert_eq!(redacts(11, "m.room.redaction"), Some(owned_event_id!("$inside")));
    assert_eq!(redacts(10, "m.room.message"), None);
    assert_eq!(redacts(11, "m.room.message"), None);
    for bad in ["5", "null", "{}", "\"no id\""] {
        let text = both("m.room.redaction").replace("\"$outside\"", bad);
        assert_eq!(from_stored(10, &text).unwrap().redacts, None);
        let text = both("m.room.redaction").replace("\"$inside\"", bad);
        assert_eq!(from_stored(12, &text).unwrap().redacts, None);
    }
}

#[test]
fn damaged_bytes_are_an_error() {
    let good = r#"{"auth_events":["$a"],"content":{},"depth":1,"origin_server_ts":1,"prev_events":[],"sender":"@a:domain","type":"x"}"#;
    assert!(from_stored(12, good).is_ok());
    for (from, to) in [
        ("\"depth\":1,", ""),
        ("\"depth\":1", "\"depth\":-1"),
        ("@a:domain", "nobody"),
        ("[\"$a\"]", "[1]"),
        ("[\"$a\"]", "[[]]"),
        ("\"content\":{},", ""),
    ] {
        let damaged = from_stored(12, &good.replace(from, to));
        assert!(matches!(damaged, Err(BadEvent::Stored(_))), "{from} -> {to}");
    }
}

#[test]
fn state_is_told_by_the_state_key() {
    let rules = rules(12);
    let state = signed(rules, draft("m.room.name", Some(""), &json!({})));
    assert_eq!((state.is_state(), state.state_pair()), (true, Some(("m.room.name", ""))));
    let message = signed(rules, draft("m.room.message", None, &json!({ "body": "hi" })));
    assert_eq!((message.is_state(), message.state_pair()), (false, None));
    let content: serde_json::Value = message.content_as().unwrap();
    assert_eq!(content["body"], "hi");
    assert!(message.content_as::<Vec<u8>>().is_err());
}
