//! What a room shows to who may not be in it (C-S API, "Room summary API").

use hearth_storage::schema::users::Membership;
use ruma::RoomOrAliasId;

use super::Flows;
use crate::rooms::{RoomCard, RoomError};
use crate::users::LocalUser;

/// A room as somebody sees it from outside.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What it shows.
    pub card: RoomCard,
    /// The membership of who asks, as the specification writes it; none for who has none, or did not say who they are.
    pub membership: Option<&'static str>,
}

impl Flows {
    /// The summary of a room that the caller could join, knows, or may read; without a caller, of one that is open to
    /// everybody.
    ///
    /// # Errors
    /// [`RoomError::UnknownAlias`] for everything that is not to be seen.
    pub async fn preview(&self, user: Option<&LocalUser>, room: &RoomOrAliasId) -> Result<Preview, RoomError> {
        let room = self.rooms.resolve(room).await?;
        let view = self.rooms.load_view(&room).await?.ok_or(RoomError::UnknownAlias)?;
        let card = view.load_card().await?;
        let user_id = user.map(|user| &*user.user_id);
        let membership = user_id.and_then(|user| view.membership(user));
        if !self.rooms.may_preview(&view, &card, user_id).await? {
            return Err(RoomError::UnknownAlias);
        }
        Ok(Preview { card, membership: membership.map(Membership::as_str) })
    }
}
