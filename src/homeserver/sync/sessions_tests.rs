//! Who is woken, and when a list of rooms has to be read again.

use std::sync::Arc;

use hearth_protocol::{Lane, LanePos, RoomKey, UserKey};
use hearth_storage::schema::users::Membership;

use super::{IndexEntry, KEPT_MS, RoomIndex, Sessions};
use crate::sync::token::Positions;

const USER: UserKey = UserKey([1; 16]);
const ROOM: RoomKey = RoomKey([2; 16]);
const LEFT: RoomKey = RoomKey([3; 16]);

fn index(n: u32) -> Arc<RoomIndex> {
    let entry = |membership| IndexEntry { membership, forgotten: false };
    let rooms = vec![(LEFT, entry(Membership::Leave)), (ROOM, entry(Membership::Join))];
    Arc::new(RoomIndex::new(rooms, Positions::new(vec![LanePos::new(1, n)])))
}

#[test]
fn only_those_in_the_room_are_woken() {
    let sessions = Sessions::default();
    let session = sessions.attach(USER, 0);
    let other = sessions.attach(UserKey([9; 16]), 0);
    sessions.keep_index(&session, &index(5));
    let (bell, other_bell) = (session.listen(), other.listen());
    sessions.wake_room(LEFT);
    assert!(!bell.has_changed().unwrap());
    sessions.wake_room(ROOM);
    assert!(bell.has_changed().unwrap() && !other_bell.has_changed().unwrap());
}

#[test]
fn a_list_is_stale_from_a_change_of_membership_that_it_was_read_before() {
    let sessions = Sessions::default();
    let session = sessions.attach(USER, 0);
    assert!(session.index().is_none());
    sessions.keep_index(&session, &index(5));
    assert!(session.index().is_some());
    sessions.note_moved(USER, Lane(0), LanePos::new(1, 5));
    assert!(session.index().is_some(), "it was read after that");
    sessions.note_moved(USER, Lane(0), LanePos::new(1, 6));
    assert!(session.index().is_none());
    sessions.keep_index(&session, &index(6));
    assert!(session.index().is_some());
    sessions.forget_lists();
    assert!(session.index().is_none());
}

#[test]
fn a_session_is_kept_while_somebody_waits_and_a_while_longer() {
    let sessions = Sessions::default();
    let session = sessions.attach(USER, 0);
    sessions.keep_index(&session, &index(5));
    sessions.sweep(10 * KEPT_MS);
    assert_eq!(sessions.count(), 1);
    drop(session);
    sessions.sweep(KEPT_MS - 1);
    assert_eq!(sessions.count(), 1);
    let again = sessions.attach(USER, KEPT_MS - 1);
    assert!(again.index().is_some(), "what was read is still there");
    drop(again);
    sessions.sweep(2 * KEPT_MS);
    assert_eq!(sessions.count(), 0);
    assert!(sessions.0.lock().by_room.is_empty());
    assert_eq!(sessions.attach(UserKey([4; 16]), 0).id, 0, "places are used again");
}
