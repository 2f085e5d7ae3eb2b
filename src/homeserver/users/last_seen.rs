//! When and from where devices were seen last: noted in memory by each request, written by a worker.
//!
//! A request never waits for it, and what a crash loses of it is about a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ahash::RandomState;
use futures_util::future::{BoxFuture, FutureExt as _};
use hearth_protocol::UserKey;
use hearth_storage::CommitError;
use hearth_storage::schema::accounts::{DeviceSighting, DeviceSightings};
use hearth_storage::schema::users::Devices;

use super::handle::Users;
use super::local_user::LocalUser;
use super::sessions::NewSession;
use crate::{Stop, Worker};

/// A device is noted at most this often.
const NOTED_EVERY_MS: u64 = 60_000;
/// What is kept of what a client calls itself, in bytes.
const USER_AGENT_BYTES_MAX: usize = 256;
/// How many sightings may wait to be written; more are left out.
const WAITING_MAX: usize = 50_000;
/// How often the worker writes.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// How many writes go on side by side; the engine puts them into one group.
const WRITES_MAX: usize = 256;

type SightingMap = HashMap<(UserKey, String), DeviceSighting, RandomState>;

/// Sightings that are not in the table yet.
#[derive(Default)]
pub(super) struct Sightings {
    waiting: SightingMap,
    /// Taken by the worker, which is about to have written them.
    being_written: Arc<SightingMap>,
}

impl Sightings {
    /// The newest that is not in the table yet.
    pub(super) fn find(&self, key: &(UserKey, String)) -> Option<DeviceSighting> {
        self.waiting.get(key).or_else(|| self.being_written.get(key)).cloned()
    }
}

impl Users {
    /// Notes that the caller's device is active, at most once a minute. Never waits.
    pub fn record_seen(&self, user: &LocalUser, ip: Option<IpAddr>, user_agent: Option<&str>) {
        let now_ms = self.now_ms();
        let last_ms = user.seen_ms.load(Ordering::Relaxed);
        if now_ms < last_ms.saturating_add(NOTED_EVERY_MS) && last_ms != 0 {
            return;
        }
        if user.seen_ms.compare_exchange(last_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return; // Another request of the same token notes it.
        }
        self.note_sighting((user.key, user.device_id.to_string()), ip, user_agent);
    }

    /// Notes where a session has just begun; with what client, its first request says. Never waits.
    pub fn record_begun(&self, session: &NewSession, ip: Option<IpAddr>) {
        self.note_sighting((UserKey::of(&session.user_id), session.device_id.to_string()), ip, None);
    }

    fn note_sighting(&self, device: (UserKey, String), ip: Option<IpAddr>, user_agent: Option<&str>) {
        let user_agent = user_agent.map(|agent| agent[..agent.floor_char_boundary(USER_AGENT_BYTES_MAX)].to_owned());
        let sighting = DeviceSighting { seen_ms: self.now_ms(), ip: ip.map(|ip| ip.to_string()), user_agent };
        let mut sightings = self.0.sightings.lock();
        if sightings.waiting.len() < WAITING_MAX {
            sightings.waiting.insert(device, sighting);
        }
    }

    /// Writes all sightings that wait.
    pub(super) async fn write_sightings(&self) {
        let taken = {
            let mut sightings = self.0.sightings.lock();
            sightings.being_written = Arc::new(std::mem::take(&mut sightings.waiting));
            sightings.being_written.clone()
        };
        let mut left = taken.iter();
        loop {
            let some: Vec<_> =
                left.by_ref().take(WRITES_MAX).map(|(key, sighting)| self.write_sighting(key, sighting)).collect();
            if some.is_empty() {
                break;
            }
            futures_util::future::join_all(some).await;
        }
        self.0.sightings.lock().being_written = Arc::default();
    }

    async fn write_sighting(&self, key: &(UserKey, String), sighting: &DeviceSighting) {
        let mut txn = self.0.env.store.txn();
        txn.assert_present::<Devices>(key);
        txn.put::<DeviceSightings>(key, sighting);
        match self.0.env.store.commit(txn).await {
            // A conflict: the device was deleted in the meantime.
            Ok(_) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(%error, "when a device was seen last could not be written"),
        }
    }
}

/// Writes sightings every few seconds.
pub(super) struct LastSeenWriter {
    users: Users,
}

impl LastSeenWriter {
    pub(super) fn new(users: Users) -> Self {
        Self { users }
    }
}

impl Worker for LastSeenWriter {
    fn name(&self) -> &'static str {
        "last_seen_writer"
    }

    fn follows(&self) -> &'static str {
        "requests, every 5 seconds"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(WRITE_EVERY)).await.is_some() {
                self.users.write_sightings().await;
            }
            self.users.write_sightings().await;
        }
        .boxed()
    }
}
