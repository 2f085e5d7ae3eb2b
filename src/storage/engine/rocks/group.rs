//! The one thread that writes. It gathers the batches that wait, judges each on the database and
//! the batches before it in the group, and writes all of them at once: one sync for many callers.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ahash::AHashMap;
use hearth_protocol::Lane;
use rocksdb::{WriteBatch, WriteOptions};
use smallvec::SmallVec;
use tokio::sync::{mpsc, oneshot};

use super::read::Database;
use crate::{
    engine::{
        Applied, Range, Refusal, Refused,
        apply::{LaneState, Plan, Rows, for_each_write, plan},
        batch::Batch,
        faults::{WriteFault, WriteFaults},
        heads::Heads,
    },
    error::StorageError,
    schema::meta::{LaneHead, LaneHeads},
    table::{Profile, Table, encode_address},
    value::Value,
};

/// Batches of one group, and the bytes after which it takes no more.
const GROUP_BATCHES_MAX: usize = 2_048;
const GROUP_BYTES_MAX: usize = 8 * 1_024 * 1_024;

/// A call for the writing thread.
pub(crate) enum Request {
    Commit(Batch, oneshot::Sender<Result<Applied, Box<Refused>>>),
    Acquire { lane: Lane, seen: Option<u32>, reply: oneshot::Sender<Result<LaneState, Refusal>> },
    Stop(oneshot::Sender<()>),
}

/// A batch in its group.
struct Member {
    batch: Batch,
    reply: oneshot::Sender<Result<Applied, Box<Refused>>>,
    /// `None` until it is judged.
    outcome: Option<Result<Plan, Refusal>>,
    /// Applied, but the reply says that nobody knows: a planned fault.
    lost: bool,
}

/// A lane taken in this group.
struct Taking {
    lane: Lane,
    seen: Option<u32>,
    reply: oneshot::Sender<Result<LaneState, Refusal>>,
    /// The lane before and after.
    outcome: Option<Result<(LaneState, LaneState), Refusal>>,
}

/// The state of the writing thread.
pub(crate) struct GroupCommit {
    pub database: Arc<Database>,
    pub heads: Arc<Heads>,
    pub faults: WriteFaults,
    /// Whether each group is synced to disk.
    pub sync: bool,
    /// How many groups were written; each is one sync.
    pub groups: Arc<AtomicU64>,
    /// The lanes that were written since the start.
    pub lanes: AHashMap<Lane, LaneState>,
}

impl GroupCommit {
    /// Runs until the callers are gone or one of them says stop.
    pub fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut write_options = WriteOptions::default();
        write_options.set_sync(self.sync);
        while let Some(first) = queue.blocking_recv() {
            let mut group = Group::default();
            let mut next = Some(first);
            while let Some(request) = next {
                group.add(request);
                next = if group.is_full() { None } else { queue.try_recv().ok() };
            }
            let stop = group.stop.take();
            self.commit(group, &write_options);
            if let Some(stopped) = stop {
                queue.close();
                // What was queued behind the stop is dropped, and its callers told so.
                drop((queue, self));
                let _ = stopped.send(());
                return;
            }
        }
    }

    fn commit(&mut self, mut group: Group, write_options: &WriteOptions) {
        let written = self.write(&mut group, write_options);
        self.groups.fetch_add(1, Ordering::Relaxed);
        let mut moved = false;
        for taking in &group.takings {
            match (&taking.outcome, &written) {
                (Some(Ok((_, after))), Ok(())) => self.heads.own(taking.lane, *after),
                (Some(Ok((before, _))), Err(_)) => drop(self.lanes.insert(taking.lane, *before)),
                _ => {}
            }
        }
        for member in group.members.iter().filter(|_| written.is_ok()) {
            if let Some(Ok(plan)) = &member.outcome {
                self.heads.publish(member.batch.lane, plan.lane.pos);
                moved |= member.batch.lane.advance > 0;
            }
        }
        if moved {
            self.heads.wake();
        }
        group.answer(&written);
    }

    /// Judges the group and writes it. An error means that nothing of it is applied.
    fn write(&mut self, group: &mut Group, write_options: &WriteOptions) -> Result<(), Refusal> {
        let database = Arc::clone(&self.database);
        let families = Families::of(&database)?;
        let mut touched: SmallVec<[Lane; 4]> = SmallVec::new();
        for taking in &mut group.takings {
            self.take(taking, &mut touched);
        }
        let mut write = WriteBatch::default();
        let mut overlay = Overlay { database: &database, rows: AHashMap::new() };
        let several = group.members.len() > 1;
        for member in &mut group.members {
            self.judge(member, &overlay, &mut touched);
            let member: &Member = member;
            let Some(Ok(plan)) = &member.outcome else { continue };
            for_each_write(&member.batch, plan, |profile, key, value| {
                let family = families.0[profile as usize];
                match value {
                    Some(value) => write.put_cf(family, key, value),
                    None => write.delete_cf(family, key),
                }
                if several {
                    overlay.rows.insert((profile, key), value);
                }
            });
        }
        for lane in touched {
            put_head(&mut write, &families, lane, self.lanes[&lane]);
        }
        if write.is_empty() {
            return Ok(());
        }
        self.database.db.write_opt(write, write_options).map_err(|error| Refusal::Down(explain(&error)))
    }

    fn take(&mut self, taking: &mut Taking, touched: &mut SmallVec<[Lane; 4]>) {
        let outcome = self.lane_state(taking.lane).and_then(|before| match taking.seen {
            Some(seen) if seen != before.epoch => Err(Refusal::Fenced { now: before.epoch }),
            _ => Ok((before, before.next_epoch())),
        });
        if let Ok((_, after)) = outcome {
            self.lanes.insert(taking.lane, after);
            touched.push(taking.lane);
        }
        taking.outcome = Some(outcome);
    }

    fn judge(&mut self, member: &mut Member, rows: &Overlay<'_>, touched: &mut SmallVec<[Lane; 4]>) {
        let lane = member.batch.lane.lane;
        let refused = match self.faults.next() {
            Some(WriteFault::Down) => Some(Refusal::Down("a planned fault".to_owned())),
            Some(WriteFault::Busy) => Some(Refusal::Busy),
            Some(WriteFault::Unknown) => {
                member.lost = true;
                None
            }
            None => None,
        };
        let outcome = match refused {
            Some(refusal) => Err(refusal),
            None => self.lane_state(lane).and_then(|state| plan(&mut member.batch, state, rows)),
        };
        if let Ok(plan) = &outcome
            && member.batch.lane.advance > 0
        {
            // Kept even when the write fails: a position is never given twice.
            self.lanes.insert(lane, plan.lane);
            if !touched.contains(&lane) {
                touched.push(lane);
            }
        }
        member.outcome = Some(outcome);
    }

    fn lane_state(&mut self, lane: Lane) -> Result<LaneState, Refusal> {
        if let Some(state) = self.lanes.get(&lane) {
            return Ok(*state);
        }
        let mut key = Vec::new();
        encode_address::<LaneHeads>(&lane, &mut key);
        let down = |error: StorageError| Refusal::Down(error.to_string());
        let row = self.database.read(LaneHeads::PROFILE, &key).map_err(down)?;
        let head = match row {
            None => LaneHead::default(),
            Some(row) => {
                LaneHead::decode(&row).map_err(|e| Refusal::Down(format!("the head of {lane:?} is corrupt: {e}")))?
            }
        };
        let state = LaneState { epoch: head.epoch, pos: head.pos };
        self.lanes.insert(lane, state);
        Ok(state)
    }
}

fn put_head(write: &mut WriteBatch, families: &Families<'_>, lane: Lane, state: LaneState) {
    let (mut key, mut value) = (Vec::with_capacity(8), Vec::with_capacity(16));
    encode_address::<LaneHeads>(&lane, &mut key);
    LaneHead { pos: state.pos, epoch: state.epoch }.encode_into(&mut value);
    write.put_cf(families.0[LaneHeads::PROFILE as usize], key, value);
}

/// What an operator should read. RocksDB goes on by itself when there is space again.
fn explain(error: &rocksdb::Error) -> String {
    let text = error.as_ref();
    if text.contains("No space left on device") || text.contains("space") && text.contains("limit") {
        format!("the disk is full; writes go on when there is space again ({text})")
    } else {
        text.to_owned()
    }
}

struct Families<'a>([&'a rocksdb::ColumnFamily; Profile::ALL.len()]);

impl<'a> Families<'a> {
    fn of(database: &'a Database) -> Result<Self, Refusal> {
        let family = |profile| database.family(profile).map_err(|e| Refusal::Down(e.to_string()));
        let [point, scan, queue, blob, small] = Profile::ALL;
        Ok(Families([family(point)?, family(scan)?, family(queue)?, family(blob)?, family(small)?]))
    }
}

/// The requests that are written together.
#[derive(Default)]
struct Group {
    members: Vec<Member>,
    takings: Vec<Taking>,
    bytes: usize,
    stop: Option<oneshot::Sender<()>>,
}

impl Group {
    fn add(&mut self, request: Request) {
        match request {
            Request::Commit(batch, reply) => {
                self.bytes += batch.arena.len();
                self.members.push(Member { batch, reply, outcome: None, lost: false });
            }
            Request::Acquire { lane, seen, reply } => {
                self.takings.push(Taking { lane, seen, reply, outcome: None });
            }
            Request::Stop(reply) => self.stop = Some(reply),
        }
    }

    fn is_full(&self) -> bool {
        self.stop.is_some()
            || self.members.len() + self.takings.len() >= GROUP_BATCHES_MAX
            || self.bytes >= GROUP_BYTES_MAX
    }

    /// Answers everybody. Who asked may have gone: a reply then goes nowhere.
    fn answer(self, written: &Result<(), Refusal>) {
        for member in self.members {
            let Member { batch, reply, outcome, lost } = member;
            let outcome = match (outcome, written) {
                (Some(Err(refusal)), _) => Err(refusal),
                (Some(Ok(_)) | None, Err(refusal)) => Err(refusal.clone()),
                (Some(Ok(_)), Ok(())) if lost => Err(Refusal::Unknown),
                (Some(Ok(plan)), Ok(())) => Ok(Applied { first: plan.first }),
                (None, Ok(())) => Err(Refusal::Busy),
            };
            let _ = reply.send(outcome.map_err(|why| Box::new(Refused { why, batch })));
        }
        for Taking { reply, outcome, .. } in self.takings {
            let outcome = match (outcome, written) {
                (Some(Err(refusal)), _) => Err(refusal),
                (_, Err(refusal)) => Err(refusal.clone()),
                (Some(Ok((_, after))), Ok(())) => Ok(after),
                (None, Ok(())) => Err(Refusal::Busy),
            };
            let _ = reply.send(outcome);
        }
    }
}

/// The database under the writes of the batches before in the group.
struct Overlay<'g> {
    database: &'g Database,
    rows: AHashMap<(Profile, &'g [u8]), Option<&'g [u8]>>,
}

impl Rows for Overlay<'_> {
    fn read(&self, profile: Profile, key: &[u8]) -> Result<Option<Cow<'_, [u8]>>, String> {
        if let Some(written) = self.rows.get(&(profile, key)) {
            return Ok(written.map(Cow::Borrowed));
        }
        let row = self.database.read(profile, key).map_err(|e| e.to_string())?;
        Ok(row.map(|row| Cow::Owned(row.to_vec())))
    }

    fn list_keys(&self, profile: Profile, from: &[u8], to: &[u8], max: usize) -> Result<Vec<Vec<u8>>, String> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = Range { profile, from: from.to_vec(), to: to.to_vec(), limit: max, reverse: false };
        let page = self.database.page(&range, false).map_err(|e| e.to_string())?.unwrap_or_default();
        let mut keys: Vec<_> = page.rows.into_iter().map(|(key, _)| key).collect();
        let written =
            self.rows.iter().filter(|((of, key), value)| *of == profile && value.is_some() && (from..to).contains(key));
        for ((_, key), _) in written {
            if keys.len() < max && !keys.iter().any(|known| known == key) {
                keys.push(key.to_vec());
            }
        }
        Ok(keys)
    }
}
