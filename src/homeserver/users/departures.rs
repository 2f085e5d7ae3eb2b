//! What deactivated users leave behind: which of them have rooms still to leave (rooms see to it), and what they have
//! stored for themselves.

use hearth_protocol::{Lane, UserKey};
use hearth_storage::schema::accounts::{DepartureDue, DeparturesDue};
use hearth_storage::schema::users::{AccountDataIndex, AccountDataLog, Filters, UserTotals};
use hearth_storage::{CommitError, Page, ScanBy, StorageError, Txn};
use ruma::{OwnedUserId, UserId};

use super::error::StoreFailure;
use super::handle::Users;

/// Rows that one transaction deletes of what a user has stored.
const ERASED_ROWS_MAX: usize = 200;
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

    /// Deletes what a deactivated user has stored for themselves, account data and filters: nobody can read it any more
    /// (C-S API, `POST /account/deactivate`). It may be called again.
    ///
    /// # Errors
    /// When reading or writing fails; what was deleted stays so.
    pub async fn erase_settings(&self, user: &UserId) -> Result<(), StoreFailure> {
        let key = UserKey::of(user);
        let _turn = self.0.turns.take(&key.0).await;
        self.erase_rows::<AccountDataIndex>(key).await?;
        self.erase_rows::<AccountDataLog>(key).await?;
        self.erase_rows::<Filters>(key).await?;
        let mut txn = self.0.env.store.txn();
        txn.delete::<UserTotals>(&key);
        self.0.env.store.commit(txn).await.map(drop).map_err(StoreFailure::Write)
    }

    async fn erase_rows<T: ScanBy<UserKey>>(&self, user: UserKey) -> Result<(), StoreFailure> {
        let store = &self.0.env.store;
        loop {
            let page = store.scan::<T, _>(&user, Page::first(ERASED_ROWS_MAX)).await?;
            if page.rows.is_empty() {
                return Ok(());
            }
            let mut txn = store.txn();
            for (key, _) in &page.rows {
                txn.delete::<T>(key);
            }
            store.commit(txn).await.map_err(StoreFailure::Write)?;
        }
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
