//! One connection: its requests go to the router until the peer ends it, a limit is hit, or the server stops.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use hearth_api::{ConnectionPlace, PeerAddress};
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service as _;

use super::accept::Edge;
use super::body::into_body;
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
pub(super) fn protocol(config: &ListenersConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(millis(config.header_timeout_ms))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .pipeline_flush(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        // WebSockets over HTTP/2 (RFC 8441).
        .enable_connect_protocol()
        .max_concurrent_streams(config.http2_streams_max)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    builder
}

pub(super) fn millis(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

/// Serves one connection to its end.
pub(super) async fn serve_connection<S>(edge: Arc<Edge>, stream: S, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let spoken = Arc::new(AtomicBool::new(false));
    let service = {
        let (edge, spoken) = (Arc::clone(&edge), Arc::clone(&spoken));
        service_fn(move |request: Request<Incoming>| {
            spoken.store(true, Ordering::Relaxed);
            let (router, body_timeout) = (edge.router.clone(), edge.body_timeout);
            call_router(router, request, body_timeout, peer.clone())
        })
    };
    // In a box: pinned in place, the connection would have room in this future twice, before it is moved and after.
    let mut connection = Box::pin(edge.protocol.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let first_request = tokio::time::sleep(edge.header_timeout);
    tokio::pin!(first_request);
    let (mut stopping, mut is_new) = (false, true);
    loop {
        tokio::select! {
            // How a connection ended is the peer's business: nothing of it is worth a log line.
            _ = connection.as_mut() => return,
            () = edge.stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = edge.cut.cancelled() => return,
            // The library has no limit of its own on the wait for the very first bytes.
            () = first_request.as_mut(), if is_new => {
                if !spoken.load(Ordering::Relaxed) {
                    return;
                }
                is_new = false;
            }
        }
    }
}

async fn call_router(
    mut router: Router,
    request: Request<Incoming>,
    body_timeout: Duration,
    peer: Peer,
) -> Result<Response, Infallible> {
    let (parts, incoming) = request.into_parts();
    let (body, leftover) = into_body(incoming, parts.version, &parts.headers, body_timeout);
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().insert(peer.place);
    if let Some(address) = peer.address {
        request.extensions_mut().insert(PeerAddress(address));
    }
    let answer = router.call(request).await;
    if let Some(leftover) = leftover {
        leftover.discard(body_timeout).await;
    }
    answer
}
