//! The ring answers as the whole log would, or says that it cannot.

use hearth_protocol::{EventNum, LanePos, RoomKey, UserKey};

use super::{Happened, Ring, RoomNews};

const ROOM: RoomKey = RoomKey([1; 16]);
const OTHER: RoomKey = RoomKey([2; 16]);
const USER: UserKey = UserKey([3; 16]);

fn pos(n: u32) -> LanePos {
    LanePos::new(1, n)
}

fn ring() -> Ring {
    let mut ring = Ring::new(pos(0), 4);
    ring.push(pos(1), Happened::Event(ROOM, EventNum(10)));
    ring.push(pos(2), Happened::AccountData(USER));
    ring.push(pos(4), Happened::Event(OTHER, EventNum(20)));
    ring.push(pos(5), Happened::Event(ROOM, EventNum(11)));
    ring
}

#[test]
fn ranges_are_open_below_and_closed_above() {
    let ring = ring();
    assert_eq!(ring.room_events(ROOM, pos(0), pos(5)), Some(vec![EventNum(10), EventNum(11)]));
    assert_eq!(ring.room_events(ROOM, pos(1), pos(4)), Some(vec![]));
    assert_eq!(ring.room_events(ROOM, pos(1), pos(5)), Some(vec![EventNum(11)]));
    assert_eq!(ring.room_news(ROOM, pos(1), pos(4)), RoomNews::default());
    assert!(ring.room_news(ROOM, pos(4), pos(5)).events);
    assert_eq!(ring.last_event(ROOM, pos(4)), Some(EventNum(10)));
    assert_eq!(ring.last_event(ROOM, pos(0)), None);
    assert_eq!(ring.rooms_since(pos(1), pos(4)).collect::<Vec<_>>(), [OTHER]);
    assert!(ring.account_changed(USER, pos(1)) && !ring.account_changed(USER, pos(2)));
}

#[test]
fn what_is_pushed_out_is_no_longer_vouched_for() {
    let mut ring = ring();
    ring.push(pos(6), Happened::Receipt(OTHER));
    assert!(!ring.covers(pos(0)) && ring.covers(pos(1)));
    assert_eq!(ring.room_events(ROOM, pos(0), pos(6)), None);
    assert_eq!(ring.room_events(ROOM, pos(1), pos(6)), Some(vec![EventNum(11)]));
    ring.push(pos(7), Happened::Receipt(OTHER));
    assert!(ring.account_changed(USER, pos(1)), "too long ago to know");
    assert!(!ring.account_changed(USER, pos(2)));
    for n in 8..12 {
        ring.push(pos(n), Happened::Event(OTHER, EventNum(n)));
    }
    assert!(!ring.rooms.contains_key(&ROOM) && ring.users.is_empty(), "nothing is kept of what is out");
    assert_eq!(ring.room_news(OTHER, pos(7), pos(20)), RoomNews { events: true, receipts: false });
}
