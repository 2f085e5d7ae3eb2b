//! What a room shows of itself to who is not in it: in summaries, spaces and the directory.

use std::collections::HashMap;
use std::sync::Arc;

use hearth_protocol::Visibility;
use hearth_storage::StorageError;
use ruma::{OwnedRoomAliasId, OwnedRoomId};
use serde::Serialize;
use serde_json::{Map, Value};

use super::join_rule::JoinRule;
use super::stored_event::StoredEvent;
use super::view::RoomView;

/// The state that a card is made of.
const CARD_KINDS: [&str; 9] = [
    "m.room.create",
    "m.room.name",
    "m.room.topic",
    "m.room.canonical_alias",
    "m.room.avatar",
    "m.room.join_rules",
    "m.room.history_visibility",
    "m.room.guest_access",
    "m.room.encryption",
];

/// A room as others see it, in the words of the specification (C-S API, `GET /room_summary/{roomIdOrAlias}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomCard {
    pub room_id: OwnedRoomId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_alias: Option<OwnedRoomAliasId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_type: Option<String>,
    pub num_joined_members: u32,
    pub join_rule: String,
    /// Some for the restricted join rules only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_room_ids: Option<Vec<OwnedRoomId>>,
    pub world_readable: bool,
    pub guest_can_join: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_version: Option<String>,
}

impl RoomCard {
    /// The type of rooms that hold other rooms.
    pub const SPACE: &'static str = "m.space";

    /// Whether it is a space.
    #[must_use]
    pub fn is_space(&self) -> bool {
        self.room_type.as_deref() == Some(Self::SPACE)
    }
}

impl RoomView {
    /// What the room shows of itself now.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_card(&self) -> Result<RoomCard, StorageError> {
        let nums: Vec<_> = CARD_KINDS.iter().filter_map(|kind| self.room.state_num(kind, "")).collect();
        let state: HashMap<_, _> =
            self.events(&nums).await?.into_iter().map(|stored| (stored.event.kind.clone(), stored)).collect();
        let text = |kind: &str, field: &str| state.get(kind).and_then(|stored| text_of(stored, field));
        let rule = JoinRule::of(state.get("m.room.join_rules").map(Arc::as_ref));
        let visibility = Visibility::of(state.get("m.room.history_visibility").map(|stored| &*stored.event));
        Ok(RoomCard {
            room_id: self.room.room_id.clone(),
            canonical_alias: text("m.room.canonical_alias", "alias").and_then(|alias| alias.try_into().ok()),
            name: text("m.room.name", "name"),
            topic: text("m.room.topic", "topic"),
            avatar_url: text("m.room.avatar", "url").filter(|url| url.starts_with("mxc://")),
            room_type: text("m.room.create", "type"),
            num_joined_members: self.room.joined,
            allowed_room_ids: rule.is_restricted().then(|| rule.allowed_rooms.clone()),
            join_rule: rule.kind,
            world_readable: visibility == Visibility::WorldReadable,
            guest_can_join: text("m.room.guest_access", "guest_access").as_deref() == Some("can_join"),
            encryption: text("m.room.encryption", "algorithm"),
            room_version: Some(self.room.rules.version.to_string()),
        })
    }

    /// Whether everybody may read the room as it is now.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn is_world_readable(&self) -> Result<bool, StorageError> {
        let visibility = self.state_event("m.room.history_visibility", "").await?;
        let visibility = Visibility::of(visibility.as_ref().map(|stored| &*stored.event));
        Ok(visibility == Visibility::WorldReadable)
    }
}

/// A text of an event's content that is not empty.
fn text_of(stored: &StoredEvent, field: &str) -> Option<String> {
    match stored.event.content_as::<Map<String, Value>>().ok()?.remove(field)? {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}
