//! Events as clients see them, in bytes that are made once and shared by all readers.
//!
//! Spec: client-server API, "Room event format". What differs between readers (`unsigned`) or between
//! endpoints (`room_id`) is not in the shared part; the caller appends it and closes the object.

use ruma::EventId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::event::Event;
use crate::json_canonical::{write_integer, write_string};

#[derive(Deserialize)]
struct HasRedacts {
    redacts: Option<IgnoredAny>,
}

/// The content as clients see it: that of a redaction names its target in every room version (spec of
/// version 11, "Moving the `redacts` property").
fn write_content(out: &mut String, event: &Event) {
    let content = event.content.get();
    let target = event
        .redacts
        .as_deref()
        .filter(|_| event.content_as::<HasRedacts>().is_ok_and(|content| content.redacts.is_none()));
    let (Some(target), Some(rest)) = (target.map(EventId::as_str), content.strip_prefix('{')) else {
        out.push_str(content);
        return;
    };
    out.push_str("{\"redacts\":");
    write_string(out, target);
    if rest != "}" {
        out.push(',');
    }
    out.push_str(rest);
}

fn write_text(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    write_string(out, value);
}

fn write_head(event: &Event) -> String {
    let mut out = String::with_capacity(event.content.get().len() + 320);
    out.push_str("{\"content\":");
    write_content(&mut out, event);
    write_text(&mut out, ",\"event_id\":", event.id.as_str());
    out.push_str(",\"origin_server_ts\":");
    write_integer(&mut out, event.origin_server_ts);
    if let Some(target) = &event.redacts {
        write_text(&mut out, ",\"redacts\":", target.as_str());
    }
    write_text(&mut out, ",\"sender\":", event.sender.as_str());
    if let Some(state_key) = &event.state_key {
        write_text(&mut out, ",\"state_key\":", state_key);
    }
    write_text(&mut out, ",\"type\":", &event.kind);
    out
}

/// The shared part of an event for clients, without the closing brace, `room_id` and `unsigned`.
///
/// `redacts` stands both at the top level and in the content, whatever the room version, for clients old
/// and new.
pub fn client_json_head(event: &Event) -> Box<str> {
    write_head(event).into_boxed_str()
}

/// A whole event for clients; `unsigned` is an object in JSON.
pub fn client_json(event: &Event, with_room_id: bool, unsigned: Option<&str>) -> String {
    let mut out = write_head(event);
    if with_room_id {
        write_text(&mut out, ",\"room_id\":", event.room_id.as_str());
    }
    if let Some(unsigned) = unsigned {
        out.push_str(",\"unsigned\":");
        out.push_str(unsigned);
    }
    out.push('}');
    out
}

/// What someone outside of the room may see of a state event: content, sender, state key and type.
///
/// Spec: client-server API, "Stripped state".
pub fn stripped_state(event: &Event) -> Box<RawValue> {
    let mut out = String::with_capacity(event.content.get().len() + 256);
    out.push_str("{\"content\":");
    write_content(&mut out, event);
    write_text(&mut out, ",\"sender\":", event.sender.as_str());
    write_text(&mut out, ",\"state_key\":", event.state_key.as_deref().unwrap_or_default());
    write_text(&mut out, ",\"type\":", &event.kind);
    out.push('}');
    // It is JSON by construction; `null` would only stand for a bug here.
    RawValue::from_string(out).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
#[path = "client_format_tests.rs"]
mod tests;
