//! All connections that outlive a request: who has them, so that they end with the session that they belong to.
//!
//! It keeps nothing that matters beyond the connections themselves: a restart ends them all.

use std::{
    collections::hash_map::Entry,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ahash::HashMap;
use futures_util::future::BoxFuture;
use hearth_homeserver::{
    Env, Stop, Worker,
    metrics::{Counter, Gauge, Metered, Reading},
    users::{LocalUser, Users},
};
use hearth_protocol::{Clock, Rng, UserKey};
use parking_lot::Mutex;
use ruma::OwnedDeviceId;
use tokio::sync::{Notify, broadcast::error::RecvError};

use super::frame::Limits;
use crate::config::SocketConfig;

/// The longest pause that clients are asked to make before they come back after a restart, in milliseconds. Each is
/// told another one, so that they do not come all at once.
const RECONNECT_SPREAD_MS: u32 = 5_000;

/// Runs connections that are no requests any more, and knows them when the server stops.
pub trait Connections: Send + Sync {
    /// Runs one to its end.
    fn start(&self, connection: BoxFuture<'static, ()>);
}

/// The handle on all of them. Cheap to clone.
#[derive(Clone)]
pub struct Sockets(Arc<Inner>);

struct Inner {
    config: SocketConfig,
    users: Users,
    connections: Arc<dyn Connections>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    tables: Mutex<Tables>,
    open: Gauge,
    bodies: Counter,
    calls: Counter,
}

#[derive(Default)]
struct Tables {
    /// By user: the bells of their connections.
    seats: HashMap<UserKey, Vec<Arc<Bell>>>,
    /// By page or process: which socket has its sync.
    holders: HashMap<Holder, Arc<Bell>>,
}

/// A page or process of a device: its sync runs on one socket only.
type Holder = (UserKey, OwnedDeviceId, String);

#[derive(Default)]
struct Bell {
    notify: Notify,
    is_replaced: AtomicBool,
}

/// A connection's place among those of its user.
pub struct Seat {
    sockets: Sockets,
    user: UserKey,
    bell: Arc<Bell>,
    is_counted: bool,
}

/// That a sync of a page or process runs on this connection.
pub struct Holding {
    sockets: Sockets,
    holder: Holder,
    bell: Arc<Bell>,
}

impl Sockets {
    /// None yet. `connections` runs them.
    pub fn new(env: &Env, config: SocketConfig, users: Users, connections: Arc<dyn Connections>) -> Self {
        Self(Arc::new(Inner {
            config,
            users,
            connections,
            clock: Arc::clone(&env.clock),
            rng: Arc::clone(&env.rng),
            tables: Mutex::default(),
            open: Gauge::default(),
            bodies: Counter::default(),
            calls: Counter::default(),
        }))
    }

    /// The loops that the server has to run.
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        vec![Box::new(SessionWatcher(self.clone()))]
    }

    /// The section `[websocket]`.
    pub fn config(&self) -> &SocketConfig {
        &self.0.config
    }

    /// Accounts.
    pub(crate) fn users(&self) -> &Users {
        &self.0.users
    }

    /// How many sockets there are, of users who have said who they are.
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.open.value()).unwrap_or_default()
    }

    /// What clients may do.
    pub(crate) fn limits(&self) -> serde_json::Value {
        serde_json::json!(self.frame_limits())
    }

    pub(super) fn frame_limits(&self) -> Limits {
        let SocketConfig { frame_bytes_max, calls_in_flight_max, ack_window_frames, ack_window_bytes, .. } =
            self.0.config;
        Limits { frame_bytes_max, calls_in_flight_max, ack_window_frames, ack_window_bytes }
    }

    pub(super) fn start(&self, connection: BoxFuture<'static, ()>) {
        self.0.connections.start(connection);
    }

    pub(super) fn monotonic_ms(&self) -> u64 {
        self.0.clock.monotonic_ms()
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.0.clock.now().0
    }

    pub(crate) fn note_body(&self) {
        self.0.bodies.increment();
    }

    pub(super) fn note_call(&self) {
        self.0.calls.increment();
    }

    /// How long one client is asked to wait before it comes back, in milliseconds.
    pub(super) fn reconnect_after_ms(&self) -> u32 {
        let mut bytes = [0; 4];
        self.0.rng.fill(&mut bytes);
        u32::from_le_bytes(bytes) % RECONNECT_SPREAD_MS
    }

    /// Takes a place for a connection of this user.
    pub(crate) fn sit(&self, user: &LocalUser) -> Seat {
        let mut seat = self.wait(user);
        self.0.open.add(1);
        seat.is_counted = true;
        seat
    }

    /// Takes a place for a request of this user that waits. It counts as no connection.
    pub(crate) fn wait(&self, user: &LocalUser) -> Seat {
        let bell = Arc::<Bell>::default();
        self.0.tables.lock().seats.entry(user.key).or_default().push(Arc::clone(&bell));
        Seat { sockets: self.clone(), user: user.key, bell, is_counted: false }
    }

    fn ring(&self, user: UserKey) {
        for bell in self.0.tables.lock().seats.get(&user).into_iter().flatten() {
            bell.notify.notify_one();
        }
    }

    fn ring_all(&self) {
        for bell in self.0.tables.lock().seats.values().flatten() {
            bell.notify.notify_one();
        }
    }
}

impl Seat {
    /// Waits until the user's sessions may have changed, or another socket took over.
    pub async fn rung(&self) {
        self.bell.notify.notified().await;
    }

    /// Whether another socket took over.
    pub fn is_replaced(&self) -> bool {
        self.bell.is_replaced.load(Ordering::Relaxed)
    }

    /// Takes the sync of a page or process over from whichever other socket has it.
    pub fn hold(&self, user: &LocalUser, conn_id: &str) -> Holding {
        let holder = (user.key, user.device_id.clone(), conn_id.to_owned());
        let before = self.sockets.0.tables.lock().holders.insert(holder.clone(), Arc::clone(&self.bell));
        if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, &self.bell)) {
            before.is_replaced.store(true, Ordering::Relaxed);
            before.notify.notify_one();
        }
        Holding { sockets: self.sockets.clone(), holder, bell: Arc::clone(&self.bell) }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_counted {
            self.sockets.0.open.add(-1);
        }
        let mut tables = self.sockets.0.tables.lock();
        if let Entry::Occupied(mut seats) = tables.seats.entry(self.user) {
            if let Some(at) = seats.get().iter().position(|bell| Arc::ptr_eq(bell, &self.bell)) {
                seats.get_mut().swap_remove(at);
            }
            if seats.get().is_empty() {
                seats.remove();
            }
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut tables = self.sockets.0.tables.lock();
        if tables.holders.get(&self.holder).is_some_and(|bell| Arc::ptr_eq(bell, &self.bell)) {
            tables.holders.remove(&self.holder);
        }
    }
}

/// Tells connections that the sessions of their user changed, so that they look whether theirs is still there.
struct SessionWatcher(Sockets);

impl Worker for SessionWatcher {
    fn name(&self) -> &'static str {
        "socket_sessions"
    }

    fn follows(&self) -> &'static str {
        "changes of sessions"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut changes = self.0.0.users.subscribe_sessions();
            // What changed while nobody listened.
            self.0.ring_all();
            loop {
                let change = tokio::select! {
                    change = changes.recv() => change,
                    () = stop.cancelled() => return,
                };
                match change {
                    Ok(change) => self.0.ring(change.user),
                    Err(RecvError::Lagged(_)) => self.0.ring_all(),
                    Err(RecvError::Closed) => return,
                }
            }
        })
    }
}

impl Metered for Sockets {
    fn readings(&self, out: &mut Vec<Reading>) {
        let help = "WebSockets and event streams that are open.";
        out.push(Reading::gauge("hearth_sockets", help, self.count()));
        let help = "Bodies of syncs that were pushed over sockets and event streams.";
        out.push(Reading::counter("hearth_socket_bodies_total", help, self.0.bodies.value()));
        let help = "Calls that came over WebSockets.";
        out.push(Reading::counter("hearth_socket_calls_total", help, self.0.calls.value()));
    }
}
