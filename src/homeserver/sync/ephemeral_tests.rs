//! Receipts and typing in the form that clients read.

use std::sync::Arc;

use hearth_storage::schema::receipts::ReceiptChange;
use ruma::UserId;
use serde_json::{Value, json};

use super::{build_receipts, build_typing};

fn receipt(user: &str, kind: u8, thread: &str, at_ms: u64) -> Arc<ReceiptChange> {
    let (user_id, thread, event_id) = (user.to_owned(), thread.to_owned(), "$event".to_owned());
    Arc::new(ReceiptChange { user_id, kind, thread, event_id, at_ms })
}

fn value(piece: &serde_json::value::RawValue) -> Value {
    serde_json::from_str(piece.get()).unwrap()
}

#[test]
fn receipts_are_filed_by_event_kind_and_user() {
    let rows = [receipt("@a:s", 0, "", 5), receipt("@b:s", 0, "main", 6), receipt("@a:s", 1, "$root", 7)];
    let built = build_receipts(&rows).unwrap();
    assert_eq!(
        value(&built),
        json!({ "type": "m.receipt", "content": { "$event": {
            "m.read": { "@a:s": { "ts": 5 }, "@b:s": { "ts": 6, "thread_id": "main" } },
            "m.read.private": { "@a:s": { "ts": 7, "thread_id": "$root" } },
        } } })
    );
    assert!(build_receipts(&[]).is_none());
}

#[test]
fn a_receipt_without_a_thread_wins_over_one_with() {
    for rows in [
        [receipt("@a:s", 0, "", 5), receipt("@a:s", 0, "main", 6)],
        [receipt("@a:s", 0, "main", 6), receipt("@a:s", 0, "", 5)],
    ] {
        assert_eq!(value(&build_receipts(&rows).unwrap())["content"]["$event"]["m.read"]["@a:s"], json!({ "ts": 5 }));
    }
}

#[test]
fn typing_leaves_out_the_ignored() {
    let users = [UserId::parse("@a:s").unwrap(), UserId::parse("@b:s").unwrap()];
    let piece = build_typing(&users, |user| user == "@a:s");
    assert_eq!(value(&piece), json!({ "type": "m.typing", "content": { "user_ids": ["@b:s"] } }));
}
