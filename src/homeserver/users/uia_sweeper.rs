//! Removes interactive-auth sessions that ran out.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use hearth_storage::schema::accounts::RegisteredSessions;
use hearth_storage::schema::users::UiaSessions;
use hearth_storage::{ScanBy, Table};

use super::error::StoreFailure;
use super::handle::Users;
use super::pages::scan_all;
use super::uia_session::SHELVES;
use crate::{Stop, Worker};

const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How many rows of a shelf are looked at in a round; the rest waits for the next.
const ROWS_MAX: usize = 10_000;
/// How many rows a transaction deletes.
const DELETES_MAX: usize = 500;

/// Sweeps every minute.
pub(super) struct UiaSweeper {
    users: Users,
}

impl UiaSweeper {
    pub(super) fn new(users: Users) -> Self {
        Self { users }
    }
}

impl Users {
    /// Deletes the sessions that ran out, and what is remembered of those that made an account; says how many rows.
    pub(super) async fn sweep_uia_sessions(&self) -> Result<usize, StoreFailure> {
        let sessions = self.sweep_table::<UiaSessions>(|row| row.expires_ms).await?;
        let registered = self.sweep_table::<RegisteredSessions>(|row| row.expires_ms).await?;
        Ok(sessions + registered)
    }

    async fn sweep_table<T>(&self, expires_ms: impl Fn(&T::Value) -> u64) -> Result<usize, StoreFailure>
    where
        T: Table<Key = (u8, [u8; 16])> + ScanBy<u8>,
    {
        let now_ms = self.now_ms();
        let mut swept = 0;
        for shelf in 0..SHELVES {
            let rows = scan_all::<T, _>(&self.0.env.store, &shelf, ROWS_MAX).await?;
            let void: Vec<_> =
                rows.into_iter().filter(|(_, row)| expires_ms(row) <= now_ms).map(|(key, _)| key).collect();
            for keys in void.chunks(DELETES_MAX) {
                let mut txn = self.0.env.store.txn();
                for key in keys {
                    txn.delete::<T>(key);
                }
                self.0.env.store.commit(txn).await.map_err(StoreFailure::Write)?;
                swept += keys.len();
            }
        }
        Ok(swept)
    }
}

impl Worker for UiaSweeper {
    fn name(&self) -> &'static str {
        "uia_sweeper"
    }

    fn follows(&self) -> &'static str {
        "the time, every minute"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(SWEEP_EVERY)).await.is_some() {
                if let Err(error) = self.users.sweep_uia_sessions().await {
                    tracing::warn!(%error, "old interactive-auth sessions could not be removed");
                }
            }
        }
        .boxed()
    }
}
