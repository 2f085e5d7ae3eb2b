//! A request body whose sender may not pause for long, and what is done with the part of it that nobody read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body as AnyBody;
use bytes::Bytes;
use http::{HeaderMap, Version, header::EXPECT};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// How many bytes of a body that was refused are read and dropped, in bytes. Who sends more loses the connection, and
/// with it perhaps the answer.
const LEFTOVER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Ends with an error when the peer sends nothing for the given time.
/// A body that is there at once costs no timer.
pub(super) struct ImpatientBody {
    /// Absent once the body has ended early.
    inner: Option<Incoming>,
    pause_max: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    leftover: Leftover,
}

/// The part of a body that is left when its request has been answered without all of it.
#[derive(Clone, Default)]
pub(super) struct Leftover(Arc<Mutex<Option<Incoming>>>);

/// Why the body ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The connection failed.
    #[error(transparent)]
    Connection(hyper::Error),
    /// The peer paused for too long.
    #[error("the sender of the body paused for too long")]
    Paused,
}

impl Body for ImpatientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(inner) = self.inner.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(inner).poll_frame(context) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Connection)));
        }
        let pause_max = self.pause_max;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause_max)));
        ready!(waiting.as_mut().poll(context));
        self.inner = None;
        Poll::Ready(Some(Err(BodyError::Paused)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for ImpatientBody {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take().filter(|inner| !inner.is_end_stream()) {
            *self.leftover.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner);
        }
    }
}

impl Leftover {
    /// Reads the rest and drops it. HTTP/1.1 has no way to say "stop sending": where a server answers and closes while
    /// the client still sends, most clients see a broken connection and never the answer that says what is wrong.
    pub(super) async fn discard(self, pause_max: Duration) {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else { return };
        let mut bytes = 0;
        while bytes < LEFTOVER_BYTES_MAX {
            match tokio::time::timeout(pause_max, rest.frame()).await {
                Ok(Some(Ok(frame))) => bytes += frame.data_ref().map_or(0, Bytes::len),
                Ok(None | Some(Err(_))) | Err(_) => return,
            }
        }
    }
}

/// The body as the router takes it, and where the part will be that it leaves.
///
/// Nothing is left of what HTTP/2 carries, which can end a stream alone, and where the client waits to be told to send.
pub(super) fn into_body(
    incoming: Incoming,
    version: Version,
    headers: &HeaderMap,
    pause_max: Duration,
) -> (AnyBody, Option<Leftover>) {
    if incoming.is_end_stream() {
        return (AnyBody::empty(), None);
    }
    let leftover = Leftover::default();
    let body =
        AnyBody::new(ImpatientBody { inner: Some(incoming), pause_max, waiting: None, leftover: leftover.clone() });
    let is_kept = version < Version::HTTP_2 && !headers.contains_key(EXPECT);
    (body, is_kept.then_some(leftover))
}
