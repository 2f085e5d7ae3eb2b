//! What a batch does, decided in one place for every local engine: fence, assertions, positions,
//! and the values that depend on what is stored. An engine brings the reading and does the writing.

use std::borrow::Cow;

use hearth_protocol::LanePos;

use super::{
    Refusal,
    batch::{Assert, Batch, Expect, OpKind, Span},
};
use crate::{
    table::Profile,
    value::{Counter, Value},
};

/// Most rows that one range deletion may meet.
const DELETE_RANGE_ROWS_MAX: usize = 1_000;

/// Epoch and last given position of a lane, as the engine's writer holds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LaneState {
    pub epoch: u32,
    pub pos: LanePos,
}

impl LaneState {
    /// The state under the next epoch, above every epoch in which a position was given.
    pub fn next_epoch(self) -> Self {
        let epoch = self.epoch.max(self.pos.epoch()) + 1;
        LaneState { epoch, pos: LanePos::new(epoch, 0) }
    }
}

/// The rows that a batch is judged on: the database, and what stands before the batch in its group.
pub(crate) trait Rows {
    fn read(&self, profile: Profile, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, String>;
    /// Keys from `from` up to, not including, `to`; at most `max`.
    fn list_keys(&self, profile: Profile, from: &[u8], to: &[u8], max: usize) -> Result<Vec<Vec<u8>>, String>;
}

/// A judged batch: what the writing needs beside the batch itself.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The lane after the batch.
    pub lane: LaneState,
    /// The first position given, when there is one.
    pub first: LanePos,
    /// Results of `Add` and `Max`, by operation.
    counters: Vec<(usize, Vec<u8>)>,
    /// What range deletions meet, by operation.
    ranges: Vec<(usize, Vec<Vec<u8>>)>,
}

/// Judges a batch and fills its positions in. When it is refused nothing has changed but the places
/// of positions, which the next attempt fills again.
pub(crate) fn plan(batch: &mut Batch, lane: LaneState, rows: &impl Rows) -> Result<Plan, Refusal> {
    if let Some(fence) = batch.lane.fence
        && fence != lane.epoch
    {
        return Err(Refusal::Fenced { now: lane.epoch });
    }
    for (index, assert) in batch.asserts.iter().enumerate() {
        if !holds(batch, assert, rows)? {
            return Err(Refusal::Conflict { assert: index });
        }
    }
    let first = lane.pos.next();
    let last = LanePos(lane.pos.0 + u64::from(batch.lane.advance));
    // More than 2^32 positions in one epoch run on into the next one.
    let lane = LaneState { epoch: lane.epoch.max(last.epoch()), pos: last };
    let mut plan = Plan { lane, first, counters: Vec::new(), ranges: Vec::new() };
    for index in 0..batch.ops.len() {
        match batch.ops[index].kind {
            OpKind::Set { key_stamp, value_stamp, .. } => {
                for stamp in [key_stamp, value_stamp].into_iter().flatten() {
                    let pos = first.0 + u64::from(stamp.n);
                    let at = stamp.at as usize;
                    batch.arena[at..at + 8].copy_from_slice(&pos.to_be_bytes());
                }
            }
            OpKind::Delete => {}
            OpKind::DeleteRange { end } => plan_range(batch, index, end, rows, &mut plan)?,
            OpKind::Add(delta) => plan_counter(batch, index, rows, &mut plan, |number| number.saturating_add(delta))?,
            OpKind::Max(floor) => plan_counter(batch, index, rows, &mut plan, |number| number.max(floor))?,
        }
    }
    Ok(plan)
}

fn holds(batch: &Batch, assert: &Assert, rows: &impl Rows) -> Result<bool, Refusal> {
    let found = rows.read(assert.profile, batch.bytes(assert.key)).map_err(Refusal::Down)?;
    Ok(match (assert.expect, found) {
        (Expect::Absent, found) => found.is_none(),
        (Expect::Present, found) => found.is_some(),
        (Expect::Eq { .. }, None) => false,
        (Expect::Eq { value, renew }, Some(found)) => {
            let expected = batch.bytes(value);
            *found == *expected
                || (found.first() != expected.first() && renew(&found).is_some_and(|found| found == expected))
        }
    })
}

fn plan_range(batch: &Batch, index: usize, end: Span, rows: &impl Rows, plan: &mut Plan) -> Result<(), Refusal> {
    let op = batch.ops[index];
    let keys = rows
        .list_keys(op.profile, batch.bytes(op.key), batch.bytes(end), DELETE_RANGE_ROWS_MAX + 1)
        .map_err(Refusal::Down)?;
    if keys.len() > DELETE_RANGE_ROWS_MAX {
        return Err(Refusal::TooLarge);
    }
    if !keys.is_empty() {
        plan.ranges.push((index, keys));
    }
    Ok(())
}

fn plan_counter(
    batch: &Batch,
    index: usize,
    rows: &impl Rows,
    plan: &mut Plan,
    change: impl Fn(i64) -> i64,
) -> Result<(), Refusal> {
    let (profile, key) = (batch.ops[index].profile, batch.bytes(batch.ops[index].key));
    let earlier = plan.counters.iter().rev().find(|(op, _)| {
        let op = batch.ops[*op];
        op.profile == profile && batch.bytes(op.key) == key
    });
    let stored = match earlier {
        Some((_, value)) => Some(Cow::Borrowed(value.as_slice())),
        None => rows.read(profile, key).map_err(Refusal::Down)?,
    };
    let number = match stored {
        None => 0,
        Some(bytes) => Counter::decode(&bytes).map_err(|e| Refusal::Down(format!("a counter is corrupt: {e}")))?.0,
    };
    plan.counters.push((index, Counter(change(number)).encode()));
    Ok(())
}

/// Gives every write of a planned batch in order: key, and value or `None` to delete.
pub(crate) fn for_each_write<'b>(
    batch: &'b Batch,
    plan: &'b Plan,
    mut write: impl FnMut(Profile, &'b [u8], Option<&'b [u8]>),
) {
    for (index, op) in batch.ops.iter().enumerate() {
        let key = batch.bytes(op.key);
        match op.kind {
            OpKind::Set { value, .. } => write(op.profile, key, Some(batch.bytes(value))),
            OpKind::Delete => write(op.profile, key, None),
            OpKind::DeleteRange { .. } => {
                let met = plan.ranges.iter().filter(|(op, _)| *op == index).flat_map(|(_, keys)| keys);
                met.for_each(|key| write(op.profile, key, None));
            }
            OpKind::Add(_) | OpKind::Max(_) => {
                let result = plan.counters.iter().find(|(op, _)| *op == index);
                write(op.profile, key, result.map(|(_, value)| value.as_slice()));
            }
        }
    }
}
