//! Changes of an account that show in the rooms of its user.

use hearth_storage::StorageError;
use ruma::{OwnedRoomId, RoomId, UserId};
use serde_json::Value;

use super::Flows;
use crate::rooms::{JoinWish, RoomError};
use crate::users::{AccountError, LocalUser, ProfileError, StoreFailure};

/// The fields that the user's member events repeat.
const MEMBER_FIELDS: [&str; 2] = ["displayname", "avatar_url"];

impl Flows {
    /// Sets a field of the caller's profile, and sends the member events that repeat it (C-S API, "Events on Change of
    /// Profile Information"). A room that refuses its event keeps the old name; the profile is changed all the same.
    pub async fn set_profile_field(&self, user: &LocalUser, field: &str, value: &Value) -> Result<(), ProfileError> {
        self.users.check_may_change_field(user, field)?;
        if self.users.set_profile_field(&user.user_id, field, value).await? && MEMBER_FIELDS.contains(&field) {
            self.show_profile(user).await?;
        }
        Ok(())
    }

    /// Removes a field of the caller's profile, and sends the member events without it.
    pub async fn delete_profile_field(&self, user: &LocalUser, field: &str) -> Result<(), ProfileError> {
        self.users.check_may_change_field(user, field)?;
        if self.users.delete_profile_field(&user.user_id, field).await? && MEMBER_FIELDS.contains(&field) {
            self.show_profile(user).await?;
        }
        Ok(())
    }

    /// A join of who is joined already is a new member event exactly where the profile differs from the old one, so
    /// that this may be repeated.
    async fn show_profile(&self, user: &LocalUser) -> Result<(), ProfileError> {
        let rooms = self.list_joined_rooms(user).await.map_err(StoreFailure::from)?;
        for room in rooms {
            if let Err(error) = self.rooms.join(user, &room, JoinWish::default()).await {
                tracing::warn!(%room, user = %user.user_id, %error, "a new profile is not shown in a room");
            }
        }
        Ok(())
    }

    /// Ends the caller's account for ever, takes them out of all rooms and invites, and deletes what they have stored for
    /// themselves; what a crash leaves of that is done later.
    pub async fn deactivate(&self, user: &LocalUser, erase: bool) -> Result<(), AccountError> {
        self.users.deactivate(&user.user_id, erase).await?;
        if let Err(error) = self.rooms.depart(user).await {
            // The account is closed and its departure noted: the worker goes on with it.
            tracing::warn!(user = %user.user_id, %error, "a deactivated user is still in rooms");
        }
        if let Err(error) = self.users.erase_settings(&user.user_id).await {
            tracing::warn!(user = %user.user_id, %error, "what a deactivated user has stored is still there");
        }
        Ok(())
    }

    /// The rooms that the caller is in.
    pub async fn list_joined_rooms(&self, user: &LocalUser) -> Result<Vec<OwnedRoomId>, StorageError> {
        let rows = self.users.list_rooms(&user.key).await?;
        let joined = rows.into_iter().filter(|(_, row)| row.membership.as_str() == "join");
        Ok(joined.filter_map(|(_, row)| RoomId::parse(row.room_id.as_str()).ok()).collect())
    }

    /// Whether the caller is in a room with another user.
    pub async fn share_room(&self, user: &LocalUser, other: &UserId) -> Result<bool, RoomError> {
        let rooms = self.list_joined_rooms(user).await?;
        self.rooms.share_room(&rooms, other).await
    }
}
