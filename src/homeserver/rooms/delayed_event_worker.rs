//! Sends delayed events when they are due.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::delayed_events::DelayedEvents;
use crate::worker::{Stop, Worker};

/// How long it sleeps at the most, whatever it knows.
const EVERY: Duration = Duration::from_secs(60);
/// How long it waits when sending failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Follows the time at which delayed events are due.
pub struct DelayedEventWorker {
    events: DelayedEvents,
}

impl DelayedEventWorker {
    /// The worker of these events.
    #[must_use]
    pub fn new(events: DelayedEvents) -> Self {
        Self { events }
    }

    /// Sends what is due, and says how long there is nothing to do.
    async fn round(&self) -> Duration {
        match self.events.send_due().await {
            Ok(Some(due_ms)) => Duration::from_millis(due_ms.saturating_sub(self.events.now_ms())).min(EVERY),
            Ok(None) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "delayed events could not be sent; tried again soon");
                AFTER_FAILURE
            }
        }
    }
}

impl Worker for DelayedEventWorker {
    fn name(&self) -> &'static str {
        "delayed events"
    }

    fn follows(&self) -> &'static str {
        "the time at which delayed events are due"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            while !stop.is_cancelled() {
                let idle = self.round().await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.events.changed() => {}
                    () = tokio::time::sleep(idle) => {}
                }
            }
        }
        .boxed()
    }
}
