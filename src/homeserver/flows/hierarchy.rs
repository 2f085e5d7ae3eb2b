//! The rooms of a space, and of the spaces in it (C-S API, "Spaces", `GET /rooms/{roomId}/hierarchy`).
//!
//! A page walks the tree from its root and skips what earlier pages told: a token says how far that was, so that nothing
//! is kept between pages, and a restart loses none.

use std::collections::HashSet;

use ruma::{OwnedRoomId, RoomId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Flows;
use crate::rooms::{RoomCard, RoomError, RoomView, StoredEvent};
use crate::users::LocalUser;

/// Rooms of a page, also when the client does not say how many.
const PAGE_ROOMS_MAX: usize = 50;
/// How deep a walk goes, also when the client does not say.
const DEPTH_MAX: usize = 64;
/// Rooms that a walk looks at, over all its pages.
const ROOMS_WALKED_MAX: usize = 2_000;
/// Children of one space that are looked at.
const CHILDREN_MAX: usize = 1_000;
/// The longest `order` that counts, in characters (C-S API, "Ordering of children within a space").
const ORDER_CHARS_MAX: usize = 50;

/// What is wanted of a space.
#[derive(Clone, Debug)]
pub struct HierarchyRequest<'a> {
    /// Rooms at the most.
    pub limit: Option<usize>,
    /// How far below the space.
    pub depth_max: Option<usize>,
    /// Only children that their space suggests.
    pub is_suggested_only: bool,
    /// The token of the page before.
    pub from: Option<&'a str>,
}

/// A room of a space.
#[derive(Debug)]
pub struct HierarchyRoom {
    /// What it shows.
    pub card: RoomCard,
    /// Its children, for a space: stripped, with `origin_server_ts`.
    pub children: Vec<Box<RawValue>>,
}

/// Some rooms of a space, depth first.
#[derive(Debug)]
pub struct HierarchyPage {
    /// The rooms, the space itself first.
    pub rooms: Vec<HierarchyRoom>,
    /// Where the next page begins, if there is one.
    pub next_batch: Option<String>,
}

/// A child of a space, in its place among the others.
struct Child {
    room_id: OwnedRoomId,
    /// Whether there is no order, the order, the time, the room's id.
    place: (bool, String, u64, OwnedRoomId),
    json: Box<RawValue>,
}

#[derive(Deserialize)]
struct ChildContent {
    #[serde(default)]
    via: Vec<serde_json::Value>,
    #[serde(default)]
    order: serde_json::Value,
    #[serde(default)]
    suggested: serde_json::Value,
}

impl Flows {
    /// A page of the rooms of a space that the caller may see.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`] when the caller may not see the space itself, [`RoomError::Invalid`] for a token of
    /// another walk.
    pub async fn list_hierarchy(
        &self,
        user: &LocalUser,
        room: &RoomId,
        request: &HierarchyRequest<'_>,
    ) -> Result<HierarchyPage, RoomError> {
        let limit = match request.limit {
            Some(0) => return Err(RoomError::Invalid("limit is greater than zero")),
            limit => limit.unwrap_or(PAGE_ROOMS_MAX).min(PAGE_ROOMS_MAX),
        };
        let depth_max = request.depth_max.unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
        let walk = Walk { depth_max, is_suggested_only: request.is_suggested_only };
        let skip = request.from.map_or(Ok(0), |token| walk.parse_token(token))?;
        self.check_root(user, room).await?;
        let (mut rooms, mut seen, mut walked) = (Vec::new(), HashSet::new(), 0);
        let mut stack = vec![(room.to_owned(), 0)];
        while let Some((room_id, depth)) = stack.pop() {
            if walked >= ROOMS_WALKED_MAX || !seen.insert(room_id.clone()) {
                continue;
            }
            let Some((view, card)) = self.load_visible(user, &room_id).await? else { continue };
            if walked >= skip + limit {
                return Ok(HierarchyPage { rooms, next_batch: Some(walk.build_token(walked)) });
            }
            let children =
                if card.is_space() { list_children(&view, walk.is_suggested_only).await? } else { Vec::new() };
            if depth < depth_max {
                stack.extend(children.iter().rev().map(|child| (child.room_id.clone(), depth + 1)));
            }
            if walked >= skip {
                let children = children.into_iter().map(|child| child.json).collect();
                rooms.push(HierarchyRoom { card, children });
            }
            walked += 1;
        }
        Ok(HierarchyPage { rooms, next_batch: None })
    }

    async fn check_root(&self, user: &LocalUser, room: &RoomId) -> Result<(), RoomError> {
        let forbidden = || RoomError::Forbidden("this room is not there to be seen".to_owned());
        let (view, _) = self.load_visible(user, room).await?.ok_or_else(forbidden)?;
        let is_banned = view.membership(&user.user_id).is_some_and(|membership| membership.as_str() == "ban");
        if is_banned { Err(forbidden()) } else { Ok(()) }
    }

    /// A room that is known here, when the caller may see it.
    async fn load_visible(&self, user: &LocalUser, room: &RoomId) -> Result<Option<(RoomView, RoomCard)>, RoomError> {
        let Some(view) = self.rooms.load_view(room).await? else { return Ok(None) };
        let card = view.load_card().await?;
        let is_visible = self.rooms.may_preview(&view, &card, Some(&user.user_id)).await?;
        Ok(is_visible.then_some((view, card)))
    }
}

/// What all pages of a walk have in common.
struct Walk {
    depth_max: usize,
    is_suggested_only: bool,
}

impl Walk {
    fn build_token(&self, walked: usize) -> String {
        format!("h{walked}_{}_{}", self.depth_max, u8::from(self.is_suggested_only))
    }

    fn parse_token(&self, token: &str) -> Result<usize, RoomError> {
        let walked = token.strip_prefix('h').and_then(|token| token.split('_').next()?.parse().ok());
        match walked.filter(|walked| *walked <= ROOMS_WALKED_MAX) {
            None => Err(RoomError::Invalid("from is no token")),
            Some(walked) if self.build_token(walked) == token => Ok(walked),
            Some(_) => Err(RoomError::Invalid("suggested_only and max_depth stay the same from page to page")),
        }
    }
}

/// The children of a space in their order; entries without servers were taken out.
async fn list_children(view: &RoomView, is_suggested_only: bool) -> Result<Vec<Child>, RoomError> {
    let events = view.list_state_of("m.space.child").await?;
    let children = events.iter().filter_map(|stored| read_child(stored, is_suggested_only));
    let mut children: Vec<_> = children.collect();
    children.sort_by(|a, b| a.place.cmp(&b.place));
    children.truncate(CHILDREN_MAX);
    Ok(children)
}

fn read_child(stored: &StoredEvent, is_suggested_only: bool) -> Option<Child> {
    let event = &stored.event;
    let content: ChildContent = event.content_as().ok()?;
    let room_id = RoomId::parse(event.state_key.as_deref()?).ok()?;
    if !content.via.iter().any(serde_json::Value::is_string) || (is_suggested_only && content.suggested != true) {
        return None;
    }
    let is_order = |order: &&str| {
        order.chars().count() <= ORDER_CHARS_MAX && order.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
    };
    let order = content.order.as_str().filter(is_order);
    let place = (order.is_none(), order.unwrap_or_default().to_owned(), event.origin_server_ts, room_id.clone());
    let json = serde_json::json!({
        "type": event.kind,
        "state_key": event.state_key,
        "sender": event.sender,
        "origin_server_ts": event.origin_server_ts,
        "content": event.content,
    });
    let json = serde_json::value::to_raw_value(&json).ok()?;
    Some(Child { room_id, place, json })
}

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn a_token_belongs_to_its_walk() {
        let walk = Walk { depth_max: 3, is_suggested_only: false };
        let token = walk.build_token(40);
        assert_eq!(walk.parse_token(&token).ok(), Some(40));
        assert!(Walk { depth_max: 3, is_suggested_only: true }.parse_token(&token).is_err());
        assert!(Walk { depth_max: 2, is_suggested_only: false }.parse_token(&token).is_err());
        for token in ["", "h", "h-1_3_0", "x40_3_0", "h999999_3_0"] {
            assert!(walk.parse_token(token).is_err(), "{token}");
        }
    }
}
