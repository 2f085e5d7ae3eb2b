//! Values larger than a row: a head in the row, the value in chunks beside it.
//!
//! The head holds a hash of the whole, so that a reader that met two writes half-way notices and
//! reads again. Only tables that are `LARGE` have such values.

use sha2::{Digest, Sha256};

use crate::{codec::Key, engine::limits::CHUNK_BYTES, schema::meta::Chunks, table::Table, value::CHUNKED_VERSION};

/// What stands in the row of a chunked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkedHead {
    /// Length of the whole.
    pub len: u32,
    /// Leading bytes of the SHA-256 of the whole.
    pub hash: [u8; 16],
}

impl ChunkedHead {
    /// The head of these bytes.
    pub fn of(whole: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(whole).into();
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        ChunkedHead { len: u32::try_from(whole.len()).unwrap_or(u32::MAX), hash }
    }

    pub fn encode_into(self, out: &mut Vec<u8>) {
        out.push(CHUNKED_VERSION);
        out.extend_from_slice(&self.len.to_be_bytes());
        out.extend_from_slice(&self.hash);
    }

    /// The head when the row is one.
    pub fn read(row: &[u8]) -> Option<Self> {
        let (&CHUNKED_VERSION, rest) = row.split_first()? else { return None };
        let (len, hash) = rest.split_first_chunk::<4>()?;
        Some(ChunkedHead { len: u32::from_be_bytes(*len), hash: hash.try_into().ok()? })
    }

    /// How many chunks there are.
    pub fn chunks(self) -> u8 {
        chunk_count(self.len as usize)
    }
}

/// How many chunks a value of this length has.
pub(crate) fn chunk_count(len: usize) -> u8 {
    u8::try_from(len.div_ceil(CHUNK_BYTES)).unwrap_or(u8::MAX)
}

/// The whole key of a chunk of the row with this whole key.
pub(crate) fn encode_chunk_key(row: &[u8], index: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&Chunks::NUMBER.to_be_bytes());
    row.to_vec().encode(out);
    index.encode(out);
}

/// The range of whole keys of all chunks of a row, the end not included.
pub(crate) fn chunk_range(row: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut from, mut to) = (Vec::with_capacity(row.len() + 8), Vec::with_capacity(row.len() + 8));
    encode_chunk_key(row, 0, &mut from);
    encode_chunk_key(row, u8::MAX, &mut to);
    (from, to)
}
