//! Work that goes on by itself.
//!
//! The server crate lists all workers in one place, runs each as a task, and ends them through [`Stop`].

use std::time::Duration;

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

/// Does the same again and again, with a rest before each time, until the server stops. What fails says so in a warning
/// and is tried again the next time.
pub(crate) async fn run_every<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
    rest: Duration,
    stop: &Stop,
    what: &'static str,
    work: impl Fn() -> F,
) {
    while stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(work()).await {
            tracing::warn!(what, %error, "failed; tried again later");
        }
    }
}
