//! Receipts move forward only. What they do in rooms is tested with sync.

use hearth_protocol::LanePos;
use hearth_storage::schema::receipts::Receipt;

use super::{MAIN_THREAD, ReadMarks, ReceiptKind, moves_forward};

fn receipt(n: u32, depth: u64, event: &str) -> Receipt {
    Receipt { pos: LanePos(0), read_to: LanePos::new(0, n), depth, order: 0, event_id: event.to_owned() }
}

#[test]
fn only_later_events_move_a_receipt() {
    let old = receipt(5, 9, "$old");
    assert!(moves_forward(&old, &receipt(6, 1, "$new")), "arrival counts before depth");
    assert!(!moves_forward(&old, &receipt(4, 20, "$new")));
    assert!(!moves_forward(&old, &receipt(0, 20, "$backfilled")));
    assert!(!moves_forward(&old, &receipt(6, 20, "$old")), "the same event");
    assert!(moves_forward(&receipt(0, 3, "$a"), &receipt(0, 4, "$b")), "among backfilled events depth decides");
}

#[test]
fn a_thread_is_read_as_far_as_its_own_receipt_or_that_of_everything() {
    let mut marks = ReadMarks::default();
    marks.add("$root", LanePos(5));
    marks.add(MAIN_THREAD, LanePos(7));
    assert_eq!(
        (marks.of_thread(None), marks.of_thread(Some("$root")), marks.of_thread(Some("$other"))),
        (LanePos(7), LanePos(5), LanePos(0))
    );
    marks.add("", LanePos(6));
    marks.add("$root", LanePos(2));
    assert_eq!(
        (marks.of_thread(None), marks.of_thread(Some("$root")), marks.of_thread(Some("$other"))),
        (LanePos(7), LanePos(6), LanePos(6))
    );
}

#[test]
fn kinds_have_names_and_numbers() {
    for kind in [ReceiptKind::Read, ReceiptKind::ReadPrivate] {
        assert_eq!(ReceiptKind::from_number(kind as u8), Some(kind));
        assert_eq!(ReceiptKind::from_name(kind.as_str()), Some(kind));
    }
    assert_eq!(ReceiptKind::from_name("m.fully_read"), None);
    assert_eq!(ReceiptKind::from_number(9), None);
}
