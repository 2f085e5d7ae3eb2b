//! An event with what stands around it (C-S API, "Event context").

use hearth_protocol::EventFilter;
use ruma::{EventId, RoomId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::messages::{PAGE_EVENTS_MAX, Wanted, beyond, list_senders, walk};
use super::{Flows, Readable};
use crate::rooms::{Direction, HistoryPos, RoomError};
use crate::sync::history_token;
use crate::users::LocalUser;

/// What is wanted.
pub struct ContextRequest<'a> {
    /// Events around it at the most.
    pub limit: usize,
    /// Which of them.
    pub filter: &'a EventFilter,
}

/// An event with what stands around it, as clients get it.
#[derive(Serialize)]
pub struct Context {
    /// Where what is before continues.
    pub start: String,
    /// Where what is after continues.
    pub end: String,
    /// Before the event, the newest first.
    pub events_before: Vec<Box<RawValue>>,
    /// The event.
    pub event: Box<RawValue>,
    /// After the event, the oldest first.
    pub events_after: Vec<Box<RawValue>>,
    /// The state at the last of all these events.
    pub state: Vec<Box<RawValue>>,
}

impl Flows {
    /// An event that the caller may see, with its surroundings.
    ///
    /// # Errors
    /// When the room is not readable, or the event unknown or not visible.
    pub async fn load_context(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event_id: &EventId,
        request: &ContextRequest<'_>,
    ) -> Result<Context, RoomError> {
        let Readable { view, .. } = self.require_readable(user, room).await?;
        let stored = self.require_event(&view, user, event_id).await?;
        let limit = request.limit.min(PAGE_EVENTS_MAX);
        let (before_max, after_max) = (limit / 2, limit - limit / 2);
        let (backward, forward) = (HistoryPos::of(&stored), beyond(&stored, Direction::Forward));
        let ignored = self.users.load_ignored(&user.user_id).await?;
        let wanted = |limit: usize| Wanted { limit, filter: request.filter, ignored: &ignored };
        let before = walk(&view, user, (backward, None), Direction::Backward, wanted(before_max)).await?.events;
        let after = walk(&view, user, (forward, None), Direction::Forward, wanted(after_max)).await?.events;
        let newest = after.last().unwrap_or(&stored);
        let mut state = if request.filter.lazy_load_members {
            let mut all = before.clone();
            all.extend(after.iter().cloned());
            all.push(stored.clone());
            list_senders(&view, newest, &all).await?
        } else {
            view.list_events_of(&view.state_at(newest.after).await?, None).await?
        };
        // The filter is for all but the event itself.
        state.retain(|stored| request.filter.matches(&stored.event));
        let audience = self.audience(user);
        Ok(Context {
            start: history_token(before.last().map_or(backward, |oldest| beyond(oldest, Direction::Backward))),
            end: history_token(beyond(newest, Direction::Forward)),
            events_before: view.list_bundled_json(&before, audience, &ignored).await?,
            event: self.write_event(&view, user, &stored).await?,
            events_after: view.list_bundled_json(&after, audience, &ignored).await?,
            state: view.list_client_json(&state, audience).await?,
        })
    }
}
