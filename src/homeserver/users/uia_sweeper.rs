//! Removes interactive-auth sessions that ran out.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use hearth_storage::schema::users::UiaSessions;

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
    /// Deletes the sessions that ran out; says how many.
    pub(super) async fn sweep_uia_sessions(&self) -> Result<usize, StoreFailure> {
        let now_ms = self.now_ms();
        let mut swept = 0;
        for shelf in 0..SHELVES {
            let rows = scan_all::<UiaSessions, _>(&self.0.env.store, &shelf, ROWS_MAX).await?;
            let void: Vec<_> =
                rows.into_iter().filter(|(_, row)| row.expires_ms <= now_ms).map(|(key, _)| key).collect();
            for keys in void.chunks(DELETES_MAX) {
                let mut txn = self.0.env.store.txn();
                for key in keys {
                    txn.delete::<UiaSessions>(key);
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
