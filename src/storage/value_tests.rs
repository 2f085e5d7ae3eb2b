//! Values round-trip, old versions are upgraded along the chain, bad bytes are errors.

use hearth_protocol::LanePos;
use serde::{Deserialize, Serialize};

use super::{Counter, Value};
use crate::error::CodecError;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct First {
    name: String,
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Second {
    name: String,
    age: Option<u32>,
}
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Third {
    at: LanePos,
    names: Vec<String>,
    age: u32,
}
value!(First, 1);
value!(Second, 2, previous = First);
value!(Third, 3, previous = Second);

impl From<First> for Second {
    fn from(old: First) -> Self {
        Second { name: old.name, age: None }
    }
}
impl From<Second> for Third {
    fn from(old: Second) -> Self {
        Third { at: LanePos(0), names: vec![old.name], age: old.age.unwrap_or(7) }
    }
}

#[test]
fn an_old_value_is_upgraded_along_the_chain() {
    let first = First { name: "a".to_owned() }.encode();
    assert_eq!(first[0], 1);
    assert_eq!(Third::decode(&first).unwrap(), Third { at: LanePos(0), names: vec!["a".to_owned()], age: 7 });
    let second = Second { name: "b".to_owned(), age: Some(3) }.encode();
    assert_eq!(Third::decode(&second).unwrap().age, 3);
}

#[test]
fn a_newer_value_is_an_error_not_a_guess() {
    let third = Third { at: LanePos(1), names: vec![], age: 1 }.encode();
    assert_eq!(Second::decode(&third), Err(CodecError::UnknownVersion { found: 3, newest: 1 }));
    assert_eq!(Second::decode(&[]), Err(CodecError::UnknownVersion { found: 0, newest: 1 }));
}

#[test]
fn left_over_bytes_are_an_error() {
    let mut bytes = First { name: "a".to_owned() }.encode();
    bytes.push(0);
    assert_eq!(First::decode(&bytes), Err(CodecError::TrailingBytes(1)));
}

#[test]
fn a_leading_position_lies_at_a_fixed_place() {
    let bytes = Third { at: LanePos::new(2, 9), names: vec![], age: 1 }.encode();
    assert_eq!(bytes[1..9], LanePos::new(2, 9).0.to_be_bytes());
}

#[test]
fn counters_have_one_width() {
    for number in [i64::MIN, -1, 0, 5, i64::MAX] {
        let bytes = Counter(number).encode();
        assert_eq!(bytes.len(), 9);
        assert_eq!(Counter::decode(&bytes), Ok(Counter(number)));
    }
}

#[test]
fn layouts_leave_paths_out() {
    assert_eq!(Vec::<String>::layout(), "Vec<String>");
    assert_eq!(Third::layout(), "Third");
}
