//! Clients that are told what is new, over a socket or by asking again and again; and what they send.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::figures::between;
use crate::http::{FILTER, Http};
use crate::people::Device;
use crate::{Failure, Transport};

const CONNECT_PATH: &str = "/_matrix/client/unstable/chat.hearth.websocket/connect";
/// The library's buffers, in bytes; ten thousand sockets have them.
const BUFFER_BYTES: usize = 2_048;
/// How long an idle poll waits, as clients usually let it.
const POLL_MS: u64 = 30_000;
/// Calls that a socket may have under way, as the server's greeting says.
const CALLS_IN_FLIGHT: usize = 32;

type Ws = WebSocketStream<TcpStream>;

/// A client that waits for news. It is open when it is made.
pub enum Listener {
    Socket { ws: Box<Ws>, calls: Calls, outgoing: mpsc::UnboundedReceiver<String> },
    LongPoll { http: Http },
}

impl Listener {
    /// Opens a socket that syncs, and takes its first body; or asks for the first time.
    pub async fn open(
        address: SocketAddr,
        device: &Device,
        transport: Transport,
        conn_id: &str,
    ) -> Result<Self, Failure> {
        match transport {
            Transport::Socket => {
                let mut ws = connect(address, &device.token).await?;
                let since = &device.since;
                ws.send(Message::text(format!(
                    r#"{{"op":"sync","id":"s","conn_id":"{conn_id}","path":"/_matrix/client/v3/sync?since={since}&filter={FILTER}"}}"#
                )))
                .await?;
                while !next_text(&mut ws).await?.starts_with(r#"{"op":"sync""#) {}
                ws.send(Message::text(r#"{"op":"ack","id":"s","seq":1}"#)).await?;
                let (sender, outgoing) = mpsc::unbounded_channel();
                Ok(Self::Socket { ws: Box::new(ws), calls: Calls::new(sender), outgoing })
            }
            Transport::LongPoll => {
                let mut http = Http::connect(address, &device.token).await?;
                http.ask(&device.since, POLL_MS).await?;
                Ok(Self::LongPoll { http })
            }
        }
    }

    /// Where calls of this socket go in; none without a socket.
    pub fn calls(&self) -> Option<Calls> {
        match self {
            Self::Socket { calls, .. } => Some(calls.clone()),
            Self::LongPoll { .. } => None,
        }
    }

    /// Tells `hear` each body, for ever.
    pub async fn run(self, mut hear: impl FnMut(&str)) -> Result<(), Failure> {
        match self {
            Self::Socket { mut ws, calls, mut outgoing } => loop {
                tokio::select! {
                    text = next_text(&mut ws) => {
                        let text = text?;
                        if text.starts_with(r#"{"op":"sync""#) {
                            let seq = between(&text, r#""seq":"#, ",").ok_or("no seq")?;
                            let ack = format!(r#"{{"op":"ack","id":"s","seq":{seq}}}"#);
                            hear(&text);
                            ws.send(Message::text(ack)).await?;
                        } else if text.starts_with(r#"{"op":"reply""#) {
                            calls.take_reply(&text).await?;
                        }
                    }
                    Some(frame) = outgoing.recv() => {
                        ws.feed(Message::text(frame)).await?;
                        while let Ok(frame) = outgoing.try_recv() {
                            ws.feed(Message::text(frame)).await?;
                        }
                        ws.flush().await?;
                    }
                }
            },
            Self::LongPoll { mut http } => loop {
                let body = http.answer().await?;
                let next = between(&body, r#""next_batch":""#, "\"").ok_or("no position")?;
                http.ask(&crate::http::escape(next), POLL_MS).await?;
                hear(&body);
            },
        }
    }
}

async fn connect(address: SocketAddr, token: &str) -> Result<Ws, Failure> {
    let mut upgrade = format!("ws://{address}{CONNECT_PATH}").into_client_request()?;
    upgrade.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, "chat.hearth.v1.json".parse()?);
    upgrade.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(tokio_tungstenite::client_async_with_config(upgrade, stream, Some(config)).await?.0)
}

/// The next frame. Dropping the future loses nothing.
async fn next_text(ws: &mut Ws) -> Result<String, Failure> {
    loop {
        match ws.next().await.ok_or("the socket ended")?? {
            Message::Text(text) => return Ok(text.as_str().to_owned()),
            Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
            _ => {}
        }
    }
}

/// The calls of a socket. Cheap to clone.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    outgoing: mpsc::UnboundedSender<String>,
    places: Semaphore,
    ids: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<bool>>>,
}

impl Calls {
    fn new(outgoing: mpsc::UnboundedSender<String>) -> Self {
        let (places, ids) = (Semaphore::new(CALLS_IN_FLIGHT), AtomicU64::default());
        Self(Arc::new(Inner { outgoing, places, ids, waiting: Mutex::default() }))
    }

    async fn put(&self, path: &str, body: &str) -> Result<(), Failure> {
        let _place = self.0.places.acquire().await?;
        let id = self.0.ids.fetch_add(1, Ordering::Relaxed).to_string();
        let (sender, receiver) = oneshot::channel();
        let path = format!("/_matrix/client/v3{path}");
        let frame = format!(r#"{{"op":"call","id":"{id}","method":"PUT","path":"{path}","body":{body}}}"#);
        self.0.waiting.lock().await.insert(id, sender);
        self.0.outgoing.send(frame)?;
        if receiver.await? { Ok(()) } else { Err("a call was refused".into()) }
    }

    async fn take_reply(&self, text: &str) -> Result<(), Failure> {
        let id = between(text, r#""id":""#, "\"").ok_or("no id")?;
        let waiting = self.0.waiting.lock().await.remove(id).ok_or("a reply to nothing")?;
        let _ = waiting.send(text.contains(r#""status":200"#));
        Ok(())
    }
}

/// Who sends messages, over a socket or over some connections of HTTP.
#[derive(Clone)]
pub enum Sender {
    Socket(Calls),
    Http(Arc<Pool>),
}

/// Connections that are used in turns.
pub struct Pool {
    places: Semaphore,
    idle: Mutex<Vec<Http>>,
}

impl Pool {
    /// `connections` of them.
    pub async fn connect(address: SocketAddr, token: &str, connections: usize) -> Result<Arc<Self>, Failure> {
        let mut idle = Vec::new();
        for _ in 0..connections {
            idle.push(Http::connect(address, token).await?);
        }
        Ok(Arc::new(Self { places: Semaphore::new(connections), idle: Mutex::new(idle) }))
    }

    async fn put(&self, path: &str, body: &str) -> Result<(), Failure> {
        let _place = self.places.acquire().await?;
        let mut http = self.idle.lock().await.pop().ok_or("no connection")?;
        http.request("PUT", path, body).await?;
        self.idle.lock().await.push(http);
        Ok(())
    }
}

impl Sender {
    /// Sends a message and waits until it is accepted.
    pub async fn send(&self, room: &str, transaction: &str, text: &str) -> Result<(), Failure> {
        let path = format!("/rooms/{room}/send/m.room.message/{transaction}");
        let body = format!(r#"{{"msgtype":"m.text","body":"{text}"}}"#);
        match self {
            Self::Socket(calls) => calls.put(&path, &body).await,
            Self::Http(pool) => pool.put(&path, &body).await,
        }
    }
}
