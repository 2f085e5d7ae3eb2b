//! A client's end of a WebSocket. Every frame that it sends or receives is held against `api-spec/websocket.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::{AUTHORIZATION, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::schema::Schema;
use super::yaml::parse_yaml;
use super::{Client, escape};

/// Long enough for anything that should happen at once, on a machine that is busy.
const SOON: Duration = Duration::from_secs(120);

/// How long nothing has to come to be taken for nothing.
const QUIET: Duration = Duration::from_millis(300);

/// The schema of each frame, by who sends it and its `op`: `client-sync`.
static FRAMES: LazyLock<BTreeMap<String, Schema>> = LazyLock::new(|| {
    let document = parse_yaml(include_str!("../../../api-spec/websocket.yaml")).expect("YAML");
    let messages = document["components"]["messages"].as_object().expect("messages");
    messages.iter().map(|(name, message)| (name.clone(), Schema::compile(&message["payload"]))).collect()
});

/// The path of the socket.
pub const CONNECT_PATH: &str = "/_matrix/client/unstable/chat.hearth.websocket/connect";

#[track_caller]
fn check_frame(from: &str, frame: &Value) {
    let name = format!("{from}-{}", frame["op"].as_str().unwrap_or_else(|| panic!("no op: {frame}")));
    let schema = FRAMES.get(&name).unwrap_or_else(|| panic!("api-spec/websocket.yaml has no {name}"));
    let complaints = schema.complain(frame);
    assert!(complaints.is_empty(), "{name}: {}: {frame}", complaints.join("; "));
}

/// A socket that is open.
pub struct TestSocket {
    stream: WebSocketStream<TcpStream>,
    calls: u64,
}

impl TestSocket {
    /// Opens a socket on which nobody has said yet who is there.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address, None).await.expect("a socket")
    }

    /// Opens a socket, with a token in the header if there is one; `Err` with the status if it is refused.
    pub async fn try_connect(address: SocketAddr, token: Option<&str>) -> Result<Self, u16> {
        let mut request = format!("ws://{address}{CONNECT_PATH}").into_client_request().expect("a request");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat.hearth.v1.json"));
        if let Some(token) = token {
            request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).await.expect("a connection");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self { stream, calls: 0 }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no socket: {error}"),
        }
    }

    /// Opens a socket as a browser does, and gives the greeting too.
    pub async fn open(address: SocketAddr, client: &Client) -> Self {
        let mut socket = Self::connect(address).await;
        socket.authenticate(client).await;
        socket
    }

    /// Says who is there, and gives the greeting.
    pub async fn authenticate(&mut self, client: &Client) -> Value {
        self.send(json!({ "op": "auth", "token": client.token })).await;
        let hello = self.next().await;
        assert_eq!((&hello["op"], &hello["user_id"]), (&json!("hello"), &json!(client.user_id)));
        assert_eq!(hello["device_id"], client.device_id.as_str());
        hello
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        check_frame("client", &frame);
        self.send_text(&frame.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends any message. That the other end has closed meanwhile is no failure.
    pub async fn send_message(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    /// Sends bytes that need be no frame of WebSocket.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes).await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        match self.next_or_code().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?}"),
        }
    }

    /// The next frame, or the code with which the socket was closed; none when it was dropped.
    pub async fn next_or_code(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match tokio::time::timeout(SOON, self.stream.next()).await.expect("something, soon") {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text).expect("JSON");
                    check_frame("server", &frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The code with which the server closes, whatever comes before it.
    pub async fn code(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next_or_code().await {
                return code;
            }
        }
    }

    /// That nothing comes.
    pub async fn expect_nothing(&mut self) {
        if let Ok(frame) = tokio::time::timeout(QUIET, self.next_or_code()).await {
            panic!("something came: {frame:?}");
        }
    }

    /// Starts a sync.
    pub async fn sync(&mut self, id: &str, since: &str) {
        let path = format!("/_matrix/client/v3/sync?since={}", escape(since));
        self.send(json!({ "op": "sync", "id": id, "conn_id": format!("page-{id}"), "path": path })).await;
    }

    /// Starts a sync where the account is now, and takes its first body.
    pub async fn sync_from_now(&mut self, id: &str, client: &Client) {
        let now = client.sync(None).await;
        self.sync(id, now["next_batch"].as_str().expect("a token")).await;
        assert!(self.body(id).await["next_batch"].is_string());
    }

    /// The next body of a sync, acknowledged at once.
    pub async fn body(&mut self, id: &str) -> Value {
        let frame = self.next().await;
        assert_eq!((&frame["op"], &frame["id"]), (&json!("sync"), &json!(id)), "{frame}");
        self.ack(id, &frame["seq"]).await;
        frame["body"].clone()
    }

    /// Bodies of a sync until one holds an event of this text.
    pub async fn body_with(&mut self, id: &str, text: &str) -> Value {
        loop {
            let body = self.body(id).await;
            if body.to_string().contains(text) {
                return body;
            }
        }
    }

    pub async fn ack(&mut self, id: &str, seq: &Value) {
        self.send(json!({ "op": "ack", "id": id, "seq": seq })).await;
    }

    /// Sends a call under a fresh id, which it gives.
    pub async fn start_call(&mut self, method: &str, path: &str, body: Option<&Value>) -> String {
        self.calls += 1;
        let id = format!("call-{}", self.calls);
        let mut frame =
            json!({ "op": "call", "id": id, "method": method, "path": format!("/_matrix/client/v3{path}") });
        if let Some(body) = body {
            frame["body"] = body.clone();
        }
        self.send(frame).await;
        id
    }

    /// Makes a call and gives its reply. Bodies that come meanwhile are acknowledged and passed over.
    pub async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let id = self.start_call(method, path, body).await;
        loop {
            let frame = self.next().await;
            match frame["op"].as_str() {
                Some("reply") => {
                    assert_eq!(frame["id"], id.as_str(), "{frame}");
                    if frame["status"] == 429 {
                        assert!(frame["headers"][RETRY_AFTER.as_str()].is_string(), "{frame}");
                    }
                    return frame;
                }
                Some("sync") => self.ack(frame["id"].as_str().expect("an id"), &frame["seq"]).await,
                _ => panic!("neither a reply nor a body: {frame}"),
            }
        }
    }
}

#[test]
fn the_description_knows_every_frame() {
    let client = ["ack", "auth", "call", "cancel", "ping", "pong", "stop", "sync"];
    let server = ["bye", "error", "hello", "ping", "pong", "reply", "sync"];
    let mut expected: Vec<String> = client.iter().map(|op| format!("client-{op}")).collect();
    expected.extend(server.iter().map(|op| format!("server-{op}")));
    assert_eq!(FRAMES.keys().cloned().collect::<Vec<_>>(), expected);
    let document = parse_yaml(include_str!("../../../api-spec/websocket.yaml")).expect("YAML");
    let listed = document["channels"]["socket"]["messages"].as_object().expect("messages");
    assert_eq!(listed.keys().count(), expected.len());
    assert!(expected.iter().all(|name| listed.contains_key(name)));
}

#[test]
fn the_session_of_the_documentation_is_as_described() {
    let document = include_str!("../../../docs/websocket.md");
    let (mut ops, mut frames) = (BTreeSet::new(), 0);
    for (mark, from) in [("> {", "client"), ("< {", "server")] {
        for line in document.lines().filter(|line| line.starts_with(mark)) {
            let frame: Value = serde_json::from_str(&line[2..]).unwrap_or_else(|error| panic!("{error}: {line}"));
            check_frame(from, &frame);
            ops.insert(frame["op"].to_string());
            frames += 1;
        }
    }
    assert!(frames > 20 && ops.len() > 8, "a whole session: {frames} frames, {ops:?}");
}

#[test]
#[should_panic(expected = "/after_ms is missing")]
fn a_frame_that_is_not_described_is_a_failure() {
    check_frame("server", &json!({ "op": "bye" }));
}
