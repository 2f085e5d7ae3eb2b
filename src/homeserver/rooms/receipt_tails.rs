//! The newest receipts of busy rooms, in memory: everybody in a room is told of the same ones, so they are read once.

use std::collections::VecDeque;
use std::sync::Arc;

use hearth_protocol::{LanePos, RoomKey};
use hearth_storage::schema::receipts::{ReceiptChange, ReceiptChanges};
use hearth_storage::{Page, StorageError, Store};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

/// Rooms whose newest receipts are kept.
const ROOMS_MAX: usize = 1_000;
/// Receipts that are kept of one room.
const TAIL_MAX: usize = 256;
/// Receipts that one read adds to a tail; where more were recorded, the tail begins anew.
const NEW_MAX: usize = 1_000;

/// What was recorded in a room lately.
pub struct ReceiptTails(Cache<RoomKey, Arc<Mutex<Tail>>>);

/// All receipts of a room that were recorded in `(from, to]` and stand still, the oldest first.
#[derive(Debug, Default)]
struct Tail {
    from: LanePos,
    to: LanePos,
    rows: VecDeque<(LanePos, Arc<ReceiptChange>)>,
}

impl Default for ReceiptTails {
    fn default() -> Self {
        Self(Cache::new(ROOMS_MAX))
    }
}

impl ReceiptTails {
    /// The receipts of a room that were recorded in `(from, to]`, the newest first; none when the tail does not go back so
    /// far, and the table has to be asked.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list(
        &self,
        store: &Store,
        room: RoomKey,
        from: LanePos,
        to: LanePos,
    ) -> Result<Option<Vec<Arc<ReceiptChange>>>, StorageError> {
        let begin = || Ok::<_, StorageError>(Arc::new(Mutex::new(Tail { from, to: from, rows: VecDeque::new() })));
        let tail = self.0.get_or_insert_with(&room, begin)?;
        // Who comes while another one reads has the same from it.
        let mut tail = tail.lock().await;
        if tail.to < to {
            let page = Page::last(NEW_MAX).after((room, tail.to)).up_to((room, to));
            let news = store.scan::<ReceiptChanges, _>(&room, page).await?;
            tail.extend(news.rows.into_iter().map(|((_, pos), row)| (pos, row)).rev(), to, news.more);
        }
        Ok(tail.slice(from, to))
    }
}

impl Tail {
    /// Takes in what was recorded up to `to`, the oldest first; `has_gap` when there was more than that.
    fn extend(&mut self, news: impl Iterator<Item = (LanePos, ReceiptChange)>, to: LanePos, has_gap: bool) {
        if has_gap {
            self.rows.clear();
        }
        for (pos, row) in news {
            if has_gap && self.rows.is_empty() {
                self.from = pos;
            }
            let is_same =
                |old: &ReceiptChange| (&old.user_id, old.kind, &old.thread) == (&row.user_id, row.kind, &row.thread);
            self.rows.retain(|(_, old)| !is_same(old));
            self.rows.push_back((pos, Arc::new(row)));
        }
        while self.rows.len() > TAIL_MAX {
            if let Some((pos, _)) = self.rows.pop_front() {
                self.from = self.from.max(pos);
            }
        }
        self.to = to;
    }

    fn slice(&self, from: LanePos, to: LanePos) -> Option<Vec<Arc<ReceiptChange>>> {
        if from < self.from {
            return None;
        }
        let within = self.rows.iter().rev().skip_while(|(pos, _)| *pos > to).take_while(|(pos, _)| *pos > from);
        Some(within.map(|(_, row)| row.clone()).collect())
    }
}

#[cfg(test)]
#[path = "receipt_tails_tests.rs"]
mod tests;
