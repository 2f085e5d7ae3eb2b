//! One room as it is now (C-S API, `GET /rooms/{roomId}/initialSync`, deprecated), and an event of which the room is not
//! told (`GET /events/{eventId}`, deprecated).

use hearth_protocol::EventFilter;
use hearth_storage::schema::users::Membership;
use ruma::{EventId, RoomId};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::Flows;
use super::messages::{Wanted, beyond, walk};
use crate::rooms::{Access, Direction, HistoryPos, RoomError};
use crate::sync::{SyncToken, history_token};
use crate::users::LocalUser;

/// Messages of the room, when the client does not say how many.
const MESSAGES: usize = 20;
/// Messages of the room, whatever the client says.
const MESSAGES_MAX: usize = 100;

/// A room as it is now, or as it was when the reader left.
pub struct RoomNow {
    /// What the reader is in it.
    pub membership: Option<Membership>,
    /// Whether the room is in the directory.
    pub is_listed: bool,
    /// Where what is before the messages continues; none when there is nothing before.
    pub start: Option<String>,
    /// Where what comes after the messages continues, also for `GET /events`.
    pub end: String,
    /// The newest messages, oldest first.
    pub messages: Vec<Box<RawValue>>,
    /// The state.
    pub state: Vec<Box<RawValue>>,
    /// The reader's own data of the room.
    pub account_data: Vec<Box<RawValue>>,
}

impl Flows {
    /// A room's state and newest messages, as many as `limit` says.
    ///
    /// # Errors
    /// When the room is not readable.
    pub async fn load_room_now(
        &self,
        user: &LocalUser,
        room: &RoomId,
        limit: Option<usize>,
    ) -> Result<RoomNow, RoomError> {
        let token = SyncToken::applied(&self.env.store);
        let readable = self.require_readable(user, room).await?;
        let view = &readable.view;
        let from = match &readable.access {
            Access::Left { event, .. } => beyond(event, Direction::Forward),
            _ => token.history_pos(&self.env.store, view).await?,
        };
        let ignored = self.users.load_ignored(&user.user_id).await?;
        let limit = limit.unwrap_or(MESSAGES).min(MESSAGES_MAX);
        let wanted = Wanted { limit, filter: &EventFilter::all(), ignored: &ignored };
        let place = (from, None::<HistoryPos>);
        let mut walked = walk(view, user, place, Direction::Backward, wanted).await?;
        walked.events.reverse();
        let state = view.list_events_of(&readable.state().await?, None).await?;
        let audience = self.audience(user);
        let data = self.users.list_account_data(&user.user_id).await?;
        let data = data.iter().filter(|datum| datum.room_id.as_deref() == Some(room));
        Ok(RoomNow {
            // The operation is older than knocking, and has no word for it.
            membership: view.membership(&user.user_id).filter(|membership| *membership != Membership::Knock),
            is_listed: self.rooms.is_listed(room).await?.unwrap_or_default(),
            start: walked.next.map(history_token),
            end: token.to_string(),
            messages: view.list_bundled_json(&walked.events, audience, &ignored).await?,
            state: view.list_client_json(&state, audience).await?,
            account_data: data
                .filter_map(|datum| to_raw_value(&json!({ "type": datum.kind, "content": datum.content })).ok())
                .collect(),
        })
    }

    /// An event of one of the rooms that the caller has to do with, which they may see.
    ///
    /// # Errors
    /// [`RoomError::UnknownEvent`] for everything that is not to be seen.
    pub async fn find_event(&self, user: &LocalUser, event_id: &EventId) -> Result<Box<RawValue>, RoomError> {
        let rows = self.users.list_rooms(&user.key).await?;
        let keys: Vec<_> = rows.iter().map(|(room, _)| *room).collect();
        for room in self.rooms.reader().list_rooms_of(&keys, event_id).await? {
            let Some(view) = self.rooms.load_view_by_key(room).await? else { continue };
            match self.load_event(user, &view.room.room_id, event_id).await {
                Err(RoomError::UnknownEvent) => {}
                found => return found,
            }
        }
        Err(RoomError::UnknownEvent)
    }
}
