//! The public directory: the rooms that are listed for everybody to find (C-S API, "Published room directory").
//!
//! Which rooms are listed stands in a table; what they show, in memory (`directory_shelf.rs`). So a page costs what it
//! holds, and a search looks at listed rooms alone.

use std::cmp::Reverse;
use std::ops::Bound;
use std::sync::Arc;

use hearth_protocol::RoomKey;
use hearth_storage::StorageError;
use hearth_storage::schema::directory::{ListedRoom as ListedRoomRow, ListedRooms};
use ruma::RoomId;

use super::commands::Rooms;
use super::directory_shelf::{ListedRoom, Place};
use super::error::RoomError;
use crate::users::LocalUser;

/// Rooms of a page when the client does not say how many.
const PAGE_ROOMS_DEFAULT: usize = 100;
/// Rooms of a page.
const PAGE_ROOMS_MAX: usize = 500;
/// The longest search term, in bytes.
const SEARCH_BYTES_MAX: usize = 1_024;

/// Which types of rooms are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomKinds {
    /// All.
    Any,
    /// These; none stands for rooms without a type.
    Of(Vec<Option<String>>),
}

/// What is wanted of the directory.
#[derive(Clone, Debug)]
pub struct DirectoryQuery<'a> {
    /// Rooms at the most.
    pub limit: Option<usize>,
    /// A token of an earlier page, which also says the direction.
    pub since: Option<&'a str>,
    /// A text that name, topic, alias or id hold.
    pub search: Option<&'a str>,
    /// Which types.
    pub kinds: RoomKinds,
}

/// A page of the directory, rooms with the most members first.
#[derive(Debug, Default)]
pub struct DirectoryPage {
    /// The rooms.
    pub rooms: Vec<Arc<ListedRoom>>,
    /// Where the next page begins, if there is one.
    pub next_batch: Option<String>,
    /// Where the page before ends, if there is one.
    pub prev_batch: Option<String>,
    /// How many rooms are listed, whatever the query.
    pub total: usize,
}

impl Rooms {
    /// A page of the directory (C-S API, `POST /publicRooms`).
    ///
    /// # Errors
    /// [`RoomError::Invalid`] for a token that is none of this server's.
    pub async fn list_public_rooms(&self, query: &DirectoryQuery<'_>) -> Result<DirectoryPage, RoomError> {
        let since = query.since.map(|token| parse_token(token).ok_or(RoomError::Invalid("since is no token")));
        let since = since.transpose()?;
        let search = query.search.map(str::to_lowercase).filter(|text| !text.trim().is_empty());
        if search.as_ref().is_some_and(|text| text.len() > SEARCH_BYTES_MAX) {
            return Err(RoomError::Invalid("the search term is too long"));
        }
        self.inner().directory.catch_up().await?;
        let limit = query.limit.filter(|limit| *limit > 0).unwrap_or(PAGE_ROOMS_DEFAULT).min(PAGE_ROOMS_MAX);
        let shelf = self.inner().directory.shelf();
        let wanted = |place: &Place| {
            let room = shelf.rooms.get(&place.1)?;
            let is_found = search.as_ref().is_none_or(|text| room.text.contains(text.trim()));
            let is_kind = match &query.kinds {
                RoomKinds::Any => true,
                RoomKinds::Of(kinds) => kinds.contains(&room.card.room_type),
            };
            (is_found && is_kind).then(|| (*place, room.clone()))
        };
        let found: Vec<_> = match since {
            None => shelf.order.iter().filter_map(wanted).take(limit).collect(),
            Some((Towards::Next, place)) => {
                let behind = (Bound::Excluded(place), Bound::Unbounded);
                shelf.order.range(behind).filter_map(wanted).take(limit).collect()
            }
            Some((Towards::Previous, place)) => {
                let mut found: Vec<_> = shelf.order.range(..place).rev().filter_map(wanted).take(limit).collect();
                found.reverse();
                found
            }
        };
        let (first, last) = (found.first().map(|(place, _)| *place), found.last().map(|(place, _)| *place));
        let more = |range: (Bound<Place>, Bound<Place>)| shelf.order.range(range).any(|place| wanted(place).is_some());
        let next = last.filter(|last| more((Bound::Excluded(*last), Bound::Unbounded)));
        let previous = first.filter(|first| more((Bound::Unbounded, Bound::Excluded(*first))));
        Ok(DirectoryPage {
            rooms: found.into_iter().map(|(_, room)| room).collect(),
            next_batch: next.map(|place| build_token(Towards::Next, place)),
            prev_batch: previous.map(|place| build_token(Towards::Previous, place)),
            total: shelf.order.len(),
        })
    }

    /// Whether a room is listed; none when there is no such room.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn is_listed(&self, room: &RoomId) -> Result<Option<bool>, RoomError> {
        if self.load_view(room).await?.is_none() {
            return Ok(None);
        }
        let store = &self.inner().env.store;
        let key = RoomKey::of(room);
        Ok(Some(store.get::<ListedRooms>(&(store.lane_of(&key.0), key)).await?.is_some()))
    }

    /// Which of the rooms are listed, in their order.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn which_are_listed<'a>(
        &self,
        rooms: impl Iterator<Item = &'a RoomId>,
    ) -> Result<Vec<bool>, StorageError> {
        let store = &self.inner().env.store;
        let keys: Vec<_> = rooms.map(RoomKey::of).map(|key| (store.lane_of(&key.0), key)).collect();
        Ok(store.multi_get::<ListedRooms>(&keys).await?.iter().map(Option::is_some).collect())
    }

    /// Lists a room, or takes it out of the list (C-S API, `PUT /directory/list/room/{roomId}`): by who has the power to
    /// change its canonical alias. None when there is no such room.
    ///
    /// # Errors
    /// When the user has not the power, or the rules of the server do not let them list it.
    pub async fn set_listed(&self, user: &LocalUser, room: &RoomId, is_listed: bool) -> Result<Option<()>, RoomError> {
        let Some(view) = self.load_view(room).await? else { return Ok(None) };
        if !view.may_change_names(&user.user_id).await? {
            let reason = "this needs to be in the room with power over its canonical alias";
            return Err(RoomError::Forbidden(reason.to_owned()));
        }
        if is_listed {
            self.check_may_list(user, room, &self.list_aliases(room).await?)?;
        }
        self.put_listed(user, room, is_listed).await.map(Some)
    }

    /// Whether the rules of the server let a user list a room.
    pub(super) fn check_may_list(
        &self,
        user: &LocalUser,
        room: &RoomId,
        aliases: &[ruma::OwnedRoomAliasId],
    ) -> Result<(), RoomError> {
        if self.inner().listing_rules.allow(&user.user_id, room, aliases) {
            return Ok(());
        }
        Err(RoomError::Forbidden("the rules of this server do not allow to list this room".to_owned()))
    }

    pub(super) async fn put_listed(&self, user: &LocalUser, room: &RoomId, is_listed: bool) -> Result<(), RoomError> {
        let (store, key) = (&self.inner().env.store, RoomKey::of(room));
        let row_key = (store.lane_of(&key.0), key);
        let mut txn = store.txn();
        if is_listed {
            let at_ms = self.inner().env.clock.now().0;
            let row = ListedRoomRow { room_id: room.to_string(), by: user.user_id.to_string(), at_ms };
            txn.put::<ListedRooms>(&row_key, &row);
        } else {
            txn.delete::<ListedRooms>(&row_key);
        }
        store.commit(txn).await?;
        self.inner().directory.note(key, is_listed).await;
        Ok(())
    }
}

/// Which way a token leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    Next,
    Previous,
}

/// Members and key of the room at the edge of a page, in hexadecimal, behind the direction.
fn build_token(towards: Towards, (Reverse(members), key): Place) -> String {
    let letter = if towards == Towards::Next { 'n' } else { 'p' };
    format!("{letter}{members:08x}{:032x}", u128::from_be_bytes(key.0))
}

fn parse_token(token: &str) -> Option<(Towards, Place)> {
    let towards = match token.get(..1)? {
        "n" => Towards::Next,
        "p" => Towards::Previous,
        _ => return None,
    };
    let (members, key) = (token.get(1..9)?, token.get(9..).filter(|key| key.len() == 32)?);
    let members = u32::from_str_radix(members, 16).ok()?;
    let key = u128::from_str_radix(key, 16).ok()?;
    Some((towards, (Reverse(members), RoomKey(key.to_be_bytes()))))
}
