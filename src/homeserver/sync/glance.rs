//! What is seen at a glance, out of memory and without gathering anything: that nothing has happened since a position, or
//! nothing that a reader has to be told at once.

use hearth_protocol::RoomKey;

use super::answer::Inner;
use super::request::SyncRequest;
use super::sessions::{RoomIndex, Session};
use super::token::{Positions, SyncToken};
use crate::users::LocalUser;

/// Entries of the recent log that a glance takes in.
const ENTRIES_MAX: usize = 256;

/// Where the client is, when nothing has happened that has to be told now; and whether something may have happened that can
/// wait (typing, receipts, presence), which is so only where it may be held back. None when one has to look closer.
pub fn glance<'a>(
    inner: &Inner,
    who: &LocalUser,
    request: &'a SyncRequest,
    session: &Session,
    to: &Positions,
    may_hold: bool,
) -> Option<(&'a SyncToken, bool)> {
    let since = request.since.as_ref().filter(|_| !request.full_state)?;
    // Without a list of rooms nobody would be woken for them.
    let index = session.index()?;
    let lane = inner.hub.lane_of_user(who.key);
    if inner.hub.account_changed(who.key, since.lanes.of(lane)) {
        return None;
    }
    let at = &since.ephemeral;
    let is_still = since.lanes == *to
        && (at.epoch, at.typing) == (inner.typing.epoch(), inner.typing.position())
        && at.presence == inner.users.presence().pos();
    if is_still {
        return Some((since, false));
    }
    if !may_hold || has_events(inner, &index, since, to) {
        return None;
    }
    inner.holds.increment();
    Some((since, true))
}

/// Whether an event may have arrived in one of the reader's rooms.
fn has_events(inner: &Inner, index: &RoomIndex, since: &SyncToken, to: &Positions) -> bool {
    let is_own = |room: RoomKey| index.get(room).is_some();
    to.iter().any(|(lane, to)| {
        let from = since.lanes.of(lane);
        from < to
            && inner.hub.events_since(lane, from, to, ENTRIES_MAX).is_none_or(|rooms| rooms.into_iter().any(is_own))
    })
}
