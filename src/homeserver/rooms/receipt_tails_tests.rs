//! What is kept of the newest receipts agrees with the table, however readers lag.

use hearth_protocol::LanePos;
use hearth_storage::schema::receipts::ReceiptChange;

use super::{TAIL_MAX, Tail};

fn pos(n: u32) -> LanePos {
    LanePos::new(0, n)
}

fn news(receipts: &[(u32, &str, &str)]) -> Vec<(LanePos, ReceiptChange)> {
    let change = |(n, user, thread): &(u32, &str, &str)| {
        let (user_id, thread, event_id) = ((*user).to_owned(), (*thread).to_owned(), format!("${n}"));
        (pos(*n), ReceiptChange { user_id, kind: 0, thread, event_id, at_ms: u64::from(*n) })
    };
    receipts.iter().map(change).collect()
}

fn tail(receipts: &[(u32, &str, &str)], to: u32) -> Tail {
    let mut tail = Tail { from: pos(10), to: pos(10), ..Tail::default() };
    tail.extend(news(receipts).into_iter(), pos(to), false);
    tail
}

fn ids(tail: &Tail, from: u32, to: u32) -> Option<Vec<String>> {
    tail.slice(pos(from), pos(to)).map(|rows| rows.iter().map(|row| row.event_id.clone()).collect())
}

#[test]
fn a_reader_gets_what_is_new_to_them_the_newest_first() {
    let tail = tail(&[(11, "@a:s", ""), (13, "@b:s", ""), (15, "@c:s", "")], 20);
    assert_eq!(ids(&tail, 10, 20).unwrap(), ["$15", "$13", "$11"]);
    assert_eq!(ids(&tail, 11, 14).unwrap(), ["$13"], "without the bound below, with the one above");
    assert_eq!(ids(&tail, 15, 20).unwrap(), [""; 0]);
}

#[test]
fn who_lags_behind_what_is_kept_has_to_ask_the_table() {
    assert_eq!(ids(&tail(&[(11, "@a:s", "")], 20), 9, 20), None);
}

#[test]
fn a_newer_receipt_takes_the_place_of_the_same_users_for_the_same_thread() {
    let mut tail = tail(&[(11, "@a:s", ""), (12, "@a:s", "main")], 12);
    tail.extend(news(&[(14, "@a:s", "")]).into_iter(), pos(14), false);
    assert_eq!(ids(&tail, 10, 14).unwrap(), ["$14", "$12"]);
}

#[test]
fn a_gap_and_a_full_tail_move_the_beginning() {
    let mut gap = tail(&[(11, "@a:s", "")], 12);
    gap.extend(news(&[(30, "@b:s", ""), (31, "@c:s", "")]).into_iter(), pos(40), true);
    assert_eq!((ids(&gap, 12, 40), ids(&gap, 30, 40).unwrap()), (None, vec!["$31".to_owned()]));

    let users: Vec<String> = (0..TAIL_MAX + 5).map(|n| format!("@{n}:s")).collect();
    let many: Vec<_> = (11..).zip(&users).map(|(n, user)| (n, user.as_str(), "")).collect();
    let full = tail(&many, 10_000);
    assert_eq!(ids(&full, 14, 10_000), None, "five went");
    assert_eq!(ids(&full, 15, 10_000).unwrap().len(), TAIL_MAX);
}
