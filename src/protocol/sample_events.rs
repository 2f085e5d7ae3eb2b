//! What the tests about one event share: the specification's key, drafts, places and finished events.

use ruma::{OwnedEventId, OwnedServerName, event_id, owned_room_id, owned_user_id, server_name};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::event::{Event, EventDraft, Placement};
use crate::event_build::build_event;
use crate::hash::decode_base64;
use crate::signature::{PublicKeys, Signer, VerifyKey};
use crate::version::{RoomRules, list_rules};

/// The key of the specification's test vectors (appendices, "Cryptographic Test Vectors").
pub(crate) fn spec_signer() -> Signer {
    signer_of("domain")
}

/// The same key, in the hands of another server.
pub(crate) fn signer_of(server: &str) -> Signer {
    let seed = decode_base64("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1").unwrap();
    let server = OwnedServerName::try_from(server).unwrap();
    Signer::from_seed(server, seed.try_into().unwrap(), "ed25519:1").unwrap()
}

/// What another server knows of a signer, whose key is valid for ever.
pub(crate) fn keys_of(signer: &Signer) -> PublicKeys {
    keys_until(signer, u64::MAX)
}

/// What another server knows of a signer, whose key is valid until a time.
pub(crate) fn keys_until(signer: &Signer, valid_until_ts: u64) -> PublicKeys {
    let key = VerifyKey { key: signer.public_key(), valid_until_ts };
    let of_server = [(signer.key_id().to_owned(), key)].into();
    [(signer.server_name().to_owned(), of_server)].into()
}

pub(crate) fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).unwrap()
}

pub(crate) fn text_raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

/// The rules of a version by its number.
pub(crate) fn rules(version: usize) -> &'static RoomRules {
    &list_rules()[version - 1]
}

pub(crate) fn draft(kind: &str, state_key: Option<&str>, content: &Value) -> EventDraft {
    EventDraft {
        kind: kind.to_owned(),
        state_key: state_key.map(str::to_owned),
        sender: owned_user_id!("@alice:domain"),
        content: raw(content),
        redacts: None,
        origin_server_ts: 1_700_000_000_000,
    }
}

/// An event id in the form of a version.
pub(crate) fn some_id(rules: &RoomRules) -> OwnedEventId {
    if rules.references_with_hashes {
        event_id!("$143273582443PhrSn:example.org").to_owned()
    } else {
        event_id!("$acR1l0raoZnm60CBwAVgqbZqoO_mYU81xysh1u7XcJk").to_owned()
    }
}

pub(crate) fn place(rules: &RoomRules) -> Placement {
    Placement {
        room_id: Some(owned_room_id!("!room:domain")),
        prev_events: vec![some_id(rules)],
        auth_events: vec![some_id(rules), some_id(rules)],
        depth: 12,
    }
}

pub(crate) fn signed(rules: &RoomRules, draft: EventDraft) -> Event {
    build_event(rules, draft, place(rules)).unwrap().sign(&spec_signer())
}

/// An event's JSON as a tree, to change it.
pub(crate) fn tree(event: &Event) -> Value {
    assert_eq!(event.origin(), server_name!("domain"));
    serde_json::from_str(event.json.get()).unwrap()
}
