//! Erasing the originals of redacted events, once the time that they are kept has passed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::Lane;
use hearth_storage::schema::log::ErasuresDue;
use hearth_storage::{Page, StorageError};

use super::pipeline::erase_original;
use super::reader::RoomReader;
use crate::env::Env;
use crate::worker::{Stop, Worker, run_every};

/// How often due erasures are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Erasures of one lane in one round.
const ERASURES_PER_ROUND_MAX: usize = 500;

/// Follows the time at which redacted originals are due.
pub struct ErasureWorker {
    env: Env,
    reader: Arc<RoomReader>,
}

impl ErasureWorker {
    /// A worker over all lanes.
    #[must_use]
    pub fn new(env: Env, reader: Arc<RoomReader>) -> Self {
        Self { env, reader }
    }

    /// Erases what is due by now, in all lanes; gives how many originals went.
    ///
    /// # Errors
    /// When reading or writing fails; what was erased stays erased.
    pub async fn erase_due(&self) -> Result<usize, super::error::RoomError> {
        let now = self.env.clock.now().0;
        let mut erased = 0;
        for lane in (0..self.env.store.lanes()).map(Lane) {
            for (lane, due_ms, room, event) in self.list_due(lane, now).await? {
                if let Some(room) = self.reader.load_room(room).await? {
                    erase_original(&self.reader, &room, event, (lane, due_ms)).await?;
                    erased += 1;
                }
            }
        }
        Ok(erased)
    }

    async fn list_due(
        &self,
        lane: Lane,
        now: u64,
    ) -> Result<Vec<<ErasuresDue as hearth_storage::Table>::Key>, StorageError> {
        let rows = self.env.store.scan::<ErasuresDue, _>(&lane, Page::first(ERASURES_PER_ROUND_MAX)).await?.rows;
        Ok(rows.into_iter().map(|(key, _)| key).take_while(|(_, due_ms, _, _)| *due_ms <= now).collect())
    }
}

impl Worker for ErasureWorker {
    fn name(&self) -> &'static str {
        "redaction erasure"
    }

    fn follows(&self) -> &'static str {
        "the time at which originals of redacted events are due"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            let worker = &*self;
            run_every(EVERY, &stop, worker.name(), || worker.erase_due()).await;
        }
        .boxed()
    }
}
