//! Turns: who changes what has to be read first waits for the others who change the same.
//!
//! A commit that asserts what it has read is right without this; but of a hundred that are built at the same moment one
//! gets through and the rest build again, and most give up before their time comes. In turn, all get through at once.
//! Other processes over the same tables are not waited for: what they change is still found by the assertion.

use tokio::sync::{Mutex, MutexGuard};

/// In how many rows the waiting stand; keys that share one wait for each other, which costs them time and nothing else.
const ROWS: usize = 1_024;

/// Gives turns by key. How many wait is bounded by how many requests the server takes at once.
pub(crate) struct Turns {
    rows: Box<[Mutex<()>]>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { rows: (0..ROWS).map(|_| Mutex::new(())).collect() }
    }

    /// Waits until it is this one's turn; the turn ends when the guard goes. Who has a turn must not ask for another.
    pub(crate) async fn take(&self, key: &[u8]) -> MutexGuard<'_, ()> {
        let row = key.iter().fold(0usize, |row, byte| row.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        self.rows[row % ROWS].lock().await
    }
}
