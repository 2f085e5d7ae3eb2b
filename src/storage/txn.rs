//! A transaction: the writes of one command, collected as plain data and committed at once.
//!
//! It lies in one lane, its home. What it does to other lanes goes through the outbox calls; they
//! are applied soon after the commit, each at most once, and at once where the lane is the same.

use hearth_protocol::{Lane, LanePos};

use crate::{
    chunks::{ChunkedHead, chunk_count, chunk_range},
    codec::Key,
    effects::place_effects,
    engine::{
        batch::{Assert, Batch, Expect, LaneUse, Op, OpKind, Span, Stamp, append, offset},
        limits::{CHUNK_BYTES, LARGE_VALUE_BYTES_MAX, VALUE_BYTES_MAX},
    },
    error::CommitError,
    schema::meta::{Chunks, Effect, EffectStamp},
    table::{Placed, PosKey, Profile, Table, encode_address},
    value::{Counter, StampedValue, Value},
};

/// Offset of a stamped value's position: behind the version byte.
const VALUE_STAMP_AT: u32 = 1;

/// Bytes of a position.
pub(crate) const POS_BYTES: u32 = 8;

/// A position that the commit will give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PosSlot {
    n: u32,
}

impl PosSlot {
    /// Which of the transaction's new positions, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.n
    }
}

/// A position of another lane that the application of the outbox will give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxSlot(Slot);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Home(PosSlot),
    Away { lane: Lane, n: u32 },
}

/// The writes of one command. Made by [`Store::txn`](crate::Store::txn).
#[derive(Debug)]
pub struct Txn {
    lanes: u16,
    home: Option<Lane>,
    batch: Batch,
    effects: Vec<Effect>,
    away_slots: u32,
    fault: Option<CommitError>,
}

impl Txn {
    pub(crate) fn new(lanes: u16) -> Self {
        let lane = LaneUse { lane: Lane(0), fence: None, advance: 0, outbox: 0 };
        let batch = Batch { lane, asserts: Vec::new(), ops: Vec::with_capacity(16), arena: Vec::with_capacity(1_024) };
        // With one lane every row is at home.
        let home = (lanes == 1).then_some(Lane(0));
        Txn { lanes, home, batch, effects: Vec::new(), away_slots: 0, fault: None }
    }

    /// A transaction whose home is `lane`; without this call it is the lane of the first write.
    #[must_use]
    pub fn home(mut self, lane: Lane) -> Self {
        self.settle(lane);
        self
    }

    /// How many operations it holds so far.
    #[must_use]
    pub fn op_count(&self) -> usize {
        self.batch.ops.len() + self.effects.len()
    }

    /// Whether it would do nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.ops.is_empty() && self.batch.asserts.is_empty() && self.effects.is_empty()
    }

    /// Writes a row.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        let key = self.home_key::<T>(key);
        self.set::<T>(key, value, None, None);
    }

    /// Deletes a row; no error when there is none.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        let key = self.home_key::<T>(key);
        self.push(T::PROFILE, key, OpKind::Delete);
        if T::LARGE {
            self.delete_chunks(key);
        }
    }

    /// Adds to a counter; an absent one counts as 0. Such a transaction cannot be submitted again
    /// when its outcome is unknown: [`CommitError::Unknown`].
    pub fn add<T: Table<Value = Counter>>(&mut self, key: &T::Key, delta: i64) {
        let key = self.home_key::<T>(key);
        self.push(T::PROFILE, key, OpKind::Add(delta));
    }

    /// Raises a counter to at least `floor`; an absent one counts as 0.
    pub fn max<T: Table<Value = Counter>>(&mut self, key: &T::Key, floor: i64) {
        let key = self.home_key::<T>(key);
        self.push(T::PROFILE, key, OpKind::Max(floor));
    }

    /// The commit is refused when the row exists. Gives the assertion's index, as all of these do.
    pub fn assert_absent<T: Table>(&mut self, key: &T::Key) -> usize {
        let key = self.home_key::<T>(key);
        self.expect(T::PROFILE, key, Expect::Absent)
    }

    /// The commit is refused when the row does not exist.
    pub fn assert_present<T: Table>(&mut self, key: &T::Key) -> usize {
        let key = self.home_key::<T>(key);
        self.expect(T::PROFILE, key, Expect::Present)
    }

    /// The commit is refused when the row is not equal to `value`.
    pub fn assert_eq<T: Table>(&mut self, key: &T::Key, value: &T::Value) -> usize {
        let key = self.home_key::<T>(key);
        let mut value_span = append(&mut self.batch.arena, |out| value.encode_into(out));
        if T::LARGE && value_span.len as usize > VALUE_BYTES_MAX {
            let head = ChunkedHead::of(self.batch.bytes(value_span));
            value_span = append(&mut self.batch.arena, |out| head.encode_into(out));
        }
        // A row that was written in an older version is compared in today's.
        let renew = |bytes: &[u8]| T::Value::decode(bytes).ok().map(|value| value.encode());
        self.expect(T::PROFILE, key, Expect::Eq { value: value_span, renew })
    }

    /// The next new position of `lane`, the transaction's home. Rows that share it share the slot.
    pub fn next_pos(&mut self, lane: Lane) -> PosSlot {
        self.settle(lane);
        let slot = PosSlot { n: self.batch.lane.advance };
        self.batch.lane.advance += 1;
        slot
    }

    /// Writes a row whose key ends with the position of `slot`.
    pub fn put_at<T: Table>(&mut self, before: &<T::Key as PosKey>::Before, slot: PosSlot, value: &T::Value)
    where
        T::Key: PosKey,
    {
        self.settle(before.lane(self.lanes));
        let key = append(&mut self.batch.arena, |out| {
            encode_address::<T>(before, out);
            Key::encode(&LanePos(0), out);
        });
        let stamp = Stamp { n: slot.n, at: key.start + key.len - POS_BYTES };
        self.set::<T>(key, value, Some(stamp), None);
    }

    /// Writes a row whose value begins with the position of `slot`.
    pub fn put_stamped<T: Table>(&mut self, key: &T::Key, slot: PosSlot, value: &T::Value)
    where
        T::Value: StampedValue,
    {
        let key = self.home_key::<T>(key);
        self.set::<T>(key, value, None, Some(slot.n));
    }

    /// A new position of any lane, for [`outbox_put_at`](Self::outbox_put_at) and
    /// [`outbox_put_stamped`](Self::outbox_put_stamped) on that lane.
    pub fn outbox_pos(&mut self, lane: Lane) -> OutboxSlot {
        if self.home == Some(lane) {
            return OutboxSlot(Slot::Home(self.next_pos(lane)));
        }
        let n = self.away_slots;
        self.away_slots += 1;
        OutboxSlot(Slot::Away { lane, n })
    }

    /// Writes a row of any lane.
    pub fn outbox_put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        let lane = key.lane(self.lanes);
        if self.home == Some(lane) {
            return self.put::<T>(key, value);
        }
        self.away::<T>(lane, key, Some(value), None);
    }

    /// Deletes a row of any lane.
    pub fn outbox_delete<T: Table>(&mut self, key: &T::Key) {
        let lane = key.lane(self.lanes);
        if self.home == Some(lane) {
            return self.delete::<T>(key);
        }
        self.away::<T>(lane, key, None, None);
    }

    /// Writes a row of any lane whose key ends with the position of `slot`.
    pub fn outbox_put_at<T: Table>(&mut self, before: &<T::Key as PosKey>::Before, slot: OutboxSlot, value: &T::Value)
    where
        T::Key: PosKey,
    {
        let lane = before.lane(self.lanes);
        match slot.0 {
            Slot::Home(slot) => self.put_at::<T>(before, slot, value),
            Slot::Away { lane: slot_lane, .. } if slot_lane != lane => self.fault = Some(CommitError::ForeignLane),
            Slot::Away { n, .. } => {
                let mut key = Vec::with_capacity(64);
                encode_address::<T>(before, &mut key);
                let stamp = EffectStamp { slot: n, in_key: true, at: offset(key.len()) };
                Key::encode(&LanePos(0), &mut key);
                self.effect::<T>(lane, key, Some(value.encode()), Some(stamp));
            }
        }
    }

    /// Writes a row of any lane whose value begins with the position of `slot`.
    pub fn outbox_put_stamped<T: Table>(&mut self, key: &T::Key, slot: OutboxSlot, value: &T::Value)
    where
        T::Value: StampedValue,
    {
        let lane = key.lane(self.lanes);
        match slot.0 {
            Slot::Home(slot) => self.put_stamped::<T>(key, slot, value),
            Slot::Away { lane: slot_lane, .. } if slot_lane != lane => self.fault = Some(CommitError::ForeignLane),
            Slot::Away { n, .. } => {
                let stamp = EffectStamp { slot: n, in_key: false, at: VALUE_STAMP_AT };
                self.away::<T>(lane, key, Some(value), Some(stamp));
            }
        }
    }

    /// Makes `lane` the home, or notes that there is another one already.
    fn settle(&mut self, lane: Lane) {
        if *self.home.get_or_insert(lane) != lane {
            self.fault = Some(CommitError::ForeignLane);
        }
    }

    fn home_key<T: Table>(&mut self, key: &T::Key) -> Span {
        self.settle(key.lane(self.lanes));
        append(&mut self.batch.arena, |out| encode_address::<T>(key, out))
    }

    fn push(&mut self, profile: Profile, key: Span, kind: OpKind) {
        self.batch.ops.push(Op { profile, key, kind });
    }

    fn expect(&mut self, profile: Profile, key: Span, expect: Expect) -> usize {
        self.batch.asserts.push(Assert { profile, key, expect });
        self.batch.asserts.len() - 1
    }

    fn set<T: Table>(&mut self, key: Span, value: &T::Value, key_stamp: Option<Stamp>, value_slot: Option<u32>) {
        let value = append(&mut self.batch.arena, |out| value.encode_into(out));
        if T::LARGE {
            self.delete_chunks(key);
        }
        if value.len as usize <= VALUE_BYTES_MAX {
            let value_stamp = value_slot.map(|n| Stamp { n, at: value.start + VALUE_STAMP_AT });
            self.push(T::PROFILE, key, OpKind::Set { value, key_stamp, value_stamp });
        } else if T::LARGE && key_stamp.is_none() && value_slot.is_none() && value.len as usize <= LARGE_VALUE_BYTES_MAX
        {
            self.set_chunked(T::PROFILE, key, value);
        } else {
            self.fault = Some(CommitError::TooLarge);
        }
    }

    /// Leaves a head in the row and the value in chunks beside it.
    fn set_chunked(&mut self, profile: Profile, key: Span, value: Span) {
        let head = ChunkedHead::of(self.batch.bytes(value));
        let head = append(&mut self.batch.arena, |out| head.encode_into(out));
        self.push(profile, key, OpKind::Set { value: head, key_stamp: None, value_stamp: None });
        let row = self.batch.bytes(key).to_vec();
        for index in 0..chunk_count(value.len as usize) {
            let key = append(&mut self.batch.arena, |out| crate::chunks::encode_chunk_key(&row, index, out));
            // A chunk's row is its bytes as they stand in the arena: no second copy.
            let start = value.start + u32::from(index) * offset(CHUNK_BYTES);
            let end = (start + offset(CHUNK_BYTES)).min(value.start + value.len);
            let value = Span { start, len: end - start };
            self.push(Chunks::PROFILE, key, OpKind::Set { value, key_stamp: None, value_stamp: None });
        }
    }

    fn delete_chunks(&mut self, key: Span) {
        let (from, to) = chunk_range(self.batch.bytes(key));
        let key = append(&mut self.batch.arena, |out| out.extend_from_slice(&from));
        let end = append(&mut self.batch.arena, |out| out.extend_from_slice(&to));
        self.push(Chunks::PROFILE, key, OpKind::DeleteRange { end });
    }

    fn away<T: Table>(&mut self, lane: Lane, key: &T::Key, value: Option<&T::Value>, stamp: Option<EffectStamp>) {
        let mut address = Vec::with_capacity(64);
        encode_address::<T>(key, &mut address);
        self.effect::<T>(lane, address, value.map(Value::encode), stamp);
    }

    fn effect<T: Table>(&mut self, target: Lane, key: Vec<u8>, value: Option<Vec<u8>>, stamp: Option<EffectStamp>) {
        let value_len = value.as_ref().map_or(0, Vec::len);
        if T::LARGE || value_len > VALUE_BYTES_MAX {
            // Chunks of one value would be applied in several commits.
            self.fault = Some(CommitError::TooLarge);
        }
        self.effects.push(Effect { target, profile: T::PROFILE as u8, key, value, stamp });
    }

    /// The batch to submit: effects at home merged, the others as rows of the outbox.
    pub(crate) fn finish(mut self) -> Result<Batch, CommitError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let home = self.home.or_else(|| self.effects.first().map(|effect| effect.target)).unwrap_or(Lane(0));
        self.batch.lane.lane = home;
        if !self.effects.is_empty() {
            place_effects(&mut self.batch, std::mem::take(&mut self.effects));
        }
        self.batch.check_limits()?;
        Ok(self.batch)
    }
}

/// A batch of nothing.
pub(crate) fn empty_batch() -> Batch {
    Txn::new(1).batch
}
