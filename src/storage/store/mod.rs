//! The store: typed reads, commits with their retries, heads and marks of the lanes.
//!
//! Every method that reads costs one call of the engine, however many rows it gives; loops over
//! keys are `multi_get` or `scan`. A domain function awaits a constant number of calls, and
//! [`Store::counters`] lets tests hold it to that.

mod backup;
mod check;
mod commit;
mod migrate;
mod open;
mod outbox;
mod page;
mod read;

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use hearth_protocol::{Lane, LanePos};
use tokio::sync::watch;

use crate::{
    engine::{OpenEngine, heads::Heads},
    schema::meta::Database,
    txn::Txn,
};

pub use backup::{BackupManifest, restore};
pub use check::Finding;
pub use commit::Committed;
pub(crate) use open::off_thread;
pub use open::{Durability, Engine, StoreOptions};
pub use outbox::{StorageWorker, StorageWorkers};
pub use page::{Page, Rows};
pub use read::Cached;

/// A handle on the open database. Clones are cheap and share it.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: OpenEngine,
    pub(crate) heads: Arc<Heads>,
    database: Database,
    calls: Calls,
}

#[derive(Default)]
struct Calls {
    gets: AtomicU64,
    multi_gets: AtomicU64,
    scans: AtomicU64,
    commits: AtomicU64,
}

/// How often the engine was called on behalf of callers; the store's own workers do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineCalls {
    /// Reads of one row, `try_get` not included: it is no call that waits.
    pub gets: u64,
    /// Reads of several rows.
    pub multi_gets: u64,
    /// Pages.
    pub scans: u64,
    /// Commits; retries of the same batch do not count.
    pub commits: u64,
}

impl EngineCalls {
    /// All calls together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.gets + self.multi_gets + self.scans + self.commits
    }

    /// The calls since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: EngineCalls) -> EngineCalls {
        EngineCalls {
            gets: self.gets - earlier.gets,
            multi_gets: self.multi_gets - earlier.multi_gets,
            scans: self.scans - earlier.scans,
            commits: self.commits - earlier.commits,
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Store {
    /// An empty transaction.
    #[must_use]
    pub fn txn(&self) -> Txn {
        Txn::new(self.lanes())
    }

    /// The number of lanes; fixed when the database was made.
    #[must_use]
    pub fn lanes(&self) -> u16 {
        self.0.database.lanes
    }

    /// The lane of a room, user or event key.
    #[must_use]
    pub fn lane_of(&self, key: &[u8; 16]) -> Lane {
        Lane::of(key, self.lanes())
    }

    /// The last position of the lane: every row up to it can be read.
    #[must_use]
    pub fn head(&self, lane: Lane) -> LanePos {
        self.0.heads.head(lane)
    }

    /// The position up to which every effect of the lane on other lanes is applied: the head when
    /// none is outstanding. Never goes back.
    #[must_use]
    pub fn applied_mark(&self, lane: Lane) -> LanePos {
        self.0.heads.mark(lane)
    }

    /// Changes after every commit that gave positions, on any lane.
    #[must_use]
    pub fn watch_heads(&self) -> watch::Receiver<u64> {
        self.0.heads.watch_heads()
    }

    /// The number that was drawn when the database was made.
    #[must_use]
    pub fn database_id(&self) -> [u8; 16] {
        self.0.database.database_id
    }

    /// What the engine counts and holds, by name: `groups` (synced writes; commits share them), and bytes of memory.
    #[must_use]
    pub fn engine_figures(&self) -> Vec<(&'static str, u64)> {
        self.0.engine.figures()
    }

    /// How often the engine was called so far.
    #[must_use]
    pub fn counters(&self) -> EngineCalls {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let calls = &self.0.calls;
        EngineCalls {
            gets: load(&calls.gets),
            multi_gets: load(&calls.multi_gets),
            scans: load(&calls.scans),
            commits: load(&calls.commits),
        }
    }

    /// Ends the engine's threads, after the commits before this call. Later calls fail with `Down`.
    /// The database is free for another process when the last clone is dropped.
    pub async fn close(&self) {
        self.0.engine.close().await;
    }
}
