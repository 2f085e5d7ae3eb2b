//! Committing: the batch is submitted until its outcome is known.

use std::time::Duration;

use hearth_protocol::{Lane, LanePos};
use smallvec::{SmallVec, smallvec};

use super::{Store, count};
use crate::{
    engine::{Refusal, batch::Batch},
    error::CommitError,
    schema::meta::About,
    txn::{PosSlot, Txn},
};

/// How often a batch is submitted before the engine counts as down.
const SUBMIT_TRIES_MAX: u32 = 12;

/// The pause before the second try, in milliseconds; it doubles with each try up to the largest.
const BACK_OFF_MS: u64 = 1;
const BACK_OFF_MS_MAX: u64 = 200;

/// How long a caller waits at most for its effects on other lanes.
const WAIT_APPLIED_MS_MAX: u64 = 10_000;

/// A transaction that is applied, and on disk as durability says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The new positions: lane, first position, how many. Empty when the transaction took none.
    pub positions: SmallVec<[(Lane, LanePos, u32); 1]>,
    /// The transaction's lane.
    pub lane: Lane,
    /// The lane's position after it, rows for other lanes included: what
    /// [`Store::wait_applied`] takes. 0 when the transaction took no position.
    pub last: LanePos,
}

impl Committed {
    /// The position that a slot of the transaction became.
    #[must_use]
    pub fn pos(&self, slot: PosSlot) -> LanePos {
        self.positions.first().map_or(LanePos(0), |(_, first, _)| LanePos(first.0 + u64::from(slot.index())))
    }
}

impl Store {
    /// Applies a transaction as a whole or not at all. A busy engine is asked again; after a lost
    /// outcome the lane's epoch is raised, which ends what was in flight, and the batch submitted
    /// again: then its assertions decide.
    pub async fn commit(&self, txn: Txn) -> Result<Committed, CommitError> {
        count(&self.0.calls.commits);
        self.submit(txn.finish()?).await
    }

    /// Whether the engine takes writes now: it is asked for one that changes nothing.
    pub async fn check_writable(&self) -> Result<(), CommitError> {
        let mut txn = self.txn();
        txn.put::<About>(&(), &self.0.database);
        self.commit(txn).await.map(drop)
    }

    pub(super) async fn submit(&self, mut batch: Batch) -> Result<Committed, CommitError> {
        let used = batch.lane;
        let lane = used.lane;
        if lane.0 >= self.lanes() {
            return Err(CommitError::ForeignLane);
        }
        let mut back_off_ms = BACK_OFF_MS;
        for _ in 0..SUBMIT_TRIES_MAX {
            let epoch = self.0.heads.epoch(lane);
            batch.lane.fence = Some(epoch);
            let refused = match self.0.engine.commit(batch).await {
                Ok(applied) => return Ok(committed(lane, applied.first, used.advance, used.outbox)),
                Err(refused) => *refused,
            };
            match refused.why {
                Refusal::Busy => {}
                Refusal::Unknown if !refused.batch.is_idempotent() => return Err(CommitError::Unknown),
                Refusal::Unknown => self.take_again(lane, epoch).await?,
                // This process itself raised the epoch meanwhile, after a lost outcome.
                Refusal::Fenced { now } if now == self.0.heads.epoch(lane) => {}
                Refusal::Fenced { .. } => return Err(CommitError::Fenced { lane }),
                Refusal::Conflict { assert } => return Err(CommitError::Conflict { assert }),
                Refusal::TooLarge => return Err(CommitError::TooLarge),
                Refusal::Down(reason) => return Err(CommitError::Down(reason)),
            }
            batch = refused.batch;
            tokio::time::sleep(Duration::from_millis(back_off_ms)).await;
            back_off_ms = (back_off_ms * 2).min(BACK_OFF_MS_MAX);
        }
        Err(CommitError::Down("the engine stayed busy".to_owned()))
    }

    /// Raises the epoch of a lane that is still under `epoch`; when this process has already done
    /// so, that will do.
    async fn take_again(&self, lane: Lane, epoch: u32) -> Result<(), CommitError> {
        match self.0.engine.acquire(lane, Some(epoch)).await {
            Ok(_) => Ok(()),
            Err(Refusal::Fenced { now }) if now == self.0.heads.epoch(lane) => Ok(()),
            Err(Refusal::Fenced { .. }) => Err(CommitError::Fenced { lane }),
            Err(Refusal::Down(reason)) => Err(CommitError::Down(reason)),
            Err(other) => Err(CommitError::Down(format!("the lane could not be taken again: {other:?}"))),
        }
    }

    /// Waits until the effects of `lane` up to `pos` are applied on their lanes; false when that
    /// takes more than ten seconds. Done at once with one lane.
    #[must_use = "false says that the effects cannot be seen yet"]
    pub async fn wait_applied(&self, lane: Lane, pos: LanePos) -> bool {
        let mut marks = self.0.heads.watch_marks();
        let reached = async {
            loop {
                marks.borrow_and_update();
                if self.applied_mark(lane) >= pos {
                    return true;
                }
                if marks.changed().await.is_err() {
                    return false;
                }
            }
        };
        tokio::time::timeout(Duration::from_millis(WAIT_APPLIED_MS_MAX), reached).await.unwrap_or(false)
    }

    /// Waits until the effects of all that is committed by now are applied on all lanes; false when
    /// those of one lane take more than ten seconds. Done at once with one lane.
    #[must_use = "false says that some effects cannot be seen yet"]
    pub async fn wait_all_applied(&self) -> bool {
        for lane in (0..self.lanes()).map(Lane) {
            if !self.wait_applied(lane, self.head(lane)).await {
                return false;
            }
        }
        true
    }
}

fn committed(lane: Lane, first: LanePos, advance: u32, outbox: u32) -> Committed {
    let given = advance - outbox;
    let positions = if given > 0 { smallvec![(lane, first, given)] } else { SmallVec::new() };
    let last = if advance > 0 { LanePos(first.0 + u64::from(advance) - 1) } else { LanePos(0) };
    Committed { positions, lane, last }
}
