//! What stays of an event when it is redacted, by room version.
//!
//! Spec: client-server API, "Redactions", and each room version's own section. The same essential part is
//! what the reference hash and the signatures cover. ruma's rules say what each version keeps; the
//! walk is our own, since ruma's reads only strict canonical JSON.

use ruma::room_version_rules::RedactionRules;
use serde_json::value::RawValue;

use crate::event::Event;
use crate::hash::{base64_standard, sha256};
use crate::json::EVENT_JSON_DEPTH_MAX;
use crate::json_canonical::{ObjectWriter, write_object, write_value};
use crate::json_parse::{Json, Object, parse_object};
use crate::version::RoomRules;

/// Whether a field at the top level stays.
fn keeps_field(rules: &RedactionRules, key: &str) -> bool {
    match key {
        "auth_events" | "content" | "depth" | "event_id" | "hashes" | "origin_server_ts" | "prev_events"
        | "room_id" | "sender" | "signatures" | "state_key" | "type" => true,
        "membership" | "origin" | "prev_state" => rules.keep_origin_membership_prev_state,
        _ => false,
    }
}

/// Whether a key of the content stays.
fn keeps_content(rules: &RedactionRules, kind: &str, key: &str) -> bool {
    match (kind, key) {
        ("m.room.aliases", "aliases") => rules.keep_room_aliases_aliases,
        ("m.room.create", "creator")
        | ("m.room.history_visibility", "history_visibility")
        | ("m.room.join_rules", "join_rule")
        | ("m.room.member", "membership")
        | (
            "m.room.power_levels",
            "ban" | "events" | "events_default" | "kick" | "redact" | "state_default" | "users" | "users_default",
        ) => true,
        ("m.room.create", _) => rules.keep_room_create_content,
        ("m.room.join_rules", "allow") => rules.keep_room_join_rules_allow,
        ("m.room.member", "join_authorised_via_users_server") => {
            rules.keep_room_member_join_authorised_via_users_server
        }
        ("m.room.member", "third_party_invite") => rules.keep_room_member_third_party_invite_signed,
        ("m.room.power_levels", "invite") => rules.keep_room_power_levels_invite,
        ("m.room.redaction", "redacts") => rules.keep_room_redaction_redacts,
        _ => false,
    }
}

/// Writes what stays of the content of an event of type `kind`.
pub(crate) fn write_redacted_content(out: &mut String, rules: &RoomRules, kind: &str, content: &Object<'_>) {
    let rules = &rules.ruma.redaction;
    let mut writer = ObjectWriter::start(out);
    for (key, value) in content.iter().filter(|(key, _)| keeps_content(rules, kind, key)) {
        let out = writer.key(key);
        match value {
            Json::Object(invite) if kind == "m.room.member" && key == "third_party_invite" => {
                write_object(out, invite, |key| key == "signed");
            }
            _ => write_value(out, value),
        }
    }
    writer.end();
}

/// Writes what stays of a whole event, with its signatures or without.
pub(crate) fn write_redacted(out: &mut String, rules: &RoomRules, event: &Object<'_>, with_signatures: bool) {
    let kind = event.get("type").and_then(Json::as_str).unwrap_or_default();
    let mut writer = ObjectWriter::start(out);
    for (key, value) in event.iter() {
        let keeps = keeps_field(&rules.ruma.redaction, key);
        if !keeps || (key == "signatures" && !with_signatures) {
            continue;
        }
        let out = writer.key(key);
        match value {
            Json::Object(content) if key == "content" => {
                write_redacted_content(out, rules, kind, content);
            }
            _ => write_value(out, value),
        }
    }
    writer.end();
}

/// The redacted copy of an event: the same id, hashes and signatures, without what the version takes away.
///
/// An event whose bytes do not read (which the checks before storing exclude) comes back as it is.
#[must_use]
pub fn redact(rules: &RoomRules, event: &Event) -> Event {
    redacted_json(rules, event.json.get())
        .and_then(|json| Event::from_stored(rules, event.id.clone(), &event.room_id, json).ok())
        .unwrap_or_else(|| event.clone())
}

/// The reference hash of an event, in base64: what versions 1 and 2 write beside the id of an event that is cited.
///
/// None when the event's bytes do not read, which the checks before storing exclude.
#[must_use]
pub fn reference_hash(rules: &RoomRules, event: &Event) -> Option<String> {
    let object = parse_object(event.json.get(), EVENT_JSON_DEPTH_MAX).ok()?;
    let mut text = String::with_capacity(event.json.get().len());
    write_redacted(&mut text, rules, &object, false);
    Some(base64_standard(&sha256(&text)))
}

fn redacted_json(rules: &RoomRules, json: &str) -> Option<Box<RawValue>> {
    let object = parse_object(json, EVENT_JSON_DEPTH_MAX).ok()?;
    let mut out = String::with_capacity(json.len());
    write_redacted(&mut out, rules, &object, true);
    RawValue::from_string(out).ok()
}

#[cfg(test)]
#[path = "redaction_tests.rs"]
mod tests;
