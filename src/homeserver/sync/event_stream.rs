//! The old ways to ask what is new (C-S API, `GET /events` and `GET /initialSync`, both deprecated): other forms of the
//! answer to a sync, and a look into one room for who is not in it.

use std::sync::Arc;

use hearth_protocol::SyncFilter;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedRoomId, RoomId, UserId};
use serde::Serialize;
use tokio::time::{Duration, sleep};

use super::answer::Sync;
use super::error::SyncError;
use super::moment::membership_of;
use super::request::{StateForm, SyncRequest, TIMEOUT_MS_MAX};
use super::response::{Events, Piece, RoomSections, StateChanges, Timeline};
use super::token::{Ephemeral, Positions, SyncToken};
use crate::rooms::{Access, Audience, Form, RoomError, RoomView};
use crate::users::LocalUser;
use crate::worker::Stop;

/// Events of one room in one answer; of more, the newest.
const EVENTS_PER_ROOM_MAX: usize = 100;
/// Messages of a room in a first answer when the request names no number.
const MESSAGES_DEFAULT: usize = 10;

/// What happened since a token, in one list.
#[derive(Debug, Serialize)]
pub struct EventStream {
    /// The token from which it goes on.
    pub start: String,
    /// The token of the next request.
    pub end: String,
    /// The events.
    pub chunk: Vec<Piece>,
}

/// All of a user's rooms.
#[derive(Debug, Serialize)]
pub struct InitialSync {
    /// The token with which `GET /events` goes on.
    pub end: String,
    pub presence: Vec<Piece>,
    pub rooms: Vec<InitialRoom>,
    pub account_data: Vec<Piece>,
}

/// A room as it is now.
#[derive(Debug, Serialize)]
pub struct InitialRoom {
    pub room_id: OwnedRoomId,
    pub membership: &'static str,
    /// `public` when it is in the directory, else `private`.
    pub visibility: &'static str,
    /// The reader's own member event in a room that they are invited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<Piece>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<InitialMessages>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<Piece>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub account_data: Vec<Piece>,
}

/// The newest messages of a room, oldest first.
#[derive(Debug, Serialize)]
pub struct InitialMessages {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    pub end: String,
    pub chunk: Vec<Piece>,
}

impl Sync {
    /// What happened in the user's rooms since a token, or from now on; waits as a sync does.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn next_events(
        &self,
        who: &LocalUser,
        from: Option<SyncToken>,
        timeout_ms: u64,
        stop: &Stop,
    ) -> Result<EventStream, SyncError> {
        let from = match from {
            Some(from) => from,
            None => self.load_now().await?,
        };
        let mut request = build_request(Some(from.clone()), EVENTS_PER_ROOM_MAX, false);
        request.timeout_ms = timeout_ms;
        let response = self.next(who, &request, stop).await?;
        let end = response.next_batch.to_string();
        Ok(EventStream { start: from.to_string(), end, chunk: self.list_in_order(who, response.rooms).await? })
    }

    /// What happened in one room since a token, or from now on, for whoever may read the room; waits as a sync does.
    ///
    /// # Errors
    /// [`RoomError::UnknownRoom`] when the room is not readable now, or reading fails.
    pub async fn peek_events(
        &self,
        who: &LocalUser,
        room: &RoomId,
        from: Option<SyncToken>,
        timeout_ms: u64,
        stop: &Stop,
    ) -> Result<EventStream, SyncError> {
        let inner = &*self.0;
        let session = inner.hub.sessions.attach(who.key, inner.env.clock.monotonic_ms());
        let mut bell = session.listen();
        let from = match from {
            Some(from) => from,
            None => self.load_now().await?,
        };
        let _watch = inner.hub.sessions.watch_room(&session, hearth_protocol::RoomKey::of(room));
        let timeout = sleep(Duration::from_millis(timeout_ms.min(TIMEOUT_MS_MAX)));
        tokio::pin!(timeout);
        loop {
            bell.borrow_and_update();
            let to = inner.hub.catch_up().await?;
            let chunk = self.list_events_of(who, room, &from, &to).await?;
            let end = SyncToken { lanes: to.later(&from.lanes), ephemeral: from.ephemeral.clone() };
            let stream = EventStream { start: from.to_string(), end: end.to_string(), chunk };
            if !stream.chunk.is_empty() || timeout_ms == 0 {
                return Ok(stream);
            }
            tokio::select! {
                changed = bell.changed() => if changed.is_err() { return Ok(stream) },
                () = &mut timeout => return Ok(stream),
                () = stop.cancelled() => return Ok(stream),
            }
        }
    }

    /// All of the user's rooms, with some messages of each.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_initial(
        &self,
        who: &LocalUser,
        messages: Option<usize>,
        with_left: bool,
        stop: &Stop,
    ) -> Result<InitialSync, SyncError> {
        let messages = messages.unwrap_or(MESSAGES_DEFAULT);
        let response = self.next(who, &build_request(None, messages, with_left), stop).await?;
        let end = response.next_batch.to_string();
        Ok(InitialSync {
            rooms: self.list_initial_rooms(who, response.rooms, &end).await?,
            end,
            presence: response.presence.events,
            account_data: response.account_data.events,
        })
    }

    /// Where the stream is now.
    async fn load_now(&self) -> Result<SyncToken, SyncError> {
        let inner = &*self.0;
        let lanes = inner.hub.catch_up().await?;
        let ephemeral = Ephemeral {
            epoch: inner.typing.epoch(),
            typing: inner.typing.position(),
            presence: inner.users.presence().pos(),
            typing_rooms: Vec::new(),
        };
        Ok(SyncToken { lanes, ephemeral })
    }

    /// The newest events of a room between two positions, of those that the reader may see, oldest first.
    async fn list_events_of(
        &self,
        who: &LocalUser,
        room: &RoomId,
        from: &SyncToken,
        to: &Positions,
    ) -> Result<Vec<Piece>, SyncError> {
        let inner = &*self.0;
        let view = inner.rooms.require_view(room).await?;
        require_readable(&view, &who.user_id).await?;
        let lane = inner.hub.lane_of(view.room.key);
        let mut events = view.list_arrived(from.lanes.of(lane), to.of(lane), EVENTS_PER_ROOM_MAX).await?.events;
        events.reverse();
        let ignored = inner.users.load_ignored(&who.user_id).await?;
        events.retain(|stored| stored.event.is_state() || !ignored.contains(&stored.event.sender));
        let visible = view.list_visible(events, &who.user_id).await?;
        let (user, device, now) = (&*who.user_id, &*who.device_id, inner.env.clock.now());
        let audience = Audience { user, device, now, form: Form::WithRoomId, fields: None };
        Ok(view.list_bundled_json(&visible, audience, &ignored).await?)
    }

    /// The events of rooms that are told, each with its room; of an invitation and a knock the reader's own.
    async fn list_in_order(&self, who: &LocalUser, rooms: RoomSections) -> Result<Vec<Piece>, SyncError> {
        let mut chunk = Vec::new();
        for room in rooms.join.into_values() {
            chunk.extend(room.timeline.events);
        }
        for room in rooms.leave.into_values() {
            chunk.extend(room.timeline.events);
        }
        for room_id in rooms.invite.into_keys().chain(rooms.knock.into_keys()) {
            chunk.extend(self.load_own_member(who, &room_id).await?.map(|(_, event)| event));
        }
        Ok(chunk)
    }

    /// Rooms in the form of a first answer. The specification knows none for rooms that the reader knocks on.
    async fn list_initial_rooms(
        &self,
        who: &LocalUser,
        sections: RoomSections,
        end: &str,
    ) -> Result<Vec<InitialRoom>, SyncError> {
        let mut rooms = Vec::new();
        let whole = |room_id, membership, timeline, state: StateChanges, account_data: Events| InitialRoom {
            room_id,
            membership,
            visibility: "private",
            invite: None,
            messages: Some(messages_of(timeline, end)),
            state: state.state_after.map(|state| state.events).unwrap_or_default(),
            account_data: account_data.events,
        };
        for (room_id, room) in sections.join {
            rooms.push(whole(room_id, Membership::Join.as_str(), room.timeline, room.state, room.account_data));
        }
        for (room_id, room) in sections.leave {
            let membership = self.load_own_member(who, &room_id).await?.map_or(Membership::Leave, |(found, _)| found);
            rooms.push(whole(room_id, membership.as_str(), room.timeline, room.state, room.account_data));
        }
        for room_id in sections.invite.into_keys() {
            let invite = self.load_own_member(who, &room_id).await?.map(|(_, event)| event);
            let (membership, state, account_data) = (Membership::Invite.as_str(), Vec::new(), Vec::new());
            let visibility = "private";
            rooms.push(InitialRoom { room_id, membership, visibility, invite, messages: None, state, account_data });
        }
        let listed = self.0.rooms.which_are_listed(rooms.iter().map(|room| &*room.room_id)).await?;
        for (room, _) in rooms.iter_mut().zip(listed).filter(|(_, is_listed)| *is_listed) {
            room.visibility = "public";
        }
        Ok(rooms)
    }

    /// The reader's own membership and the event that set it; none for a room of which only the invitation is known.
    async fn load_own_member(&self, who: &LocalUser, room: &RoomId) -> Result<Option<(Membership, Piece)>, SyncError> {
        let Some(view) = self.0.rooms.load_view(room).await? else { return Ok(None) };
        let Some(member) = view.state_event("m.room.member", who.user_id.as_str()).await? else { return Ok(None) };
        let (user, device, now) = (&*who.user_id, &*who.device_id, self.0.env.clock.now());
        let audience = Audience { user, device, now, form: Form::WithRoomId, fields: None };
        Ok(Some((membership_of(&member), view.client_json(&member, audience).await?)))
    }
}

/// Who has left has seen what they may: nothing new comes of the room.
async fn require_readable(view: &RoomView, user: &UserId) -> Result<(), SyncError> {
    match view.reader_access(user).await? {
        Access::Joined | Access::Peek | Access::Left { .. } => Ok(()),
        Access::None => Err(RoomError::UnknownRoom.into()),
    }
}

fn build_request(since: Option<SyncToken>, messages: usize, with_left: bool) -> SyncRequest {
    let mut request = SyncRequest::new(since);
    let mut filter = SyncFilter::all();
    filter.timeline.limit = Some(messages.min(EVENTS_PER_ROOM_MAX));
    filter.include_leave = with_left;
    request.filter = Arc::new(filter);
    request.event_form = Form::WithRoomId;
    // The state as of now, which is what the old answers hold.
    request.state_form = StateForm::After;
    request
}

fn messages_of(timeline: Timeline, end: &str) -> InitialMessages {
    InitialMessages { start: timeline.prev_batch, end: end.to_owned(), chunk: timeline.events }
}
