//! Who may join a room, and who may look at it before they do (C-S API, "Joining rooms" and "Spaces").

use hearth_protocol::{RoomKey, UserKey};
use hearth_storage::StorageError;
use hearth_storage::schema::rooms::Memberships;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedRoomId, RoomId, UserId};
use serde::Deserialize;

use super::card::RoomCard;
use super::commands::Rooms;
use super::error::RoomError;
use super::stored_event::StoredEvent;
use super::view::RoomView;

/// Conditions of a restricted join rule that are looked at.
const ALLOW_CONDITIONS_MAX: usize = 50;

/// A room's join rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JoinRule {
    /// As the specification names it; `invite` where the room says nothing.
    pub kind: String,
    /// The rooms whose members may join, for the restricted rules.
    pub allowed_rooms: Vec<OwnedRoomId>,
}

impl JoinRule {
    /// The rule of an `m.room.join_rules` event.
    pub(super) fn of(event: Option<&StoredEvent>) -> Self {
        let content = event.and_then(|stored| stored.event.content_as::<Content>().ok());
        let Some(content) = content else {
            return Self { kind: "invite".to_owned(), allowed_rooms: Vec::new() };
        };
        let allowed = content.allow.into_iter().take(ALLOW_CONDITIONS_MAX);
        // One condition that is not understood does not hide the others.
        let allowed = allowed.filter_map(|condition| serde_json::from_value::<AllowCondition>(condition).ok());
        let allowed = allowed.filter(|condition| condition.kind == "m.room_membership");
        let allowed_rooms = allowed.filter_map(|condition| RoomId::parse(condition.room_id?).ok()).collect();
        Self { kind: content.join_rule, allowed_rooms }
    }

    /// Whether members of other rooms may join.
    pub(super) fn is_restricted(&self) -> bool {
        matches!(self.kind.as_str(), "restricted" | "knock_restricted")
    }
}

impl Rooms {
    /// Whether a user is joined to one of the rooms.
    ///
    /// # Errors
    /// When reading fails.
    pub(super) async fn is_in_any(&self, rooms: &[OwnedRoomId], user: &UserId) -> Result<bool, StorageError> {
        let keys: Vec<_> = rooms.iter().map(|room| (RoomKey::of(room), UserKey::of(user))).collect();
        Ok(self.list_joined_among(&keys).await?.contains(&true))
    }

    /// For each pair of room and user, whether the user is joined.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_joined_among(&self, pairs: &[(RoomKey, UserKey)]) -> Result<Vec<bool>, StorageError> {
        let rows = self.inner().env.store.multi_get::<Memberships>(pairs).await?;
        Ok(rows.into_iter().map(|row| row.is_some_and(|row| row.membership == Membership::Join)).collect())
    }

    /// Whether somebody may see what the room shows of itself: members, invited ones, whoever may join or knock,
    /// and everybody where the room is open to the world (C-S API, `GET /rooms/{roomId}/hierarchy`).
    ///
    /// # Errors
    /// When reading fails.
    pub async fn may_preview(
        &self,
        view: &RoomView,
        card: &RoomCard,
        user: Option<&UserId>,
    ) -> Result<bool, RoomError> {
        let membership = user.and_then(|user| view.membership(user));
        if card.world_readable || matches!(membership, Some(Membership::Join | Membership::Invite)) {
            return Ok(true);
        }
        let rules = &view.room.rules.ruma.authorization;
        match card.join_rule.as_str() {
            "public" => return Ok(true),
            "knock" if rules.knocking => return Ok(true),
            "knock_restricted" if rules.knock_restricted_join_rule => return Ok(true),
            "restricted" if rules.restricted_join_rule => {}
            _ => return Ok(false),
        }
        match (user, &card.allowed_room_ids) {
            (Some(user), Some(rooms)) => Ok(self.is_in_any(rooms, user).await?),
            _ => Ok(false),
        }
    }
}

#[derive(Deserialize)]
struct Content {
    join_rule: String,
    #[serde(default)]
    allow: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct AllowCondition {
    #[serde(rename = "type", default)]
    kind: String,
    room_id: Option<String>,
}
