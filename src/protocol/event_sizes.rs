//! The limits of size that an event keeps, whether it is built here or comes from outside.
//!
//! Spec: client-server API, "Size limits"; server-server API, "PDUs" (the counts).

use ruma::OwnedEventId;

use crate::event::{AUTH_EVENTS_MAX, BadEvent, EVENT_BYTES_MAX, FIELD_SIZE_MAX, PREV_EVENTS_MAX};
use crate::version::RoomRules;

/// Refuses a field that is longer than [`FIELD_SIZE_MAX`] in the unit of the room version.
pub(crate) fn check_field_size(rules: &RoomRules, what: &'static str, text: &str) -> Result<(), BadEvent> {
    // The number of bytes is never below that of code points.
    if text.len() <= FIELD_SIZE_MAX {
        return Ok(());
    }
    let size = if rules.sizes_in_bytes { text.len() } else { text.chars().count() };
    check_size(what, size, FIELD_SIZE_MAX)
}

/// Refuses an event whose canonical form with signatures is longer than [`EVENT_BYTES_MAX`].
pub(crate) fn check_event_size(bytes: usize) -> Result<(), BadEvent> {
    check_size("event", bytes, EVENT_BYTES_MAX)
}

fn check_size(what: &'static str, size: usize, max: usize) -> Result<(), BadEvent> {
    if size > max { Err(BadEvent::TooLarge { what, size, max }) } else { Ok(()) }
}

/// Refuses more references than an event may have.
pub(crate) fn check_counts(prev_events: &[OwnedEventId], auth_events: &[OwnedEventId]) -> Result<(), BadEvent> {
    check_count("prev_events", prev_events.len(), PREV_EVENTS_MAX)?;
    check_count("auth_events", auth_events.len(), AUTH_EVENTS_MAX)
}

fn check_count(what: &'static str, count: usize, max: usize) -> Result<(), BadEvent> {
    if count > max { Err(BadEvent::TooMany { what, count, max }) } else { Ok(()) }
}

/// Refuses a depth beyond what the room version allows.
pub(crate) fn check_depth_limit(rules: &RoomRules, depth: u64) -> Result<(), BadEvent> {
    if depth > rules.depth_max { Err(BadEvent::InvalidField("depth")) } else { Ok(()) }
}
