//! What others see of who types.

use std::sync::Arc;

use hearth_protocol::{Clock as _, MockClock, RoomKey, UnixMs};
use parking_lot::Mutex;
use ruma::{OwnedUserId, UserId};
use tokio::sync::watch;

use super::{Inner, ROOMS_MAX, TYPERS_PER_ROOM_MAX, TYPING_MS_MAX, Typing};

const ROOM: RoomKey = RoomKey([1; 16]);

fn typing() -> (Typing, Arc<MockClock>) {
    let clock = Arc::new(MockClock::new(UnixMs(0)));
    let inner = Inner { clock: clock.clone(), epoch: 1, rooms: Mutex::default(), changes: watch::Sender::new(0) };
    (Typing(Arc::new(inner)), clock)
}

fn user(n: usize) -> OwnedUserId {
    UserId::parse(format!("@u{n}:s")).unwrap()
}

#[test]
fn saying_it_again_tells_nobody() {
    let (typing, clock) = typing();
    typing.start(ROOM, &user(1), 1_000);
    assert_eq!((typing.position(), typing.list_changed(0)), (1, vec![ROOM]));
    clock.advance(900);
    typing.start(ROOM, &user(1), 1_000);
    assert_eq!(typing.position(), 1);
    clock.advance(900);
    assert_eq!(typing.expire(), Some(1_900), "the first time-out was put off");
    assert_eq!(typing.list_users(ROOM), [user(1)]);
    clock.advance(100);
    assert_eq!(typing.expire(), None);
    assert_eq!((typing.position(), typing.changed_at(ROOM), typing.list_changed(1)), (2, 2, vec![ROOM]));
    assert!(typing.list_users(ROOM).is_empty());
    typing.stop(ROOM, &user(1));
    assert_eq!(typing.position(), 2, "nothing changed");
}

#[test]
fn no_time_is_longer_than_the_longest() {
    let (typing, clock) = typing();
    typing.start(ROOM, &user(1), u64::MAX);
    assert_eq!(typing.expire(), Some(clock.monotonic_ms() + TYPING_MS_MAX));
}

#[test]
fn rooms_and_typers_are_bounded() {
    let (typing, _) = typing();
    for n in 0..2 * TYPERS_PER_ROOM_MAX {
        typing.start(ROOM, &user(n), 1_000);
    }
    assert_eq!(typing.list_users(ROOM).len(), TYPERS_PER_ROOM_MAX);
    for n in 0..=u32::try_from(2 * ROOMS_MAX).unwrap() {
        let mut key = [7; 16];
        key[..4].copy_from_slice(&n.to_be_bytes());
        typing.start(RoomKey(key), &user(1), 1_000);
        typing.stop(RoomKey(key), &user(1));
    }
    assert!(typing.0.rooms.lock().by_key.len() <= ROOMS_MAX + 1);
    assert_eq!(typing.list_users(ROOM).len(), TYPERS_PER_ROOM_MAX, "who types is not forgotten");
}
