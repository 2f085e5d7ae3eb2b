//! The list of a user's rooms: it says which rooms to look at, and is written by rooms.

use hearth_protocol::{RoomKey, UserKey};
use hearth_storage::StorageError;
use hearth_storage::schema::users::{UserRoom, UserRooms};

use super::handle::Users;
use super::pages::scan_all;

/// How many rooms of a user are looked at.
const ROOMS_MAX: usize = 100_000;

impl Users {
    /// The rooms that a user is in, was in, or is invited to. It may lag behind a room's own word.
    pub async fn list_rooms(&self, user: &UserKey) -> Result<Vec<(RoomKey, UserRoom)>, StorageError> {
        let rows = scan_all::<UserRooms, _>(&self.0.env.store, user, ROOMS_MAX).await?;
        Ok(rows.into_iter().map(|((_, room), row)| (room, row)).collect())
    }

    /// One room of a user.
    pub async fn load_room(&self, user: &UserKey, room: &RoomKey) -> Result<Option<UserRoom>, StorageError> {
        self.0.env.store.get::<UserRooms>(&(*user, *room)).await
    }
}
