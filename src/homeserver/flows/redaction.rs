//! Redactions by this server's users.
//!
//! From room version 3 on the auth rules let every redaction in, and each server judges by itself whether it takes
//! effect. A user of this server is told at once instead (C-S API, "Redactions").

use ruma::{EventId, OwnedEventId, RoomId};

use super::Flows;
use crate::rooms::{NewEvent, RoomError};
use crate::users::LocalUser;

impl Flows {
    /// Sends an event, which is activity; a redaction only when it will take effect, as far as that is known.
    ///
    /// # Errors
    /// [`RoomError::Forbidden`] for a redaction of another's event by who has not the power, [`RoomError::UnknownEvent`]
    /// for one of an event of another room; else as sending says.
    pub async fn send(&self, user: &LocalUser, room: &RoomId, event: NewEvent) -> Result<OwnedEventId, RoomError> {
        if let Some(target) = &event.redacts {
            self.check_may_redact(user, room, target).await?;
        }
        let sent = self.rooms.send(user, room, event).await?;
        self.users.presence().record_activity(&user.user_id);
        Ok(sent)
    }

    async fn check_may_redact(&self, user: &LocalUser, room: &RoomId, target_id: &EventId) -> Result<(), RoomError> {
        let view = self.rooms.require_view(room).await?;
        let target = view.load_event(target_id).await?;
        if target.as_ref().is_some_and(|target| target.event.sender == user.user_id) {
            return Ok(());
        }
        if user.is_suspended {
            return Err(RoomError::Suspended);
        }
        if target.is_none() {
            return self.check_nowhere_else(user, target_id).await;
        }
        let levels = view.power_levels().await?.ok_or(RoomError::UnknownRoom)?;
        if levels.user_level(&user.user_id) >= levels.redact() {
            return Ok(());
        }
        Err(RoomError::Forbidden("This needs the power to redact the events of others.".to_owned()))
    }

    /// An event that is not known here may be one of the room's that this server never got, and other servers know; but
    /// not one that is known to lie in another of the user's rooms.
    async fn check_nowhere_else(&self, user: &LocalUser, target: &EventId) -> Result<(), RoomError> {
        let rows = self.users.list_rooms(&user.key).await?;
        let rooms: Vec<_> = rows.iter().map(|(room, _)| *room).collect();
        let found = self.rooms.reader().list_rooms_of(&rooms, target).await?;
        if found.is_empty() { Ok(()) } else { Err(RoomError::UnknownEvent) }
    }
}
