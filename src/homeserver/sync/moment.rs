//! A room at a position of its lane: its state and who the reader was in it.

use std::sync::Arc;

use hearth_protocol::{EventNum, LanePos};
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::UserId;
use serde::Deserialize;

use super::hub::Hub;
use crate::rooms::{RoomView, StateMap, StoredEvent};

/// A room as it was when the last event up to a position had arrived.
pub struct Moment {
    /// The state.
    pub state: StateMap,
}

impl Moment {
    /// The room at a position, from memory where it is recent.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load(hub: &Hub, view: &RoomView, at: LanePos) -> Result<Self, StorageError> {
        if view.room.head.last_pos <= at {
            return Ok(Self { state: view.room.state.clone() });
        }
        let last = match hub.last_event(view.room.key, at) {
            Some(num) => view.events(&[num]).await?.pop(),
            None if at == LanePos(0) => None,
            None => view.list_arrived(LanePos(0), at, 1).await?.events.pop(),
        };
        let state = match last {
            Some(last) => view.state_at(last.after).await?,
            None => StateMap::new(),
        };
        Ok(Self { state })
    }

    /// The event that set a user's membership.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn member(&self, view: &RoomView, user: &UserId) -> Result<Option<Arc<StoredEvent>>, StorageError> {
        view.event_of(&self.state, "m.room.member", user.as_str()).await
    }
}

/// Which event set a pair in a state.
pub fn num_in(view: &RoomView, state: &StateMap, kind: &str, state_key: &str) -> Option<EventNum> {
    state.get(&view.room.keys.find(kind, state_key)?).copied()
}

/// The membership that an event sets.
pub fn membership_of(stored: &StoredEvent) -> Membership {
    #[derive(Deserialize)]
    struct Content {
        membership: String,
    }
    let content = stored.event.content_as::<Content>();
    content.ok().and_then(|content| content.membership.parse().ok()).unwrap_or(Membership::Leave)
}

/// The reader in a room at the end of what a sync tells.
pub struct Reader {
    /// What they are.
    pub membership: Membership,
    /// Where that arrived.
    pub pos: LanePos,
    /// By which event; none when state resolution took their membership away.
    pub event: Option<Arc<StoredEvent>>,
}

impl Reader {
    /// The reader at a position; none when the room had never heard of them.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load(hub: &Hub, view: &RoomView, user: &UserId, at: LanePos) -> Result<Option<Self>, StorageError> {
        if view.room.head.last_pos <= at {
            let Some(row) = view.room.member(hearth_protocol::UserKey::of(user)) else { return Ok(None) };
            let event = view.state_event("m.room.member", user.as_str()).await?;
            return Ok(Some(Self { membership: row.membership, pos: row.pos, event }));
        }
        let event = Moment::load(hub, view, at).await?.member(view, user).await?;
        Ok(event.map(|event| Self { membership: membership_of(&event), pos: event.pos, event: Some(event) }))
    }
}
