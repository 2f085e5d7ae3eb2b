//! Following the output log of every lane, each follower at its own pace, with its position in the store.
//!
//! A follower never tells anybody that something is done before it is: its position is written in the same commit as
//! the last of what it made of the rows. What it makes of a row must be the same when it sees the row again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::{Clock, EventNum, Lane, LanePos, RoomKey};
use hearth_storage::schema::log::{FollowerPosition, FollowerPositions, LogRow, OutputLog};
use hearth_storage::{Page, StorageError, Store, Txn};
use tokio::time::{Duration, sleep};

use crate::log_progress::LogProgress;
use crate::worker::{Stop, Worker};

/// Rows of the log that one step takes in.
const ROWS_PER_STEP: usize = 200;
/// How long news is left to gather while nobody waits for it, in milliseconds.
const GATHER_MS: u64 = 100;
/// While nobody waits, the follower rests for so many times as long as a step took.
const REST_PARTS: u64 = 3;
/// The longest such rest, in milliseconds.
const REST_MS_MAX: u64 = 500;
/// How long to wait after an error, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// What a step touches of a room.
pub struct Touched {
    /// The new events.
    pub events: BTreeSet<EventNum>,
    /// How far the room has to be for all of them to be seen.
    pub up_to: LanePos,
}

/// Rows of one lane's log, in order.
pub struct LogStep {
    pub lane: Lane,
    pub rows: Vec<(LanePos, LogRow)>,
    follower: &'static str,
    from: Option<FollowerPosition>,
    to: LanePos,
}

impl LogStep {
    /// The rows by room.
    #[must_use]
    pub fn list_touched(&self) -> BTreeMap<RoomKey, Touched> {
        let mut rooms: BTreeMap<RoomKey, Touched> = BTreeMap::new();
        for (pos, row) in &self.rows {
            let touched = rooms.entry(row.room).or_insert(Touched { events: BTreeSet::new(), up_to: *pos });
            touched.events.insert(row.event);
            touched.up_to = *pos;
        }
        rooms
    }

    /// Makes a commit fail when somebody else has taken these rows in meanwhile.
    pub fn stage_assert(&self, txn: &mut Txn) {
        let key = (self.lane, self.follower.to_owned());
        match self.from {
            Some(from) => txn.assert_eq::<FollowerPositions>(&key, &from),
            None => txn.assert_absent::<FollowerPositions>(&key),
        };
    }

    /// Notes, in the last commit of a step, that its rows are taken in.
    pub fn stage_done(&self, txn: &mut Txn) {
        self.stage_assert(txn);
        txn.put::<FollowerPositions>(&(self.lane, self.follower.to_owned()), &FollowerPosition { pos: self.to });
    }
}

/// What a follower does with the log.
pub trait LogReader: Send + Sync + 'static {
    /// Why rows could not be taken in; they are tried again.
    type Error: std::fmt::Display + From<StorageError> + Send;

    /// Under which name the position is kept.
    fn name(&self) -> &'static str;

    /// Takes rows in. The last commit has to hold [`LogStep::stage_done`].
    fn take_in(&self, step: LogStep) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A worker that feeds a reader from the beginning of the log.
pub struct LogFollower<R> {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub progress: Arc<LogProgress>,
    pub reader: R,
}

impl<R: LogReader> Worker for LogFollower<R> {
    fn name(&self) -> &'static str {
        self.reader.name()
    }

    fn follows(&self) -> &'static str {
        "the output log of every lane"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            tokio::select! {
                () = self.follow() => {}
                () = stop.cancelled() => {}
            }
        }
        .boxed()
    }
}

impl<R: LogReader> LogFollower<R> {
    async fn follow(&self) {
        let mut heads = self.store.watch_heads();
        loop {
            heads.borrow_and_update();
            match self.catch_up().await {
                Ok(()) => {
                    if heads.changed().await.is_err() {
                        return;
                    }
                    self.rest(GATHER_MS).await;
                }
                Err(error) => {
                    tracing::error!(follower = self.reader.name(), %error, "a follower of the log is stuck; it tries again");
                    sleep(Duration::from_millis(RETRY_MS)).await;
                }
            }
        }
    }

    /// Sleeps, but not while somebody waits.
    async fn rest(&self, ms: u64) {
        if !self.progress.is_wanted() {
            tokio::select! {
                () = sleep(Duration::from_millis(ms)) => {}
                () = self.progress.wanted() => {}
            }
        }
    }

    /// Takes in everything that is committed by now.
    ///
    /// # Errors
    /// When a step fails; those before it are done.
    pub async fn catch_up(&self) -> Result<(), R::Error> {
        for lane in (0..self.store.lanes()).map(Lane) {
            loop {
                let begun = self.clock.monotonic_ms();
                if !self.step(lane).await? {
                    break;
                }
                let took = self.clock.monotonic_ms().saturating_sub(begun);
                self.rest((took * REST_PARTS).min(REST_MS_MAX)).await;
            }
        }
        Ok(())
    }

    /// Takes in the next rows of a lane; says whether there are more.
    async fn step(&self, lane: Lane) -> Result<bool, R::Error> {
        let (head, follower) = (self.store.head(lane), self.reader.name());
        let from = self.store.get::<FollowerPositions>(&(lane, follower.to_owned())).await?;
        let after = from.map_or(LanePos(0), |position| position.pos);
        let page = Page::first(ROWS_PER_STEP).after((lane, after)).up_to((lane, head));
        let found = self.store.scan::<OutputLog, _>(&lane, page).await?;
        let Some(((_, to), _)) = found.rows.last() else {
            self.progress.note(lane, head);
            return Ok(false);
        };
        let to = *to;
        let rows = found.rows.into_iter().map(|((_, pos), row)| (pos, row)).collect();
        self.reader.take_in(LogStep { lane, rows, follower, from, to }).await?;
        self.progress.note(lane, if found.more { to } else { head });
        Ok(found.more)
    }
}
