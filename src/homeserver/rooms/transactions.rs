//! Forgetting the transactions of clients when nobody can mean them any more.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::Lane;
use hearth_storage::Page;
use hearth_storage::schema::rooms::TransactionTimes;

use super::error::RoomError;
use super::pipeline::forget_transactions;
use crate::env::Env;
use crate::worker::{Stop, Worker, run_every};

/// How often old transactions are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Transactions that one commit forgets.
const PER_COMMIT_MAX: usize = 500;
/// Commits of one lane in one round.
const COMMITS_PER_ROUND_MAX: usize = 100;

/// Follows the time at which transactions were made.
pub struct TransactionWorker {
    env: Env,
    kept_ms: u64,
}

impl TransactionWorker {
    /// A worker over all lanes, for transactions that are kept for so many milliseconds.
    #[must_use]
    pub fn new(env: Env, kept_ms: u64) -> Self {
        Self { env, kept_ms }
    }

    /// Forgets what is old by now, in all lanes; gives how many transactions went.
    ///
    /// # Errors
    /// When reading or writing fails; what was forgotten stays forgotten.
    pub async fn forget_old(&self) -> Result<usize, RoomError> {
        let Some(newest) = self.env.clock.now().0.checked_sub(self.kept_ms) else { return Ok(0) };
        let store = &self.env.store;
        let mut forgotten = 0;
        for lane in (0..store.lanes()).map(Lane) {
            for _ in 0..COMMITS_PER_ROUND_MAX {
                let rows = store.scan::<TransactionTimes, _>(&lane, Page::first(PER_COMMIT_MAX)).await?.rows;
                let is_old = |key: &<TransactionTimes as hearth_storage::Table>::Key| key.1 <= newest;
                let old: Vec<_> = rows.into_iter().map(|(key, _)| key).take_while(is_old).collect();
                if old.is_empty() {
                    break;
                }
                forget_transactions(store, lane, &old).await?;
                forgotten += old.len();
            }
        }
        Ok(forgotten)
    }
}

impl Worker for TransactionWorker {
    fn name(&self) -> &'static str {
        "transaction purge"
    }

    fn follows(&self) -> &'static str {
        "the time at which clients' transactions were made"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            let worker = &*self;
            run_every(EVERY, &stop, worker.name(), || worker.forget_old()).await;
        }
        .boxed()
    }
}

#[cfg(test)]
#[path = "transactions_tests.rs"]
mod tests;
