//! A crowd against a running server: many users in the same rooms who sync, type, read, come and go, while a few others
//! send messages. Says how long the sends take while the crowd only listens, and while it makes noise.
//!
//! `cargo run --release --example crowd -- ADDRESS [USERS] [ROOMS] [SECONDS]`; the server has to run with
//! `--registration open --rate-limits off`. It must never be pointed at a server that people use.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement: it tells the time and the result")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Rooms that each of the crowd is in.
const ROOMS_PER_USER: usize = 10;
/// How often each of the crowd does something, in milliseconds.
const ACT_EVERY_MS: u64 = 1_000;
/// Who sends messages beside the crowd.
const SENDERS: usize = 4;
/// How long a sender waits between two messages, in milliseconds.
const SEND_EVERY_MS: u64 = 200;
/// Users that are made side by side.
const SETUP_AT_ONCE: usize = 16;
/// The longest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How long everybody's first sync may take.
const FIRST_SYNCS_MAX: Duration = Duration::from_secs(120);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection of one user.
struct Client {
    address: String,
    token: String,
    user_id: String,
    stream: Option<TcpStream>,
}

impl Client {
    async fn register(address: &str, name: &str) -> Result<Self, Failure> {
        let mut client =
            Self { address: address.to_owned(), token: String::new(), user_id: String::new(), stream: None };
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": name, "password": "a long password", "auth": auth });
        let answer = client.call("POST", "/register", Some(&body)).await?;
        answer["access_token"].as_str().ok_or("no token")?.clone_into(&mut client.token);
        answer["user_id"].as_str().ok_or("no user")?.clone_into(&mut client.user_id);
        Ok(client)
    }

    /// The same user on another connection.
    fn again(&self) -> Self {
        Self { address: self.address.clone(), token: self.token.clone(), user_id: self.user_id.clone(), stream: None }
    }

    async fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.fetch(method, path, body).await?)?)
    }

    /// The answer as it came: reading all that the crowd is told would take more of the machine than the server does.
    async fn fetch(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Vec<u8>, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} /_matrix/client/v3{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().ok_or("not connected")?;
        stream.write_all((head + &body).as_bytes()).await?;
        let (status, answer) = read_answer(stream).await?;
        if status != 200 {
            return Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(answer)
    }
}

/// Where the next sync begins, found without reading the rest of an answer.
fn find_next_batch(answer: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"next_batch\":\"";
    let at = answer.windows(NAME.len()).rposition(|window| window == NAME)? + NAME.len();
    let text = &answer[at..];
    let end = text.iter().position(|byte| *byte == b'"')?;
    Some(String::from_utf8_lossy(&text[..end]).into_owned())
}

async fn read_answer(stream: &mut TcpStream) -> Result<(u16, Vec<u8>), Failure> {
    let mut bytes = Vec::with_capacity(4_096);
    let head_len = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > ANSWER_BYTES_MAX {
            return Err("the connection ended".into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_len]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).ok_or("no length")?;
    while bytes.len() < head_len + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err("the connection ended".into());
        }
    }
    Ok((status, bytes.split_off(head_len)))
}

/// What the crowd got and did.
#[derive(Default)]
struct Counts {
    /// Users whose first sync is answered.
    started: AtomicU64,
    syncs: AtomicU64,
    acts: AtomicU64,
    failures: AtomicU64,
}

/// A room, and the newest message in it.
struct Room {
    id: String,
    newest: std::sync::Mutex<String>,
}

fn escape(text: &str) -> String {
    text.replace('!', "%21").replace(':', "%3A").replace('$', "%24").replace('@', "%40")
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("crowd ADDRESS [USERS] [ROOMS] [SECONDS]")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (users, rooms, seconds) = (number(1_000)?, number(100)?, number(15)?);
    let run_for = Duration::from_secs(seconds as u64);
    let (crowd, senders, rooms) = set_up(&address, users, rooms).await?;
    println!("{users} users, {} rooms", rooms.len());
    let stop = Arc::new(AtomicBool::new(false));
    let counts = Arc::new(Counts::default());
    let mut noise = JoinSet::new();
    for user in &crowd {
        noise.spawn(follow(user.again(), stop.clone(), counts.clone()));
    }
    // The first syncs tell whole rooms: what is to be measured begins after them.
    let begun = Instant::now();
    while counts.started.load(Ordering::Relaxed) < users as u64 && begun.elapsed() < FIRST_SYNCS_MAX {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("the first syncs took {:?}", begun.elapsed());
    let quiet = measure(&senders, &rooms, run_for).await?;
    for (n, user) in crowd.iter().enumerate() {
        noise.spawn(act(n, user.again(), rooms.clone(), stop.clone(), counts.clone()));
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (syncs, acts) = (counts.syncs.load(Ordering::Relaxed), counts.acts.load(Ordering::Relaxed));
    let loud = measure(&senders, &rooms, run_for).await?;
    let per_s = |now: &AtomicU64, before: u64| (now.load(Ordering::Relaxed) - before) / (seconds as u64).max(1);
    println!("a crowd that only listens:       {quiet}");
    println!("one that types, reads and moves: {loud}");
    println!(
        "the crowd: {} acts/s, {} answers to syncs a second, {} failures",
        per_s(&counts.acts, acts),
        per_s(&counts.syncs, syncs),
        counts.failures.load(Ordering::Relaxed)
    );
    stop.store(true, Ordering::Relaxed);
    noise.abort_all();
    Ok(())
}

/// Makes everybody and their rooms: user `n` is in the rooms from `n` on; the senders have rooms of their own.
async fn set_up(
    address: &str,
    users: usize,
    rooms: usize,
) -> Result<(Vec<Client>, Vec<Client>, Arc<Vec<Room>>), Failure> {
    let run = std::process::id();
    let mut owner = Client::register(address, &format!("owner{run}")).await?;
    let mut made = Vec::new();
    for _ in 0..rooms {
        let answer = owner.call("POST", "/createRoom", Some(&json!({ "preset": "public_chat" }))).await?;
        let id = answer["room_id"].as_str().ok_or("no room")?.to_owned();
        let path = format!("/rooms/{}/send/m.room.message/first", escape(&id));
        let sent = owner.call("PUT", &path, Some(&json!({ "msgtype": "m.text", "body": "first" }))).await?;
        made.push(Room { id, newest: std::sync::Mutex::new(sent["event_id"].as_str().ok_or("no event")?.to_owned()) });
    }
    let made = Arc::new(made);
    let mut crowd = Vec::new();
    let mut joining = JoinSet::new();
    for n in 0..users {
        let (address, made) = (address.to_owned(), made.clone());
        joining.spawn(async move {
            let mut user = Client::register(&address, &format!("crowd{run}x{n}")).await?;
            for step in 0..ROOMS_PER_USER.min(made.len()) {
                let room = &made[(n + step) % made.len()];
                user.call("POST", &format!("/rooms/{}/join", escape(&room.id)), Some(&json!({}))).await?;
            }
            Ok::<_, Failure>((n, user))
        });
        if joining.len() >= SETUP_AT_ONCE {
            crowd.extend(joining.join_next().await.transpose()?.transpose()?);
        }
    }
    while let Some(user) = joining.join_next().await {
        crowd.push(user??);
    }
    // They come in the order in which they were ready; whom a place belongs to says in which rooms they are.
    crowd.sort_unstable_by_key(|(n, _)| *n);
    let crowd = crowd.into_iter().map(|(_, user)| user).collect();
    let mut senders = Vec::new();
    for n in 0..SENDERS {
        let mut sender = Client::register(address, &format!("sender{run}x{n}")).await?;
        let room = &made[n % made.len()];
        sender.call("POST", &format!("/rooms/{}/join", escape(&room.id)), Some(&json!({}))).await?;
        senders.push(sender);
    }
    Ok((crowd, senders, made))
}

/// The times of the senders' sends. They have a thread of their own, so that nobody waits there but for the server.
async fn measure(senders: &[Client], rooms: &Arc<Vec<Room>>, run_for: Duration) -> Result<String, Failure> {
    let senders: Vec<Client> = senders.iter().map(Client::again).collect();
    let rooms = rooms.clone();
    let sending = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok::<_, std::io::Error>(runtime.block_on(async {
            let mut running = JoinSet::new();
            for (n, sender) in senders.into_iter().enumerate() {
                running.spawn(send(sender, n, rooms.clone(), run_for));
            }
            running.join_all().await
        }))
    });
    let mut times: Vec<Duration> = sending.await??.into_iter().flatten().collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    Ok(format!("{} sends; p50 {:?}, p90 {:?}, p99 {:?}", times.len(), at(50), at(90), at(99)))
}

/// Sends into one room, and says how long each message took.
async fn send(mut sender: Client, n: usize, rooms: Arc<Vec<Room>>, run_for: Duration) -> Vec<Duration> {
    let room = &rooms[n % rooms.len()];
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < run_for {
        let path = format!("/rooms/{}/send/m.room.message/{:?}", escape(&room.id), Instant::now());
        let path: String = path.chars().filter(|c| !" {}".contains(*c)).collect();
        let sending = Instant::now();
        let sent = sender.call("PUT", &path, Some(&json!({ "msgtype": "m.text", "body": "hello" }))).await;
        if let Ok(sent) = sent {
            times.push(sending.elapsed());
            if let (Some(id), Ok(mut newest)) = (sent["event_id"].as_str(), room.newest.lock()) {
                id.clone_into(&mut newest);
            }
        }
        tokio::time::sleep(Duration::from_millis(SEND_EVERY_MS)).await;
    }
    times
}

/// Syncs for ever.
async fn follow(mut user: Client, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
    let mut since = String::new();
    while !stop.load(Ordering::Relaxed) {
        let path =
            if since.is_empty() { "/sync?timeout=0".to_owned() } else { format!("/sync?timeout=30000&since={since}") };
        match user.fetch("GET", &path, None).await.map(|answer| find_next_batch(&answer)) {
            Ok(Some(next)) => {
                counts.syncs.fetch_add(1, Ordering::Relaxed);
                counts.started.fetch_add(u64::from(since.is_empty()), Ordering::Relaxed);
                since = next;
            }
            _ => {
                counts.failures.fetch_add(1, Ordering::Relaxed);
                user.stream = None;
            }
        }
    }
}

/// Types, reads, comes and goes.
async fn act(n: usize, mut user: Client, rooms: Arc<Vec<Room>>, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
    tokio::time::sleep(Duration::from_millis(n as u64 * 7 % ACT_EVERY_MS)).await;
    let mut step = n;
    while !stop.load(Ordering::Relaxed) {
        let room = &rooms[(n + step % ROOMS_PER_USER) % rooms.len()];
        let (id, me) = (escape(&room.id), escape(&user.user_id));
        let newest = room.newest.lock().map(|newest| newest.clone()).unwrap_or_default();
        let (method, path, body) = match step % 4 {
            0 => ("PUT", format!("/rooms/{id}/typing/{me}"), json!({ "typing": true, "timeout": 5_000 })),
            1 => ("POST", format!("/rooms/{id}/receipt/m.read/{}", escape(&newest)), json!({})),
            2 => ("PUT", format!("/rooms/{id}/typing/{me}"), json!({ "typing": false })),
            _ => {
                let presence = if step % 8 == 3 { "unavailable" } else { "online" };
                ("PUT", format!("/presence/{me}/status"), json!({ "presence": presence }))
            }
        };
        if user.call(method, &path, Some(&body)).await.is_ok() {
            counts.acts.fetch_add(1, Ordering::Relaxed);
        } else {
            counts.failures.fetch_add(1, Ordering::Relaxed);
            user.stream = None;
        }
        step += 1;
        tokio::time::sleep(Duration::from_millis(ACT_EVERY_MS)).await;
    }
}
