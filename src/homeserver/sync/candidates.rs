//! Which of the reader's rooms may have news: from the recent log in memory, or, for an old position, from where each
//! room's newest event and receipt stand. Never by looking into every room.

use std::collections::HashSet;

use hearth_protocol::{Lane, LanePos, RoomKey};
use hearth_storage::StorageError;
use hearth_storage::schema::rooms::{Memberships, RoomHeads};
use hearth_storage::schema::users::Membership;

use super::scope::Scope;
use super::sessions::RoomIndex;

/// Entries of the recent log that may be walked through for each room of the reader before it is cheaper to ask for each room.
const ENTRIES_PER_ROOM: usize = 4;
/// Entries that are walked through in any case.
const ENTRIES_MIN: usize = 256;

/// The rooms of an answer.
///
/// # Errors
/// When reading fails.
pub async fn list_candidates(
    scope: &Scope<'_>,
    index: &RoomIndex,
    with_data: impl Iterator<Item = &RoomKey>,
) -> Result<HashSet<RoomKey>, StorageError> {
    let Some(since) = scope.request.since.as_ref() else { return Ok(list_first(scope, index)) };
    let mut rooms: HashSet<RoomKey> = HashSet::new();
    // The usual case is told by the recent log alone: it must not cost what the reader has rooms.
    let entries_max = ENTRIES_MIN + ENTRIES_PER_ROOM * index.len();
    let mut slow: HashSet<Lane> = HashSet::new();
    for (lane, to) in scope.to.iter() {
        let from = since.lanes.of(lane);
        if from >= to {
            continue;
        }
        match scope.hub.rooms_since(lane, from, to, entries_max) {
            Some(recent) => rooms.extend(recent.into_iter().filter(|room| index.get(*room).is_some())),
            None => drop(slow.insert(lane)),
        }
    }
    let old = list_slow(scope, index, &slow, &mut rooms);
    rooms.extend(list_changed_since(scope, index, &old).await?);
    rooms.extend(with_data.filter(|room| index.is_joined(**room)).copied());
    if !scope.is_held {
        rooms.extend(list_typing(scope, index));
    }
    if scope.request.full_state {
        rooms.extend(index.iter().map(|(room, _)| room).filter(|room| index.is_joined(*room)));
    }
    Ok(rooms)
}

/// Asks for each of the reader's rooms of some lanes: adds those of which the recent log tells news, and gives those of
/// lanes whose log is no longer in memory, with the reader's position.
fn list_slow(
    scope: &Scope<'_>,
    index: &RoomIndex,
    slow: &HashSet<Lane>,
    rooms: &mut HashSet<RoomKey>,
) -> Vec<(RoomKey, LanePos)> {
    let mut old = Vec::new();
    if slow.is_empty() {
        return old;
    }
    for (room, _) in index.iter() {
        let lane = scope.hub.lane_of(room);
        let Some(from) = scope.since(lane).filter(|_| slow.contains(&lane)) else { continue };
        if !scope.hub.covers(lane, from) {
            old.push((room, from));
            continue;
        }
        let news = scope.hub.room_news(room, from, scope.to.of(lane));
        if news.events || news.receipts {
            rooms.insert(room);
        }
    }
    old
}

/// The rooms of a first sync.
fn list_first(scope: &Scope<'_>, index: &RoomIndex) -> HashSet<RoomKey> {
    let is_wanted = |membership: Membership, forgotten: bool| match membership {
        Membership::Join | Membership::Invite | Membership::Knock => true,
        Membership::Leave | Membership::Ban => scope.request.filter.include_leave && !forgotten,
    };
    index.iter().filter(|(_, entry)| is_wanted(entry.membership, entry.forgotten)).map(|(room, _)| room).collect()
}

/// Those of the rooms whose newest event or receipt is newer than the reader's position; of rooms that the reader has left,
/// those that they left since.
async fn list_changed_since(
    scope: &Scope<'_>,
    index: &RoomIndex,
    rooms: &[(RoomKey, LanePos)],
) -> Result<Vec<RoomKey>, StorageError> {
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let store = scope.rooms.reader().store();
    let is_left = |room: RoomKey| {
        index.get(room).is_some_and(|entry| matches!(entry.membership, Membership::Leave | Membership::Ban))
    };
    let (left, others): (Vec<_>, Vec<_>) = rooms.iter().copied().partition(|(room, _)| is_left(*room));
    let keys: Vec<RoomKey> = others.iter().map(|(room, _)| *room).collect();
    let members: Vec<_> = left.iter().map(|(room, _)| (*room, scope.who.key)).collect();
    let heads = store.multi_get::<RoomHeads>(&keys).await?;
    let receipts = scope.receipts.list_heads(&keys).await?;
    let members = store.multi_get::<Memberships>(&members).await?;
    let mut changed = Vec::new();
    for (((room, from), head), receipt) in others.into_iter().zip(heads).zip(receipts) {
        if head.is_some_and(|head| head.last_pos > from) || receipt.is_some_and(|pos| pos > from) {
            changed.push(room);
        }
    }
    for ((room, from), member) in left.into_iter().zip(members) {
        if member.is_some_and(|member| member.pos > from) {
            changed.push(room);
        }
    }
    Ok(changed)
}

/// The rooms where somebody began or ended to type, or where the client may show it wrongly after a restart.
fn list_typing(scope: &Scope<'_>, index: &RoomIndex) -> Vec<RoomKey> {
    let is_same_life = scope.ephemeral.epoch == scope.typing.epoch();
    let from = if is_same_life { scope.ephemeral.typing } else { 0 };
    let mut rooms = scope.typing.list_changed(from);
    rooms.retain(|room| index.is_joined(*room));
    if !is_same_life && !scope.ephemeral.typing_rooms.is_empty() {
        rooms.extend(index.iter().map(|(room, _)| room).filter(|room| scope.ephemeral.shows_typing(*room)));
    }
    rooms
}
