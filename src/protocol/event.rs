//! An event as the rest of the server sees it, and why bytes may fail to be one.
//!
//! The bytes of an [`Event`] are canonical and hold no `unsigned`: they are shared by all readers, and
//! what is particular to one of them is added on the way out.

use std::fmt;

use ruma::serde::Raw;
use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, ServerName};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::json::BadJson;
use crate::version::RoomRules;

/// The largest event, in bytes of its canonical form with signatures and without `unsigned`.
///
/// Spec: client-server API, "Size limits". `unsigned` is not counted, since every server on the way may
/// change it, and whether an event is valid must not depend on the way it came.
pub const EVENT_BYTES_MAX: usize = 65_536;

/// The largest type, state key, sender, room id and event id: bytes, or code points before version 11.
pub const FIELD_SIZE_MAX: usize = 255;

/// The most events that `prev_events` may name.
pub const PREV_EVENTS_MAX: usize = 20;

/// The most events that `auth_events` may name.
pub const AUTH_EVENTS_MAX: usize = 10;

/// An event of a room, checked and with its id.
#[derive(Clone, Debug)]
pub struct Event {
    /// The event's id, also in the versions whose events do not carry it.
    pub id: OwnedEventId,
    /// The room's id, also in the create event of version 12, which does not carry it.
    pub room_id: OwnedRoomId,
    /// Who sent it.
    pub sender: OwnedUserId,
    /// The field `type`.
    pub kind: String,
    /// Present, perhaps empty, in state events.
    pub state_key: Option<String>,
    /// The content, an object, in canonical form.
    pub content: Box<RawValue>,
    /// When the sender's server says that it was sent, in milliseconds since 1970.
    pub origin_server_ts: u64,
    /// One more than the largest depth of its predecessors, as its sender's server says.
    pub depth: u64,
    /// The events right before it.
    pub prev_events: Vec<OwnedEventId>,
    /// The state events that allow it.
    pub auth_events: Vec<OwnedEventId>,
    /// Of an `m.room.redaction`: the event to redact, wherever the room version puts it.
    pub redacts: Option<OwnedEventId>,
    /// The event in the format of federation, canonical, with signatures and without `unsigned`.
    pub json: Box<RawValue>,
}

/// What an event holds before it has a place in its room.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// The field `type`.
    pub kind: String,
    /// `Some`, perhaps empty, for a state event.
    pub state_key: Option<String>,
    /// Who sends it; its server signs it.
    pub sender: OwnedUserId,
    /// A JSON object, in any form.
    pub content: Box<RawValue>,
    /// For an `m.room.redaction`: the event to redact.
    pub redacts: Option<OwnedEventId>,
    /// The time of sending, in milliseconds since 1970.
    pub origin_server_ts: u64,
}

/// The place of a new event in its room.
#[derive(Clone, Debug)]
pub struct Placement {
    /// `None` only for the create event of version 12, whose id makes the room's id.
    pub room_id: Option<OwnedRoomId>,
    /// The events right before it, at most [`PREV_EVENTS_MAX`].
    pub prev_events: Vec<OwnedEventId>,
    /// The state events that allow it, at most [`AUTH_EVENTS_MAX`].
    pub auth_events: Vec<OwnedEventId>,
    /// One more than the largest depth of `prev_events`.
    pub depth: u64,
}

/// Why bytes are no event of this room version. Such an event is dropped: it has no id to speak of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Not JSON, too deeply nested, or not canonical where the room version asks for it.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// Over one of the limits of size.
    #[error("{what} is too large: {size}, where at most {max} is allowed")]
    TooLarge {
        /// The field, or `event`.
        what: &'static str,
        /// Its size, in the unit of the limit.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// A list holds more than it may.
    #[error("{what} has {count} entries, where at most {max} are allowed")]
    TooMany {
        /// The field.
        what: &'static str,
        /// How many it has.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A field is missing that the room version requires.
    #[error("the field {0} is missing")]
    MissingField(&'static str),
    /// A field is of the wrong type, form or range.
    #[error("the field {0} is not valid")]
    InvalidField(&'static str),
    /// A field stands where the room version forbids it.
    #[error("the field {0} is not allowed here")]
    ForbiddenField(&'static str),
    /// The event belongs to another room than the one asked for.
    #[error("the event belongs to room {found}, not to {expected}")]
    WrongRoom {
        /// The room asked for.
        expected: OwnedRoomId,
        /// The room that the event names.
        found: OwnedRoomId,
    },
    /// Stored bytes do not read as an event.
    #[error("stored event does not read: {0}")]
    Stored(String),
}

/// One entry of `prev_events` or `auth_events`: an id, or (versions 1 and 2) a pair of id and hashes.
struct Reference(OwnedEventId);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReferenceVisitor;

        impl<'de> Visitor<'de> for ReferenceVisitor {
            type Value = Reference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event id, or a pair of event id and hashes")
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<Reference, E> {
                OwnedEventId::try_from(id).map(Reference).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Reference, A::Error> {
                let id: Option<OwnedEventId> = pair.next_element()?;
                while pair.next_element::<IgnoredAny>()?.is_some() {}
                let id = id.ok_or_else(|| serde::de::Error::custom("empty reference"))?;
                Ok(Reference(id))
            }
        }

        deserializer.deserialize_any(ReferenceVisitor)
    }
}

/// The fields of stored bytes, read in one pass.
#[derive(Deserialize)]
struct StoredFields<'a> {
    auth_events: Vec<Reference>,
    #[serde(borrow)]
    content: &'a RawValue,
    depth: u64,
    origin_server_ts: u64,
    prev_events: Vec<Reference>,
    /// Raw, since other events than redactions may hold anything here.
    #[serde(borrow, default)]
    redacts: Option<&'a RawValue>,
    sender: OwnedUserId,
    #[serde(default)]
    state_key: Option<String>,
    #[serde(rename = "type")]
    kind: String,
}

/// The one field of a redaction's content that the server reads.
#[derive(Deserialize)]
struct RedactsField<'a> {
    #[serde(borrow, default)]
    redacts: Option<&'a RawValue>,
}

/// The target of a redaction, from where the room version puts it; `None` when there is no valid one.
pub(crate) fn redacts_of(
    rules: &RoomRules,
    kind: &str,
    content: &RawValue,
    top_level: Option<&RawValue>,
) -> Option<OwnedEventId> {
    if kind != "m.room.redaction" {
        return None;
    }
    let field = if rules.redacts_in_content {
        serde_json::from_str::<RedactsField<'_>>(content.get()).ok()?.redacts
    } else {
        top_level
    };
    serde_json::from_str(field?.get()).ok()
}

impl Event {
    /// Reads an event from the bytes that were stored for it, trusting its hashes and its form.
    ///
    /// # Errors
    /// [`BadEvent::Stored`] when the bytes are damaged.
    pub fn from_stored(
        rules: &RoomRules,
        id: OwnedEventId,
        room_id: &RoomId,
        json: Box<RawValue>,
    ) -> Result<Self, BadEvent> {
        let fields: StoredFields<'_> =
            serde_json::from_str(json.get()).map_err(|error| BadEvent::Stored(error.to_string()))?;
        let ids = |list: Vec<Reference>| list.into_iter().map(|entry| entry.0).collect();
        Ok(Self {
            id,
            room_id: room_id.to_owned(),
            redacts: redacts_of(rules, &fields.kind, fields.content, fields.redacts),
            sender: fields.sender,
            kind: fields.kind,
            state_key: fields.state_key,
            content: fields.content.to_owned(),
            origin_server_ts: fields.origin_server_ts,
            depth: fields.depth,
            prev_events: ids(fields.prev_events),
            auth_events: ids(fields.auth_events),
            json,
        })
    }

    /// The content, read as `T`.
    ///
    /// # Errors
    /// When the content has another form: clients may send any object as content.
    pub fn content_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.content.get())
    }

    /// Whether it changes the state of its room.
    pub fn is_state(&self) -> bool {
        self.state_key.is_some()
    }

    /// Its type and state key, when it is a state event.
    pub fn state_pair(&self) -> Option<(&str, &str)> {
        self.state_key.as_deref().map(|state_key| (self.kind.as_str(), state_key))
    }

    /// The server of its sender.
    pub fn origin(&self) -> &ServerName {
        self.sender.server_name()
    }

    /// The event in the format of federation, as ruma's requests and responses carry it.
    pub fn to_pdu<T>(&self) -> Raw<T> {
        Raw::from_json(self.json.clone())
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
