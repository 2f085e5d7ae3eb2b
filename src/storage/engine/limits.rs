//! The limits that every engine bears, so that what runs on one runs on all.

/// Longest key in bytes, the table's number included.
pub const KEY_BYTES_MAX: usize = 1_024;

/// Longest value of a row in bytes, unless its table is `LARGE`: a whole event of 64 KiB and 1 KiB
/// for what is stored with it.
pub const VALUE_BYTES_MAX: usize = 65 * 1_024;

/// Longest value that the engine itself stores: a row of the outbox holds another row whole.
pub(crate) const ENGINE_VALUE_BYTES_MAX: usize = VALUE_BYTES_MAX + 2 * KEY_BYTES_MAX;

/// Length of a chunk of a larger value.
pub(crate) const CHUNK_BYTES: usize = 64 * 1_024;

/// Most chunks of a larger value.
pub(crate) const CHUNKS_MAX: u8 = 14;

/// Longest value of a table that is `LARGE`, in bytes.
pub const LARGE_VALUE_BYTES_MAX: usize = CHUNK_BYTES * CHUNKS_MAX as usize;

/// Most operations and assertions of a batch.
pub const BATCH_OPS_MAX: usize = 1_000;

/// Most bytes of keys and values of a batch.
pub const BATCH_BYTES_MAX: usize = 1_024 * 1_024;

/// Most rows of a page; a larger limit is cut to it.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Most bytes of a page; it ends with the row that reaches them.
pub const PAGE_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Most keys of one `multi_get`; more are read in several steps.
pub const MULTI_GET_KEYS_MAX: usize = 1_000;

/// Most lanes of a database.
pub const LANES_MAX: u16 = 256;
