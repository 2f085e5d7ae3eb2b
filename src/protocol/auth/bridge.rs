//! Our events as the state resolution of ruma wants to see them.

use std::{collections::BTreeMap, sync::Arc};

use ruma::{MilliSecondsSinceUnixEpoch, OwnedEventId, RoomId, UInt, UserId, events::TimelineEventType, state_res};
use serde_json::value::{RawValue, to_raw_value};

use super::{LevelField, Levels};
use crate::{Event, RoomRules};

/// An event, its type parsed, and whether it was rejected. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RuledEvent(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    event: Arc<Event>,
    kind: TimelineEventType,
    /// In place of the event's own content.
    content: Option<Box<RawValue>>,
    has_room_id: bool,
    rejected: bool,
}

impl RuledEvent {
    pub(crate) fn new(rules: &RoomRules, event: Arc<Event>, rejected: bool) -> Self {
        let kind = TimelineEventType::from(event.kind.as_str());
        let is_create = event.kind == "m.room.create";
        let content = (event.kind == "m.room.power_levels" && !rules.strict_json)
            .then(|| integer_levels(rules, &event.content))
            .flatten();
        let has_room_id = !(is_create && rules.room_id_is_create_hash);
        Self(Arc::new(Inner { event, kind, content, has_room_id, rejected }))
    }
}

/// Up to version 5, levels may be numbers with a fraction, which ruma does not read: the same levels as
/// integers. `None` when a property cannot be read even so.
fn integer_levels(rules: &RoomRules, content: &RawValue) -> Option<Box<RawValue>> {
    let levels = Levels::of(&rules.ruma.authorization, content);
    let mut properties = BTreeMap::new();
    for field in LevelField::ALL {
        if let Some(level) = levels.field(field).ok()? {
            properties.insert(field.name(), to_raw_value(&level).ok()?);
        }
    }
    if let Some(users) = levels.users().ok()? {
        properties.insert("users", to_raw_value(users).ok()?);
    }
    if let Some(events) = levels.events().ok()? {
        properties.insert("events", to_raw_value(events).ok()?);
    }
    if let Some(notifications) = levels.notifications().ok()? {
        properties.insert("notifications", to_raw_value(notifications).ok()?);
    }
    to_raw_value(&properties).ok()
}

impl state_res::Event for RuledEvent {
    type Id = OwnedEventId;

    fn event_id(&self) -> &OwnedEventId {
        &self.0.event.id
    }

    fn room_id(&self) -> Option<&RoomId> {
        self.0.has_room_id.then_some(&self.0.event.room_id)
    }

    fn sender(&self) -> &UserId {
        &self.0.event.sender
    }

    fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        MilliSecondsSinceUnixEpoch(UInt::new_saturating(self.0.event.origin_server_ts))
    }

    fn event_type(&self) -> &TimelineEventType {
        &self.0.kind
    }

    fn content(&self) -> &RawValue {
        self.0.content.as_ref().unwrap_or(&self.0.event.content)
    }

    fn state_key(&self) -> Option<&str> {
        self.0.event.state_key.as_deref()
    }

    fn prev_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.0.event.prev_events.iter())
    }

    fn auth_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.0.event.auth_events.iter())
    }

    fn redacts(&self) -> Option<&OwnedEventId> {
        self.0.event.redacts.as_ref()
    }

    fn rejected(&self) -> bool {
        self.0.rejected
    }
}
