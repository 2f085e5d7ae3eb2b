//! Typed reads.

use std::cell::RefCell;

use super::{Page, Rows, Store, count};
use crate::{
    chunks::{ChunkedHead, encode_chunk_key},
    codec::decode_whole,
    engine::{Address, Look, limits::MULTI_GET_KEYS_MAX},
    error::{CodecError, StorageError},
    schema::meta::Chunks,
    table::{Profile, ScanBy, Table, encode_address},
    value::Value,
};

/// How often a chunked value is read again when a write comes between its head and its chunks.
const CHUNKED_TRIES_MAX: usize = 8;

thread_local! {
    /// Where a key is encoded for a quick look, so that a hit allocates nothing for it.
    static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What a read that never waits knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cached<V> {
    /// The row, or that there is none.
    Hit(Option<V>),
    /// Ask again with `get`: only a read that waits can tell.
    Miss,
}

impl Store {
    /// Reads a row out of memory. Never waits; a row that cannot be decoded is a miss, and `get` says why.
    #[must_use]
    pub fn try_get<T: Table>(&self, key: &T::Key) -> Cached<T::Value> {
        KEY.with_borrow_mut(|bytes| {
            bytes.clear();
            encode_address::<T>(key, bytes);
            match self.0.engine.try_get(Address { profile: T::PROFILE, key: bytes }) {
                Look::Found(row) => T::Value::decode(&row).map_or(Cached::Miss, |value| Cached::Hit(Some(value))),
                Look::Absent => Cached::Hit(None),
                Look::Miss => Cached::Miss,
            }
        })
    }

    /// Reads a row.
    pub async fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StorageError> {
        count(&self.0.calls.gets);
        // A long run of reads that are ready at once must not starve the thread's other tasks.
        tokio::task::consume_budget().await;
        if let Cached::Hit(value) = self.try_get::<T>(key) {
            return Ok(value);
        }
        let address = address::<T>(key);
        let row = self.0.engine.multi_get(vec![(T::PROFILE, address.clone())]).await?.pop().flatten();
        self.decode_row::<T>(address, row).await
    }

    /// Reads several rows at once, in the order of `keys`.
    pub async fn multi_get<T: Table>(&self, keys: &[T::Key]) -> Result<Vec<Option<T::Value>>, StorageError> {
        count(&self.0.calls.multi_gets);
        tokio::task::consume_budget().await;
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MULTI_GET_KEYS_MAX) {
            let addresses = keys.iter().map(|key| (T::PROFILE, address::<T>(key))).collect();
            let rows = self.0.engine.multi_get(addresses).await?;
            for (key, row) in keys.iter().zip(rows) {
                values.push(match row {
                    None => None,
                    Some(row) if T::LARGE => self.decode_row::<T>(address::<T>(key), Some(row)).await?,
                    Some(row) => Some(decode_value::<T>(&address::<T>(key), &row)?),
                });
            }
        }
        Ok(values)
    }

    /// Reads a page of the rows that begin with `prefix`.
    pub async fn scan<T, P>(&self, prefix: &P, page: Page<T::Key>) -> Result<Rows<T>, StorageError>
    where
        T: ScanBy<P>,
        P: crate::Key + crate::Placed,
    {
        count(&self.0.calls.scans);
        tokio::task::consume_budget().await;
        let found = self.0.engine.scan(page.range::<T>(prefix)).await?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for (address, row) in found.rows {
            let key = decode_whole(&address[2..]).map_err(|e| corrupt::<T>(&address, &e))?;
            let value = if T::LARGE {
                // Deleted between the page and its chunks: then it is not in the page either.
                let Some(value) = self.decode_row::<T>(address, Some(row)).await? else { continue };
                value
            } else {
                decode_value::<T>(&address, &row)?
            };
            rows.push((key, value));
        }
        Ok(Rows { rows, more: found.more })
    }

    /// Decodes a row, gathering its chunks when it has some.
    async fn decode_row<T: Table>(
        &self,
        address: Vec<u8>,
        mut row: Option<Vec<u8>>,
    ) -> Result<Option<T::Value>, StorageError> {
        for _ in 0..CHUNKED_TRIES_MAX {
            let Some(bytes) = row else { return Ok(None) };
            let Some(head) = ChunkedHead::read(&bytes).filter(|_| T::LARGE) else {
                return decode_value::<T>(&address, &bytes).map(Some);
            };
            if let Some(whole) = self.load_chunks(&address, head).await? {
                return decode_value::<T>(&address, &whole).map(Some);
            }
            // Written meanwhile: begin again with the row.
            row = self.0.engine.multi_get(vec![(T::PROFILE, address.clone())]).await?.pop().flatten();
        }
        let reason = CodecError::BadValue("its chunks do not belong together".to_owned());
        Err(corrupt::<T>(&address, &reason))
    }

    /// The whole of a chunked value; `None` when the chunks are not those of this head.
    pub(super) async fn load_chunks(&self, row: &[u8], head: ChunkedHead) -> Result<Option<Vec<u8>>, StorageError> {
        let keys = (0..head.chunks()).map(|index| {
            let mut key = Vec::with_capacity(row.len() + 8);
            encode_chunk_key(row, index, &mut key);
            (Chunks::PROFILE, key)
        });
        let chunks = self.0.engine.multi_get(keys.collect()).await?;
        let mut whole = Vec::with_capacity(head.len as usize);
        for chunk in chunks {
            let Some(chunk) = chunk else { return Ok(None) };
            whole.extend_from_slice(&chunk);
        }
        Ok((ChunkedHead::of(&whole) == head).then_some(whole))
    }

    /// Reads a row without counting, for the store's own work.
    pub(super) async fn load_raw(&self, profile: Profile, address: Vec<u8>) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.engine.multi_get(vec![(profile, address)]).await?.pop().flatten())
    }
}

/// The whole key of a row.
pub(super) fn address<T: Table>(key: &T::Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    encode_address::<T>(key, &mut bytes);
    bytes
}

pub(super) fn decode_value<T: Table>(address: &[u8], row: &[u8]) -> Result<T::Value, StorageError> {
    T::Value::decode(row).map_err(|e| corrupt::<T>(address, &e))
}

fn corrupt<T: Table>(address: &[u8], reason: &CodecError) -> StorageError {
    let key = hex(address.get(2..).unwrap_or_default());
    StorageError::Corrupt { table: T::NAME, key, reason: reason.to_string() }
}

/// Bytes in hexadecimal, for messages.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
