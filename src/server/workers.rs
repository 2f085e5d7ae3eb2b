//! The one place where tasks are started: workers by name, and connections.
//!
//! A worker that panics is started again after a pause that doubles each time; one panic harms
//! nobody else. A vital worker holds something that cannot be made again within this process, so
//! when it fails the process has to end, and whoever watches over it starts it anew.
//! At a stop all workers are told, and those that do not end in time are dropped:
//! each is safe to run twice over the same rows, so the next start makes up for it.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hearth_api::Connections;
use hearth_homeserver::metrics::{Gauge, Metered, Reading};
use hearth_homeserver::{Stop, Worker};
use hearth_protocol::Clock;
use parking_lot::Mutex;
use tokio_util::task::TaskTracker;

/// The pause after the first panic of a worker.
const BACK_OFF_MS: u64 = 100;

/// The longest pause between two starts of a worker.
const BACK_OFF_MS_MAX: u64 = 30_000;

/// A worker that ran for this long is taken to be well again: its pauses begin anew.
const WELL_AFTER_MS: u64 = 60_000;

/// What a worker does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerState {
    /// It runs.
    Running = 0,
    /// It failed, and is started again soon.
    Waiting = 1,
    /// It came to its end.
    Ended = 2,
}

/// A worker as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct WorkerStatus {
    /// Its name.
    pub name: &'static str,
    /// What it follows.
    pub follows: &'static str,
    /// What it does now.
    pub state: WorkerState,
    /// How often it was started again after a panic.
    pub restarts: u32,
}

struct Running {
    name: &'static str,
    follows: &'static str,
    state: AtomicU8,
    restarts: AtomicU32,
}

impl Running {
    fn set(&self, state: WorkerState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    fn status(&self) -> WorkerStatus {
        let state = match self.state.load(Ordering::Relaxed) {
            0 => WorkerState::Running,
            1 => WorkerState::Waiting,
            _ => WorkerState::Ended,
        };
        let restarts = self.restarts.load(Ordering::Relaxed);
        WorkerStatus { name: self.name, follows: self.follows, state, restarts }
    }
}

/// All tasks of the process. Cheap to clone.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    workers: Mutex<Vec<Arc<Running>>>,
    worker_tasks: TaskTracker,
    /// Connections, and the listeners that accept them.
    connection_tasks: TaskTracker,
    connections: Arc<Gauge>,
    /// Tells the workers to end.
    stop: Stop,
    /// A vital worker has failed.
    fatal: Stop,
}

impl Tasks {
    /// No tasks yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            clock,
            workers: Mutex::default(),
            worker_tasks: TaskTracker::new(),
            connection_tasks: TaskTracker::new(),
            connections: Arc::default(),
            stop: Stop::new(),
            fatal: Stop::new(),
        }))
    }

    /// Starts a worker, made by `make` each time it is started.
    pub fn start_worker(&self, make: impl Fn() -> Box<dyn Worker> + Send + 'static) {
        let first = make();
        let running = self.enlist(&*first);
        let (clock, stop) = (Arc::clone(&self.0.clock), self.0.stop.clone());
        self.0.worker_tasks.spawn(keep_running(running, first, make, clock, stop));
    }

    /// Starts the workers of a part of the homeserver; `list` makes them all, each time one is started.
    pub fn start_workers(&self, list: impl Fn() -> Vec<Box<dyn Worker>> + Clone + Send + 'static) {
        for index in 0..list().len() {
            let list = list.clone();
            self.start_worker(move || list().swap_remove(index));
        }
    }

    /// Starts a worker that cannot be made again.
    pub fn start_vital_worker(&self, worker: Box<dyn Worker>) {
        let running = self.enlist(&*worker);
        let (fatal, stop) = (self.0.fatal.clone(), self.0.stop.clone());
        self.0.worker_tasks.spawn(async move {
            if let Err(reason) = run_once(worker, &stop).await {
                tracing::error!(worker = running.name, reason, "a vital worker failed: the server stops");
                fatal.cancel();
            }
            running.set(WorkerState::Ended);
        });
    }

    /// Ends when a vital worker has failed.
    pub async fn failed(&self) {
        self.0.fatal.cancelled().await;
    }

    fn enlist(&self, worker: &dyn Worker) -> Arc<Running> {
        let running = Arc::new(Running {
            name: worker.name(),
            follows: worker.follows(),
            state: AtomicU8::new(WorkerState::Running as u8),
            restarts: AtomicU32::new(0),
        });
        self.0.workers.lock().push(Arc::clone(&running));
        running
    }

    /// Accepts connections until the server stops.
    pub fn start_listener(&self, listener: impl Future<Output = ()> + Send + 'static) {
        self.0.connection_tasks.spawn(listener);
    }

    /// Runs one connection until its peer or the server ends it.
    pub fn start_connection(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let open = Open::count(&self.0.connections);
        // Not in an `async` block, which would have room for the connection twice.
        self.0.connection_tasks.spawn(connection.map(move |()| drop(open)));
    }

    /// How many connections there are.
    pub fn connection_count(&self) -> u64 {
        u64::try_from(self.0.connections.value()).unwrap_or_default()
    }

    /// All workers in the order of their start.
    pub fn list_workers(&self) -> Vec<WorkerStatus> {
        self.0.workers.lock().iter().map(|running| running.status()).collect()
    }

    /// Waits until all listeners and connections have ended, `wait` at most; true if they have.
    pub async fn finish_connections(&self, wait: Duration) -> bool {
        self.0.connection_tasks.close();
        tokio::time::timeout(wait, self.0.connection_tasks.wait()).await.is_ok()
    }

    /// Tells all workers to end and waits for them, `wait` at most. The names of those that did not.
    pub async fn stop_workers(&self, wait: Duration) -> Vec<&'static str> {
        self.0.stop.cancel();
        self.0.worker_tasks.close();
        let _ = tokio::time::timeout(wait, self.0.worker_tasks.wait()).await;
        let workers = self.list_workers().into_iter();
        workers.filter(|status| status.state != WorkerState::Ended).map(|status| status.name).collect()
    }
}

impl Connections for Tasks {
    fn start(&self, connection: BoxFuture<'static, ()>) {
        self.start_connection(connection);
    }
}

/// Counts something for as long as it lives.
struct Open(Arc<Gauge>);

impl Open {
    fn count(gauge: &Arc<Gauge>) -> Self {
        gauge.add(1);
        Self(Arc::clone(gauge))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

async fn keep_running(
    running: Arc<Running>,
    first: Box<dyn Worker>,
    make: impl Fn() -> Box<dyn Worker> + Send + 'static,
    clock: Arc<dyn Clock>,
    stop: Stop,
) {
    let mut pause_ms = BACK_OFF_MS;
    let mut worker = first;
    loop {
        running.set(WorkerState::Running);
        let started_ms = clock.monotonic_ms();
        let Err(reason) = run_once(worker, &stop).await else { break };
        if clock.monotonic_ms().saturating_sub(started_ms) >= WELL_AFTER_MS {
            pause_ms = BACK_OFF_MS;
        }
        tracing::error!(worker = running.name, reason, pause_ms, "worker failed, starting it again");
        running.set(WorkerState::Waiting);
        running.restarts.fetch_add(1, Ordering::Relaxed);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => {}
            () = stop.cancelled() => break,
        }
        pause_ms = (pause_ms * 2).min(BACK_OFF_MS_MAX);
        worker = make();
    }
    running.set(WorkerState::Ended);
}

/// Runs a worker to its end; the reason if that came before `stop`.
async fn run_once(worker: Box<dyn Worker>, stop: &Stop) -> Result<(), String> {
    let end = AssertUnwindSafe(async { worker.run(stop.clone()).await }).catch_unwind().await;
    if stop.is_cancelled() {
        return Ok(());
    }
    Err(match end {
        Ok(()) => "it returned before it was told to".to_owned(),
        Err(panic) => panic_text(&*panic),
    })
}

/// What a panic said, as far as it is text.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic").to_owned()
}

impl Metered for Tasks {
    fn readings(&self, out: &mut Vec<Reading>) {
        let connections = self.connection_count();
        out.push(Reading::gauge("hearth_connections", "Connections that are open.", connections));
        let mut by_name: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
        for status in self.list_workers() {
            let (running, restarts) = by_name.entry(status.name).or_default();
            *running += u64::from(status.state == WorkerState::Running);
            *restarts += u64::from(status.restarts);
        }
        for (name, (running, restarts)) in by_name {
            let help = "How many workers of a name run.";
            out.push(Reading::gauge("hearth_workers_running", help, running).with("worker", name));
            let help = "How often a worker was started again after a failure.";
            out.push(Reading::counter("hearth_worker_restarts_total", help, restarts).with("worker", name));
        }
    }
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
