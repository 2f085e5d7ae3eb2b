//! Time and randomness as arguments, with the doubles that tests use.
//!
//! The real ones are made once, at assembly; nothing else reads the system's clock or its randomness.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// This time and `ms` milliseconds more; stays at the largest value instead of wrapping.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The milliseconds from `earlier` to this time; 0 when `earlier` is later.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time of day; may jump when the system's clock is set.
    fn now(&self) -> UnixMs;

    /// Milliseconds since a fixed moment of this process; never goes back.
    fn monotonic_ms(&self) -> u64;

    /// The same in microseconds, for measuring; no finer than the clock is.
    fn monotonic_us(&self) -> u64 {
        self.monotonic_ms().saturating_mul(1_000)
    }
}

/// Gives random bytes.
pub trait Rng: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The alphabet of [`random_string`].
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The largest multiple of 62 that fits a byte's range: bytes from here on would favour some letters.
const UNBIASED_BELOW: u8 = 248;

/// A random string of `len` letters and digits (about 5.95 bits each), each equally likely.
pub fn random_string(rng: &dyn Rng, len: usize) -> String {
    let mut text = String::with_capacity(len);
    let mut bytes = [0; 64];
    while text.len() < len {
        rng.fill(&mut bytes);
        let letters = bytes.iter().filter(|byte| **byte < UNBIASED_BELOW);
        let missing = len - text.len();
        text.extend(letters.take(missing).map(|byte| char::from(ALPHANUMERIC[usize::from(byte % 62)])));
    }
    text
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct MockClock {
    now_ms: AtomicU64,
    monotonic_ms: AtomicU64,
}

impl MockClock {
    /// A clock that shows `now`, and 0 as its monotonic time.
    #[must_use]
    pub const fn new(now: UnixMs) -> Self {
        Self { now_ms: AtomicU64::new(now.0), monotonic_ms: AtomicU64::new(0) }
    }

    /// Moves both times on by `ms` milliseconds.
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
        self.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the time of day, also backwards, as an operator might; the monotonic time stays.
    pub fn set_now(&self, now: UnixMs) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for MockClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.now_ms.load(Ordering::SeqCst))
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_ms.load(Ordering::SeqCst)
    }
}

/// Repeatable bytes from a seed (SplitMix64), for tests and simulations only: anyone can predict them.
#[derive(Debug)]
pub struct SeededRng {
    state: Mutex<u64>,
}

impl SeededRng {
    /// The generator that this seed always gives.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }
}

impl Rng for SeededRng {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
