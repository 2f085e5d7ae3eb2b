//! Which deactivated users have rooms still to leave; rooms see to it.

use hearth_protocol::{Lane, UserKey};
use hearth_storage::schema::accounts::{DepartureDue, DeparturesDue};
use hearth_storage::{CommitError, Page, StorageError, Txn};
use ruma::{OwnedUserId, UserId};

use super::handle::Users;

/// Departures of one lane that are looked at in one round.
const DEPARTURES_MAX: usize = 100;

impl Users {
    /// Notes, in the commit that closes an account, that its rooms have to be left.
    pub(super) fn put_departure(&self, txn: &mut Txn, user: &UserId) {
        let key = UserKey::of(user);
        let lane = self.0.env.store.lane_of(&key.0);
        txn.put::<DeparturesDue>(&(lane, key), &DepartureDue { user_id: user.to_string() });
    }

    /// Some of the users whose rooms have to be left.
    pub async fn list_departures(&self) -> Result<Vec<OwnedUserId>, StorageError> {
        let store = &self.0.env.store;
        let mut users = Vec::new();
        for lane in (0..store.lanes()).map(Lane) {
            let rows = store.scan::<DeparturesDue, _>(&lane, Page::first(DEPARTURES_MAX)).await?.rows;
            users.extend(rows.into_iter().filter_map(|(_, row)| UserId::parse(row.user_id).ok()));
        }
        Ok(users)
    }

    /// A user is out of all rooms.
    pub async fn end_departure(&self, user: &UserId) -> Result<(), CommitError> {
        let store = &self.0.env.store;
        let key = UserKey::of(user);
        let mut txn = store.txn();
        txn.delete::<DeparturesDue>(&(store.lane_of(&key.0), key));
        store.commit(txn).await.map(drop)
    }
}
