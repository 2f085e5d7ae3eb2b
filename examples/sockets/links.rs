//! What a slow link makes of both: how long a message takes, how many one sender gets through, and what waiting costs in
//! bytes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::link::{HEADERS_BYTES, Link};
use crate::people::{Pair, make_pairs};
use crate::rate::{HTTP_CONNECTIONS, Times, open_pair};
use crate::server::Server;
use crate::socket::{Listener, Pool, Sender};
use crate::{Failure, Transport};

/// Simulated round trips, in milliseconds.
const ROUND_TRIPS_MS: [u64; 4] = [0, 20, 100, 300];
/// Pairs who write over each link.
const PAIRS: usize = 4;
/// The mean pause between two messages of a pair; the pauses are distributed exponentially.
const PAUSE_MEAN_S: f64 = 0.2;
/// How long they write.
const WRITING: Duration = Duration::from_secs(12);
/// The link of the one sender.
const ONE_SENDER: Duration = Duration::from_millis(200);
/// How long that one sends.
const SENDING: Duration = Duration::from_secs(6);
/// Clients of each kind whose bytes are counted while they wait.
const WAITING: usize = 50;
/// How long they settle: they are told of each other's presence.
const SETTLE: Duration = Duration::from_secs(12);
/// How long they are counted: two heartbeats, two polls.
const COUNTING: Duration = Duration::from_secs(60);

/// Measures all of it on one server. What is counted while it waits runs beside the rest.
pub async fn measure(server: &Server) -> Result<(), Failure> {
    let writing = async {
        for round_trip_ms in ROUND_TRIPS_MS {
            let both = Transport::BOTH.map(|transport| tell_latency(server, transport, round_trip_ms));
            try_join_all(both).await?;
        }
        tell_one_sender(server).await
    };
    let counting = try_join_all(Transport::BOTH.map(|transport| tell_bytes(server, transport)));
    tokio::try_join!(writing, counting).map(drop)
}

async fn tell_latency(server: &Server, transport: Transport, round_trip_ms: u64) -> Result<(), Failure> {
    let name = transport.name();
    let label = format!("link_{}_{round_trip_ms}", name.replace(' ', "_"));
    let pairs = make_pairs(server, &label, PAIRS).await?;
    let link = Link::open(server.address, Duration::from_millis(round_trip_ms)).await?;
    let (times, mut listening) = (Times::new(), JoinSet::new());
    let mut senders = Vec::new();
    for pair in &pairs {
        senders.push(open_pair(link.address, pair, transport, &times, &mut listening).await?);
    }
    sleep(Duration::from_secs(1)).await;
    let mut sending = JoinSet::new();
    for (index, (pair, sender)) in pairs.into_iter().zip(senders).enumerate() {
        sending.spawn(write(pair, sender, times.clone(), index as u64 + 1));
    }
    let mut sent = 0;
    while let Some(count) = sending.join_next().await {
        sent += count??;
    }
    sleep(Duration::from_secs(2)).await;
    let lost = sent - times.count();
    println!("{name}: round trip {round_trip_ms} ms, {sent} messages, {lost} lost: {}", times.summary());
    Ok(())
}

/// Writes at random times; gives how many were sent.
async fn write(pair: Pair, sender: Sender, times: std::sync::Arc<Times>, seed: u64) -> Result<usize, Failure> {
    let (mut random, mut at, mut sending) = (seed, Instant::now(), JoinSet::new());
    let end = at + WRITING;
    for number in 0.. {
        // Knuth's generator is even enough for pauses.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let even = ((random >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        at += Duration::from_secs_f64(-even.ln() * PAUSE_MEAN_S);
        if at > end {
            break;
        }
        sleep_until(at).await;
        let (sender, room, text) = (sender.clone(), pair.room.clone(), times.text(at));
        sending.spawn(async move { sender.send(&room, &format!("{number}"), &text).await });
    }
    let sent = sending.len();
    while let Some(done) = sending.join_next().await {
        done??;
    }
    Ok(sent)
}

async fn tell_one_sender(server: &Server) -> Result<(), Failure> {
    let link = Link::open(server.address, ONE_SENDER).await?;
    let (times, mut listening) = (Times::new(), JoinSet::new());
    for (what, transport, at_once) in [
        ("a socket, 32 calls under way", Transport::Socket, 32),
        ("HTTP/1.1, 6 connections", Transport::LongPoll, HTTP_CONNECTIONS),
        ("a socket, one after another", Transport::Socket, 1),
        ("HTTP/1.1, one after another", Transport::LongPoll, 1),
    ] {
        let pairs = make_pairs(server, &format!("one_{at_once}_{}", transport.name().replace(' ', "_")), 1).await?;
        let pair = pairs.first().ok_or("no pair")?;
        let mut sender = open_pair(link.address, pair, transport, &times, &mut listening).await?;
        if let Sender::Http(_) = sender {
            sender = Sender::Http(Pool::connect(link.address, &pair.sender.token, at_once).await?);
        }
        let end = Instant::now() + SENDING;
        let lines = (0..at_once).map(async |line| {
            let mut sent = 0_u32;
            while Instant::now() < end {
                sender.send(&pair.room, &format!("{line}-{sent}"), "one of many").await?;
                sent += 1;
            }
            Ok::<u32, Failure>(sent)
        });
        let sent: u32 = try_join_all(lines).await?.into_iter().sum();
        let round_trip_ms = ONE_SENDER.as_millis();
        println!(
            "one sender, round trip {round_trip_ms} ms, {what}: {:.0} messages/s",
            f64::from(sent) / SENDING.as_secs_f64()
        );
    }
    Ok(())
}

async fn tell_bytes(server: &Server, transport: Transport) -> Result<(), Failure> {
    let name = transport.name();
    let pairs = make_pairs(server, &format!("bytes_{}", name.replace(' ', "_")), WAITING / 2).await?;
    let link = Link::open(server.address, Duration::ZERO).await?;
    let mut listening = JoinSet::new();
    for device in pairs.iter().flat_map(|pair| [&pair.sender, &pair.receiver]) {
        listening.spawn(Listener::open(link.address, device, transport, "bytes").await?.run(|_| {}));
    }
    sleep(SETTLE).await;
    let read = || (link.traffic.bytes.load(Ordering::Relaxed), link.traffic.chunks.load(Ordering::Relaxed));
    let before = read();
    sleep(COUNTING).await;
    let after = read();
    let hourly = |count: u64| count * 3600 / COUNTING.as_secs() / WAITING as u64;
    let (bytes, chunks) = (hourly(after.0 - before.0), hourly(after.1 - before.1));
    println!(
        "{name}: an idle hour takes {bytes} bytes in {chunks} pieces, {} with the headers of TCP and IP",
        bytes + chunks * HEADERS_BYTES
    );
    Ok(())
}
