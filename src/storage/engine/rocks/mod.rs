//! The engine on one machine's disk, over RocksDB.
//!
//! Reads look into memory on the caller's thread and hop to a few threads when that does not suffice.
//! All writes go through one thread. A full disk stops writes with a clear error while reads go on;
//! RocksDB watches the free space and takes writes again by itself (it looks every five seconds, and
//! waits until a write buffer fits).
//! What failed was never readable: the log is written before the memory that reads see.

mod group;
mod open;
mod read;
mod restored;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use ahash::AHashMap;
use hearth_protocol::Lane;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::{
    Address, Applied, Look, Range, RawPage, Refusal, Refused, apply::LaneState, batch::Batch, faults::WriteFaults,
    heads::Heads,
};
use crate::{error::StorageError, table::Profile};
use group::{GroupCommit, Request};
pub(crate) use open::Memory;
use read::{Database, ReadPool};
pub(crate) use restored::raise_epochs;

/// Batches that may wait for the writing thread; more wait before they are queued.
const WRITE_QUEUE_MAX: usize = 4_096;

/// The pause between two looks at a full queue of an engine that nobody holds any more.
const DRAIN_PAUSE: Duration = Duration::from_millis(1);

/// Pages up to this many rows are first tried out of memory on the caller's thread.
const QUICK_PAGE_ROWS: usize = 256;

/// The engine over RocksDB.
#[derive(Clone)]
pub(crate) struct RocksEngine(Arc<Shared>);

struct Shared {
    database: Arc<Database>,
    pool: ReadPool,
    writes: mpsc::Sender<Request>,
    /// Ended and joined on close: one that still let go of the database while the process ends would break it off.
    threads: Mutex<Vec<JoinHandle<()>>>,
    groups: Arc<AtomicU64>,
}

impl Drop for Shared {
    /// Without [`RocksEngine::close`] the threads end here, at the latest: RocksDB must be gone before the process is.
    fn drop(&mut self) {
        let mut stop = Some(Request::Stop(oneshot::channel().0));
        while let Some(request) = stop.take() {
            if let Err(mpsc::error::TrySendError::Full(request)) = self.writes.try_send(request) {
                // Nobody is left to add to the queue: it only has to be worked off.
                std::thread::sleep(DRAIN_PAUSE);
                stop = Some(request);
            }
        }
        self.pool.stop();
        for thread in self.threads.get_mut().drain(..) {
            drop(thread.join());
        }
    }
}

/// How to open the engine.
pub(crate) struct RocksOptions<'a> {
    pub path: &'a Path,
    pub memory: Memory,
    /// Whether each commit is on disk before it is answered.
    pub sync: bool,
    pub faults: WriteFaults,
}

impl RocksEngine {
    /// Opens or creates the database, and starts its threads. Blocks.
    pub fn open(options: &RocksOptions<'_>, heads: Arc<Heads>) -> Result<Self, StorageError> {
        let database = Arc::new(Database::new(open::open(options.path, options.memory)?));
        let (pool, mut threads) = ReadPool::start(&database)?;
        let (writes, queue) = mpsc::channel(WRITE_QUEUE_MAX);
        let groups = Arc::<AtomicU64>::default();
        let writer = GroupCommit {
            database: Arc::clone(&database),
            heads,
            faults: options.faults.clone(),
            sync: options.sync,
            groups: Arc::clone(&groups),
            lanes: AHashMap::new(),
        };
        let writing = std::thread::Builder::new().name("storage-write".to_owned());
        threads.push(writing.spawn(move || writer.run(queue)).map_err(|e| StorageError::Io(e.to_string()))?);
        Ok(RocksEngine(Arc::new(Shared { database, pool, writes, threads: Mutex::new(threads), groups })))
    }

    pub fn try_get(&self, address: Address<'_>) -> Look<'_> {
        self.0.database.look(address)
    }

    pub async fn multi_get(&self, keys: Vec<(Profile, Vec<u8>)>) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let mut values = Vec::with_capacity(keys.len());
        let mut missed = Vec::new();
        for (index, (profile, key)) in keys.iter().enumerate() {
            match self.0.database.look(Address { profile: *profile, key }) {
                Look::Found(bytes) => values.push(Some(bytes.to_vec())),
                Look::Absent => values.push(None),
                Look::Miss => {
                    values.push(None);
                    missed.push(index);
                }
            }
        }
        if !missed.is_empty() {
            let asked = missed.iter().map(|&index| keys[index].clone()).collect();
            let found = self.0.pool.multi_get(asked).await?;
            for (index, value) in missed.into_iter().zip(found) {
                values[index] = value;
            }
        }
        Ok(values)
    }

    pub async fn scan(&self, range: Range) -> Result<RawPage, StorageError> {
        if range.from >= range.to {
            return Ok(RawPage::default());
        }
        if range.limit <= QUICK_PAGE_ROWS
            && let Some(page) = self.0.database.page(&range, true)?
        {
            return Ok(page);
        }
        self.0.pool.page(range).await
    }

    pub async fn commit(&self, batch: Batch) -> Result<Applied, Box<Refused>> {
        let (reply, answer) = oneshot::channel();
        if let Err(mpsc::error::SendError(Request::Commit(batch, _))) =
            self.0.writes.send(Request::Commit(batch, reply)).await
        {
            return Err(Box::new(Refused { why: Refusal::Down("storage is closed".to_owned()), batch }));
        }
        answer.await.unwrap_or_else(|_| {
            // The thread ended before it looked at the batch.
            let why = Refusal::Down("storage is closed".to_owned());
            Err(Box::new(Refused { why, batch: crate::txn::empty_batch() }))
        })
    }

    pub async fn acquire(&self, lane: Lane, seen: Option<u32>) -> Result<LaneState, Refusal> {
        let closed = || Refusal::Down("storage is closed".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.writes.send(Request::Acquire { lane, seen, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Copies the database as it is now into `to`, which must not exist.
    pub async fn checkpoint(&self, to: &Path) -> Result<(), StorageError> {
        self.0.pool.checkpoint(to.to_owned()).await
    }

    /// What the engine counts and holds, by name.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let database = &self.0.database;
        let cached = database.db.property_int_value("rocksdb.block-cache-usage").ok().flatten();
        let buffered = Profile::ALL.into_iter().filter_map(|profile| {
            let family = database.family(profile).ok()?;
            database.db.property_int_value_cf(family, "rocksdb.cur-size-all-mem-tables").ok().flatten()
        });
        vec![
            ("groups", self.0.groups.load(Ordering::Relaxed)),
            ("block_cache_bytes", cached.unwrap_or(0)),
            ("write_buffer_bytes", buffered.sum()),
        ]
    }

    pub async fn close(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.0.writes.send(Request::Stop(reply)).await.is_ok() {
            // An error says that the thread is gone already.
            let _ = stopped.await;
        }
        self.0.pool.stop();
        let threads = std::mem::take(&mut *self.0.threads.lock());
        let joined = crate::store::off_thread(move || threads.into_iter().for_each(|thread| drop(thread.join()))).await;
        if let Err(error) = joined {
            tracing::warn!(%error, "the threads of storage were not seen to end");
        }
    }
}

/// Copies the database into a new directory. Blocks; files are linked where the disk is the same.
fn checkpoint(database: &Database, to: &Path) -> Result<(), StorageError> {
    let checkpoint = rocksdb::checkpoint::Checkpoint::new(&database.db).map_err(read::io)?;
    checkpoint.create_checkpoint(to).map_err(read::io)
}
