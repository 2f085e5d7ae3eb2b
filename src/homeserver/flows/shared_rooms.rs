//! The rooms that two users share (C-S API, `GET /mutual_rooms`).

use hearth_protocol::{RoomKey, UserKey};
use ruma::{OwnedRoomId, UserId};

use super::Flows;
use crate::rooms::RoomError;
use crate::users::LocalUser;

/// Rooms of one page.
const PAGE_ROOMS_MAX: usize = 100;

/// A page of rooms, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedRooms {
    /// The rooms.
    pub rooms: Vec<OwnedRoomId>,
    /// How many there are altogether.
    pub total: usize,
    /// Where the next page begins, if there is one.
    pub next_batch: Option<String>,
}

impl Flows {
    /// The rooms that both the caller and another user are joined to; none with a user who does not exist.
    ///
    /// # Errors
    /// [`RoomError::Invalid`] for the caller's own id, and for a token that is none of this server's.
    pub async fn list_shared_rooms(
        &self,
        user: &LocalUser,
        other: &UserId,
        from: Option<&str>,
    ) -> Result<SharedRooms, RoomError> {
        if other == user.user_id {
            return Err(RoomError::Invalid("user_id is the caller's own"));
        }
        let from = from.map(parse_token).transpose()?;
        let rooms = self.list_joined_rooms(user).await?;
        let keys: Vec<_> = rooms.iter().map(|room| (RoomKey::of(room), UserKey::of(other))).collect();
        let is_shared = self.rooms.list_joined_among(&keys).await?;
        let mut shared: Vec<_> = rooms.into_iter().zip(is_shared).filter(|(_, is)| *is).map(|(room, _)| room).collect();
        shared.sort_unstable_by_key(|room| RoomKey::of(room));
        let total = shared.len();
        let begin = from.map_or(0, |from| shared.partition_point(|room| RoomKey::of(room) <= from));
        let mut page: Vec<_> = shared.split_off(begin);
        let more = page.len() > PAGE_ROOMS_MAX;
        page.truncate(PAGE_ROOMS_MAX);
        let next_batch = page.last().filter(|_| more).map(|last| build_token(RoomKey::of(last)));
        Ok(SharedRooms { rooms: page, total, next_batch })
    }
}

/// The key of the last room of a page, in hexadecimal.
fn build_token(key: RoomKey) -> String {
    format!("m{:032x}", u128::from_be_bytes(key.0))
}

fn parse_token(token: &str) -> Result<RoomKey, RoomError> {
    let key = token.strip_prefix('m').filter(|key| key.len() == 32);
    let key = key.and_then(|key| u128::from_str_radix(key, 16).ok());
    key.map(|key| RoomKey(key.to_be_bytes())).ok_or(RoomError::Invalid("from is no token"))
}
