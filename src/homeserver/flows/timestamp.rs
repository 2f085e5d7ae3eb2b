//! The event closest to a time (C-S API, `GET /rooms/{roomId}/timestamp_to_event`).

use ruma::{OwnedEventId, RoomId};

use super::{Flows, Readable};
use crate::rooms::{Direction, RoomError};
use crate::users::LocalUser;

/// Events that are looked at when those closest to the time are not for the reader.
const LOOKED_AT_MAX: usize = 1_000;
/// Events that are looked at in one step.
const STEP: usize = 20;

impl Flows {
    /// The event that the caller may see whose time is closest to `at_ms`, at or before it, or at or after it; and its
    /// time, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the room is not readable; [`RoomError::UnknownEvent`] when there is no such event.
    pub async fn find_by_time(
        &self,
        user: &LocalUser,
        room: &RoomId,
        at_ms: u64,
        direction: Direction,
    ) -> Result<(OwnedEventId, u64), RoomError> {
        let Readable { view, .. } = self.require_readable(user, room).await?;
        let (mut place, mut looked_at) = (None, 0);
        while looked_at < LOOKED_AT_MAX {
            let stretch = view.list_by_time((at_ms, place), direction, STEP).await?;
            looked_at += stretch.events.len().max(1);
            place = stretch.events.last().map(|last| (last.event.origin_server_ts, last.order));
            let visible = view.list_visible(stretch.events, &user.user_id).await?;
            if let Some(first) = visible.first() {
                return Ok((first.event.id.clone(), first.event.origin_server_ts));
            }
            if !stretch.more {
                break;
            }
        }
        Err(RoomError::UnknownEvent)
    }
}
