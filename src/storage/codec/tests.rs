//! Every key round-trips, sorts as its value, and a prefix of parts is a prefix of bytes.

use hearth_protocol::{LanePos, RoomKey};
use proptest::prelude::*;

use super::{Down, Key, decode_whole, successor};
use crate::error::CodecError;

fn bytes_of<K: Key>(key: &K) -> Vec<u8> {
    let mut out = Vec::new();
    key.encode(&mut out);
    out
}

fn check_pair<K: Key + Ord + Clone + std::fmt::Debug>(a: &K, b: &K) {
    let (bytes_a, bytes_b) = (bytes_of(a), bytes_of(b));
    assert_eq!(&decode_whole::<K>(&bytes_a).unwrap(), a);
    assert_eq!(a.cmp(b), bytes_a.cmp(&bytes_b), "{a:?} and {b:?}");
    assert!(a == b || !bytes_b.starts_with(&bytes_a), "{a:?} is no prefix of {b:?}");
}

/// Text that is rich in what the escape must bear.
fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just('\0'), Just('\u{1}'), Just('a'), Just('\u{ff}'), any::<char>()], 0..6)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn numbers(a: (u8, u16, u32, u64, i64), b: (u8, u16, u32, u64, i64)) {
        check_pair(&a, &b);
    }

    #[test]
    fn downwards(a: (u64, i64, u16), b: (u64, i64, u16)) {
        check_pair(&(Down(a.0), Down(a.1), a.2), &(Down(b.0), Down(b.1), b.2));
        check_pair(&Down(LanePos(a.0)), &Down(LanePos(b.0)));
    }

    #[test]
    fn texts(a in (text(), text(), any::<u8>()), b in (text(), text(), any::<u8>())) {
        check_pair(&a, &b);
        check_pair(&(a.0.clone().into_bytes(), a.2), &(b.0.clone().into_bytes(), b.2));
    }

    #[test]
    fn a_prefix_of_parts_is_a_prefix_of_bytes(a in text(), b in text(), room: [u8; 16], n: u64) {
        let whole = bytes_of(&(RoomKey(room), a.clone(), b.clone(), n));
        let prefix = bytes_of(&(RoomKey(room), a.clone()));
        prop_assert!(whole.starts_with(&prefix));
        let other = bytes_of(&(RoomKey(room), b.clone()));
        prop_assert_eq!(whole.starts_with(&other), a == b);
    }

    #[test]
    fn the_successor_bounds_a_prefix(prefix in proptest::collection::vec(250u8.., 0..4), rest: Vec<u8>) {
        let mut key = prefix.clone();
        key.extend(rest);
        if let Some(end) = successor(&prefix) {
            prop_assert!(key < end && prefix < end);
            prop_assert!(!end.starts_with(&prefix));
        } else {
            prop_assert!(prefix.iter().all(|&byte| byte == 255));
        }
    }

    #[test]
    fn bad_bytes_are_an_error_not_a_panic(bytes: Vec<u8>) {
        let _ = decode_whole::<(String, u64, Vec<u8>)>(&bytes);
        let _ = decode_whole::<(ruma::OwnedUserId, Down<u64>)>(&bytes);
    }
}

#[test]
fn wrong_endings_are_named() {
    assert_eq!(decode_whole::<u32>(&[0, 0, 1]), Err(CodecError::ShortKey));
    assert_eq!(decode_whole::<u8>(&[0, 0]), Err(CodecError::TrailingBytes(1)));
    assert_eq!(decode_whole::<String>(&[b'a', 0, 7]), Err(CodecError::BadEscape));
    assert_eq!(decode_whole::<ruma::OwnedUserId>(b"nobody\0\x01"), Err(CodecError::BadText("user_id")));
}
