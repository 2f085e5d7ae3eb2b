//! Takes connections from a socket, within the limits.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hearth_api::ConnectionPlace;
use hearth_homeserver::Stop;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::address::{BoundListener, BoundSocket};
use super::connection::{Peer, Protocols, millis, serve_connection};
use super::limits::ConnectionLimits;
use crate::config::ListenersConfig;
use crate::workers::Tasks;

/// The pause after a failed accept, when file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A silent TCP peer is asked after this time whether it is still there.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

/// How long sent data may stay unacknowledged before the connection is given up.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(60);

/// What the connections of a group of listeners share.
pub struct Edge {
    pub(super) router: Router,
    pub(super) protocols: Protocols,
    pub(super) limits: ConnectionLimits,
    pub(super) tasks: Tasks,
    /// No new connections and requests; those under way may end.
    pub(super) stop: Stop,
    /// Connections are dropped, whatever they do.
    pub(super) cut: Stop,
    pub(super) header_timeout: Duration,
    pub(super) body_timeout: Duration,
    handshake_timeout: Duration,
}

impl Edge {
    /// Serves `router` under the limits of `config`, until `stop`, and by force until `cut`.
    pub fn new(router: Router, config: &ListenersConfig, tasks: Tasks, stop: Stop, cut: Stop) -> Arc<Self> {
        Arc::new(Self {
            router,
            protocols: Protocols::new(config),
            limits: ConnectionLimits::new(config.connections_max, config.connections_per_address_max),
            tasks,
            stop,
            cut,
            header_timeout: millis(config.header_timeout_ms),
            body_timeout: millis(config.body_timeout_ms),
            handshake_timeout: millis(config.handshake_timeout_ms),
        })
    }
}

/// Accepts connections until the edge stops.
pub async fn serve(listener: BoundListener, tls: Option<TlsAcceptor>, edge: Arc<Edge>) {
    loop {
        let place = tokio::select! {
            place = edge.limits.place() => place,
            () = edge.stop.cancelled() => return,
        };
        let accepted = tokio::select! {
            accepted = accept(&listener.socket) => accepted,
            () = edge.stop.cancelled() => return,
        };
        match accepted {
            Ok(Accepted::Tcp(stream, address)) => {
                let Some(address_place) = edge.limits.place_for(address) else { continue };
                prepare(&stream);
                let (edge_of_task, tls) = (Arc::clone(&edge), tls.clone());
                let place = ConnectionPlace(Arc::new((place, address_place)));
                edge.tasks.start_connection(serve_tcp(
                    edge_of_task,
                    tls,
                    stream,
                    Peer { address: Some(address), place },
                ));
            }
            Ok(Accepted::Unix(stream)) => {
                let peer = Peer { address: None, place: ConnectionPlace(Arc::new(place)) };
                edge.tasks.start_connection(serve_connection(Arc::clone(&edge), stream, peer));
            }
            Err(error) if is_of_one_peer(error.kind()) => {}
            Err(error) => {
                tracing::error!(address = %listener.address, %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

enum Accepted {
    Tcp(TcpStream, IpAddr),
    Unix(UnixStream),
}

async fn accept(socket: &BoundSocket) -> std::io::Result<Accepted> {
    match socket {
        BoundSocket::Tcp(socket) => {
            let (stream, peer) = socket.accept().await?;
            Ok(Accepted::Tcp(stream, peer.ip().to_canonical()))
        }
        BoundSocket::Unix(socket) => Ok(Accepted::Unix(socket.accept().await?.0)),
    }
}

/// Whether an accept failed because the peer went away meanwhile, which says nothing about us.
fn is_of_one_peer(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted | ErrorKind::TimedOut
    )
}

/// Sets the options of an accepted socket. A socket that refuses one works without it.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(TCP_KEEPALIVE));
    let _ = socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT));
}

async fn serve_tcp(edge: Arc<Edge>, tls: Option<TlsAcceptor>, stream: TcpStream, peer: Peer) {
    match tls {
        None => serve_connection(edge, stream, peer).await,
        // In a box: the future of a connection without TLS would be as large as one with it.
        Some(tls) => Box::pin(serve_tls(edge, tls, stream, peer)).await,
    }
}

async fn serve_tls(edge: Arc<Edge>, tls: TlsAcceptor, stream: TcpStream, peer: Peer) {
    let handshake = Box::pin(tokio::time::timeout(edge.handshake_timeout, tls.accept(stream)));
    let shaken = tokio::select! {
        shaken = handshake => shaken.map(|shaken| shaken.map(Box::new)),
        () = edge.stop.cancelled() => return,
    };
    if let Ok(Ok(stream)) = shaken {
        serve_connection(edge, stream, peer).await;
    }
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
