//! The presence of those who share a room with the reader.

use std::cell::RefCell;
use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hearth_protocol::UserKey;
use hearth_storage::schema::users::Membership;
use ruma::{OwnedUserId, UserId};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::error::SyncError;
use super::response::Piece;
use super::scope::Scope;
use super::sessions::RoomIndex;
use crate::users::{PresenceInfo, PresencePos};

/// Users whose lists of rooms are read side by side.
const USERS_AT_ONCE: usize = 16;

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
    if filter.is_nothing() {
        return Ok((Vec::new(), presence.changes_since(since, |_, _| false).1));
    }
    let me = &scope.who.user_id;
    let (mut changed, mut unsure, pos) = match since.filter(|_| scope.is_held) {
        Some(since) => (Vec::new(), HashSet::new(), since),
        None => list_changed(scope, index, since),
    };
    for user in newcomers {
        if user != *me && !changed.iter().any(|info| info.user_id == user) && scope.users.is_local(&user) {
            changed.push(presence.load(&user));
            unsure.insert(user);
        }
    }
    changed.retain(|info| {
        filter.matches_parts("m.presence", Some(&info.user_id)) && !scope.personal.ignores(&info.user_id)
    });
    if changed.is_empty() {
        return Ok((Vec::new(), pos));
    }
    let unsure = &unsure;
    let reads = changed.into_iter().map(|info| async move {
        let is_shown = !unsure.contains(&info.user_id) || shares_room(scope, index, &info.user_id).await?;
        Ok::<_, SyncError>(is_shown.then_some(info))
    });
    let shown: Vec<_> = stream::iter(reads).buffered(USERS_AT_ONCE).try_collect().await?;
    Ok((shown.iter().flatten().map(write).collect(), pos))
}

/// Who has changed that shares a room with the reader, and of whom that has still to be read.
fn list_changed(
    scope: &Scope<'_>,
    index: &RoomIndex,
    since: Option<PresencePos>,
) -> (Vec<PresenceInfo>, HashSet<OwnedUserId>, PresencePos) {
    let unsure = RefCell::new(HashSet::new());
    let (changed, pos) = scope.users.presence().changes_since(since, |user, key| {
        *user == scope.who.user_id
            || match scope.hub.sessions.index_of(key) {
                Some(theirs) => index.shares_room(&theirs),
                None => unsure.borrow_mut().insert(user.to_owned()),
            }
    });
    (changed, unsure.into_inner(), pos)
}

/// Whether the reader is in a room with another user, by the lists of both: the rooms themselves are not looked at, for
/// a change of presence reaches many readers at once, each with many rooms.
async fn shares_room(scope: &Scope<'_>, index: &RoomIndex, other: &UserId) -> Result<bool, SyncError> {
    let other = UserKey::of(other);
    if let Some(theirs) = scope.hub.sessions.index_of(other) {
        return Ok(index.shares_room(&theirs));
    }
    let theirs = scope.users.list_rooms(&other).await?;
    Ok(theirs.iter().any(|(room, row)| row.membership == Membership::Join && index.is_joined(*room)))
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
