//! The real clock and the real randomness. Made once at assembly; everything else is given them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hearth_protocol::{Clock, Rng, UnixMs};
use rand::Rng as _;

/// The machine's time.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Microseconds since this clock was made: for measuring how long something takes.
    pub fn monotonic_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    fn now(&self) -> UnixMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic_ms(&self) -> u64 {
        Self::monotonic_us(self) / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        Self::monotonic_us(self)
    }
}

/// Randomness fit for secrets: a generator for each thread, seeded by the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "this is the one real source of randomness")]
    fn fill(&self, out: &mut [u8]) {
        rand::rng().fill_bytes(out);
    }
}
