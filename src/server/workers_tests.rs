use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use hearth_homeserver::{Stop, Worker};
use hearth_protocol::{MockClock, UnixMs};

use super::{Tasks, WorkerState};

/// Panics at its first runs, then waits for the stop, or for ever if it is deaf.
struct Shaky {
    runs: Arc<AtomicU32>,
    panics: u32,
    deaf: bool,
}

impl Worker for Shaky {
    fn name(&self) -> &'static str {
        "shaky"
    }

    fn follows(&self) -> &'static str {
        "nothing"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            assert!(self.runs.fetch_add(1, Ordering::SeqCst) >= self.panics, "as planned");
            if self.deaf {
                std::future::pending::<()>().await;
            }
            stop.cancelled().await;
        })
    }
}

fn start(tasks: &Tasks, panics: u32, deaf: bool) -> Arc<AtomicU32> {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    tasks.start_worker(move || Box::new(Shaky { runs: Arc::clone(&counted), panics, deaf }));
    runs
}

fn tasks() -> Tasks {
    Tasks::new(Arc::new(MockClock::new(UnixMs(0))))
}

#[tokio::test]
async fn a_panicked_worker_is_started_again() {
    let tasks = tasks();
    let runs = start(&tasks, 2, false);
    while runs.load(Ordering::SeqCst) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = &tasks.list_workers()[0];
    assert_eq!((status.name, status.follows, status.restarts), ("shaky", "nothing", 2));
    assert!(tasks.stop_workers(Duration::from_secs(5)).await.is_empty());
    assert_eq!(tasks.list_workers()[0].state, WorkerState::Ended);
}

#[tokio::test]
async fn a_worker_that_does_not_listen_holds_up_a_stop_only_so_long() {
    let tasks = tasks();
    start(&tasks, 0, true);
    assert_eq!(tasks.stop_workers(Duration::from_millis(20)).await, ["shaky"]);
}

#[tokio::test]
async fn a_worker_in_its_pause_is_stopped_at_once() {
    let tasks = tasks();
    start(&tasks, u32::MAX, false);
    while tasks.list_workers()[0].restarts < 4 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(tasks.stop_workers(Duration::from_millis(300)).await.is_empty());
}

#[tokio::test]
async fn connections_are_waited_for() {
    let tasks = tasks();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    tasks.start_connection(async move {
        let _ = ended.await;
    });
    assert_eq!(tasks.connection_count(), 1);
    assert!(!tasks.finish_connections(Duration::from_millis(10)).await);
    drop(end);
    assert!(tasks.finish_connections(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn the_failure_of_a_vital_worker_is_told() {
    let tasks = tasks();
    let well = Arc::new(AtomicU32::new(1));
    tasks.start_vital_worker(Box::new(Shaky { runs: well, panics: 1, deaf: false }));
    assert!(tokio::time::timeout(Duration::from_millis(50), tasks.failed()).await.is_err());
    tasks.start_vital_worker(Box::new(Shaky { runs: Arc::default(), panics: 1, deaf: false }));
    tokio::time::timeout(Duration::from_secs(5), tasks.failed()).await.unwrap();
    assert!(tasks.stop_workers(Duration::from_secs(5)).await.is_empty());
}
