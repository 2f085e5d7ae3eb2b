//! A link to the server that takes its time, and counts what goes over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Failure;

/// What is read at once, in bytes.
const CHUNK_BYTES: usize = 16_384;
/// What the headers of IP and TCP take, of a packet and of its acknowledgement, in bytes.
pub const HEADERS_BYTES: u64 = 2 * 40;

/// What went over a link, in both directions.
#[derive(Default)]
pub struct Traffic {
    pub bytes: AtomicU64,
    pub chunks: AtomicU64,
}

/// An address that stands for the server's. Dropping it cuts all connections over it.
pub struct Link {
    pub address: SocketAddr,
    pub traffic: Arc<Traffic>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link over which there and back takes `round_trip`.
    pub async fn open(server: SocketAddr, round_trip: Duration) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, traffic) = (listener.local_addr()?, Arc::<Traffic>::default());
        let counted = traffic.clone();
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server, round_trip, counted.clone()));
            }
        });
        Ok(Self { address, traffic, accepting })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, server: SocketAddr, round_trip: Duration, traffic: Arc<Traffic>) {
    // What the handshake of TCP takes.
    sleep(round_trip).await;
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(
        pass(from_client, to_server, round_trip / 2, &traffic),
        pass(from_server, to_client, round_trip / 2, &traffic),
    );
}

/// Passes on what comes, each piece when it would have arrived.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration, traffic: &Traffic) {
    let (sender, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            traffic.bytes.fetch_add(length as u64, Ordering::Relaxed);
            traffic.chunks.fetch_add(1, Ordering::Relaxed);
            if sender.send((Instant::now() + delay, chunk[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((at, chunk)) = under_way.recv().await {
            if !delay.is_zero() {
                sleep_until(at).await;
            }
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
