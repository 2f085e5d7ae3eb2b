//! How far each lane is, as this process sees it: moved only after the write that it tells of.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hearth_protocol::{Lane, LanePos};
use tokio::sync::watch;

use super::{apply::LaneState, batch::LaneUse, limits::LANES_MAX};

#[derive(Debug, Default)]
struct LaneView {
    epoch: AtomicU32,
    head: AtomicU64,
    /// The last outbox row that was committed; moved before `head`.
    outbox_last: AtomicU64,
    /// The last outbox row that was applied everywhere.
    outbox_done: AtomicU64,
    /// The greatest mark ever seen, so that marks never go back.
    mark: AtomicU64,
}

/// The heads and applied marks of all lanes.
#[derive(Debug)]
pub(crate) struct Heads {
    lanes: Box<[LaneView]>,
    heads_moved: watch::Sender<u64>,
    marks_moved: watch::Sender<u64>,
}

impl Heads {
    pub fn new() -> Self {
        Heads {
            lanes: (0..LANES_MAX).map(|_| LaneView::default()).collect(),
            heads_moved: watch::Sender::new(0),
            marks_moved: watch::Sender::new(0),
        }
    }

    fn view(&self, lane: Lane) -> &LaneView {
        // Lanes come from `Lane::of` or from rows of this database; both stay below the number of lanes.
        &self.lanes[usize::from(lane.0) % self.lanes.len()]
    }

    pub fn head(&self, lane: Lane) -> LanePos {
        LanePos(self.view(lane).head.load(Ordering::Acquire))
    }

    pub fn epoch(&self, lane: Lane) -> u32 {
        self.view(lane).epoch.load(Ordering::Acquire)
    }

    /// Takes note that this process owns the lane under this epoch.
    pub fn own(&self, lane: Lane, state: LaneState) {
        let view = self.view(lane);
        view.epoch.fetch_max(state.epoch, Ordering::AcqRel);
        view.head.fetch_max(state.pos.0, Ordering::AcqRel);
    }

    /// Takes note of a batch that is written. The caller calls [`wake`](Self::wake) afterwards.
    pub fn publish(&self, used: LaneUse, pos: LanePos) {
        if used.advance == 0 {
            return;
        }
        let view = self.view(used.lane);
        if used.outbox > 0 {
            if !self.has_outstanding(used.lane) {
                // Before the whole commit: a mark never lies between its rows and their effects.
                let before = pos.0 - u64::from(used.advance);
                view.mark.fetch_max(before, Ordering::AcqRel);
            }
            view.outbox_last.fetch_max(pos.0, Ordering::AcqRel);
        }
        view.head.fetch_max(pos.0, Ordering::AcqRel);
    }

    /// Wakes who waits for heads.
    pub fn wake(&self) {
        self.heads_moved.send_modify(|n| *n += 1);
    }

    pub fn watch_heads(&self) -> watch::Receiver<u64> {
        self.heads_moved.subscribe()
    }

    pub fn watch_marks(&self) -> watch::Receiver<u64> {
        self.marks_moved.subscribe()
    }

    /// Whether an outbox row of the lane is not applied everywhere yet.
    pub fn has_outstanding(&self, lane: Lane) -> bool {
        let view = self.view(lane);
        view.outbox_last.load(Ordering::Acquire) > view.outbox_done.load(Ordering::Acquire)
    }

    /// The last outbox row of the lane, applied or not.
    pub fn outbox_last(&self, lane: Lane) -> LanePos {
        LanePos(self.view(lane).outbox_last.load(Ordering::Acquire))
    }

    /// Takes note of an outbox row found when the database was opened.
    pub fn found_outbox(&self, lane: Lane, last: LanePos) {
        self.view(lane).outbox_last.fetch_max(last.0, Ordering::AcqRel);
    }

    /// Takes note that all outbox rows up to `done` are applied, and all of the commits up to `mark`.
    pub fn applied(&self, lane: Lane, done: LanePos, mark: LanePos) {
        let view = self.view(lane);
        view.outbox_done.fetch_max(done.0, Ordering::AcqRel);
        view.mark.fetch_max(mark.0, Ordering::AcqRel);
        self.marks_moved.send_modify(|n| *n += 1);
    }

    /// The position up to which every outbox row of the lane is applied: the head when none is
    /// outstanding. Never goes back.
    pub fn mark(&self, lane: Lane) -> LanePos {
        let view = self.view(lane);
        // The head first: a row at or before it is then already in `outbox_last`.
        let head = view.head.load(Ordering::Acquire);
        if !self.has_outstanding(lane) {
            view.mark.fetch_max(head, Ordering::AcqRel);
        }
        LanePos(view.mark.load(Ordering::Acquire))
    }
}
