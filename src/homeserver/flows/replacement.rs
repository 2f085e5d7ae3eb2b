//! Rooms that replace others, and their members: what a user has set for the old room goes along to the new one
//! (C-S API, "Room Upgrades").

use ruma::{OwnedEventId, OwnedRoomId, RoomId};

use super::Flows;
use crate::rooms::{CreateRoom, JoinWish, RoomError, RoomView, UpgradeRoom};
use crate::users::LocalUser;

impl Flows {
    /// Makes a room. One that names a predecessor takes over what its creator has set for that one.
    ///
    /// # Errors
    /// As making a room says.
    pub async fn create_room(&self, user: &LocalUser, request: CreateRoom) -> Result<OwnedRoomId, RoomError> {
        let is_replacement = request.creation_content.contains_key("predecessor");
        let room = self.rooms.create(user, request).await?;
        if is_replacement && let Some(old) = self.rooms.require_view(&room).await?.load_predecessor().await? {
            self.carry_over(user, &old, &room).await;
        }
        Ok(room)
    }

    /// Replaces a room.
    ///
    /// # Errors
    /// As upgrading a room says.
    pub async fn upgrade_room(
        &self,
        user: &LocalUser,
        room: &RoomId,
        request: &UpgradeRoom,
    ) -> Result<OwnedRoomId, RoomError> {
        let new_room = self.rooms.upgrade(user, room, request).await?;
        self.carry_over(user, room, &new_room).await;
        Ok(new_room)
    }

    /// Joins a room. Where it replaces another, and that one says so too, the user's settings go along.
    ///
    /// # Errors
    /// As joining a room says.
    pub async fn join(&self, user: &LocalUser, room: &RoomId, wish: JoinWish) -> Result<OwnedEventId, RoomError> {
        let event = self.rooms.join(user, room, wish).await?;
        let view = self.rooms.require_view(room).await?;
        // The door was closed to guests while this one came in.
        if user.is_guest && !view.admits_guests().await? {
            self.rooms.leave(user, room, None).await?;
            return Err(RoomError::Forbidden("guests may not join this room".to_owned()));
        }
        // The room alone could claim any other as its predecessor.
        if let Some(old) = self.find_replaced(&view).await? {
            self.carry_over(user, &old, room).await;
        }
        Ok(event)
    }

    /// The room that this one replaces, when both say so.
    async fn find_replaced(&self, view: &RoomView) -> Result<Option<OwnedRoomId>, RoomError> {
        let Some(old) = view.load_predecessor().await? else { return Ok(None) };
        let Some(old_view) = self.rooms.load_view(&old).await? else { return Ok(None) };
        let is_mutual = old_view.load_replacement().await?.as_ref() == Some(&view.room.room_id);
        Ok(is_mutual.then_some(old))
    }

    /// The user is in the new room, whatever becomes of their settings.
    async fn carry_over(&self, user: &LocalUser, old: &RoomId, new: &RoomId) {
        if let Err(error) = self.users.follow_replacement(user, old, new).await {
            tracing::warn!(%old, %new, user = %user.user_id, %error, "settings of a replaced room stay behind");
        }
    }
}
