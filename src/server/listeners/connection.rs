//! One connection: its requests go to the router until the peer ends it, a limit is hit, or the server stops.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use futures_util::FutureExt as _;
use hearth_api::{ConnectionPlace, PeerAddress};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service as _;

use super::accept::Edge;
use super::body::into_body;
use super::preface::{Begun, Spoken};
use crate::config::ListenersConfig;

/// The largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How many headers a request may have.
const HEADERS_MAX: usize = 100;

/// How often an HTTP/2 peer is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long an HTTP/2 peer may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The other end, and the place that it takes.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: Option<IpAddr>,
    /// Given back when the connection and all that outlives its requests have ended.
    pub(super) place: ConnectionPlace,
}

/// What all connections have in common.
#[derive(Clone)]
pub(super) struct Protocols {
    http_1: http1::Builder,
    http_2: http2::Builder<TokioExecutor>,
}

impl Protocols {
    pub(super) fn new(config: &ListenersConfig) -> Self {
        // Nothing is gathered over several answers (`pipeline_flush`): the library would gather a whole file then.
        let mut http_1 = http1::Builder::new();
        http_1
            .timer(TokioTimer::new())
            .header_read_timeout(millis(config.header_timeout_ms))
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX);
        let mut http_2 = http2::Builder::new(TokioExecutor::new());
        http_2
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            // WebSockets over HTTP/2 (RFC 8441).
            .enable_connect_protocol()
            .max_concurrent_streams(config.http2_streams_max)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
        Self { http_1, http_2 }
    }
}

pub(super) fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

/// Serves one connection to its end.
///
/// Futures in boxes are freed before the connection waits, or are of its own kind: a future has room for everything that
/// it ever holds, twice for what is moved into another one, and a server has many connections that wait.
pub(super) async fn serve_connection<S>(edge: Arc<Edge>, stream: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // The library has no limit of its own on the wait for the very first bytes.
    let begun = tokio::select! {
        begun = Box::pin(tokio::time::timeout(edge.header_timeout, Begun::read(stream))) => begun,
        () = edge.stop.cancelled() => return,
    };
    match begun {
        Ok(Ok((Spoken::Http1, stream))) => {
            let service = {
                let edge = Arc::clone(&edge);
                service_fn(move |request| call_router(edge.router.clone(), request, edge.body_timeout, peer.clone()))
            };
            let stream = TokioIo::new(stream);
            let connection = Box::pin(edge.protocols.http_1.serve_connection(stream, service).with_upgrades());
            drive(&edge, connection, hyper::server::conn::http1::UpgradeableConnection::graceful_shutdown).await;
        }
        Ok(Ok((Spoken::Http2, stream))) => Box::pin(serve_http_2(edge, stream, peer)).await,
        Ok(Err(_)) | Err(_) => {}
    }
}

async fn serve_http_2<S>(edge: Arc<Edge>, stream: Begun<S>, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let has_asked = Arc::new(AtomicBool::new(false));
    let service = {
        let (edge, has_asked) = (Arc::clone(&edge), Arc::clone(&has_asked));
        service_fn(move |request| {
            has_asked.store(true, Ordering::Relaxed);
            call_router(edge.router.clone(), request, edge.body_timeout, peer.clone())
        })
    };
    let connection = Box::pin(edge.protocols.http_2.serve_connection(TokioIo::new(stream), service));
    let silence = async {
        tokio::time::sleep(edge.header_timeout).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = drive(&edge, connection, hyper::server::conn::http2::Connection::graceful_shutdown) => {}
        () = silence => {}
    }
}

/// Lets a connection go on to its end. When the server stops, `finish` tells it to end what is under way and no more.
async fn drive<C: Future>(edge: &Edge, mut connection: Pin<Box<C>>, finish: impl FnOnce(Pin<&mut C>)) {
    let ended = tokio::select! {
        // How a connection ended is the peer's business: nothing of it is worth a log line.
        _ = connection.as_mut() => true,
        () = edge.stop.cancelled() => false,
        () = edge.cut.cancelled() => true,
    };
    if ended {
        return;
    }
    finish(connection.as_mut());
    tokio::select! {
        _ = connection.as_mut() => {}
        () = edge.cut.cancelled() => {}
    }
}

/// No `async fn`, which would have room for the request beside the router's future that takes it.
fn call_router(
    mut router: Router,
    request: Request<Incoming>,
    body_timeout: Duration,
    peer: Peer,
) -> impl Future<Output = Result<Response, Infallible>> + Send {
    let (parts, incoming) = request.into_parts();
    let (body, leftover) = into_body(incoming, parts.version, &parts.headers, body_timeout);
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(peer.place);
    if let Some(address) = peer.address {
        request.extensions_mut().insert(PeerAddress(address));
    }
    router.call(request).then(move |answer| async move {
        if let Some(leftover) = leftover {
            Box::pin(leftover.discard(body_timeout)).await;
        }
        answer
    })
}
