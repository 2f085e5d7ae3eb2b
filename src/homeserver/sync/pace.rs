//! How often a reader is told of what is no message: typing, receipts, presence. The first such answer goes out at once;
//! more of them are gathered, so that a thousand readers of the same busy rooms do not cost a million answers.

use parking_lot::Mutex;

/// The shortest time between two such answers to one user, in milliseconds.
pub const PAUSE_MS_MIN: u64 = 500;
/// The longest, however busy the server is, in milliseconds.
pub const PAUSE_MS_MAX: u64 = 5_000;
/// Such answers to all users together, a second: when there are more, the pauses grow.
const ANSWERS_PER_S_MAX: u64 = 200;
/// How often the pause is adjusted, in milliseconds.
const WINDOW_MS: u64 = 1_000;

/// The pause between quiet answers, as it follows from their number.
pub struct Pace(Mutex<Window>);

struct Window {
    began_ms: u64,
    answers: u64,
    pause_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(Window { began_ms: 0, answers: 0, pause_ms: PAUSE_MS_MIN }))
    }
}

impl Pace {
    /// How long a user is not told again, in milliseconds.
    pub fn pause_ms(&self, now_ms: u64) -> u64 {
        let mut window = self.0.lock();
        window.roll(now_ms);
        window.pause_ms
    }

    /// Notes a quiet answer.
    pub fn note_answer(&self, now_ms: u64) {
        let mut window = self.0.lock();
        window.roll(now_ms);
        window.answers += 1;
    }
}

impl Window {
    /// With so many readers at this pause, the pause at which they are told as often as allowed is in proportion.
    fn roll(&mut self, now_ms: u64) {
        let passed_ms = now_ms.saturating_sub(self.began_ms);
        if passed_ms < WINDOW_MS {
            return;
        }
        let per_s = self.answers.saturating_mul(1_000) / passed_ms;
        self.pause_ms = (self.pause_ms.saturating_mul(per_s) / ANSWERS_PER_S_MAX).clamp(PAUSE_MS_MIN, PAUSE_MS_MAX);
        (self.began_ms, self.answers) = (now_ms, 0);
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
