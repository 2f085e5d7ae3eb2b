//! The rows of clients' transactions: written with the event, taken away when they are old.

use hearth_protocol::{Lane, RoomKey};
use hearth_storage::schema::rooms::{TransactionRow, TransactionTimeRow, TransactionTimes, Transactions};
use hearth_storage::{CommitError, Store, Table, Txn};
use ruma::EventId;

use super::submission::Transaction;

/// Notes which event a transaction made; the commit fails when the transaction is known already.
pub fn write_transaction(
    txn: &mut Txn,
    lane: Lane,
    room: RoomKey,
    transaction: &Transaction,
    event_id: &EventId,
    at_ms: u64,
) {
    let Transaction { user, device, id } = transaction;
    let key = (room, *user, device.clone(), id.clone());
    txn.assert_absent::<Transactions>(&key);
    txn.put::<Transactions>(&key, &TransactionRow { event_id: event_id.to_string(), at_ms });
    txn.put::<TransactionTimes>(&(lane, at_ms, room, *user, device.clone(), id.clone()), &TransactionTimeRow {});
}

/// Forgets old transactions of a lane.
///
/// # Errors
/// When writing fails; nothing is forgotten then.
pub async fn forget_transactions(
    store: &Store,
    lane: Lane,
    old: &[<TransactionTimes as Table>::Key],
) -> Result<(), CommitError> {
    let mut txn = store.txn().home(lane);
    for key in old {
        let (_, _, room, user, device, id) = key.clone();
        txn.delete::<Transactions>(&(room, user, device, id));
        txn.delete::<TransactionTimes>(key);
    }
    store.commit(txn).await.map(|_| ())
}
