//! How far a follower of the log is, for those who want to find what happened just now.

use std::sync::atomic::{AtomicUsize, Ordering};

use hearth_protocol::{Lane, LanePos};
use hearth_storage::Store;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Duration, timeout};

/// How far each lane is taken in.
pub struct LogProgress {
    reached: Mutex<Vec<LanePos>>,
    changed: watch::Sender<u64>,
    waiting: AtomicUsize,
    wanted: Notify,
}

impl LogProgress {
    /// Nothing is taken in yet, as far as is known.
    pub fn new(lanes: u16) -> Self {
        Self {
            reached: Mutex::new(vec![LanePos(0); usize::from(lanes)]),
            changed: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
            wanted: Notify::new(),
        }
    }

    /// Notes how far a lane is.
    pub fn note(&self, lane: Lane, pos: LanePos) {
        if let Some(reached) = self.reached.lock().get_mut(usize::from(lane.0)) {
            *reached = pos;
        }
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Whether somebody waits for the follower.
    pub fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Sleeps until somebody waits for the follower.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Waits until everything that is committed by now is taken in, `wait` at the most; says whether it is.
    pub async fn catch_up(&self, store: &Store, wait: Duration) -> bool {
        let targets: Vec<_> = (0..store.lanes()).map(|lane| store.head(Lane(lane))).collect();
        let mut changed = self.changed.subscribe();
        if self.has_reached(&targets) {
            return true;
        }
        let _waiting = Waiting::new(&self.waiting);
        self.wanted.notify_one();
        let reached = timeout(wait, async {
            while !self.has_reached(&targets) {
                if changed.changed().await.is_err() {
                    return;
                }
            }
        });
        reached.await.is_ok()
    }

    fn has_reached(&self, targets: &[LanePos]) -> bool {
        self.reached.lock().iter().zip(targets).all(|(reached, target)| reached >= target)
    }
}

/// Counts who waits, also when a request is given up half-way.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
