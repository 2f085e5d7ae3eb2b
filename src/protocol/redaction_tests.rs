//! What each version keeps, by table and against ruma.

use proptest::prelude::*;
use ruma::CanonicalJsonObject;
use ruma::canonical_json::redact as redact_by_ruma;
use serde_json::{Value, json};

use super::*;
use crate::sample_events::{draft, rules, signed, tree};
use crate::version::list_rules;

/// Type, content, and what stays of it in versions 1, 6, 8, 9, 11 and 12 (the first of each change).
fn table() -> Vec<(&'static str, Value, [Value; 6])> {
    let gone = || json!({});
    let levels = json!({ "ban": 1, "events": {}, "events_default": 2, "kick": 3, "redact": 4,
        "state_default": 5, "users": {}, "users_default": 6 });
    let mut all_levels = levels.clone();
    all_levels["notifications"] = json!({ "room": 50 });
    all_levels["invite"] = json!(7);
    let mut levels_11 = levels.clone();
    levels_11["invite"] = json!(7);
    let member = json!({ "membership": "join", "displayname": "x", "join_authorised_via_users_server": "@b:b",
        "third_party_invite": { "display_name": "y", "signed": { "token": "t" } } });
    let joined = json!({ "membership": "join" });
    let authorised = json!({ "membership": "join", "join_authorised_via_users_server": "@b:b" });
    let mut invited = authorised.clone();
    invited["third_party_invite"] = json!({ "signed": { "token": "t" } });
    let create = json!({ "creator": "@a:a", "m.federate": true, "x": { "y": 1 } });
    let creator = json!({ "creator": "@a:a" });
    let join_rules = json!({ "join_rule": "restricted", "allow": [1], "x": 1 });
    let rule = json!({ "join_rule": "restricted" });
    let allow = json!({ "join_rule": "restricted", "allow": [1] });
    let aliases = json!({ "aliases": ["#a:a"], "x": 1 });
    let kept_aliases = json!({ "aliases": ["#a:a"] });
    let target = json!({ "redacts": "$x", "reason": "r" });
    let kept_target = json!({ "redacts": "$x" });
    let visibility = json!({ "history_visibility": "shared", "x": 1 });
    let seen = json!({ "history_visibility": "shared" });
    let six = |value: &Value| [(); 6].map(|()| value.clone());
    let steps = |values: [&Value; 6]| values.map(Clone::clone);
    let none = &gone();
    vec![
        ("m.room.message", json!({ "body": "x", "membership": "y" }), six(none)),
        ("m.room.topic", json!({ "topic": "x" }), six(none)),
        ("m.room.member", member, steps([&joined, &joined, &joined, &authorised, &invited, &invited])),
        ("m.room.create", create.clone(), steps([&creator, &creator, &creator, &creator, &create, &create])),
        ("m.room.join_rules", join_rules, steps([&rule, &rule, &allow, &allow, &allow, &allow])),
        ("m.room.power_levels", all_levels, steps([&levels, &levels, &levels, &levels, &levels_11, &levels_11])),
        ("m.room.history_visibility", visibility, six(&seen)),
        ("m.room.aliases", aliases, steps([&kept_aliases, none, none, none, none, none])),
        ("m.room.redaction", target, steps([none, none, none, none, &kept_target, &kept_target])),
    ]
}

#[test]
fn each_version_keeps_its_keys() {
    let first_of_step = [1, 6, 8, 9, 11, 12];
    for (kind, content, kept) in table() {
        for version in 1..=12 {
            let step = first_of_step.iter().rposition(|first| *first <= version).unwrap();
            // A message type as state, too: the state key must stay.
            let event = signed(rules(version), draft(kind, Some("key"), &content));
            let redacted = redact(rules(version), &event);
            let found: Value = redacted.content_as().unwrap();
            assert_eq!(found, kept[step], "{kind} in version {version}");
            assert_eq!((&redacted.id, &redacted.state_key), (&event.id, &event.state_key));
        }
    }
}

#[test]
fn the_top_level_keeps_what_places_and_signs_the_event() {
    for version in [1, 10, 11] {
        let rules = rules(version);
        let event = signed(rules, draft("m.room.message", Some("k"), &json!({ "body": "x" })));
        let mut changed = tree(&event);
        for key in ["origin", "membership", "prev_state", "redacts", "age_ts", "anything"] {
            changed[key] = json!("x");
        }
        let json = serde_json::value::to_raw_value(&changed).unwrap();
        let redacted = redact(rules, &Event { json, ..event.clone() });
        let mut expected = tree(&event);
        expected["content"] = json!({});
        if version < 11 {
            for key in ["origin", "membership", "prev_state"] {
                expected[key] = json!("x");
            }
        }
        assert_eq!(tree(&redacted), expected, "version {version}");
    }
}

#[test]
fn redacting_twice_is_redacting_once() {
    for rules in list_rules() {
        for (kind, content, _) in table() {
            let once = redact(rules, &signed(rules, draft(kind, Some("key"), &content)));
            assert_eq!(redact(rules, &once).json.get(), once.json.get());
        }
    }
}

/// Versions 1 and 2 put it beside each cited event; ruma writes it in standard base64 up to version 3.
#[test]
fn the_reference_hash_is_that_of_ruma() {
    for version in 1..=3 {
        let rules = rules(version);
        let event = signed(rules, draft("m.room.message", None, &json!({ "body": "x" })));
        let object: CanonicalJsonObject = serde_json::from_str(event.json.get()).unwrap();
        let theirs = ruma::signatures::reference_hash(&object, &rules.ruma).unwrap();
        assert_eq!(reference_hash(rules, &event), Some(theirs));
    }
}

proptest! {
    #[test]
    fn any_content_is_redacted_as_by_ruma(
        version in 1_usize..=12,
        kind in prop::sample::select(vec![
            "m.room.aliases", "m.room.create", "m.room.history_visibility", "m.room.join_rules",
            "m.room.member", "m.room.message", "m.room.power_levels", "m.room.redaction",
        ]),
        keys in prop::sample::subsequence(vec![
            "aliases", "creator", "history_visibility", "join_rule", "allow", "membership",
            "join_authorised_via_users_server", "third_party_invite", "ban", "events", "invite", "redacts",
            "room_version", "body",
        ], 0..14),
        value in crate::json_parse::tests::any_value(),
    ) {
        let content: serde_json::Map<String, Value> =
            keys.into_iter().map(|key| (key.to_owned(), value.clone())).collect();
        let event = json!({ "type": kind, "content": content, "origin": "x", "redacts": "y", "hashes": {},
            "membership": 1, "signatures": {}, "room_id": "z", "depth": 5, "unsigned": {} }).to_string();
        let object: CanonicalJsonObject = serde_json::from_str(&event).unwrap();
        let theirs = redact_by_ruma(object, &rules(version).ruma.redaction, None).unwrap();
        let ours = redacted_json(rules(version), &event).unwrap();
        prop_assert_eq!(ours.get(), serde_json::to_string(&theirs).unwrap());
    }
}
