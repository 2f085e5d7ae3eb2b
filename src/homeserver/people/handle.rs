//! The handle of the user directory.

use std::sync::Arc;

use tokio::time::Duration;

use super::config::PeopleConfig;
use super::indexer::PeopleReader;
use crate::env::Env;
use crate::log_follower::LogFollower;
use crate::log_progress::LogProgress;
use crate::rooms::Rooms;
use crate::users::Users;
use crate::worker::Worker;

/// How long a search waits for the index to take in what happened just now.
const CATCH_UP: Duration = Duration::from_millis(500);

/// Who can be found; cheap to clone.
#[derive(Clone)]
pub struct Directory {
    pub(super) env: Env,
    pub(super) users: Users,
    pub(super) search_all_users: bool,
    rooms: Rooms,
    progress: Arc<LogProgress>,
}

impl Directory {
    /// Over these.
    #[must_use]
    pub fn new(env: &Env, config: &PeopleConfig, users: Users, rooms: Rooms) -> Self {
        let progress = Arc::new(LogProgress::new(env.store.lanes()));
        Self { env: env.clone(), users, search_all_users: config.search_all_users, rooms, progress }
    }

    /// The loops that the server has to run.
    #[must_use]
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        let store = self.env.store.clone();
        let reader = PeopleReader { store: store.clone(), users: self.users.clone(), rooms: self.rooms.clone() };
        let (clock, progress) = (Arc::clone(&self.env.clock), Arc::clone(&self.progress));
        vec![Box::new(LogFollower { store, clock, progress, reader })]
    }

    /// Waits a moment for the index when it lags.
    pub(super) async fn catch_up(&self) {
        if !self.progress.catch_up(&self.env.store, CATCH_UP).await {
            tracing::debug!("the user directory lags; who is new is found later");
        }
    }
}
