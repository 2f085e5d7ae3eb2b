//! The continuous syncs of a socket.
//!
//! Each asks the one sync function again from where the last sent body ended. It asks only while the client keeps up:
//! what was sent and not acknowledged has a limit in frames and in bytes, and beyond it nothing is computed, so that
//! nothing waits here to become stale.

use std::{collections::VecDeque, future::poll_fn, task::Poll};

use futures_util::future::BoxFuture;
use hearth_homeserver::{
    Stop,
    sync::{Sync, SyncRequest, SyncToken, TIMEOUT_MS_MAX},
    users::LocalUser,
};

use super::{frame::write_body, sockets::Holding};
use crate::{api_error::ApiError, config::SocketConfig};

/// Syncs that one socket may have at once.
const SYNCS_MAX: usize = 4;

/// What bodies are computed with.
pub struct Source<'a> {
    pub sync: &'a Sync,
    pub user: &'a LocalUser,
    pub stop: &'a Stop,
}

/// A body with its frame around it, and the position after it.
pub struct Body {
    frame: String,
    next: SyncToken,
}

/// What became of a sync that was asked.
pub enum Produced {
    /// It goes on: this is its next body.
    Body(Body),
    /// It ended, as HTTP would have ended it.
    Error(ApiError),
}

/// All syncs of a socket.
pub struct Syncs {
    running: Vec<Running>,
    window_frames: usize,
    window_bytes: usize,
}

struct Running {
    id: String,
    conn_id: String,
    /// Its `since` is where the last sent body ended.
    request: SyncRequest,
    /// Of the last sent body; they count from 1.
    seq: u64,
    /// The sizes of those that are not acknowledged, in bytes, oldest first.
    unacked: VecDeque<usize>,
    /// A body did not fit beside those: it is computed again when there is room.
    is_full: bool,
    /// Since when the client has owed an acknowledgement, on the monotonic clock.
    owing_since_ms: Option<u64>,
    next: Option<BoxFuture<'static, Result<Body, ApiError>>>,
    _holding: Holding,
}

impl Syncs {
    /// None yet.
    pub fn new(config: &SocketConfig) -> Self {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            running: Vec::new(),
            window_frames: size(config.ack_window_frames).max(1),
            window_bytes: size(config.ack_window_bytes),
        }
    }

    /// Ends the sync with this id, and the one of this page or process, and says whether there is room for another.
    ///
    /// # Errors
    /// 429 when there are too many.
    pub fn make_room(&mut self, id: &str, conn_id: &str) -> Result<(), ApiError> {
        self.running.retain(|running| running.id != id && running.conn_id != conn_id);
        if self.running.len() < SYNCS_MAX { Ok(()) } else { Err(ApiError::limit_exceeded(0)) }
    }

    /// Adds a sync for which there is room. Its first body comes at once.
    pub fn start(&mut self, id: String, conn_id: String, request: SyncRequest, holding: Holding) {
        let request = SyncRequest { timeout_ms: 0, ..request };
        self.running.push(Running {
            id,
            conn_id,
            request,
            seq: 0,
            unacked: VecDeque::new(),
            is_full: false,
            owing_since_ms: None,
            next: None,
            _holding: holding,
        });
    }

    /// Ends all of them.
    pub fn end_all(&mut self) {
        self.running.clear();
    }

    /// Ends a sync.
    pub fn stop(&mut self, id: &str) {
        self.running.retain(|running| running.id != id);
    }

    /// Notes that all bodies up to `seq` are processed. Syncs that have ended are passed over.
    ///
    /// # Errors
    /// When no such body was sent.
    pub fn ack(&mut self, id: &str, seq: u64, now_ms: u64) -> Result<(), &'static str> {
        let Some(running) = self.running.iter_mut().find(|running| running.id == id) else { return Ok(()) };
        if seq > running.seq {
            return Err("No body with this `seq` was sent.");
        }
        let left = usize::try_from(running.seq - seq).unwrap_or(usize::MAX);
        if left < running.unacked.len() {
            running.unacked.drain(..running.unacked.len() - left);
            running.is_full = false;
            running.owing_since_ms = (left > 0).then_some(now_ms);
        }
        Ok(())
    }

    /// Whether the client has owed an acknowledgement for longer than `timeout_ms`.
    pub fn is_overdue(&self, now_ms: u64, timeout_ms: u64) -> bool {
        let mut owing = self.running.iter().filter_map(|running| running.owing_since_ms);
        owing.any(|since_ms| now_ms.saturating_sub(since_ms) >= timeout_ms)
    }

    /// Waits for the next body of any sync that has room, and gives it with the sync's index. Dropping the future loses nothing.
    pub async fn next(&mut self, source: Option<Source<'_>>) -> (usize, Produced) {
        let Some(source) = source else { return std::future::pending().await };
        let (frames_max, bytes_max) = (self.window_frames, self.window_bytes);
        poll_fn(|cx| {
            for (index, running) in self.running.iter_mut().enumerate() {
                if running.next.is_none() && running.has_room(frames_max, bytes_max) {
                    running.next = Some(running.produce(&source));
                }
                let Some(next) = &mut running.next else { continue };
                if let Poll::Ready(made) = next.as_mut().poll(cx) {
                    running.next = None;
                    return Poll::Ready((index, made.map_or_else(Produced::Error, Produced::Body)));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Takes a body to be sent: its frame, unless there is no room for its size; then it is computed again later.
    pub fn take(&mut self, index: usize, body: Body, now_ms: u64) -> Option<String> {
        let bytes_max = self.window_bytes;
        let running = self.running.get_mut(index)?;
        let bytes = body.frame.len();
        if !running.unacked.is_empty() && running.unacked.iter().sum::<usize>() + bytes > bytes_max {
            running.is_full = true;
            return None;
        }
        running.seq += 1;
        running.unacked.push_back(bytes);
        running.owing_since_ms.get_or_insert(now_ms);
        running.request.since = Some(body.next);
        running.request.timeout_ms = TIMEOUT_MS_MAX;
        Some(body.frame)
    }

    /// Ends the sync with this index and gives its id.
    pub fn end(&mut self, index: usize) -> String {
        self.running.remove(index).id
    }
}

impl Running {
    fn has_room(&self, frames_max: usize, bytes_max: usize) -> bool {
        let is_open = self.unacked.len() < frames_max && self.unacked.iter().sum::<usize>() < bytes_max;
        self.unacked.is_empty() || (is_open && !self.is_full)
    }

    fn produce(&self, source: &Source<'_>) -> BoxFuture<'static, Result<Body, ApiError>> {
        let (sync, user, stop) = (source.sync.clone(), source.user.clone(), source.stop.clone());
        let (id, seq, mut request) = (self.id.clone(), self.seq + 1, self.request.clone());
        Box::pin(async move {
            loop {
                let response = sync.next(&user, &request, &stop).await?;
                if request.timeout_ms == 0 || !response.is_empty() {
                    let frame = write_body(&id, seq, &response).map_err(ApiError::internal)?;
                    return Ok(Body { frame, next: response.next_batch });
                }
                if stop.is_cancelled() {
                    std::future::pending::<()>().await;
                }
                // Nothing happened between the two positions.
                request.since = Some(response.next_batch);
            }
        })
    }
}
