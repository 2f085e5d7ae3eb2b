//! Guests are in a room for as long as it lets guests in (C-S API, "Guest Access: Server behaviour").
//!
//! Whether they may come in is asked at the door. That they have to go when `m.room.guest_access` is taken back is
//! seen to here, by a follower of the log, so that a crash in between forgets nobody.

use std::sync::Arc;

use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::OwnedUserId;
use serde::Deserialize;

use super::commands::Rooms;
use super::error::RoomError;
use super::view::RoomView;
use crate::log_follower::{LogFollower, LogReader, LogStep};
use crate::log_progress::LogProgress;
use crate::worker::Worker;

/// The type of state that says whether guests may be in a room.
const GUEST_ACCESS: &str = "m.room.guest_access";
/// Members whose accounts are looked at in one read.
const MEMBERS_PER_READ: usize = 500;

impl RoomView {
    /// Whether guests may be in the room.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn admits_guests(&self) -> Result<bool, StorageError> {
        #[derive(Deserialize)]
        struct Content {
            guest_access: String,
        }
        let access = self.state_event(GUEST_ACCESS, "").await?;
        let content = access.and_then(|stored| stored.event.content_as::<Content>().ok());
        Ok(content.is_some_and(|content| content.guest_access == "can_join"))
    }
}

impl Rooms {
    /// Sees to it that guests leave where they may not be any more.
    pub(super) fn guest_worker(&self) -> Box<dyn Worker> {
        let env = &self.inner().env;
        let (store, clock) = (env.store.clone(), Arc::clone(&env.clock));
        let progress = Arc::new(LogProgress::new(store.lanes()));
        Box::new(LogFollower { store, clock, progress, reader: GuestDoor { rooms: self.clone() } })
    }

    /// Takes all guests of this server out of a room.
    async fn send_guests_away(&self, view: &RoomView) -> Result<(), RoomError> {
        let users = &self.inner().users;
        let mut members: Vec<OwnedUserId> = view.list_users(Membership::Join);
        members.retain(|user| users.is_local(user));
        for some in members.chunks(MEMBERS_PER_READ) {
            for guest in users.list_guests_among(some).await? {
                match self.end_membership(&guest, &view.room.room_id, None).await {
                    // Gone meanwhile.
                    Ok(()) | Err(RoomError::Forbidden(_) | RoomError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Reads the log for rooms whose word on guests has changed.
struct GuestDoor {
    rooms: Rooms,
}

impl LogReader for GuestDoor {
    type Error = RoomError;

    fn name(&self) -> &'static str {
        "guests"
    }

    async fn take_in(&self, step: LogStep) -> Result<(), RoomError> {
        for (room, touched) in step.list_touched() {
            let Some(view) = self.rooms.load_published(room, touched.up_to).await? else { continue };
            // An older word in these rows is of no interest, and a newer one comes with rows to follow.
            let has_changed = view.room.state_num(GUEST_ACCESS, "").is_some_and(|now| touched.events.contains(&now));
            if has_changed && !view.admits_guests().await? {
                self.rooms.send_guests_away(&view).await?;
            }
        }
        let store = &self.rooms.inner().env.store;
        let mut txn = store.txn().home(step.lane);
        step.stage_done(&mut txn);
        store.commit(txn).await?;
        Ok(())
    }
}
