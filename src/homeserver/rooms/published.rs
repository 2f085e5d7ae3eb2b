//! Rooms for those who follow the log: a row of the log is there a moment before its room shows it.

use std::time::Duration;

use hearth_protocol::{LanePos, RoomKey};
use tokio::time::sleep;

use super::commands::Rooms;
use super::error::RoomError;
use super::view::RoomView;

/// How long to wait between looks at a room whose commit is not yet published.
const POLL: Duration = Duration::from_millis(1);
/// Looks at such a room before its cached form is given up.
const POLLS_MAX: usize = 2_000;

impl Rooms {
    /// The room as of a position of its lane or later; none when there is no such room, or when the position is not
    /// shown for so long that what is cached of the room is given up.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_published(&self, room: RoomKey, pos: LanePos) -> Result<Option<RoomView>, RoomError> {
        for _ in 0..POLLS_MAX {
            let Some(view) = self.load_view_by_key(room).await? else { return Ok(None) };
            if view.room.head.last_pos >= pos {
                return Ok(Some(view));
            }
            sleep(POLL).await;
        }
        tracing::error!(?room, ?pos, "a committed event was not published");
        self.reader().forget_room(room);
        Ok(None)
    }
}
