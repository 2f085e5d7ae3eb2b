//! The engine in memory, for tests: the same promises, with latency, spurious refusals and lost
//! outcomes drawn from a seed. Several stores may open one [`MemoryDisk`]: the last one owns the lanes.

use std::{borrow::Cow, collections::BTreeMap, ops::Bound, sync::Arc, time::Duration};

use hearth_protocol::Lane;
use parking_lot::Mutex;

use super::{
    Address, Applied, Look, Range, RawPage, Refusal, Refused, RowBytes,
    apply::{LaneState, Rows, for_each_write, plan},
    batch::Batch,
    faults::{WriteFault, WriteFaults},
    heads::Heads,
    limits::PAGE_BYTES_MAX,
};
use crate::{
    schema::meta::{LaneHead, LaneHeads},
    table::{Profile, Table, encode_address},
    value::Value,
};

/// What outlives a store in memory, as a disk outlives a process. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Tables>>);

impl std::fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryDisk").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Tables([BTreeMap<Vec<u8>, Vec<u8>>; Profile::ALL.len()]);

/// What goes wrong in the engine in memory. The default is: nothing.
#[derive(Debug, Clone, Default)]
pub struct MemoryFaults {
    /// The rows.
    pub disk: MemoryDisk,
    /// Start of the sequence of faults.
    pub seed: u64,
    /// Each call takes up to this long, in microseconds; above 0, quick reads miss too.
    pub latency_us_max: u64,
    /// Commits of a thousand that are refused as busy.
    pub busy_per_mille: u32,
    /// Commits of a thousand, of those with assertions, that meet a conflict where there is none.
    pub conflict_per_mille: u32,
    /// Commits of a thousand whose outcome is lost; every other one of them is applied.
    pub unknown_per_mille: u32,
    /// A planned fault at one write.
    pub write_faults: WriteFaults,
}

struct Shared {
    faults: MemoryFaults,
    heads: Arc<Heads>,
    dice: Mutex<u64>,
}

/// The engine in memory.
#[derive(Clone)]
pub(crate) struct MemoryEngine(Arc<Shared>);

impl MemoryEngine {
    pub fn new(faults: MemoryFaults, heads: Arc<Heads>) -> Self {
        let dice = Mutex::new(faults.seed);
        MemoryEngine(Arc::new(Shared { faults, heads, dice }))
    }

    /// The next number of the seeded sequence (splitmix64).
    fn roll(&self) -> u64 {
        let mut dice = self.0.dice.lock();
        *dice = dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn happens(&self, per_mille: u32) -> bool {
        per_mille > 0 && self.roll() % 1_000 < u64::from(per_mille)
    }

    async fn wait(&self) {
        let max = self.0.faults.latency_us_max;
        if max > 0 {
            tokio::time::sleep(Duration::from_micros(self.roll() % max)).await;
        }
    }

    pub fn try_get(&self, address: Address<'_>) -> Look<'_> {
        if self.0.faults.latency_us_max > 0 {
            return Look::Miss;
        }
        let tables = self.0.faults.disk.0.lock();
        match tables.0[address.profile as usize].get(address.key) {
            Some(value) => Look::Found(RowBytes::Owned(value.clone())),
            None => Look::Absent,
        }
    }

    pub async fn multi_get(&self, keys: Vec<(Profile, Vec<u8>)>) -> Vec<Option<Vec<u8>>> {
        self.wait().await;
        let tables = self.0.faults.disk.0.lock();
        keys.iter().map(|(profile, key)| tables.0[*profile as usize].get(key).cloned()).collect()
    }

    pub async fn scan(&self, range: Range) -> RawPage {
        self.wait().await;
        let tables = self.0.faults.disk.0.lock();
        if range.from >= range.to {
            return RawPage::default();
        }
        let rows = tables.0[range.profile as usize]
            .range::<Vec<u8>, _>((Bound::Included(&range.from), Bound::Excluded(&range.to)));
        if range.reverse { take_page(rows.rev(), range.limit) } else { take_page(rows, range.limit) }
    }

    pub async fn commit(&self, mut batch: Batch) -> Result<Applied, Box<Refused>> {
        self.wait().await;
        match self.apply(&mut batch) {
            Ok(applied) => {
                self.wait().await;
                Ok(applied)
            }
            Err(why) => Err(Box::new(Refused { why, batch })),
        }
    }

    fn apply(&self, batch: &mut Batch) -> Result<Applied, Refusal> {
        let faults = &self.0.faults;
        let planned = faults.write_faults.next();
        match planned {
            Some(WriteFault::Down) => return Err(Refusal::Down("a planned fault".to_owned())),
            Some(WriteFault::Busy) => return Err(Refusal::Busy),
            Some(WriteFault::Unknown) | None => {}
        }
        if self.happens(faults.busy_per_mille) {
            return Err(Refusal::Busy);
        }
        if !batch.asserts.is_empty() && self.happens(faults.conflict_per_mille) {
            return Err(Refusal::Conflict { assert: 0 });
        }
        let lost = self.happens(faults.unknown_per_mille);
        if lost && self.roll().is_multiple_of(2) {
            return Err(Refusal::Unknown);
        }
        let mut tables = faults.disk.0.lock();
        let lane = batch.lane.lane;
        let plan = plan(batch, tables.lane_state(lane), &*tables)?;
        for_each_write(batch, &plan, |profile, key, value| tables.write(profile, key, value));
        if batch.lane.advance > 0 {
            tables.set_lane_state(lane, plan.lane);
        }
        // Still under the lock: heads move in the order of the commits.
        self.0.heads.publish(batch.lane, plan.lane.pos);
        drop(tables);
        self.0.heads.wake();
        if lost || planned.is_some() { Err(Refusal::Unknown) } else { Ok(Applied { first: plan.first }) }
    }

    pub async fn acquire(&self, lane: Lane, seen: Option<u32>) -> Result<LaneState, Refusal> {
        self.wait().await;
        let mut tables = self.0.faults.disk.0.lock();
        let state = tables.lane_state(lane);
        if seen.is_some_and(|seen| seen != state.epoch) {
            return Err(Refusal::Fenced { now: state.epoch });
        }
        let state = state.next_epoch();
        tables.set_lane_state(lane, state);
        self.0.heads.own(lane, state);
        Ok(state)
    }
}

fn take_page<'a>(rows: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>, limit: usize) -> RawPage {
    let mut page = RawPage::default();
    let mut bytes = 0;
    for (key, value) in rows {
        if page.rows.len() >= limit || bytes >= PAGE_BYTES_MAX {
            page.more = true;
            break;
        }
        bytes += key.len() + value.len();
        page.rows.push((key.clone(), value.clone()));
    }
    page
}

impl Tables {
    fn lane_state(&self, lane: Lane) -> LaneState {
        let mut key = Vec::new();
        encode_address::<LaneHeads>(&lane, &mut key);
        let row = self.0[LaneHeads::PROFILE as usize].get(&key);
        let head = row.and_then(|row| LaneHead::decode(row).ok()).unwrap_or_default();
        LaneState { epoch: head.epoch, pos: head.pos }
    }

    fn set_lane_state(&mut self, lane: Lane, state: LaneState) {
        let mut key = Vec::new();
        encode_address::<LaneHeads>(&lane, &mut key);
        let head = LaneHead { pos: state.pos, epoch: state.epoch };
        self.0[LaneHeads::PROFILE as usize].insert(key, head.encode());
    }

    fn write(&mut self, profile: Profile, key: &[u8], value: Option<&[u8]>) {
        let table = &mut self.0[profile as usize];
        match value {
            Some(value) => drop(table.insert(key.to_vec(), value.to_vec())),
            None => drop(table.remove(key)),
        }
    }
}

impl Rows for Tables {
    fn read(&self, profile: Profile, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, String> {
        Ok(self.0[profile as usize].get(key).map(|value| Cow::Borrowed(value.as_slice())))
    }

    fn list_keys(&self, profile: Profile, from: &[u8], to: &[u8], max: usize) -> Result<Vec<Vec<u8>>, String> {
        let range = (Bound::Included(from), Bound::Excluded(to));
        Ok(self.0[profile as usize].range::<[u8], _>(range).take(max).map(|(key, _)| key.clone()).collect())
    }
}
