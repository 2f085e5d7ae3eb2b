//! How often a reader is told of what is no message: typing, receipts, presence. The first such answer goes out at once;
//! more of them are gathered, and go out in turns, so that a thousand readers of the same busy rooms neither cost a
//! million answers nor are all answered in the same moment.

use parking_lot::Mutex;

/// The shortest time between two such answers to one user, in milliseconds.
pub const PAUSE_MS_MIN: u64 = 500;
/// The longest that a user waits for a turn, however busy the server is, in milliseconds.
pub const PAUSE_MS_MAX: u64 = 5_000;
/// From one turn to the next, of all users together, in milliseconds.
const TURN_MS: u64 = 5;

/// The turns of all users. Holds when the next is free, on the monotonic clock.
#[derive(Default)]
pub struct Pace(Mutex<u64>);

impl Pace {
    /// Whether a turn can be taken now.
    fn is_free(&self, now_ms: u64) -> bool {
        *self.0.lock() <= now_ms
    }

    /// Takes the next turn, and gives its time.
    fn take(&self, now_ms: u64) -> u64 {
        let mut free_ms = self.0.lock();
        let turn_ms = (*free_ms).clamp(now_ms, now_ms + PAUSE_MS_MAX);
        *free_ms = turn_ms + TURN_MS;
        turn_ms
    }
}

/// A user's turn.
#[derive(Debug, Default)]
pub struct Turn {
    /// When the user was told last.
    told_ms: Option<u64>,
    /// When the user is told next; none where that is not asked for yet.
    due_ms: Option<u64>,
}

impl Turn {
    /// Whether the user may be told now.
    pub fn is_due(&self, pace: &Pace, now_ms: u64) -> bool {
        self.due_ms.map_or_else(|| self.rested_ms() <= now_ms && pace.is_free(now_ms), |due_ms| due_ms <= now_ms)
    }

    /// When the user is told of what there is now.
    pub fn book(&mut self, pace: &Pace, now_ms: u64) -> u64 {
        let rested_ms = self.rested_ms();
        *self.due_ms.get_or_insert_with(|| pace.take(now_ms).max(rested_ms))
    }

    /// Notes that the user was told.
    pub fn note_told(&mut self, pace: &Pace, now_ms: u64) {
        if self.due_ms.take().is_none() {
            pace.take(now_ms);
        }
        self.told_ms = Some(now_ms);
    }

    /// Notes that there was nothing to tell when the turn came.
    pub fn pass(&mut self, now_ms: u64) {
        self.due_ms = self.due_ms.filter(|due_ms| *due_ms > now_ms);
    }

    fn rested_ms(&self) -> u64 {
        self.told_ms.map_or(0, |told_ms| told_ms + PAUSE_MS_MIN)
    }
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
