//! The worker that keeps the hub at the front of the logs, so that waiting costs nothing.

use std::collections::HashSet;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::{Clock, Lane, LanePos, RoomKey, UserKey};
use hearth_storage::schema::changes::ChangeLog;
use hearth_storage::{Page, Store};
use tokio::time::{Duration, Sleep, sleep};

use super::hub::Hub;
use super::token::Positions;
use crate::rooms::Typing;
use crate::users::{PresencePos, Users};
use crate::worker::{Stop, Worker};

/// How often sessions that ended are forgotten and old rows of the change log are cleared, in milliseconds.
const SWEEP_MS: u64 = 60 * 1_000;
/// How long to wait after an error of the storage, in milliseconds.
const RETRY_MS: u64 = 1_000;
/// How long to wait for effects on other lanes that are not applied yet, in milliseconds.
const LAG_MS: u64 = 3;
/// How long typing, receipts and presence are gathered before those who wait are told, in milliseconds.
const GATHER_MS: u64 = 100;
/// Rows of the change log that one transaction clears.
const CLEARED_PER_COMMIT: usize = 500;
/// Transactions that one sweep makes for a lane.
const COMMITS_PER_SWEEP_MAX: usize = 20;

/// Follows the output log and the change log of every lane, typing and presence.
pub struct SyncFollower {
    pub(super) hub: Arc<Hub>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) typing: Typing,
    pub(super) users: Users,
}

impl Worker for SyncFollower {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn follows(&self) -> &'static str {
        "the output log and the change log of every lane, typing and presence"
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

impl SyncFollower {
    async fn follow(&self) {
        let mut heads = self.store.watch_heads();
        let mut typing = self.typing.subscribe();
        let mut presence = self.users.presence().watch();
        let (mut typing_seen, mut presence_seen) = (self.typing.position(), self.users.presence().pos());
        let mut swept_ms = 0;
        // Runs after quiet news were told; what comes meanwhile is told together when it ends.
        let mut gathering: Option<Pin<Box<Sleep>>> = None;
        loop {
            heads.borrow_and_update();
            typing.borrow_and_update();
            presence.borrow_and_update();
            let due_ms = self.typing.expire();
            let now_ms = self.clock.monotonic_ms();
            let is_sweep = now_ms >= swept_ms + SWEEP_MS || swept_ms == 0;
            let mut pause_ms = due_ms.map_or(SWEEP_MS, |due_ms| due_ms.saturating_sub(now_ms).clamp(1, SWEEP_MS));
            // While nobody syncs, whoever comes first catches up.
            if is_sweep || self.hub.sessions.count() > 0 {
                let reached = match self.hub.catch_up().await {
                    Ok(reached) => reached,
                    Err(error) => {
                        tracing::error!(%error, "the follower of sync cannot read the log");
                        sleep(Duration::from_millis(RETRY_MS)).await;
                        continue;
                    }
                };
                if is_sweep {
                    self.hub.sessions.sweep(now_ms);
                    self.clear_change_log(&reached).await;
                    swept_ms = now_ms.max(1);
                }
                if reached.iter().any(|(lane, pos)| pos < self.store.head(lane)) {
                    pause_ms = pause_ms.min(LAG_MS);
                }
            }
            if gathering.is_none() {
                let mut rooms = self.hub.take_read_rooms();
                rooms.extend(self.typing.list_changed(typing_seen));
                typing_seen = self.typing.position();
                presence_seen = self.add_presence(presence_seen, &mut rooms);
                if !rooms.is_empty() {
                    self.hub.sessions.wake_rooms_quietly(&rooms);
                    gathering = Some(Box::pin(sleep(Duration::from_millis(GATHER_MS))));
                }
            }
            tokio::select! {
                () = async { if let Some(gathering) = &mut gathering { gathering.await } else { pending().await } } => {
                    gathering = None;
                }
                changed = heads.changed() => if changed.is_err() { return },
                Ok(()) = typing.changed() => {}
                Ok(()) = presence.changed() => {}
                () = sleep(Duration::from_millis(pause_ms)) => {}
            }
        }
    }

    /// Adds the rooms of those who came or went.
    fn add_presence(&self, from: PresencePos, rooms: &mut HashSet<RoomKey>) -> PresencePos {
        let (changed, to) = self.users.presence().changes_since(Some(from), |_, _| true);
        for info in changed {
            rooms.extend(self.hub.sessions.list_rooms_of(UserKey::of(&info.user_id)));
        }
        to
    }

    /// Clears rows of the change log that this process has taken in; whatever fails is done by the next sweep.
    async fn clear_change_log(&self, reached: &Positions) {
        for (lane, pos) in reached.iter() {
            for _ in 0..COMMITS_PER_SWEEP_MAX {
                if !self.clear_some(lane, pos).await {
                    break;
                }
            }
        }
    }

    async fn clear_some(&self, lane: Lane, to: LanePos) -> bool {
        let page = Page::first(CLEARED_PER_COMMIT).up_to((lane, to));
        let Ok(rows) = self.store.scan::<ChangeLog, _>(&lane, page).await else { return false };
        if rows.rows.is_empty() {
            return false;
        }
        let mut txn = self.store.txn().home(lane);
        for (key, _) in &rows.rows {
            txn.delete::<ChangeLog>(key);
        }
        match self.store.commit(txn).await {
            Ok(_) => rows.more,
            Err(error) => {
                tracing::warn!(%error, "the change log could not be cleared");
                false
            }
        }
    }
}
