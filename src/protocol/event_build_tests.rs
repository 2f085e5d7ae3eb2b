//! Building: round trips, limits and ids in each version, and ruma as the judge.

use std::collections::BTreeMap;

use proptest::prelude::*;
use ruma::serde::Base64;
use ruma::signatures::{Verified, reference_hash, verify_event};
use ruma::{CanonicalJsonObject, owned_event_id};
use serde_json::{Value, json};

use super::*;
use crate::event::EVENT_BYTES_MAX;
use crate::incoming::{Checked, check_hashes_and_signatures, parse_pdu};
use crate::sample_events::{draft, keys_of, place, rules, signed, some_id, spec_signer, text_raw, tree};
use crate::version::list_rules;

fn verify_by_ruma(rules: &RoomRules, event: &Event) {
    let object: CanonicalJsonObject = serde_json::from_str(event.json.get()).unwrap();
    let key = Base64::parse(spec_signer().public_key_base64()).unwrap();
    let of_server = BTreeMap::from([("ed25519:1".to_owned(), key)]);
    let keys = BTreeMap::from([("domain".to_owned(), of_server)]);
    assert_eq!(verify_event(&keys, &object, &rules.ruma).unwrap(), Verified::All);
    if rules.event_id_format != EventIdFormat::Opaque {
        let hash = reference_hash(&object, &rules.ruma).unwrap();
        assert_eq!(event.id.as_str(), format!("${hash}"));
    }
    // The bytes are canonical already.
    assert_eq!(serde_json::to_string(&object).unwrap(), event.json.get());
}

#[test]
fn an_event_comes_back_intact_in_every_version() {
    for rules in list_rules() {
        for (kind, state_key) in [("m.room.message", None), ("m.room.member", Some("@alice:domain"))] {
            let content = json!({ "membership": "join", "body": "ä\u{1}\"" });
            let built = signed(rules, draft(kind, state_key, &content));
            let pdu = parse_pdu(rules, Some(&built.room_id), &built.json).unwrap();
            let checked = check_hashes_and_signatures(rules, pdu, &keys_of(&spec_signer()));
            let Ok(Checked::Intact(event)) = checked else { panic!("version {}", rules.version) };
            assert_eq!(format!("{event:?}"), format!("{built:?}"));
            verify_by_ruma(rules, &built);
        }
    }
}

#[test]
fn the_create_event_makes_the_room_id_in_version_12_only() {
    for rules in list_rules() {
        let create = || draft("m.room.create", Some(""), &json!({ "room_version": rules.version }));
        let named = Placement { prev_events: vec![], auth_events: vec![], depth: 1, ..place(rules) };
        let unnamed = Placement { room_id: None, ..named.clone() };
        let (placed, refused, error) = if rules.room_id_is_create_hash {
            (unnamed, named, BadEvent::ForbiddenField("room_id"))
        } else {
            (named, unnamed, BadEvent::MissingField("room_id"))
        };
        assert_eq!(build_event(rules, create(), refused).err(), Some(error));
        let event = build_event(rules, create(), placed).unwrap().sign(&spec_signer());
        verify_by_ruma(rules, &event);
        let carries = tree(&event).get("room_id").is_some();
        assert_eq!(carries, !rules.room_id_is_create_hash, "version {}", rules.version);
        if rules.room_id_is_create_hash {
            assert_eq!(event.room_id.as_str(), event.id.as_str().replace('$', "!"));
        }
        let pdu = parse_pdu(rules, Some(&event.room_id), &event.json).unwrap();
        assert_eq!((pdu.event.id, pdu.event.room_id), (event.id, event.room_id));
    }
}

#[test]
fn ids_of_old_rooms_are_their_servers_own_and_repeatable() {
    let build = |body: &str| {
        let draft = draft("m.room.message", None, &json!({ "body": body }));
        build_event(rules(1), draft, place(rules(1))).unwrap().event
    };
    let id = build("a").id;
    assert!(id.as_str().ends_with(":domain") && id.as_str().len() == 1 + 43 + ":domain".len());
    assert_eq!(build("a").id, id);
    assert_ne!(build("b").id, id);
    assert_eq!(tree(&build("a"))["event_id"], id.as_str());
}

#[test]
fn references_of_old_rooms_carry_hashes() {
    let build = |hashes: ReferenceHashes<'_>| {
        let draft = draft("m.room.message", None, &json!({}));
        tree(&build_event_citing(rules(2), draft, place(rules(2)), hashes).unwrap().event)
    };
    let id = some_id(rules(2)).to_string();
    assert_eq!(build(&|_| Some("abc".to_owned()))["prev_events"], json!([[id, { "sha256": "abc" }]]));
    assert_eq!(build(&|_| None)["auth_events"], json!([[id, {}], [id, {}]]));
}

#[test]
fn the_target_of_a_redaction_goes_where_the_version_has_it() {
    for rules in list_rules() {
        let mut draft = draft("m.room.redaction", None, &json!({ "reason": "x" }));
        draft.redacts = Some(owned_event_id!("$target:domain"));
        let event = signed(rules, draft);
        verify_by_ruma(rules, &event);
        let (inside, outside) = (tree(&event)["content"]["redacts"].clone(), tree(&event)["redacts"].clone());
        let (there, empty) = if rules.redacts_in_content { (inside, outside) } else { (outside, inside) };
        assert_eq!((there, empty), (json!("$target:domain"), Value::Null));
        assert_eq!(event.redacts, Some(owned_event_id!("$target:domain")));
        let content: Value = event.content_as().unwrap();
        assert_eq!(content, tree(&event)["content"]);
    }
}

#[test]
fn numbers_are_refused_by_version() {
    for rules in list_rules() {
        for number in ["1.5", "9007199254740992", "-0", "123456789012345678901234567890"] {
            let mut draft = draft("m.room.message", None, &json!({}));
            draft.content = text_raw(&format!("{{\"n\":{number}}}"));
            let built = build_event(rules, draft, place(rules));
            if rules.strict_json {
                let error = BadJson::Number { number: number.to_owned() };
                assert_eq!(built.err(), Some(BadEvent::Json(error)));
            } else {
                let event = built.unwrap().sign(&spec_signer());
                let pdu = parse_pdu(rules, None, &event.json).unwrap();
                let checked = check_hashes_and_signatures(rules, pdu, &keys_of(&spec_signer()));
                assert!(matches!(checked, Ok(Checked::Intact(_))), "{number}");
            }
        }
    }
}

#[test]
fn content_must_be_an_object_that_is_not_too_deep() {
    let build = |content: &str| {
        let mut draft = draft("m.room.message", None, &json!({}));
        draft.content = text_raw(content);
        build_event(rules(12), draft, place(rules(12))).map(|built| built.event)
    };
    for bad in ["[]", "\"x\"", "null"] {
        assert_eq!(build(bad).err(), Some(BadEvent::InvalidField("content")));
    }
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let event = build(&nested(EVENT_JSON_DEPTH_MAX - 1)).unwrap();
    let too_deep = build(&nested(EVENT_JSON_DEPTH_MAX));
    assert!(matches!(too_deep, Err(BadEvent::Json(BadJson::TooDeep { .. }))));
    // What was just not too deep passes everything that reads it later.
    assert!(event.content_as::<Value>().is_ok());
}

#[test]
fn sizes_at_the_limit_and_above() {
    for rules in list_rules() {
        let build = |kind: &str, state_key: &str| {
            build_event(rules, draft(kind, Some(state_key), &json!({})), place(rules)).map(|_| ())
        };
        let too_large = |what, size| Err(BadEvent::TooLarge { what, size, max: 255 });
        assert_eq!(build(&"t".repeat(255), &"k".repeat(255)), Ok(()));
        assert_eq!(build(&"t".repeat(256), ""), too_large("type", 256));
        assert_eq!(build("t", &"k".repeat(256)), too_large("state_key", 256));
        // 255 code points, 1020 bytes.
        let wide = "😀".repeat(255);
        let expected = if rules.sizes_in_bytes { too_large("state_key", 1020) } else { Ok(()) };
        assert_eq!(build("t", &wide), expected, "version {}", rules.version);
        let wider = if rules.sizes_in_bytes { 1024 } else { 256 };
        assert_eq!(build("t", &"😀".repeat(256)), too_large("state_key", wider));
    }
}

#[test]
fn a_built_event_never_grows_over_the_limit_by_its_signature() {
    for rules in [rules(1), rules(12)] {
        let build = |length: usize| {
            let draft = draft("m.room.message", None, &json!({ "body": "x".repeat(length) }));
            build_event(rules, draft, place(rules))
        };
        let longest = (64_000..66_000).rev().find(|length| build(*length).is_ok()).unwrap();
        let event = build(longest).unwrap().sign(&spec_signer());
        let room = EVENT_BYTES_MAX - event.json.get().len();
        assert!(room <= KEY_ID_BYTES_MAX, "{room} bytes unused");
        assert!(matches!(build(longest + 1), Err(BadEvent::TooLarge { what: "event", .. })));
        assert!(parse_pdu(rules, None, &event.json).is_ok());
    }
}

#[test]
fn counts_depth_and_time_have_limits() {
    for rules in list_rules() {
        let build = |change: &dyn Fn(&mut Placement, &mut EventDraft)| {
            let (mut place, mut draft) = (place(rules), draft("m.room.message", None, &json!({})));
            change(&mut place, &mut draft);
            build_event(rules, draft, place).map(|_| ())
        };
        let ids = |count| vec![some_id(rules); count];
        let many = |what, count, max| Err(BadEvent::TooMany { what, count, max });
        assert_eq!(build(&|place, _| place.prev_events = ids(20)), Ok(()));
        assert_eq!(build(&|place, _| place.prev_events = ids(21)), many("prev_events", 21, 20));
        assert_eq!(build(&|place, _| place.auth_events = ids(10)), Ok(()));
        assert_eq!(build(&|place, _| place.auth_events = ids(11)), many("auth_events", 11, 10));
        assert_eq!(build(&|place, _| place.depth = rules.depth_max), Ok(()));
        let deeper = build(&|place, _| place.depth = rules.depth_max + 1);
        assert_eq!(deeper, Err(BadEvent::InvalidField("depth")));
        let later = build(&|_, draft| draft.origin_server_ts = 1 << 53);
        assert_eq!(later, Err(BadEvent::InvalidField("origin_server_ts")));
    }
}

proptest! {
    #[test]
    fn any_event_holds_before_ruma(
        version in 1_usize..=12,
        kind in prop_oneof!["[a-z.\"\\\\é]{1,20}", Just("m.room.power_levels".to_owned())],
        state_key in prop::option::of(".{0,20}"),
        content in prop::collection::btree_map(
            ".{0,6}", crate::json_parse::tests::any_value(), 0..6),
        ts in 0_u64..(1 << 53),
        depth in 0_u64..(1 << 53),
    ) {
        let rules = rules(version);
        let content = json!(content);
        let draft = EventDraft { origin_server_ts: ts, ..draft(&kind, state_key.as_deref(), &content) };
        let place = Placement { depth, ..place(rules) };
        let event = build_event(rules, draft, place).unwrap().sign(&spec_signer());
        verify_by_ruma(rules, &event);
        let pdu = parse_pdu(rules, None, &event.json).unwrap();
        prop_assert_eq!(format!("{:?}", &pdu.event), format!("{event:?}"));
        let checked = check_hashes_and_signatures(rules, pdu, &keys_of(&spec_signer()));
        prop_assert!(matches!(checked, Ok(Checked::Intact(_))));
    }
}
