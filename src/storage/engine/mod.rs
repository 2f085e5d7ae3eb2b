//! The engine: an ordered key-value store that takes whole batches.
//!
//! What it promises, every engine alike: a batch is applied as a whole or not at all; a lane's new
//! positions are given in the commit that numbers its rows, so commit order is position order; a
//! batch under an old epoch is refused. There are no snapshots, no cursors and no callbacks.
//! This folder alone names the engine's crate. It must never know what a row means, the rows of
//! lane heads excepted.

pub(crate) mod apply;
pub(crate) mod batch;
pub(crate) mod faults;
pub(crate) mod heads;
pub(crate) mod limits;
pub(crate) mod memory;
pub(crate) mod rocks;

#[cfg(test)]
pub(crate) mod conformance;

use std::ops::Deref;

use hearth_protocol::{Lane, LanePos};
use rocksdb::DBPinnableSlice;

use crate::{error::StorageError, table::Profile};
use apply::LaneState;
use batch::Batch;

/// Why an engine did not apply a batch, or does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Surely not applied: the same batch may be submitted again.
    Busy,
    /// An assertion does not hold.
    Conflict { assert: usize },
    /// The lane has another epoch than the batch names.
    Fenced { now: u32 },
    /// Perhaps applied.
    Unknown,
    /// Over a limit.
    TooLarge,
    /// No writes now; not applied.
    Down(String),
}

/// A refusal gives the batch back.
#[derive(Debug)]
pub(crate) struct Refused {
    pub why: Refusal,
    pub batch: Batch,
}

/// The first position given to a batch; the others follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applied {
    pub first: LanePos,
}

/// A whole key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address<'a> {
    pub profile: Profile,
    pub key: &'a [u8],
}

/// A range of whole keys of one table.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub profile: Profile,
    pub from: Vec<u8>,
    /// Not included.
    pub to: Vec<u8>,
    pub limit: usize,
    pub reverse: bool,
}

/// Rows of a range, and whether there are more behind the last one.
#[derive(Debug, Default)]
pub(crate) struct RawPage {
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
    pub more: bool,
}

/// The bytes of a row, without a copy where the engine can.
pub(crate) enum RowBytes<'a> {
    Pinned(DBPinnableSlice<'a>),
    Owned(Vec<u8>),
}

impl Deref for RowBytes<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            RowBytes::Pinned(bytes) => bytes,
            RowBytes::Owned(bytes) => bytes,
        }
    }
}

/// The result of a look that never blocks.
pub(crate) enum Look<'a> {
    Found(RowBytes<'a>),
    Absent,
    /// Only a blocking read can tell.
    Miss,
}

/// An engine that is open. Clones share it.
#[derive(Clone)]
pub(crate) enum OpenEngine {
    Rocks(rocks::RocksEngine),
    Memory(memory::MemoryEngine),
}

impl OpenEngine {
    /// Looks for a row without blocking.
    pub fn try_get(&self, address: Address<'_>) -> Look<'_> {
        match self {
            OpenEngine::Rocks(engine) => engine.try_get(address),
            OpenEngine::Memory(engine) => engine.try_get(address),
        }
    }

    /// Reads rows, each `None` when absent, in the order asked.
    pub async fn multi_get(&self, keys: Vec<(Profile, Vec<u8>)>) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        match self {
            OpenEngine::Rocks(engine) => engine.multi_get(keys).await,
            OpenEngine::Memory(engine) => Ok(engine.multi_get(keys).await),
        }
    }

    /// Reads a page of a range.
    pub async fn scan(&self, range: Range) -> Result<RawPage, StorageError> {
        match self {
            OpenEngine::Rocks(engine) => engine.scan(range).await,
            OpenEngine::Memory(engine) => Ok(engine.scan(range).await),
        }
    }

    /// Submits a batch.
    pub async fn commit(&self, batch: Batch) -> Result<Applied, Box<Refused>> {
        match self {
            OpenEngine::Rocks(engine) => engine.commit(batch).await,
            OpenEngine::Memory(engine) => engine.commit(batch).await,
        }
    }

    /// Takes a lane when its epoch is still `seen` (any, when `None`), and raises its epoch.
    pub async fn acquire(&self, lane: Lane, seen: Option<u32>) -> Result<LaneState, Refusal> {
        match self {
            OpenEngine::Rocks(engine) => engine.acquire(lane, seen).await,
            OpenEngine::Memory(engine) => engine.acquire(lane, seen).await,
        }
    }

    /// What the engine counts and holds, by name; nothing of the one in memory.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        match self {
            OpenEngine::Rocks(engine) => engine.figures(),
            OpenEngine::Memory(_) => Vec::new(),
        }
    }

    /// Ends the engine's threads, after what was submitted before.
    pub async fn close(&self) {
        if let OpenEngine::Rocks(engine) = self {
            engine.close().await;
        }
    }
}
