//! Both directions of a socket: what comes, and what waits to be sent.
//!
//! Nothing is produced while something waits, so what waits is small; and nothing is read while too many answers wait,
//! so a client that only asks is stopped by its own connection.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite;

use super::close::Close;

/// Answers that may wait before nothing more is read.
const WAITING_FRAMES_MAX: usize = 64;

/// How long a close frame is tried before the connection is dropped.
const CLOSE_TRIED: Duration = Duration::from_secs(5);

/// What happened on the wire.
#[derive(Debug)]
pub enum WireEvent {
    /// A frame came.
    Received(Message),
    /// All that waited was sent.
    Drained,
    /// The other end is gone, or breaks the protocol.
    Ended,
    /// A frame came that is too large to be read.
    TooLarge,
}

/// The socket with what waits to be sent on it.
pub struct Wire {
    socket: WebSocket,
    waiting: VecDeque<Message>,
    is_flushing: bool,
}

impl Wire {
    /// Nothing waits yet.
    pub fn new(socket: WebSocket) -> Self {
        Self { socket, waiting: VecDeque::new(), is_flushing: false }
    }

    /// Whether all is sent: the time to produce more.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_flushing
    }

    /// Sends a frame when there is room.
    pub fn send(&mut self, frame: String) {
        self.waiting.push_back(Message::Text(frame.into()));
    }

    /// Asks the other end whether it lives, unless there is something on its way to it anyway.
    pub fn ping(&mut self) {
        if self.is_idle() {
            self.waiting.push_back(Message::Ping(Bytes::new()));
        }
    }

    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> WireEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Says why it ends, and waits a little for the other end to have read it.
    pub async fn close(&mut self, close: Close) {
        self.waiting.push_back(Message::Close(Some(close.frame())));
        self.finish().await;
    }

    /// Sends what waits and reads to the end, for a little while.
    pub async fn finish(&mut self) {
        let ended = poll_fn(|cx| {
            loop {
                match self.poll_next(cx) {
                    Poll::Ready(WireEvent::Received(_) | WireEvent::Drained) => {}
                    Poll::Ready(WireEvent::Ended | WireEvent::TooLarge) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        // Whoever does not take it in this time is dropped without it.
        let _ = tokio::time::timeout(CLOSE_TRIED, ended).await;
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<WireEvent> {
        match self.poll_send(cx) {
            Poll::Ready(Ok(Sent::All)) => return Poll::Ready(WireEvent::Drained),
            Poll::Ready(Err(_)) => return Poll::Ready(WireEvent::Ended),
            Poll::Ready(Ok(Sent::Nothing)) | Poll::Pending => {}
        }
        if self.waiting.len() >= WAITING_FRAMES_MAX {
            return Poll::Pending;
        }
        Pin::new(&mut self.socket).poll_next(cx).map(|received| match received {
            Some(Ok(message)) => WireEvent::Received(message),
            Some(Err(error)) if is_too_large(&error) => WireEvent::TooLarge,
            Some(Err(_)) | None => WireEvent::Ended,
        })
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Sent, axum::Error>> {
        if self.is_idle() {
            return Poll::Ready(Ok(Sent::Nothing));
        }
        let mut socket = Pin::new(&mut self.socket);
        while !self.waiting.is_empty() {
            std::task::ready!(socket.as_mut().poll_ready(cx))?;
            if let Some(message) = self.waiting.pop_front() {
                socket.as_mut().start_send(message)?;
                self.is_flushing = true;
            }
        }
        std::task::ready!(socket.poll_flush(cx))?;
        self.is_flushing = false;
        self.waiting.shrink_to_fit();
        Poll::Ready(Ok(Sent::All))
    }
}

enum Sent {
    Nothing,
    All,
}

fn is_too_large(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<tungstenite::Error>());
    matches!(source, Some(tungstenite::Error::Capacity(_)))
}
