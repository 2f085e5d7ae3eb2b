//! The handle of search.

use std::sync::Arc;

use hearth_protocol::{Clock, RoomKey};
use hearth_storage::{StorageError, Store};
use tokio::time::Duration;

use super::config::SearchConfig;
use super::cursor::Place;
use super::indexer::SearchReader;
use super::query::Query;
use super::walk::SearchWalk;
use crate::env::Env;
use crate::log_follower::LogFollower;
use crate::log_progress::LogProgress;
use crate::rooms::Rooms;
use crate::worker::Worker;

/// How long a search waits for the index to take in what was said just now. What takes longer is found later.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Finding events by words; cheap to clone.
#[derive(Clone)]
pub struct Search {
    store: Store,
    rooms: Rooms,
    clock: Arc<dyn Clock>,
    progress: Arc<LogProgress>,
    enabled: bool,
}

impl Search {
    /// Over these rooms.
    #[must_use]
    pub fn new(env: &Env, config: &SearchConfig, rooms: Rooms) -> Self {
        let progress = Arc::new(LogProgress::new(env.store.lanes()));
        let (store, clock) = (env.store.clone(), Arc::clone(&env.clock));
        Self { store, rooms, clock, progress, enabled: config.enabled }
    }

    /// Whether there is an index.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The loops that the server has to run.
    #[must_use]
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        if self.enabled { vec![Box::new(self.indexer())] } else { Vec::new() }
    }

    pub(super) fn indexer(&self) -> LogFollower<SearchReader> {
        LogFollower {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            progress: Arc::clone(&self.progress),
            reader: SearchReader { store: self.store.clone(), rooms: self.rooms.clone() },
        }
    }

    /// Begins a search in some rooms, behind a place where one is given. Waits a moment for the index when it lags.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn begin(
        &self,
        query: &Query,
        rooms: &[RoomKey],
        after: Option<Place>,
    ) -> Result<SearchWalk, StorageError> {
        if !self.progress.catch_up(&self.store, CATCH_UP).await {
            tracing::debug!("the search index lags; what is new is found later");
        }
        SearchWalk::begin(self.store.clone(), query, rooms, after).await
    }
}
