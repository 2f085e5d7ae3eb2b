//! Work that goes on by itself.
//!
//! The server crate lists all workers in one place, runs each as a task, and ends them through [`Stop`].

use futures_util::future::BoxFuture;

/// Told to a worker when the server stops.
pub type Stop = tokio_util::sync::CancellationToken;

/// A long-running loop with a name. It must be safe to run twice over the same rows.
pub trait Worker: Send + 'static {
    /// Its name in logs and metrics.
    fn name(&self) -> &'static str;

    /// What it follows: a log, a queue, or a time.
    fn follows(&self) -> &'static str;

    /// Runs until `stop`; it finishes what it has in hand and returns within a second.
    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()>;
}
