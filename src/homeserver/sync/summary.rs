//! What a client needs to name a room: how many are in it, and some of them (C-S API, "Room summary").

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};
use serde::Deserialize;

use super::response::Summary;
use crate::rooms::RoomView;

/// How many members stand for all.
const HEROES_MAX: usize = 5;

/// The summary of a room as it is now.
///
/// # Errors
/// When reading fails.
pub async fn load_summary(view: &RoomView, reader: &UserId) -> Result<Summary, StorageError> {
    let heroes = if is_named(view).await? { None } else { Some(list_heroes(view, reader)) };
    Ok(Summary { heroes, joined: view.room.joined, invited: view.room.invited })
}

/// The members by whom a room without a name is called, the longest-standing first.
fn list_heroes(view: &RoomView, reader: &UserId) -> Vec<OwnedUserId> {
    let pick = |wanted: fn(Membership) -> bool| {
        let me = UserKey::of(reader);
        let others = view.room.members.iter().filter(|(user, row)| **user != me && wanted(row.membership));
        let mut others: Vec<_> = others.map(|(_, row)| (row.pos, &row.user_id)).collect();
        if others.len() > HEROES_MAX {
            others.select_nth_unstable(HEROES_MAX);
            others.truncate(HEROES_MAX);
        }
        others.sort_unstable();
        others.into_iter().filter_map(|(_, user)| UserId::parse(user.as_str()).ok()).collect::<Vec<_>>()
    };
    let present = pick(|membership| matches!(membership, Membership::Join | Membership::Invite));
    if present.is_empty() {
        pick(|membership| matches!(membership, Membership::Leave | Membership::Ban))
    } else {
        present
    }
}

/// Whether the room has a name or an alias that clients call it by.
async fn is_named(view: &RoomView) -> Result<bool, StorageError> {
    #[derive(Deserialize)]
    struct Name {
        #[serde(alias = "alias")]
        name: Option<String>,
    }
    for kind in ["m.room.name", "m.room.canonical_alias"] {
        let event = view.state_event(kind, "").await?;
        let name = event.and_then(|event| event.event.content_as::<Name>().ok()?.name);
        if name.is_some_and(|name| !name.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}
