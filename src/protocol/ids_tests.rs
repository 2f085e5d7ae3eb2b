//! Keys, lanes and positions.

use ruma::{event_id, room_id, user_id};

use super::*;

#[test]
fn a_key_is_the_start_of_the_hash_of_the_id() {
    // printf '!a:b.c' | sha256sum
    let key = RoomKey::of(room_id!("!a:b.c"));
    assert_eq!(key.0, key_of("!a:b.c"));
    let abc = key_of("abc");
    assert_eq!(abc[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(UserKey::of(user_id!("@a:b.c")).0, key_of("@a:b.c"));
    assert_eq!(EventKey::of(event_id!("$a:b.c")).0, key_of("$a:b.c"));
}

#[test]
fn a_key_prints_in_hex() {
    let mut bytes = [0; 16];
    bytes[15] = 0xaf;
    assert_eq!(format!("{:?}", RoomKey(bytes)), "RoomKey:000000000000000000000000000000af");
}

#[test]
fn lanes_are_ranges_of_keys() {
    let lane = |first: u8, second: u8, lanes| {
        let mut key = [0; 16];
        (key[0], key[1]) = (first, second);
        Lane::of(&key, lanes).0
    };
    assert_eq!(lane(0xff, 0xff, 1), 0);
    assert_eq!([lane(0, 0, 8), lane(0x1f, 0xff, 8), lane(0x20, 0, 8), lane(0xff, 0xff, 8)], [0, 0, 1, 7]);
    assert_eq!([lane(0xff, 0xff, 64), lane(0xff, 0xff, 3), lane(0xff, 0xff, u16::MAX)], [63, 2, 65534]);
}

#[test]
fn every_lane_is_used_about_equally() {
    let mut counts = [0_u32; 8];
    for n in 0..8_000 {
        let key = key_of(&format!("!{n}:example.org"));
        counts[usize::from(Lane::of(&key, 8).0)] += 1;
    }
    assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
}

#[test]
fn positions_sort_by_epoch_then_count() {
    let pos = LanePos::new(3, 7);
    assert_eq!((pos.epoch(), pos.n()), (3, 7));
    assert_eq!(pos.next(), LanePos::new(3, 8));
    assert!(LanePos::new(4, 0) > LanePos::new(3, u32::MAX));
    assert_eq!(LanePos::new(3, u32::MAX).next(), LanePos::new(4, 0));
}
