//! Both directions of a socket: what comes, and what waits to be sent.
//!
//! Nothing is produced while something waits, so what waits is small; and nothing is read while too many answers wait,
//! so a client that only asks is stopped by its own connection. What was sent or read leaves no buffer behind.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::IoSlice,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::{
    close::Close,
    codec::{Broken, Decoder, Message, Opcode, write_close, write_frame},
};

/// Answers that may wait before nothing more is read.
const WAITING_FRAMES_MAX: usize = 64;

/// Frames that are handed to the kernel at once.
const WRITTEN_FRAMES_MAX: usize = 16;

/// Bytes that are read at once.
const READ_BYTES: usize = 4_096;

/// How long a close frame is tried before the connection is dropped.
const CLOSE_TRIED: Duration = Duration::from_secs(5);

/// What happened on the wire.
#[derive(Debug)]
pub enum WireEvent {
    /// A message came.
    Received(Message),
    /// All that waited was sent.
    Drained,
    /// The other end is gone.
    Ended,
    /// What came cannot be read, and nothing after it.
    Broken(Broken),
}

/// The socket with what waits to be sent on it.
pub struct Wire {
    io: TokioIo<Upgraded>,
    decoder: Decoder,
    /// Nothing that comes is read any more, only taken.
    is_deaf: bool,
    waiting: VecDeque<Outgoing>,
    is_flushing: bool,
}

/// A frame on its way.
struct Outgoing {
    bytes: Vec<u8>,
    sent_bytes: usize,
}

impl Outgoing {
    fn new(opcode: Opcode, payload: &[u8]) -> Self {
        Self { bytes: write_frame(opcode, payload), sent_bytes: 0 }
    }

    fn left(&self) -> &[u8] {
        &self.bytes[self.sent_bytes..]
    }
}

impl Wire {
    /// Nothing waits yet. A message of more than `message_bytes_max` bytes is not read.
    pub fn new(io: TokioIo<Upgraded>, message_bytes_max: usize) -> Self {
        let decoder = Decoder::new(message_bytes_max);
        Self { io, decoder, is_deaf: false, waiting: VecDeque::new(), is_flushing: false }
    }

    /// Whether all is sent: the time to produce more.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_flushing
    }

    /// Sends a frame when there is room.
    pub fn send(&mut self, frame: &str) {
        self.waiting.push_back(Outgoing::new(Opcode::Text, frame.as_bytes()));
    }

    /// Asks the other end whether it lives, unless there is something on its way to it anyway.
    pub fn ping(&mut self) {
        if self.is_idle() {
            self.waiting.push_back(Outgoing::new(Opcode::Ping, &[]));
        }
    }

    /// Answers a ping.
    pub fn pong(&mut self, payload: &[u8]) {
        self.waiting.push_back(Outgoing::new(Opcode::Pong, payload));
    }

    /// Waits for the next event. Dropping the future loses nothing.
    pub async fn next(&mut self) -> WireEvent {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Says why it ends, and waits a little for the other end to have read it.
    pub async fn close(&mut self, close: Close) {
        if close == Close::TokenRefused {
            // What is not under way yet is no longer theirs to read.
            self.waiting.retain(|frame| frame.sent_bytes > 0);
        }
        self.waiting.push_back(Outgoing::new(Opcode::Close, &write_close(close.code(), close.reason())));
        let ended = poll_fn(|cx| self.poll_end(cx));
        // Whoever does not take it in this time is dropped without it.
        let _ = tokio::time::timeout(CLOSE_TRIED, ended).await;
    }

    /// Answers the other end, which has closed.
    pub async fn close_back(&mut self, code: Option<u16>) {
        let payload = code.map(|code| write_close(code, "")).unwrap_or_default();
        self.waiting.push_back(Outgoing::new(Opcode::Close, &payload));
        let sent = poll_fn(|cx| self.poll_send(cx));
        let _ = tokio::time::timeout(CLOSE_TRIED, sent).await;
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
        loop {
            match self.decoder.next() {
                Ok(Some(message)) => return Poll::Ready(WireEvent::Received(message)),
                Ok(None) => {}
                Err(broken) => {
                    self.is_deaf = true;
                    return Poll::Ready(WireEvent::Broken(broken));
                }
            }
            if ready!(self.poll_read(cx)).is_none() {
                return Poll::Ready(WireEvent::Ended);
            }
        }
    }

    /// Sends what waits and reads until the other end has closed too.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_sent = match self.poll_send(cx) {
            Poll::Ready(Ok(_)) => true,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => false,
        };
        loop {
            match self.decoder.next() {
                Ok(Some(Message::Close(_))) if is_sent => return Poll::Ready(()),
                Ok(Some(_)) => continue,
                Ok(None) => {}
                Err(_) => self.is_deaf = true,
            }
            if ready!(self.poll_read(cx)).is_none() {
                return Poll::Ready(());
            }
        }
    }

    /// Takes what came; none at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let mut room = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, &mut read));
        if result.is_err() || read.filled().is_empty() {
            return Poll::Ready(None);
        }
        if self.is_deaf {
            self.decoder = Decoder::new(0);
        } else {
            self.decoder.feed(read.filled());
        }
        Poll::Ready(Some(()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<Sent>> {
        if self.is_idle() {
            return Poll::Ready(Ok(Sent::Nothing));
        }
        while !self.waiting.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITTEN_FRAMES_MAX];
            for (slice, frame) in slices.iter_mut().zip(&self.waiting) {
                *slice = IoSlice::new(frame.left());
            }
            let count = self.waiting.len().min(WRITTEN_FRAMES_MAX);
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &slices[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.is_flushing = true;
            self.note_written(written);
        }
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.is_flushing = false;
        self.waiting = VecDeque::new();
        Poll::Ready(Ok(Sent::All))
    }

    fn note_written(&mut self, mut written: usize) {
        while let Some(frame) = self.waiting.front_mut() {
            let left = frame.left().len();
            if left > written {
                frame.sent_bytes += written;
                return;
            }
            written -= left;
            self.waiting.pop_front();
        }
    }
}

enum Sent {
    Nothing,
    All,
}
