//! Many open WebSockets against a running server, all of them syncing: what one costs while nothing happens, and how
//! long one message takes to reach all of them.
//!
//! `cargo run --release --example sockets -- ADDRESS PID [USERS] [SOCKETS_PER_USER] [MESSAGES]`; `PID` is the server's,
//! which has to run on this machine with `--registration open --rate-limits off` and room for as many connections
//! (`HEARTH_LISTENERS__CONNECTIONS_MAX`). It must never be pointed at a server that people use.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement: it tells the time and the result")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Sockets that are opened side by side.
const OPENED_AT_ONCE: usize = 64;
/// How long the server has to settle before its memory is read: its allocator gives back after ten seconds.
const SETTLE: Duration = Duration::from_secs(20);
/// How long a message may take at most.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocketStream<TcpStream>;

/// One request on a connection of its own.
async fn request(address: &str, token: &str, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} /_matrix/client/v3{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("{method} {path}: {text}").into());
    }
    Ok(serde_json::from_str(body)?)
}

fn text_of(value: &Value, field: &str) -> Result<String, Failure> {
    Ok(value[field].as_str().ok_or_else(|| format!("no {field}: {value}"))?.to_owned())
}

async fn register(address: &str, name: &str) -> Result<String, Failure> {
    let body = json!({ "username": name, "password": "a long password", "auth": { "type": "m.login.dummy" } });
    text_of(&request(address, "", "POST", "/register", &body).await?, "access_token")
}

/// Opens a socket that syncs, and takes its first body.
async fn open(address: &str, token: &str, since: &str, conn_id: &str) -> Result<Socket, Failure> {
    let path = "/_matrix/client/unstable/chat.hearth.websocket/connect";
    let mut upgrade = format!("ws://{address}{path}").into_client_request()?;
    upgrade.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, "chat.hearth.v1.json".parse()?);
    upgrade.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse()?);
    let (mut socket, _) = tokio_tungstenite::client_async(upgrade, TcpStream::connect(address).await?).await?;
    let path = format!("/_matrix/client/v3/sync?since={since}");
    let frame = json!({ "op": "sync", "id": "s", "conn_id": conn_id, "path": path });
    socket.send(Message::text(frame.to_string())).await?;
    loop {
        if next_frame(&mut socket).await?["op"] == "sync" {
            socket.send(Message::text(r#"{"op":"ack","id":"s","seq":1}"#)).await?;
            return Ok(socket);
        }
    }
}

async fn next_frame(socket: &mut Socket) -> Result<Value, Failure> {
    loop {
        match socket.next().await.ok_or("the socket ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Close(frame) => return Err(format!("closed: {frame:?}").into()),
            _ => {}
        }
    }
}

/// Who has got how many messages.
#[derive(Default)]
struct Delivered {
    count: AtomicUsize,
    all: Notify,
}

async fn listen(mut socket: Socket, sockets: usize, delivered: Arc<Delivered>) -> Result<(), Failure> {
    loop {
        let frame = next_frame(&mut socket).await?;
        let ack = json!({ "op": "ack", "id": "s", "seq": frame["seq"] });
        if frame["body"].to_string().contains("to everybody")
            && (delivered.count.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(sockets)
        {
            delivered.all.notify_one();
        }
        socket.send(Message::text(ack.to_string())).await?;
    }
}

/// The server's resident memory that is its own, in KiB.
fn memory_kib(pid: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).ok_or("no RssAnon")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

/// The server's processor time, in ticks of 10 ms.
fn cpu_ticks(pid: &str) -> Result<u64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}

struct People {
    tokens: Vec<String>,
    since: Vec<String>,
    room: String,
}

async fn make_people(address: &str, users: usize) -> Result<People, Failure> {
    let run = std::process::id();
    let owner = register(address, &format!("sockets-{run}-owner")).await?;
    let made = request(address, &owner, "POST", "/createRoom", &json!({ "preset": "public_chat" })).await?;
    let room = text_of(&made, "room_id")?.replace('!', "%21").replace(':', "%3A");
    let mut tokens = vec![owner];
    for number in 1..users {
        let token = register(address, &format!("sockets-{run}-{number}")).await?;
        request(address, &token, "POST", &format!("/join/{room}"), &json!({})).await?;
        tokens.push(token);
    }
    let mut since = Vec::new();
    for token in &tokens {
        since.push(text_of(&request(address, token, "GET", "/sync?timeout=0", &Value::Null).await?, "next_batch")?);
    }
    Ok(People { tokens, since, room })
}

async fn open_all(address: &str, people: &People, per_user: usize) -> Result<Vec<Socket>, Failure> {
    let places = Arc::new(Semaphore::new(OPENED_AT_ONCE));
    let mut opening = JoinSet::new();
    for (token, since) in people.tokens.iter().zip(&people.since) {
        for number in 0..per_user {
            let (address, token, since) = (address.to_owned(), token.clone(), since.clone());
            let places = places.clone();
            opening.spawn(async move {
                let _place = places.acquire().await?;
                open(&address, &token, &since, &number.to_string()).await
            });
        }
    }
    let mut sockets = Vec::new();
    while let Some(opened) = opening.join_next().await {
        sockets.push(opened??);
    }
    Ok(sockets)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, pid) = (arguments.first().ok_or("ADDRESS?")?, arguments.get(1).ok_or("PID?")?);
    let number = |at: usize, usual: usize| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    let (users, per_user, messages) = (number(2, 100)?, number(3, 100)?, number(4, 10)?);
    let people = make_people(address, users).await?;
    tokio::time::sleep(SETTLE).await;
    let before_kib = memory_kib(pid)?;
    let began = Instant::now();
    let sockets = open_all(address, &people, per_user).await?;
    let count = sockets.len();
    println!("{count} sockets opened in {:.1} s", began.elapsed().as_secs_f64());
    tokio::time::sleep(SETTLE).await;
    let idle_kib = memory_kib(pid)?.saturating_sub(before_kib);
    println!("memory: {before_kib} KiB before, and {} bytes a socket", idle_kib * 1024 / count as u64);
    let delivered = Arc::new(Delivered::default());
    let mut listening = JoinSet::new();
    for socket in sockets {
        listening.spawn(listen(socket, count, delivered.clone()));
    }
    let ticks = cpu_ticks(pid)?;
    let idle = Instant::now();
    tokio::time::sleep(SETTLE).await;
    let used_ms = (cpu_ticks(pid)? - ticks) * 10;
    println!("idle: {used_ms} ms of processor time in {:.0} s", idle.elapsed().as_secs_f64());
    for number in 0..messages {
        let began = Instant::now();
        let path = format!("/rooms/{}/send/m.room.message/{number}", people.room);
        let content = json!({ "msgtype": "m.text", "body": "to everybody" });
        request(address, &people.tokens[0], "PUT", &path, &content).await?;
        let sent = began.elapsed();
        tokio::time::timeout(DELIVERY_MAX, delivered.all.notified()).await?;
        let (sent_ms, all_ms) = (sent.as_millis(), began.elapsed().as_millis());
        println!("message {number}: acknowledged after {sent_ms} ms, with all {count} after {all_ms} ms");
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    println!("memory at the end: {} KiB", memory_kib(pid)?);
    Ok(())
}
