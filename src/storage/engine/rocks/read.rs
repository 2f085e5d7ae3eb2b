//! Reading: what memory holds is read where the caller stands; the rest hops to a few threads.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rocksdb::{ColumnFamily, DB, DBRawIterator, ErrorKind, ReadOptions, ReadTier};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    engine::{Address, Look, Range, RawPage, RowBytes, limits::PAGE_BYTES_MAX},
    error::StorageError,
    table::Profile,
};

/// Threads for reads that must wait for the disk.
const READ_THREADS: usize = 4;

/// Reads that may wait for a thread; more wait before they are queued.
const READ_QUEUE_MAX: usize = 1_024;

/// The database and what every read needs.
pub(crate) struct Database {
    pub db: DB,
    quick: ReadOptions,
}

impl Database {
    pub fn new(db: DB) -> Self {
        let mut quick = ReadOptions::default();
        quick.set_read_tier(ReadTier::BlockCache);
        Database { db, quick }
    }

    pub fn family(&self, profile: Profile) -> Result<&ColumnFamily, StorageError> {
        let name = super::open::family_name(profile);
        self.db.cf_handle(name).ok_or_else(|| StorageError::Io(format!("column family {name} is missing")))
    }

    /// Looks for a row in memory only.
    pub fn look(&self, address: Address<'_>) -> Look<'_> {
        let Ok(family) = self.family(address.profile) else { return Look::Miss };
        match self.db.get_pinned_cf_opt(family, address.key, &self.quick) {
            Ok(Some(bytes)) => Look::Found(RowBytes::Pinned(bytes)),
            Ok(None) => Look::Absent,
            // `Incomplete`, and every real error, which the blocking read then reports.
            Err(_) => Look::Miss,
        }
    }

    /// Reads a row; may wait for the disk.
    pub fn read(&self, profile: Profile, key: &[u8]) -> Result<Option<rocksdb::DBPinnableSlice<'_>>, StorageError> {
        self.db.get_pinned_cf(self.family(profile)?, key).map_err(io)
    }

    /// Reads a page. With `quick`, out of memory only: `None` when that does not suffice.
    pub fn page(&self, range: &Range, quick: bool) -> Result<Option<RawPage>, StorageError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(range.from.as_slice());
        options.set_iterate_upper_bound(range.to.as_slice());
        if quick {
            options.set_read_tier(ReadTier::BlockCache);
        }
        let mut rows = self.db.raw_iterator_cf_opt(self.family(range.profile)?, options);
        if range.reverse {
            rows.seek_to_last();
        } else {
            rows.seek_to_first();
        }
        let page = take_page(&mut rows, range);
        match rows.status() {
            Ok(()) => Ok(Some(page)),
            Err(error) if quick && error.kind() == ErrorKind::Incomplete => Ok(None),
            Err(error) => Err(io(error)),
        }
    }
}

pub(crate) fn io(error: rocksdb::Error) -> StorageError {
    StorageError::Io(error.into_string())
}

fn take_page(rows: &mut DBRawIterator<'_>, range: &Range) -> RawPage {
    let mut page = RawPage::default();
    let mut bytes = 0;
    while let Some((key, value)) = rows.item() {
        if page.rows.len() >= range.limit || bytes >= PAGE_BYTES_MAX {
            page.more = true;
            break;
        }
        bytes += key.len() + value.len();
        page.rows.push((key.to_vec(), value.to_vec()));
        if range.reverse { rows.prev() } else { rows.next() }
    }
    page
}

type Values = Vec<Option<Vec<u8>>>;

enum Job {
    MultiGet(Vec<(Profile, Vec<u8>)>, oneshot::Sender<Result<Values, StorageError>>),
    Page(Range, oneshot::Sender<Result<RawPage, StorageError>>),
    Checkpoint(std::path::PathBuf, oneshot::Sender<Result<(), StorageError>>),
    Stop,
}

/// The threads that wait for the disk.
pub(crate) struct ReadPool {
    jobs: mpsc::Sender<Job>,
    room: Semaphore,
}

impl ReadPool {
    pub fn start(database: &Arc<Database>) -> Result<(Self, Vec<JoinHandle<()>>), StorageError> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut threads = Vec::with_capacity(READ_THREADS);
        for n in 0..READ_THREADS {
            let (queue, database) = (Arc::clone(&queue), Arc::clone(database));
            let reading = std::thread::Builder::new().name(format!("storage-read-{n}"));
            threads.push(reading.spawn(move || run(&queue, &database)).map_err(|e| StorageError::Io(e.to_string()))?);
        }
        Ok((ReadPool { jobs, room: Semaphore::new(READ_QUEUE_MAX) }, threads))
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StorageError>>) -> Job,
    ) -> Result<T, StorageError> {
        let _room = self.room.acquire().await.map_err(|_| StorageError::Down)?;
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).map_err(|_| StorageError::Down)?;
        answer.await.map_err(|_| StorageError::Down)?
    }

    pub async fn multi_get(&self, keys: Vec<(Profile, Vec<u8>)>) -> Result<Values, StorageError> {
        self.ask(|reply| Job::MultiGet(keys, reply)).await
    }

    pub async fn page(&self, range: Range) -> Result<RawPage, StorageError> {
        self.ask(|reply| Job::Page(range, reply)).await
    }

    pub async fn checkpoint(&self, to: std::path::PathBuf) -> Result<(), StorageError> {
        self.ask(|reply| Job::Checkpoint(to, reply)).await
    }

    /// Ends the threads after the jobs before this call.
    pub fn stop(&self) {
        for _ in 0..READ_THREADS {
            // A send fails when the threads are gone: just what is wanted.
            let _ = self.jobs.send(Job::Stop);
        }
    }
}

impl Drop for ReadPool {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(queue: &Mutex<mpsc::Receiver<Job>>, database: &Database) {
    loop {
        let job = queue.lock().recv();
        // Who asked may have gone: a reply then goes nowhere.
        match job {
            Ok(Job::MultiGet(keys, reply)) => drop(reply.send(read_all(database, &keys))),
            Ok(Job::Page(range, reply)) => {
                drop(reply.send(database.page(&range, false).map(Option::unwrap_or_default)));
            }
            Ok(Job::Checkpoint(to, reply)) => drop(reply.send(super::checkpoint(database, &to))),
            Ok(Job::Stop) | Err(_) => return,
        }
    }
}

fn read_all(database: &Database, keys: &[(Profile, Vec<u8>)]) -> Result<Values, StorageError> {
    keys.iter().map(|(profile, key)| Ok(database.read(*profile, key)?.map(|bytes| bytes.to_vec()))).collect()
}
