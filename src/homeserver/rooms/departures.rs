//! Taking those who gave their account up out of all rooms.
//!
//! A deactivation is one commit of the user's lane; what follows from it in the rooms is noted in that commit and done
//! here, as often as it takes: a crash in between, or a room that cannot answer, loses nothing.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hearth_storage::schema::users::Membership;
use ruma::RoomId;

use super::commands::Rooms;
use super::error::RoomError;
use crate::users::LocalUser;
use crate::worker::{Stop, Worker, run_every};

/// How often departures that are due are looked for.
const EVERY: Duration = Duration::from_secs(20);

impl Rooms {
    /// Takes a user out of all rooms and invites; gives how many there were. A room that refuses is passed over.
    ///
    /// # Errors
    /// When a room cannot answer now; what was left stays left.
    pub async fn depart(&self, user: &LocalUser) -> Result<usize, RoomError> {
        let rows = self.inner().users.list_rooms(&user.key).await?;
        let mut left = 0;
        for (_, row) in rows {
            if !matches!(row.membership, Membership::Join | Membership::Invite | Membership::Knock) {
                continue;
            }
            let Ok(room) = RoomId::parse(row.room_id.as_str()) else { continue };
            match self.end_membership(user, &room, None).await {
                Ok(()) => left += 1,
                Err(error @ (RoomError::Overloaded | RoomError::Stopping)) => return Err(error),
                Err(error @ (RoomError::Storage(_) | RoomError::Commit(_))) => return Err(error),
                Err(error) => tracing::warn!(%room, user = %user.user_id, %error, "a deactivated user stays in a room"),
            }
        }
        Ok(left)
    }
}

/// Follows the deactivations.
pub struct DepartureWorker {
    rooms: Rooms,
}

impl DepartureWorker {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self { rooms }
    }

    /// Goes once through all departures that are due. One that finds no room any more is done with: so a membership
    /// that was on its way while the account was closed is ended too.
    ///
    /// # Errors
    /// When reading or writing fails; it may be called again.
    pub async fn depart_due(&self) -> Result<(), RoomError> {
        let users = &self.rooms.inner().users;
        for user_id in users.list_departures().await? {
            let user = users.act_for(&user_id).await?;
            let left = match &user {
                Some(user) => self.rooms.depart(user).await?,
                None => 0,
            };
            if left == 0 {
                users.erase_settings(&user_id).await?;
                users.end_departure(&user_id).await?;
            }
        }
        Ok(())
    }
}

impl Worker for DepartureWorker {
    fn name(&self) -> &'static str {
        "departures"
    }

    fn follows(&self) -> &'static str {
        "the deactivations, every 20 seconds"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move { run_every(EVERY, &stop, "the departures of deactivated users", || self.depart_due()).await }
            .boxed()
    }
}

#[cfg(test)]
#[path = "departures_tests.rs"]
mod tests;
