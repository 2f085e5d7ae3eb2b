//! Events of other servers: form, limits, tampering, signatures, and bytes that are no events.

use proptest::prelude::*;
use ruma::{owned_event_id, owned_server_name, owned_user_id, room_id};
use serde_json::{Value, json};

use super::*;
use crate::event::{AUTH_EVENTS_MAX, EVENT_BYTES_MAX, PREV_EVENTS_MAX, Placement};
use crate::event_build::build_event;
use crate::sample_events::{
    draft, keys_of, keys_until, raw, rules, signed, signer_of, some_id, spec_signer, text_raw, tree,
};
use crate::version::list_rules;

fn message(rules: &RoomRules) -> Event {
    signed(rules, draft("m.room.message", None, &json!({ "body": "hello" })))
}

/// A good event with one change.
fn changed(rules: &RoomRules, change: impl Fn(&mut Value)) -> Result<ParsedPdu, BadEvent> {
    let mut tree = tree(&message(rules));
    change(&mut tree);
    parse_pdu(rules, None, &raw(&tree))
}

fn check(rules: &RoomRules, pdu: ParsedPdu) -> Result<Checked, BadSignature> {
    check_hashes_and_signatures(rules, pdu, &keys_of(&spec_signer()))
}

#[test]
fn required_fields_are_required() {
    for rules in list_rules() {
        let mut required = vec![
            "type",
            "sender",
            "room_id",
            "content",
            "depth",
            "origin_server_ts",
            "prev_events",
            "auth_events",
            "hashes",
            "signatures",
        ];
        if rules.references_with_hashes {
            required.push("event_id");
        }
        for field in required {
            let missing = changed(rules, |tree| {
                tree.as_object_mut().unwrap().remove(field);
            });
            assert_eq!(missing.err(), Some(BadEvent::MissingField(field)));
            let wrong = changed(rules, |tree| tree[field] = json!(true));
            assert_eq!(wrong.err(), Some(BadEvent::InvalidField(field)));
        }
        let no_hash = changed(rules, |tree| tree["hashes"] = json!({ "md5": "x" }));
        assert_eq!(no_hash.err(), Some(BadEvent::MissingField("sha256")));
    }
}

#[test]
fn fields_have_a_form() {
    for rules in list_rules() {
        let id = some_id(rules).to_string();
        let (plain, paired) = (json!([id]), json!([[id, { "sha256": "x" }]]));
        let (right, wrong) = if rules.references_with_hashes { (paired, plain) } else { (plain, paired) };
        assert!(changed(rules, |tree| tree["prev_events"] = right.clone()).is_ok());
        let cases = [
            ("sender", json!("alice")),
            ("sender", json!("#alice:domain")),
            ("room_id", json!("#room:domain")),
            ("state_key", json!(5)),
            ("state_key", Value::Null),
            ("depth", json!(-1)),
            ("depth", json!("1")),
            ("origin_server_ts", json!(-5)),
            ("prev_events", wrong),
            ("prev_events", json!([5])),
            ("auth_events", json!([[]])),
            ("auth_events", json!(["no id"])),
            ("signatures", json!([])),
        ];
        for (field, value) in cases {
            let result = changed(rules, |tree| tree[field] = value.clone());
            assert_eq!(result.err(), Some(BadEvent::InvalidField(field)), "{field}: {value}");
        }
    }
}

#[test]
fn no_object_is_no_event() {
    for text in ["[]", "5", "null", "\"x\""] {
        let result = parse_pdu(rules(12), None, &text_raw(text));
        assert!(matches!(result, Err(BadEvent::Json(BadJson::Shape(_)))), "{text}");
    }
}

#[test]
fn limits_hold_from_outside_too() {
    for rules in list_rules() {
        let too_large = |what, size, max| Some(BadEvent::TooLarge { what, size, max });
        let long = |length: usize| format!("@{}:domain", "a".repeat(length - ":domain@".len()));
        for (field, fine, bad) in [
            ("type", "t".repeat(255), "t".repeat(256)),
            ("state_key", "t".repeat(255), "t".repeat(256)),
            ("sender", long(255), long(256)),
            ("room_id", long(255).replace('@', "!"), long(256).replace('@', "!")),
        ] {
            let set = |value: &str| changed(rules, |tree| tree[field] = json!(value)).err();
            assert_eq!(set(&fine), None, "{field} in version {}", rules.version);
            assert_eq!(set(&bad), too_large(field, 256, 255));
        }
        // The case of 280 bytes in 70 code points, which older rooms hold.
        let wide = changed(rules, |tree| tree["state_key"] = json!("😀".repeat(70))).err();
        assert_eq!(wide, rules.sizes_in_bytes.then(|| too_large("state_key", 280, 255)).flatten());

        let references = |count| {
            let id = json!(some_id(rules));
            let entry = if rules.references_with_hashes { json!([id, {}]) } else { id };
            json!(vec![entry; count])
        };
        for (field, max) in [("prev_events", PREV_EVENTS_MAX), ("auth_events", AUTH_EVENTS_MAX)] {
            let set = |count| changed(rules, |tree| tree[field] = references(count)).err();
            assert_eq!(set(max), None);
            assert_eq!(set(max + 1), Some(BadEvent::TooMany { what: field, count: max + 1, max }));
        }
    }
}

#[test]
fn the_whole_event_has_a_limit_that_unsigned_does_not_count_for() {
    let rules = rules(12);
    let pad = |extra: usize, unsigned: &str| {
        let mut tree = tree(&message(rules));
        tree["unsigned"] = json!({ "x": unsigned });
        tree["pad"] = json!("");
        let mut bare = tree.clone();
        bare.as_object_mut().unwrap().remove("unsigned");
        let missing = EVENT_BYTES_MAX - bare.to_string().len();
        tree["pad"] = json!("p".repeat(missing + extra));
        parse_pdu(rules, None, &raw(&tree)).map(|pdu| pdu.event.json.get().len())
    };
    assert_eq!(pad(0, ""), Ok(EVENT_BYTES_MAX));
    assert_eq!(pad(0, &"u".repeat(100_000)), Ok(EVENT_BYTES_MAX));
    let size = EVENT_BYTES_MAX + 1;
    assert_eq!(pad(1, ""), Err(BadEvent::TooLarge { what: "event", size, max: EVENT_BYTES_MAX }));
    let huge = pad(0, &"u".repeat(PDU_BYTES_MAX));
    assert!(matches!(huge, Err(BadEvent::TooLarge { max: PDU_BYTES_MAX, .. })));
}

#[test]
fn depth_has_the_limit_of_its_version() {
    for rules in list_rules() {
        let with_depth = |depth: &str| {
            let json = message(rules).json.get().replace("\"depth\":12", &format!("\"depth\":{depth}"));
            parse_pdu(rules, None, &text_raw(&json)).map(|pdu| pdu.event.depth)
        };
        assert_eq!(with_depth("0"), Ok(0));
        assert_eq!(with_depth("9007199254740991"), Ok(9_007_199_254_740_991));
        let largest = with_depth("9223372036854775807");
        let larger = with_depth("9223372036854775808");
        if rules.strict_json {
            assert!(matches!(largest, Err(BadEvent::Json(BadJson::Number { .. }))));
        } else {
            assert_eq!(largest, Ok(9_223_372_036_854_775_807));
            assert_eq!(larger, Err(BadEvent::InvalidField("depth")));
        }
        assert!(with_depth("1.0").is_err());
    }
}

#[test]
fn numbers_count_by_version_but_not_in_unsigned() {
    for rules in list_rules() {
        let with = |place: &str, number: &str| {
            let json = message(rules).json.get().replacen('{', &format!("{{\"{place}\":{{\"n\":{number}}},"), 1);
            parse_pdu(rules, None, &text_raw(&json)).is_ok()
        };
        for number in ["0.5", "9007199254740992", "-0", "1e3"] {
            assert_eq!(with("extra", number), !rules.strict_json, "version {}", rules.version);
            assert!(with("unsigned", number));
        }
        assert!(!with("extra", "1e999"));
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let deep = format!("{{\"deep\":{}{},", "[".repeat(depth), "]".repeat(depth));
        let json = message(rules(12)).json.get().replacen('{', &deep, 1);
        parse_pdu(rules(12), None, &text_raw(&json)).is_ok()
    };
    assert!(nested(EVENT_JSON_DEPTH_MAX - 1));
    assert!(!nested(EVENT_JSON_DEPTH_MAX));
    assert!(!nested(100_000));
}

#[test]
fn an_event_of_another_room_is_refused() {
    for rules in list_rules() {
        let event = message(rules);
        assert!(parse_pdu(rules, Some(room_id!("!room:domain")), &event.json).is_ok());
        let other = parse_pdu(rules, Some(room_id!("!other:domain")), &event.json);
        assert!(matches!(other, Err(BadEvent::WrongRoom { .. })));
    }
}

#[test]
fn changed_content_means_a_redacted_copy_with_the_same_id() {
    for rules in list_rules() {
        let event = message(rules);
        let pdu = changed(rules, |tree| tree["content"]["body"] = json!("forged")).unwrap();
        assert_eq!(pdu.event.id, event.id);
        let Ok(Checked::Redacted(copy)) = check(rules, pdu) else { panic!("not redacted") };
        assert_eq!((&copy.id, copy.content.get()), (&event.id, "{}"));
        assert!(!copy.json.get().contains("forged"));
        // What was redacted on the way is taken as that.
        let pdu = parse_pdu(rules, None, &redact(rules, &event).json).unwrap();
        assert_eq!(pdu.event.id, event.id);
        assert!(matches!(check(rules, pdu), Ok(Checked::Redacted(_))));
    }
}

#[test]
fn changed_essentials_mean_a_wrong_signature() {
    for rules in list_rules() {
        for (field, value) in [
            ("depth", json!(13)),
            ("origin_server_ts", json!(5)),
            ("sender", json!("@mallory:domain")),
            ("room_id", json!("!other:domain")),
            ("type", json!("m.room.topic")),
            ("state_key", json!("")),
        ] {
            let pdu = changed(rules, |tree| tree[field] = value.clone()).unwrap();
            let result = check(rules, pdu);
            assert!(matches!(result, Err(BadSignature::Wrong { .. })), "{field}: {result:?}");
        }
        // The id of a later version follows from the rest; only old ones carry it.
        let pdu = changed(rules, |tree| tree["unsigned"] = json!({ "age": 1 })).unwrap();
        assert!(!pdu.event.json.get().contains("unsigned"));
        assert!(matches!(check(rules, pdu), Ok(Checked::Intact(_))));
    }
}

#[test]
fn missing_unknown_and_foreign_signatures() {
    for rules in list_rules() {
        let pdu = changed(rules, |tree| tree["signatures"] = json!({})).unwrap();
        let server = owned_server_name!("domain");
        let missing = BadSignature::Missing { server: server.clone() };
        assert_eq!(check(rules, pdu).err(), Some(missing.clone()));
        let pdu = changed(rules, |tree| {
            tree["signatures"] = json!({ "elsewhere": tree["signatures"]["domain"] });
        });
        assert_eq!(check(rules, pdu.unwrap()).err(), Some(missing));
        let pdu = changed(rules, |_| {}).unwrap();
        let unknown = check_hashes_and_signatures(rules, pdu, &PublicKeys::new()).err();
        let key_ids = vec!["ed25519:1".to_owned()];
        assert_eq!(unknown, Some(BadSignature::UnknownKeys { server, key_ids }));
    }
}

#[test]
fn expired_keys_count_from_version_5_on() {
    for (at, rules) in list_rules().iter().enumerate() {
        let result = |until| {
            let pdu = changed(rules, |_| {}).unwrap();
            let keys = keys_until(&spec_signer(), until);
            check_hashes_and_signatures(rules, pdu, &keys).map(|_| ())
        };
        assert_eq!(result(1_700_000_000_000), Ok(()));
        let expired = matches!(result(1_699_999_999_999), Err(BadSignature::ExpiredKeys { .. }));
        assert_eq!(expired, at + 1 >= 5, "version {}", rules.version);
    }
}

#[test]
fn who_must_sign() {
    let servers = |rules: &RoomRules, kind: &str, content: Value| -> Vec<String> {
        let event = signed(rules, draft(kind, Some("@bob:other"), &content));
        let mut tree = tree(&event);
        if rules.references_with_hashes {
            tree["event_id"] = json!("$1:elsewhere");
        }
        let pdu = parse_pdu(rules, None, &raw(&tree)).unwrap();
        pdu.required_keys().map(|(server, _)| server.to_string()).collect()
    };
    let authorised = json!({ "membership": "join", "join_authorised_via_users_server": "@c:third" });
    let third_party = json!({ "membership": "invite", "third_party_invite": { "signed": {} } });
    for (at, rules) in list_rules().iter().enumerate() {
        let by_id = rules.references_with_hashes;
        let with_id = |mut expected: Vec<&'static str>| {
            if by_id {
                expected.push("elsewhere");
            }
            expected
        };
        assert_eq!(servers(rules, "m.room.message", authorised.clone()), with_id(vec!["domain"]));
        assert_eq!(servers(rules, "m.room.member", third_party.clone()), with_id(vec![]));
        let join = if at + 1 >= 8 { vec!["domain", "third"] } else { with_id(vec!["domain"]) };
        assert_eq!(servers(rules, "m.room.member", authorised.clone()), join);
    }
}

#[test]
fn a_third_party_invitation_with_a_wrong_hash_needs_its_senders_signature() {
    let content = json!({ "membership": "invite", "third_party_invite": { "signed": {} } });
    for rules in &list_rules()[2..] {
        let event = signed(rules, draft("m.room.member", Some("@bob:other"), &content));
        let mut tree = tree(&event);
        tree["signatures"] = json!({});
        let pdu = parse_pdu(rules, None, &raw(&tree)).unwrap();
        assert!(matches!(check(rules, pdu), Ok(Checked::Intact(_))));
        tree["content"]["displayname"] = json!("forged");
        let pdu = parse_pdu(rules, None, &raw(&tree)).unwrap();
        assert!(matches!(check(rules, pdu), Err(BadSignature::Missing { .. })));
    }
}

#[test]
fn a_second_server_signs_beside_the_first() {
    let rules = rules(10);
    let mut join = draft(
        "m.room.member",
        Some("@alice:domain"),
        &json!({ "membership": "join", "join_authorised_via_users_server": "@bob:other" }),
    );
    join.sender = owned_user_id!("@alice:domain");
    let event = signed(rules, join);
    let other = signer_of("other");
    let mut keys = keys_of(&spec_signer());
    keys.extend(keys_of(&other));
    let check = |event: &Event| {
        let pdu = parse_pdu(rules, None, &event.json).unwrap();
        check_hashes_and_signatures(rules, pdu, &keys)
    };
    let missing = BadSignature::Missing { server: owned_server_name!("other") };
    assert_eq!(check(&event).err(), Some(missing));
    let both = add_signature(rules, &event, &other).unwrap();
    assert_eq!(both.id, event.id);
    assert!(matches!(check(&both), Ok(Checked::Intact(_))));
    assert_eq!(add_signature(rules, &both, &other).unwrap().json.get(), both.json.get());
}

#[test]
fn the_create_event_of_version_12_has_no_room_id() {
    let create = draft("m.room.create", Some(""), &json!({ "room_version": "12" }));
    let place = Placement { room_id: None, prev_events: vec![], auth_events: vec![], depth: 1 };
    let event = build_event(rules(12), create, place).unwrap().sign(&spec_signer());
    let mut tree = tree(&event);
    tree["room_id"] = json!(event.room_id);
    let result = parse_pdu(rules(12), None, &raw(&tree));
    assert_eq!(result.err(), Some(BadEvent::ForbiddenField("room_id")));
    // Something of the same type that is no state is an ordinary event.
    tree.as_object_mut().unwrap().remove("state_key");
    assert!(parse_pdu(rules(12), None, &raw(&tree)).is_ok());
}

#[test]
fn a_redaction_names_its_target() {
    for rules in list_rules() {
        let mut redaction = draft("m.room.redaction", None, &json!({}));
        redaction.redacts = Some(owned_event_id!("$target:domain"));
        let event = signed(rules, redaction);
        let pdu = parse_pdu(rules, None, &event.json).unwrap();
        assert_eq!(pdu.event.redacts, Some(owned_event_id!("$target:domain")));
    }
}

#[test]
fn the_same_event_in_another_form_is_the_same() {
    for rules in list_rules() {
        let event = message(rules);
        let pretty = serde_json::to_string_pretty(&tree(&event)).unwrap();
        let escaped = pretty.replace("hello", "\\u0068ello").replacen('{', "{\"type\":\"early\",", 1);
        let pdu = parse_pdu(rules, None, &text_raw(&escaped)).unwrap();
        assert_eq!((&pdu.event.id, pdu.event.json.get()), (&event.id, event.json.get()));
    }
}

proptest! {
    #[test]
    fn any_json_is_judged_without_panic(
        version in 1_usize..=12,
        value in crate::json_parse::tests::any_value(),
        field in prop::sample::select(vec![
            "auth_events", "content", "depth", "event_id", "hashes", "origin_server_ts", "prev_events",
            "redacts", "room_id", "sender", "signatures", "state_key", "type", "unsigned",
        ]),
    ) {
        let _ = parse_pdu(rules(version), None, &raw(&value));
        if let Ok(pdu) = changed(rules(version), |tree| tree[field] = value.clone()) {
            let _ = check(rules(version), pdu);
        }
    }

    #[test]
    fn any_damage_is_seen(version in 1_usize..=12, at in 0_usize..2_000, letter in "[0-9a-zA-Z\"{}:,]") {
        let rules = rules(version);
        let event = message(rules);
        let mut text = event.json.get().to_owned();
        let at = at % text.len();
        let before = text[at..=at].to_owned();
        text.replace_range(at..=at, &letter);
        let Ok(damaged) = RawValue::from_string(text) else { return Ok(()) };
        let Ok(pdu) = parse_pdu(rules, None, &damaged) else { return Ok(()) };
        // Whatever holds is the event itself, or what stays of it when it is redacted.
        if let Ok(checked) = check(rules, pdu) {
            let redacted = matches!(checked, Checked::Redacted(_));
            let found = checked.into_event();
            if redacted || before == letter {
                prop_assert_eq!(found.id, event.id);
            } else {
                // Only a signature's spelling may differ.
                prop_assert_eq!(redact(rules, &found).id, event.id);
            }
        }
    }
}
