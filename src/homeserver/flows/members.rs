//! What a reader may know of a room's state and members, now or as of some time.

use ruma::{EventId, OwnedUserId, RoomId, UserId};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::messages::beyond;
use super::{Flows, Readable};
use crate::rooms::{Access, Direction, HistoryPos, RoomError, StateMap, StoredEvent};
use crate::users::LocalUser;

/// How a piece of state is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateForm {
    /// The content alone.
    Content,
    /// The whole event.
    Event,
}

/// Somebody who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Who.
    pub user_id: OwnedUserId,
    /// The name in this room.
    pub display_name: Option<String>,
    /// The avatar in this room.
    pub avatar_url: Option<String>,
}

impl Flows {
    /// An event that the caller may see (C-S API, `GET /rooms/{roomId}/event/{eventId}`).
    ///
    /// # Errors
    /// [`RoomError::UnknownEvent`] for everything that is not to be seen.
    pub async fn load_event(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event_id: &EventId,
    ) -> Result<Box<RawValue>, RoomError> {
        let view = self.rooms.load_view(room).await?.ok_or(RoomError::UnknownEvent)?;
        let stored = self.require_event(&view, user, event_id).await?;
        self.write_event(&view, user, &stored).await
    }

    /// The room's state, for who left as it was then (C-S API, `GET /rooms/{roomId}/state`).
    ///
    /// # Errors
    /// When the room is not readable.
    pub async fn list_state(&self, user: &LocalUser, room: &RoomId) -> Result<Vec<Box<RawValue>>, RoomError> {
        let readable = self.require_readable(user, room).await?;
        let state = readable.state().await?;
        let events = readable.view.list_events_of(&state, None).await?;
        Ok(readable.view.list_client_json(&events, self.audience(user)).await?)
    }

    /// One piece of the room's state; none when it is not set.
    ///
    /// # Errors
    /// When the room is not readable.
    pub async fn load_state(
        &self,
        user: &LocalUser,
        room: &RoomId,
        (kind, state_key): (&str, &str),
        form: StateForm,
    ) -> Result<Option<Box<RawValue>>, RoomError> {
        let readable = self.require_readable(user, room).await?;
        let state = readable.state().await?;
        let Some(stored) = readable.view.event_of(&state, kind, state_key).await? else { return Ok(None) };
        Ok(Some(match form {
            StateForm::Content => stored.event.content.clone(),
            StateForm::Event => readable.view.client_json(&stored, self.audience(user)).await?,
        }))
    }

    /// The member events that `wanted` lets through by their membership, now or as of a token
    /// (C-S API, `GET /rooms/{roomId}/members`).
    ///
    /// # Errors
    /// When the room is not readable, or the token is none of this server's.
    pub async fn list_members(
        &self,
        user: &LocalUser,
        room: &RoomId,
        at: Option<&str>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<Box<RawValue>>, RoomError> {
        let readable = self.require_readable(user, room).await?;
        let state = match at {
            Some(token) => readable.state_at(self.history_pos(&readable.view, token).await?).await?,
            None => readable.state().await?,
        };
        let mut events = readable.view.list_events_of(&state, Some("m.room.member")).await?;
        if events.is_empty() {
            // Before its first events a room has no members. Whose timeline began there asks for the room as it was made.
            let made = readable.state_made().await?;
            events = readable.view.list_events_of(&made, Some("m.room.member")).await?;
        }
        events.retain(|stored| wanted(&membership_of(stored)));
        Ok(readable.view.list_client_json(&events, self.audience(user)).await?)
    }

    /// Whether guests may join the room (C-S API, "Guest access").
    ///
    /// # Errors
    /// When the room is unknown here.
    pub async fn admits_guests(&self, room: &RoomId) -> Result<bool, RoomError> {
        Ok(self.rooms.require_view(room).await?.admits_guests().await?)
    }

    /// Who is in the room, with the names and avatars that they have there; for members only
    /// (C-S API, `GET /rooms/{roomId}/joined_members`).
    ///
    /// # Errors
    /// When the caller is not in the room.
    pub async fn list_joined_members(&self, user: &LocalUser, room: &RoomId) -> Result<Vec<JoinedMember>, RoomError> {
        let readable = self.require_readable(user, room).await?;
        if !matches!(readable.access, Access::Joined) {
            return Err(RoomError::UnknownRoom);
        }
        let events = readable.view.list_state_of("m.room.member").await?;
        Ok(events.iter().filter_map(|stored| build_joined_member(stored)).collect())
    }
}

/// The content of a member event, as far as it matters here.
#[derive(Default, Deserialize)]
struct MemberContent {
    membership: String,
    displayname: Option<String>,
    avatar_url: Option<String>,
}

fn membership_of(stored: &StoredEvent) -> String {
    stored.event.content_as::<MemberContent>().unwrap_or_default().membership
}

fn build_joined_member(stored: &StoredEvent) -> Option<JoinedMember> {
    let content = stored.event.content_as::<MemberContent>().ok().filter(|content| content.membership == "join")?;
    let user_id = UserId::parse(stored.event.state_key.as_deref()?).ok()?;
    Some(JoinedMember { user_id, display_name: content.displayname, avatar_url: content.avatar_url })
}

impl Readable {
    /// The state that may be read: today's, or that of the leaving.
    pub(super) async fn state(&self) -> Result<StateMap, RoomError> {
        match &self.access {
            Access::Left { state, .. } => Ok(self.view.state_at(*state).await?),
            Access::Joined | Access::Peek | Access::None => Ok(self.view.room.state.clone()),
        }
    }

    /// The state when the creator had joined, the second event of every room; but none later than may be read.
    async fn state_made(&self) -> Result<StateMap, RoomError> {
        let first = self.view.list_history(HistoryPos::START, None, Direction::Forward, 2).await?.events.pop();
        match first {
            Some(joined) => self.state_at(beyond(&joined, Direction::Forward)).await,
            None => Ok(StateMap::new()),
        }
    }

    /// The state after the last event before a place in history, but none later than may be read.
    async fn state_at(&self, pos: HistoryPos) -> Result<StateMap, RoomError> {
        if let Access::Left { event, .. } = &self.access
            && HistoryPos::of(event) < pos
        {
            return self.state().await;
        }
        let last = self.view.list_history(pos, None, Direction::Backward, 1).await?.events.pop();
        match last {
            Some(last) => Ok(self.view.state_at(last.after).await?),
            None => Ok(StateMap::new()),
        }
    }
}
