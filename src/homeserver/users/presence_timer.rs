//! What time makes of who is online.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::presence::Presence;
use crate::{Stop, Worker};

/// How often time-outs are looked for.
const TICK: Duration = Duration::from_secs(1);

/// Applies time-outs every second.
pub(super) struct PresenceTimer {
    presence: Presence,
}

impl PresenceTimer {
    pub(super) fn new(presence: Presence) -> Self {
        Self { presence }
    }
}

impl Worker for PresenceTimer {
    fn name(&self) -> &'static str {
        "presence_timer"
    }

    fn follows(&self) -> &'static str {
        "the time, every second"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
                self.presence.apply_timeouts();
            }
        }
        .boxed()
    }
}
