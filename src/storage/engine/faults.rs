//! A fault at the n-th write: tests fail every write of a command in turn and look for half changes.

use std::sync::Arc;

use parking_lot::Mutex;

/// How a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// Nothing is applied and the engine says that it is down.
    Down,
    /// Nothing is applied; the store submits again.
    Busy,
    /// The write is applied and its outcome is lost.
    Unknown,
}

#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    fail: Option<(u64, WriteFault)>,
}

/// Counts the write calls of an engine and makes one of them fail. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct WriteFaults(Arc<Mutex<Plan>>);

impl WriteFaults {
    /// How many batches were submitted so far, the failed ones included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Makes the `nth` write from now fail; 1 is the next one.
    pub fn fail_nth(&self, nth: u64, fault: WriteFault) {
        let mut plan = self.0.lock();
        plan.fail = Some((plan.calls + nth, fault));
    }

    /// Takes a planned fault back.
    pub fn clear(&self) {
        self.0.lock().fail = None;
    }

    /// Counts a write and gives its fault.
    pub(crate) fn next(&self) -> Option<WriteFault> {
        let mut plan = self.0.lock();
        plan.calls += 1;
        let calls = plan.calls;
        plan.fail.take_if(|(at, _)| *at == calls).map(|(_, fault)| fault)
    }
}
