//! Effects of a transaction on other lanes: merged where the lane is its own, else rows of the outbox;
//! and, on the other side, operations of the target lane.

use hearth_protocol::LanePos;
use smallvec::SmallVec;

use crate::{
    engine::batch::{Batch, Op, OpKind, Stamp, append, offset},
    schema::meta::{Effect, Outbox, OutboxRow},
    table::{Profile, Table, encode_address},
    txn::POS_BYTES,
    value::Value,
};

/// Most bytes of effects in one row of the outbox, unless it holds a single one.
const OUTBOX_ROW_BYTES: usize = 32 * 1_024;

/// Adds the effects to the batch of their commit: those on its own lane as operations, the others as
/// rows of the outbox, which take the last of the new positions.
pub(crate) fn place_effects(batch: &mut Batch, mut effects: Vec<Effect>) {
    let home = batch.lane.lane;
    // Stable: the effects on one target keep their order.
    effects.sort_by_key(|effect| effect.target != home);
    let away = effects.partition_point(|effect| effect.target == home);
    let mut others = effects.split_off(away);
    let mut slots = SlotMap::default();
    for effect in &effects {
        push_effect(batch, effect, &mut slots, 0);
    }
    others.sort_by_key(|effect| effect.target);
    let rows = pack_rows(others);
    let mut rest = offset(rows.len());
    for effects in rows {
        rest -= 1;
        let n = batch.lane.advance;
        batch.lane.advance += 1;
        batch.lane.outbox += 1;
        let key = append(&mut batch.arena, |out| encode_address::<Outbox>(&(home, LanePos(0)), out));
        let value = append(&mut batch.arena, |out| OutboxRow { rest, effects }.encode_into(out));
        let key_stamp = Some(Stamp { n, at: key.start + key.len - POS_BYTES });
        let kind = OpKind::Set { value, key_stamp, value_stamp: None };
        batch.ops.push(Op { profile: Outbox::PROFILE, key, kind });
    }
}

/// Which position of a batch stands for which slot of which outbox row.
pub(crate) type SlotMap = SmallVec<[((u64, u32), u32); 4]>;

/// Appends an effect as an operation of its target lane; `row` tells slots of several rows apart.
pub(crate) fn push_effect(batch: &mut Batch, effect: &Effect, slots: &mut SlotMap, row: u64) {
    let key = append(&mut batch.arena, |out| out.extend_from_slice(&effect.key));
    let profile = Profile::ALL[usize::from(effect.profile) % Profile::ALL.len()];
    let Some(value) = &effect.value else {
        return batch.ops.push(Op { profile, key, kind: OpKind::Delete });
    };
    let value = append(&mut batch.arena, |out| out.extend_from_slice(value));
    let stamp = effect.stamp.map(|stamp| {
        let known = slots.iter().find(|(slot, _)| *slot == (row, stamp.slot)).map(|(_, n)| *n);
        let n = known.unwrap_or_else(|| {
            let n = batch.lane.advance;
            batch.lane.advance += 1;
            slots.push(((row, stamp.slot), n));
            n
        });
        let base = if stamp.in_key { key.start } else { value.start };
        (stamp.in_key, Stamp { n, at: base + stamp.at })
    });
    let (key_stamp, value_stamp) = match stamp {
        Some((true, stamp)) => (Some(stamp), None),
        Some((false, stamp)) => (None, Some(stamp)),
        None => (None, None),
    };
    batch.ops.push(Op { profile, key, kind: OpKind::Set { value, key_stamp, value_stamp } });
}

/// Splits effects into rows of a bearable size.
fn pack_rows(effects: Vec<Effect>) -> Vec<Vec<Effect>> {
    let mut rows: Vec<Vec<Effect>> = Vec::new();
    let mut bytes = 0;
    for effect in effects {
        let size = effect.key.len() + effect.value.as_ref().map_or(0, Vec::len) + 16;
        match rows.last_mut() {
            Some(row) if bytes + size <= OUTBOX_ROW_BYTES => {
                bytes += size;
                row.push(effect);
            }
            _ => {
                bytes = size;
                rows.push(vec![effect]);
            }
        }
    }
    rows
}
