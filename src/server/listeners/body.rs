//! A request body whose sender may not pause for long.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

/// Ends with an error when the peer sends nothing for the given time.
/// A body that is there at once costs no timer.
pub(super) struct ImpatientBody {
    inner: Incoming,
    pause_max: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

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

impl ImpatientBody {
    pub(super) fn new(inner: Incoming, pause_max: Duration) -> Self {
        Self { inner, pause_max, waiting: None }
    }
}

impl Body for ImpatientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Connection)));
        }
        let pause_max = self.pause_max;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause_max)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyError::Paused)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body as the router takes it.
pub(super) fn into_body(incoming: Incoming, pause_max: Duration) -> axum::body::Body {
    if incoming.is_end_stream() {
        return axum::body::Body::empty();
    }
    axum::body::Body::new(ImpatientBody::new(incoming, pause_max))
}
