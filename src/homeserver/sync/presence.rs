//! The presence of those who share a room with the reader.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use hearth_protocol::UserKey;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::error::SyncError;
use super::response::Piece;
use super::scope::Scope;
use super::sessions::RoomIndex;
use crate::rooms::RoomView;
use crate::users::{PresenceInfo, PresencePos};

/// Rooms that are read side by side.
const ROOMS_AT_ONCE: usize = 16;

/// The changes of presence that concern the reader, that of newcomers, and up to where that is.
///
/// # Errors
/// When reading fails.
pub async fn load_presence(
    scope: &Scope<'_>,
    index: &RoomIndex,
    newcomers: HashSet<OwnedUserId>,
) -> Result<(Vec<Piece>, PresencePos), SyncError> {
    let presence = scope.users.presence();
    let filter = &scope.request.filter.presence;
    let since = scope.request.since.as_ref().map(|since| since.ephemeral.presence);
    let (mut changed, pos) = presence.changes_since(since, |_| true);
    if filter.is_nothing() {
        return Ok((Vec::new(), pos));
    }
    let me = &scope.who.user_id;
    for user in newcomers {
        if user != *me && !changed.iter().any(|info| info.user_id == user) && scope.users.is_local(&user) {
            changed.push(presence.load(&user));
        }
    }
    changed.retain(|info| {
        filter.matches_parts("m.presence", Some(&info.user_id)) && !scope.personal.ignores(&info.user_id)
    });
    if changed.is_empty() {
        return Ok((Vec::new(), pos));
    }
    let rooms = list_joined(scope, index).await?;
    let is_neighbour = |user: &UserId| {
        let key = UserKey::of(user);
        user == me
            || rooms.iter().any(|view| view.room.member(key).is_some_and(|row| row.membership == Membership::Join))
    };
    changed.retain(|info| is_neighbour(&info.user_id));
    Ok((changed.iter().map(write).collect(), pos))
}

async fn list_joined(scope: &Scope<'_>, index: &RoomIndex) -> Result<Vec<RoomView>, SyncError> {
    let joined = index.iter().filter(|(_, entry)| entry.membership == Membership::Join).map(|(room, _)| room);
    let reads = joined.map(|room| scope.rooms.load_view_by_key(room));
    let views: Vec<_> = stream::iter(reads).buffered(ROOMS_AT_ONCE).collect().await;
    let mut found = Vec::with_capacity(views.len());
    for view in views {
        found.extend(view?);
    }
    Ok(found)
}

fn write(info: &PresenceInfo) -> Piece {
    #[derive(Serialize)]
    struct Content<'a> {
        presence: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_active_ago: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status_msg: Option<&'a str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        currently_active: bool,
    }
    #[derive(Serialize)]
    struct Event<'a> {
        content: Content<'a>,
        sender: &'a UserId,
        #[serde(rename = "type")]
        kind: &'static str,
    }
    let content = Content {
        presence: info.state.as_str(),
        last_active_ago: info.last_active_ago_ms,
        status_msg: info.status_msg.as_deref(),
        currently_active: info.currently_active,
    };
    let event = Event { content, sender: &info.user_id, kind: "m.presence" };
    to_raw_value(&event).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
