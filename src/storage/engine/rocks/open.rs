//! Opening RocksDB: one column family a profile, memory under one ceiling, few threads and files.

use std::{path::Path, thread, time::Duration};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, LogLevel, Options,
    WriteBufferManager,
};

use crate::{error::StorageError, table::Profile};

/// Open table files at most; each holds a file descriptor and a little memory.
const OPEN_FILES_MAX: i32 = 256;

/// Threads for flushing and compacting.
const BACKGROUND_JOBS: i32 = 2;

/// Log files of the engine that are kept, and their length.
const INFO_LOGS_KEPT: usize = 2;
const INFO_LOG_BYTES: usize = 1_024 * 1_024;

/// The write-ahead log is cut by a flush when it gets longer than this.
const WAL_BYTES_MAX: u64 = 128 * 1_024 * 1_024;

/// Memory that a write buffer takes at a time: small, so that an idle server stays small.
const ARENA_BYTES: usize = 128 * 1_024;

/// Least size of one column family's write buffer.
const WRITE_BUFFER_BYTES_MIN: usize = 1_024 * 1_024;

/// Bits a key in the filters that tell absent keys without reading.
const BLOOM_BITS: f64 = 10.0;

/// How long an open waits for the threads of a database that this process has just closed.
const LOCK_TRIES: u32 = 100;
const LOCK_RETRY_MS: u64 = 20;

/// Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Ceiling of blocks, filters, indexes and write buffers together.
    pub block_cache_bytes: usize,
    /// The share of it that write buffers may take before they are flushed.
    pub write_buffer_bytes: usize,
}

/// The column family of a profile. The one that every RocksDB has is used too: left alone it would
/// have a write buffer of 64 MiB, and after a full disk RocksDB waits until the largest one fits.
pub(crate) fn family_name(profile: Profile) -> &'static str {
    if profile == Profile::Small { rocksdb::DEFAULT_COLUMN_FAMILY_NAME } else { profile.name() }
}

/// Opens or creates the database in `path`. Blocks.
pub(crate) fn open(path: &Path, memory: Memory) -> Result<DB, StorageError> {
    std::fs::create_dir_all(path).map_err(|e| StorageError::Io(format!("{}: {e}", path.display())))?;
    let cache = Cache::new_lru_cache(memory.block_cache_bytes);
    let options = database_options(memory, &cache);
    let mut tries = 0;
    loop {
        let families = Profile::ALL
            .map(|profile| ColumnFamilyDescriptor::new(family_name(profile), family_options(profile, memory, &cache)));
        match DB::open_cf_descriptors(&options, path, families) {
            Ok(db) => return Ok(db),
            Err(error) if is_lock(&error) => {
                let reason = error.into_string();
                // RocksDB says so when the holder is this very process, whose threads may be ending.
                let own = reason.contains("current process");
                tries += 1;
                if !own || tries > LOCK_TRIES {
                    return Err(StorageError::InUse { path: path.display().to_string(), reason });
                }
                thread::sleep(Duration::from_millis(LOCK_RETRY_MS));
            }
            Err(error) => return Err(StorageError::Io(error.into_string())),
        }
    }
}

fn is_lock(error: &rocksdb::Error) -> bool {
    let text = error.as_ref();
    text.contains("/LOCK:") || text.contains("lock hold by")
}

fn database_options(memory: Memory, cache: &Cache) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_max_background_jobs(BACKGROUND_JOBS);
    options.set_keep_log_file_num(INFO_LOGS_KEPT);
    options.set_max_log_file_size(INFO_LOG_BYTES);
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    // After a crash the log is replayed up to its first damage: a half-written group is left out whole.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_write_buffer_manager(&WriteBufferManager::new_write_buffer_manager_with_cache(
        memory.write_buffer_bytes,
        false,
        cache.clone(),
    ));
    // One thread writes: the machinery for several is of no use.
    options.set_allow_concurrent_memtable_write(false);
    options.set_avoid_unnecessary_blocking_io(true);
    options
}

fn family_options(profile: Profile, memory: Memory, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_format_version(5);
    let mut options = Options::default();
    options.set_arena_block_size(ARENA_BYTES);
    options.set_write_buffer_size((memory.write_buffer_bytes / 2).max(WRITE_BUFFER_BYTES_MIN));
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_compression_type(DBCompressionType::Lz4);
    match profile {
        Profile::Point | Profile::Small => {
            blocks.set_block_size(4 * 1_024);
            blocks.set_bloom_filter(BLOOM_BITS, false);
        }
        Profile::Scan => blocks.set_block_size(16 * 1_024),
        Profile::Queue => {
            blocks.set_block_size(16 * 1_024);
            // Many rows die young: files full of deletions are compacted early.
            options.add_compact_on_deletion_collector_factory(1_024, 512, 0.5);
        }
        Profile::Blob => {
            blocks.set_block_size(32 * 1_024);
            blocks.set_bloom_filter(BLOOM_BITS, false);
            options.set_bottommost_compression_type(DBCompressionType::Zstd);
        }
    }
    options.set_block_based_table_factory(&blocks);
    options
}
