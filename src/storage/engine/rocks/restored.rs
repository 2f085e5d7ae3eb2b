//! What a copy of an older database needs before it is used: epochs beyond all that the lost one gave, so that no
//! position is given twice and no client's token is ahead of the database.

use std::path::Path;

use rocksdb::{Direction, IteratorMode, WriteBatch, WriteOptions};

use super::Memory;
use super::open::{family_name, open};
use crate::{
    error::StorageError,
    schema::meta::{LaneHead, LaneHeads},
    table::Table,
    value::Value,
};

/// How far the epochs are raised: more starts than the lost database can have seen since the backup.
pub(crate) const EPOCHS: u32 = 1 << 16;

/// Ceilings for the one short time that the database is open here, in bytes.
const MEMORY: Memory = Memory { block_cache_bytes: 8 << 20, write_buffer_bytes: 4 << 20 };

/// Raises the epoch of every lane of a database that nobody has open. Blocks; it is on disk when this returns.
pub(crate) fn raise_epochs(path: &Path) -> Result<(), StorageError> {
    let io = |error: rocksdb::Error| StorageError::Io(error.into_string());
    let db = open(path, MEMORY)?;
    let name = family_name(LaneHeads::PROFILE);
    let family = db.cf_handle(name).ok_or_else(|| StorageError::Refused(format!("no column family {name}")))?;
    let prefix = LaneHeads::NUMBER.to_be_bytes();
    let mut write = WriteBatch::default();
    for row in db.iterator_cf(family, IteratorMode::From(&prefix, Direction::Forward)) {
        let (key, value) = row.map_err(io)?;
        if !key.starts_with(&prefix) {
            break;
        }
        let head = LaneHead::decode(&value).map_err(|error| StorageError::Refused(error.to_string()))?;
        let raised = LaneHead { epoch: head.epoch.saturating_add(EPOCHS), ..head };
        write.put_cf(family, &key, raised.encode());
    }
    let mut options = WriteOptions::default();
    options.set_sync(true);
    db.write_opt(write, &options).map_err(io)
}
