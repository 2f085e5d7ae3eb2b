//! A thousand messages a second: how long each takes to reach the other of a pair.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::figures::{Durations, between};
use crate::people::{Pair, make_pairs};
use crate::server::Server;
use crate::socket::{Listener, Pool, Sender};
use crate::{Failure, Transport};

/// Pairs who write, each in a room of their own.
const PAIRS: usize = 50;
/// From one message to the next, of all pairs together.
const EVERY: Duration = Duration::from_millis(1);
/// How many are sent.
const MESSAGES: u32 = 10_000;
/// How long the last may take.
const LAST_MAX: Duration = Duration::from_secs(20);
/// Connections that a client without a socket sends over, as browsers have them.
pub const HTTP_CONNECTIONS: usize = 6;

/// How long messages took, by what stands in them.
pub struct Times {
    epoch: Instant,
    took: Mutex<Durations>,
}

impl Times {
    /// None yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { epoch: Instant::now(), took: Mutex::default() })
    }

    /// The text of a message that is sent at `at`.
    pub fn text(&self, at: Instant) -> String {
        format!("sent at {}.", at.duration_since(self.epoch).as_micros())
    }

    /// Notes all messages in a body.
    pub fn hear(&self, body: &str) {
        let now = self.epoch.elapsed();
        for message in body.split("\"body\":\"").skip(1) {
            if let Some(Ok(micros)) = between(message, "sent at ", ".").map(str::parse) {
                let took = now.saturating_sub(Duration::from_micros(micros));
                self.took.lock().expect("nobody panics").note(took);
            }
        }
    }

    /// How many were heard.
    pub fn count(&self) -> usize {
        self.took.lock().expect("nobody panics").count()
    }

    /// What they come to.
    pub fn summary(&self) -> String {
        self.took.lock().expect("nobody panics").summary()
    }
}

/// Measures with the clients of other measurements still there.
pub async fn measure(server: &Server, transport: Transport) -> Result<(), Failure> {
    let name = transport.name();
    let pairs = make_pairs(server, &format!("rate_{}", name.replace(' ', "_")), PAIRS).await?;
    let times = Times::new();
    let (mut listening, mut senders) = (JoinSet::new(), Vec::new());
    for pair in &pairs {
        senders.push(open_pair(server.address, pair, transport, &times, &mut listening).await?);
    }
    sleep(Duration::from_secs(2)).await;
    let (mut sending, mut late) = (JoinSet::new(), Durations::default());
    let (began, cpu_ms) = (Instant::now(), server.cpu_ms()?);
    for number in 0..MESSAGES {
        let at = began + EVERY * number;
        sleep_until(at).await;
        late.note(at.elapsed());
        let index = number as usize % pairs.len();
        let (sender, room, text) = (senders[index].clone(), pairs[index].room.clone(), times.text(at));
        sending.spawn(async move { sender.send(&room, &number.to_string(), &text).await });
    }
    let sent = began.elapsed();
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    let deadline = Instant::now() + LAST_MAX;
    while times.count() < MESSAGES as usize && Instant::now() < deadline {
        sleep(Duration::from_millis(10)).await;
    }
    let (cpu_us, lost) = ((server.cpu_ms()? - cpu_ms) * 1000 / u64::from(MESSAGES), MESSAGES as usize - times.count());
    println!(
        "{name}: {:.0} messages/s: {}; {cpu_us} µs of processor time each; {lost} lost; asked for late by {}",
        f64::from(MESSAGES) / sent.as_secs_f64(),
        times.summary(),
        late.summary()
    );
    listening.shutdown().await;
    Ok(())
}

/// Lets both of a pair listen, and gives what the sender sends with.
pub async fn open_pair(
    address: std::net::SocketAddr,
    pair: &Pair,
    transport: Transport,
    times: &Arc<Times>,
    listening: &mut JoinSet<Result<(), Failure>>,
) -> Result<Sender, Failure> {
    let receiver = Listener::open(address, &pair.receiver, transport, "receiver").await?;
    let times = times.clone();
    listening.spawn(receiver.run(move |body| times.hear(body)));
    let own = Listener::open(address, &pair.sender, transport, "sender").await?;
    let sender = match own.calls() {
        Some(calls) => Sender::Socket(calls),
        None => Sender::Http(Pool::connect(address, &pair.sender.token, HTTP_CONNECTIONS).await?),
    };
    listening.spawn(own.run(|_| {}));
    Ok(sender)
}
