//! A batch: the one form of a write, as plain data that can be logged, counted and submitted again.
//!
//! All bytes lie in one arena, and operations name spans of it: a batch of a dozen rows costs two or
//! three allocations, and the commit fills positions in where they stand.

use hearth_protocol::Lane;

use super::limits;
use crate::{error::CommitError, table::Profile};

/// A run of bytes in the arena of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u32,
    pub len: u32,
}

/// A place where the commit writes a position: eight bytes, big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Which of the batch's new positions, from 0.
    pub n: u32,
    /// Where in the arena.
    pub at: u32,
}

/// The lane of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneUse {
    pub lane: Lane,
    /// The epoch under which the writer owns the lane: with another one the batch is refused.
    /// `None` only before a lane is owned.
    pub fence: Option<u32>,
    /// How many new positions.
    pub advance: u32,
    /// How many of them, the last ones, are outbox rows.
    pub outbox: u32,
}

/// What must hold for the batch to be applied.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    Absent,
    Present,
    Eq {
        value: Span,
        /// The stored value as today's version would write it, for a row of an older version.
        renew: fn(&[u8]) -> Option<Vec<u8>>,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Assert {
    pub profile: Profile,
    pub key: Span,
    pub expect: Expect,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum OpKind {
    Set {
        value: Span,
        key_stamp: Option<Stamp>,
        value_stamp: Option<Stamp>,
    },
    Delete,
    /// Every key from the op's key up to, not including, this one. Small ranges only.
    DeleteRange {
        end: Span,
    },
    /// Adds to a [`Counter`](crate::Counter), absent counting as 0.
    Add(i64),
    /// Raises a [`Counter`](crate::Counter) to at least this.
    Max(i64),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Op {
    pub profile: Profile,
    pub key: Span,
    pub kind: OpKind,
}

/// A write: applied as a whole or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub lane: LaneUse,
    pub asserts: Vec<Assert>,
    pub ops: Vec<Op>,
    pub arena: Vec<u8>,
}

impl Batch {
    /// The bytes of a span.
    pub fn bytes(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        &self.arena[start..start + span.len as usize]
    }

    /// Whether submitting it twice has the effect of submitting it once. So it is when the first
    /// time makes an assertion fail; else when it neither adds nor gives new positions.
    pub fn is_idempotent(&self) -> bool {
        let guarded = self.asserts.iter().any(|assert| {
            !matches!(assert.expect, Expect::Present)
                && self.ops.iter().any(|op| self.bytes(op.key) == self.bytes(assert.key))
        });
        let adds = self.ops.iter().any(|op| matches!(op.kind, OpKind::Add(_)));
        guarded || (!adds && self.lane.advance == 0)
    }

    /// Checks the limits that every engine bears.
    pub fn check_limits(&self) -> Result<(), CommitError> {
        let long_key = |span: Span| span.len as usize > limits::KEY_BYTES_MAX;
        let long_value = |kind: OpKind| match kind {
            OpKind::Set { value, .. } => value.len as usize > limits::ENGINE_VALUE_BYTES_MAX,
            _ => false,
        };
        let too_large = self.arena.len() > limits::BATCH_BYTES_MAX
            || self.ops.len() + self.asserts.len() > limits::BATCH_OPS_MAX
            || self.asserts.iter().any(|assert| long_key(assert.key))
            || self.ops.iter().any(|op| long_key(op.key) || long_value(op.kind));
        if too_large { Err(CommitError::TooLarge) } else { Ok(()) }
    }
}

/// Appends to an arena what `write` writes, and says where it is. Past 4 GiB the span is cut; the
/// batch's limit refuses it long before.
pub(crate) fn append(arena: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Span {
    let start = arena.len();
    write(arena);
    Span { start: offset(start), len: offset(arena.len() - start) }
}

/// An offset in an arena.
pub(crate) fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
