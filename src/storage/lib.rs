//! Typed tables and transactions over an ordered key-value engine.
//!
//! A [`Table`] is a type; a [`Txn`] is plain data and the only write; a [`Store`] reads, commits and
//! tells how far each lane is. The engine is RocksDB on one machine and memory in tests; both pass
//! one conformance suite.
//!
//! This crate must never know what a room, a user or an event does: it keeps the structs that the
//! tables store, and no rule of Matrix. It must never read a clock or draw random numbers of its own.

mod chunks;
mod codec;
mod effects;
mod engine;
mod error;
mod store;
mod table;
mod txn;
mod value;

pub mod schema;

pub use codec::{Down, FixedKey, Key, decode_whole, successor};
pub use engine::{
    faults::{WriteFault, WriteFaults},
    limits::{
        BATCH_BYTES_MAX, BATCH_OPS_MAX, KEY_BYTES_MAX, LANES_MAX, LARGE_VALUE_BYTES_MAX, PAGE_ROWS_MAX, VALUE_BYTES_MAX,
    },
    memory::{MemoryDisk, MemoryFaults},
};
pub use error::{CodecError, CommitError, StorageError};
pub use store::{
    BackupManifest, Cached, Committed, Durability, Engine, EngineCalls, Finding, Page, Rows, StorageWorker,
    StorageWorkers, Store, StoreOptions, restore,
};
pub use table::{CheckRow, CheckedRow, Place, Placed, PosKey, Profile, ScanBy, Table, TableInfo};
pub use txn::{OutboxSlot, PosSlot, Txn};
pub use value::{Counter, StampedValue, Value, decode_fields, encode_fields, unknown_version};
