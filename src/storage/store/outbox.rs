//! Applying the effects of a lane's commits on other lanes.
//!
//! A worker follows each lane's outbox. It writes the effects and the position they came from in one
//! commit of the target lane, under the assertion that the position before is still there: so a row
//! is applied once, whatever is run twice. Rows that all targets have are deleted.

use std::{collections::BTreeMap, time::Duration};

use ahash::AHashMap;
use futures_util::future::try_join_all;
use hearth_protocol::{Lane, LanePos};
use tokio_util::sync::CancellationToken;

use super::{
    Page, Store,
    read::{address, decode_value},
};
use crate::{
    codec::decode_whole,
    effects::{SlotMap, push_effect},
    engine::{
        batch::Batch,
        limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX},
    },
    error::{CommitError, StorageError},
    schema::meta::{Applied, Effect, Outbox, OutboxRow},
    table::Table,
    txn::Txn,
};

/// Rows of the outbox that are read at a time.
const OUTBOX_PAGE_ROWS: usize = 128;

/// Operations and bytes of a batch after which no further row is taken into it. A row holds at most
/// 32 KiB of effects, or a single one.
const APPLY_OPS_MAX: usize = BATCH_OPS_MAX / 4;
const APPLY_BYTES_MAX: usize = BATCH_BYTES_MAX / 2;

/// The pause after a failure, in milliseconds.
const RETRY_MS: u64 = 100;

/// The futures that must run for as long as the store is used.
pub struct StorageWorkers(Vec<StorageWorker>);

impl StorageWorkers {
    pub(super) fn of(store: &Store) -> Self {
        let lanes = if store.lanes() == 1 { 0 } else { store.lanes() };
        let worker =
            |lane| StorageWorker { store: store.clone(), lane: Lane(lane), marks: AHashMap::new(), leftover: false };
        StorageWorkers((0..lanes).map(worker).collect())
    }
}

impl IntoIterator for StorageWorkers {
    type Item = StorageWorker;
    type IntoIter = std::vec::IntoIter<StorageWorker>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Applies the outbox of one lane.
pub struct StorageWorker {
    store: Store,
    lane: Lane,
    /// What each target has applied of this lane.
    marks: AHashMap<Lane, LanePos>,
    /// Whether rows that are applied still have to be deleted.
    leftover: bool,
}

/// The effects on one target, by the position of their row.
type Effects = Vec<(LanePos, Vec<Effect>)>;

impl StorageWorker {
    /// The worker's name, the same for every lane.
    #[must_use]
    pub fn name(&self) -> &'static str {
        "storage-outbox"
    }

    /// The lane whose outbox it follows.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Runs until `stop`. Ends between two pages; what is left is applied after the next start.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut heads = self.store.watch_heads();
        loop {
            heads.borrow_and_update();
            let step = async {
                if !self.leftover && !self.store.0.heads.has_outstanding(self.lane) {
                    // The sender lives in the store that this worker holds.
                    let _ = heads.changed().await;
                } else if let Err(error) = self.apply_page().await {
                    self.marks.clear();
                    tracing::warn!(lane = self.lane.0, %error, "effects on other lanes wait");
                    tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = step => {}
            }
        }
    }

    /// Applies the next rows, and deletes them.
    async fn apply_page(&mut self) -> Result<(), StorageError> {
        let last_known = self.store.0.heads.outbox_last(self.lane);
        let rows = self.store.load_outbox(self.lane, OUTBOX_PAGE_ROWS).await?;
        let Some(last) = rows.last().map(|(pos, _)| *pos) else {
            self.store.0.heads.applied(self.lane, last_known, last_known);
            self.leftover = false;
            return Ok(());
        };
        // A page may end between two rows of one commit: the mark then stays before that commit.
        let mark = rows.iter().rev().find(|(_, row)| row.rest == 0).map_or(LanePos(0), |(pos, _)| *pos);
        let positions: Vec<LanePos> = rows.iter().map(|(pos, _)| *pos).collect();
        let mut targets: BTreeMap<Lane, Effects> = BTreeMap::new();
        for (pos, row) in rows {
            for effect in row.effects {
                let effects = targets.entry(effect.target).or_default();
                match effects.last_mut() {
                    Some((at, effects)) if *at == pos => effects.push(effect),
                    _ => effects.push((pos, vec![effect])),
                }
            }
        }
        self.load_marks(targets.keys().copied().collect()).await?;
        let mut applying = Vec::with_capacity(targets.len());
        for (target, effects) in &targets {
            let mark = self.marks.get(target).copied().unwrap_or_default();
            applying.push(self.store.apply_effects(self.lane, *target, mark, effects));
        }
        let moved = try_join_all(applying).await?;
        self.marks.extend(moved);
        self.leftover = true;
        self.store.0.heads.applied(self.lane, last, mark);
        let mut txn = self.store.txn().home(self.lane);
        for pos in positions {
            txn.delete::<Outbox>(&(self.lane, pos));
        }
        self.store.submit(txn.finish()?).await?;
        self.leftover = false;
        Ok(())
    }

    async fn load_marks(&mut self, mut targets: Vec<Lane>) -> Result<(), StorageError> {
        targets.retain(|target| !self.marks.contains_key(target));
        for target in targets {
            let address = address::<Applied>(&(target, self.lane));
            let row = self.store.load_raw(Applied::PROFILE, address.clone()).await?;
            let mark = row.map(|row| decode_value::<Applied>(&address, &row)).transpose()?;
            self.marks.insert(target, mark.unwrap_or_default());
        }
        Ok(())
    }
}

impl Store {
    /// Applies the effects above `mark` on one target, and gives the new mark.
    async fn apply_effects(
        &self,
        source: Lane,
        target: Lane,
        mut mark: LanePos,
        effects: &Effects,
    ) -> Result<(Lane, LanePos), CommitError> {
        let known = mark;
        let mut rest = &effects[effects.partition_point(|(pos, _)| *pos <= known)..];
        while !rest.is_empty() {
            let mut txn = self.txn().home(target);
            if mark == LanePos(0) {
                txn.assert_absent::<Applied>(&(target, source));
            } else {
                txn.assert_eq::<Applied>(&(target, source), &mark);
            }
            let mut batch = txn.finish()?;
            let mut slots = SlotMap::default();
            while let Some(((pos, row), behind)) = rest.split_first().filter(|_| has_room(&batch)) {
                rest = behind;
                for effect in row {
                    push_effect(&mut batch, effect, &mut slots, pos.0);
                }
                mark = *pos;
            }
            let mut done = Txn::new(self.lanes()).home(target);
            done.put::<Applied>(&(target, source), &mark);
            append_ops(&mut batch, &done.finish()?);
            self.submit(batch).await?;
        }
        Ok((target, mark))
    }

    async fn load_outbox(&self, lane: Lane, limit: usize) -> Result<Vec<(LanePos, OutboxRow)>, StorageError> {
        let found = self.0.engine.scan(Page::first(limit).range::<Outbox>(&lane)).await?;
        let decode = |(address, row): (Vec<u8>, Vec<u8>)| {
            let key: Result<(Lane, LanePos), _> = decode_whole(&address[2..]);
            let pos = key.map_err(|e| StorageError::Io(format!("a key of the outbox: {e}")))?.1;
            Ok((pos, decode_value::<Outbox>(&address, &row)?))
        };
        found.rows.into_iter().map(decode).collect()
    }

    /// Finds what the last process left in the outboxes.
    pub(super) async fn find_outbox_rows(&self) -> Result<(), StorageError> {
        let lasts = (0..self.lanes()).map(|lane| self.0.engine.scan(Page::last(1).range::<Outbox>(&Lane(lane))));
        for page in try_join_all(lasts).await? {
            for (address, _) in page.rows {
                let key: Result<(Lane, LanePos), _> = decode_whole(&address[2..]);
                let (lane, pos) = key.map_err(|e| StorageError::Io(format!("a key of the outbox: {e}")))?;
                self.0.heads.found_outbox(lane, pos);
            }
        }
        Ok(())
    }
}

fn has_room(batch: &Batch) -> bool {
    batch.ops.len() < APPLY_OPS_MAX && batch.arena.len() < APPLY_BYTES_MAX
}

/// Appends the operations of another batch that has no positions.
fn append_ops(batch: &mut Batch, other: &Batch) {
    use crate::engine::batch::{Op, OpKind, append};
    for op in &other.ops {
        let key = append(&mut batch.arena, |out| out.extend_from_slice(other.bytes(op.key)));
        let kind = match op.kind {
            OpKind::Set { value, .. } => {
                let value = append(&mut batch.arena, |out| out.extend_from_slice(other.bytes(value)));
                OpKind::Set { value, key_stamp: None, value_stamp: None }
            }
            kind => kind,
        };
        batch.ops.push(Op { profile: op.profile, key, kind });
    }
}
