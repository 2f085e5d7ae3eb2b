//! Relations between events: the `m.relates_to` of an event's content (client-server API, "Forming
//! relationships between events").

use ruma::OwnedEventId;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Event;

/// The longest relation type that is kept, in bytes.
pub const REL_TYPE_BYTES_MAX: usize = 255;

/// The longest key of an annotation that is kept, in bytes.
pub const RELATION_KEY_BYTES_MAX: usize = 255;

/// That an event relates to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// How: `m.annotation`, `m.replace`, `m.thread`, `m.reference` or another.
    pub rel_type: String,
    /// To which event; it need not exist or be known.
    pub target: OwnedEventId,
    /// What an annotation says.
    pub key: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "m.relates_to")]
    relates_to: RelatesTo,
}

#[derive(Deserialize)]
struct RelatesTo {
    rel_type: String,
    event_id: OwnedEventId,
    key: Option<serde_json::Value>,
}

/// The relation that an event states, if it is well formed. A reply alone (`m.in_reply_to`) is none.
pub fn relation_of(event: &Event) -> Option<Relation> {
    relation_in(&event.content)
}

/// The relation that a content states, if it is well formed.
pub fn relation_in(content: &RawValue) -> Option<Relation> {
    if !content.get().contains("m.relates_to") {
        return None;
    }
    let Content { relates_to } = serde_json::from_str(content.get()).ok()?;
    if relates_to.rel_type.is_empty() || relates_to.rel_type.len() > REL_TYPE_BYTES_MAX {
        return None;
    }
    let key = match relates_to.key {
        Some(serde_json::Value::String(key)) if key.len() <= RELATION_KEY_BYTES_MAX => Some(key),
        _ => None,
    };
    if relates_to.rel_type == "m.annotation" && key.is_none() {
        return None;
    }
    Some(Relation { rel_type: relates_to.rel_type, target: relates_to.event_id, key })
}

#[cfg(test)]
#[path = "relation_tests.rs"]
mod tests;
