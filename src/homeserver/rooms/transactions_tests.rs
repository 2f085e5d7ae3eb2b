use hearth_protocol::Lane;
use hearth_storage::schema::rooms::TransactionTimes;

use super::TransactionWorker;
use crate::rooms::reader::list_rows;
use crate::rooms::testing::{Fixture, message};
use crate::rooms::{Preset, RoomsConfig};

#[tokio::test]
async fn a_transaction_is_remembered_as_long_as_the_setting_says() {
    let fixture = Fixture::new(8).await;
    let kept_ms = RoomsConfig::default().transactions_kept_ms;
    let worker = TransactionWorker::new(fixture.env.clone(), kept_ms);
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PrivateChat).await;
    let first = fixture.rooms.send(&alice, &room, message("x", Some("1"))).await.unwrap();
    fixture.clock.advance(kept_ms - 1);
    assert_eq!(worker.forget_old().await.unwrap(), 0);
    assert_eq!(fixture.rooms.send(&alice, &room, message("x", Some("1"))).await.unwrap(), first);
    let young = fixture.rooms.send(&alice, &room, message("x", Some("2"))).await.unwrap();
    fixture.clock.advance(1);
    assert_eq!(worker.forget_old().await.unwrap(), 1);
    assert_ne!(fixture.rooms.send(&alice, &room, message("x", Some("1"))).await.unwrap(), first);
    assert_eq!(fixture.rooms.send(&alice, &room, message("x", Some("2"))).await.unwrap(), young);
    let mut left = 0;
    for lane in 0..8 {
        left += list_rows::<TransactionTimes, _>(&fixture.env.store, &Lane(lane)).await.unwrap().len();
    }
    assert_eq!(left, 2, "no row is left over");
    assert_eq!(fixture.check().await, []);
}
