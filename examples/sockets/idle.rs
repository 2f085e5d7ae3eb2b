//! Very many clients that wait: what they cost, and how long one message takes to reach all of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::figures::Durations;
use crate::people::Crowd;
use crate::server::Server;
use crate::socket::{Listener, Pool, Sender};
use crate::{Failure, Transport};

/// Clients that connect side by side.
const OPENED_AT_ONCE: usize = 64;
/// How long the server has to settle before its memory is read: its allocator gives back after ten seconds.
const SETTLE: Duration = Duration::from_secs(15);
/// How long nothing happens while processor time is measured; longer than a poll waits.
const IDLE: Duration = Duration::from_secs(32);
/// Messages to all of them.
const MESSAGES: usize = 10;
/// How long a message may take at most.
const DELIVERY_MAX: Duration = Duration::from_secs(60);
/// The pause after each.
const PAUSE: Duration = Duration::from_millis(1_000);

/// What the listeners have heard.
struct Heard {
    wanted: usize,
    state: Mutex<State>,
    all: Notify,
}

struct State {
    began: Instant,
    took: Durations,
}

impl Heard {
    fn note(&self) {
        let mut state = self.state.lock().expect("nobody panics");
        let took = state.began.elapsed();
        state.took.note(took);
        if state.took.count() == self.wanted {
            self.all.notify_one();
        }
    }
}

/// Clients that go on waiting.
pub struct Waiting {
    listening: JoinSet<Result<(), Failure>>,
}

impl Waiting {
    /// Lets all of them go.
    pub async fn end(mut self) {
        self.listening.shutdown().await;
        sleep(SETTLE).await;
    }
}

/// Lets every device of a crowd wait; with `is_told`, measures what that costs and tells it.
pub async fn measure(server: &Server, crowd: &Crowd, transport: Transport, is_told: bool) -> Result<Waiting, Failure> {
    let name = transport.name();
    let crowd = crowd.refreshed(server.address).await?;
    let count = crowd.devices.len();
    sleep(SETTLE).await;
    let before_kib = server.memory_kib()?;
    let began = Instant::now();
    let listeners: Vec<Listener> = stream::iter(crowd.devices.iter().enumerate())
        .map(async |(number, device)| Listener::open(server.address, device, transport, &number.to_string()).await)
        .buffer_unordered(OPENED_AT_ONCE)
        .try_collect()
        .await?;
    println!("{name}: {count} open after {:.1} s", began.elapsed().as_secs_f64());
    let heard = Arc::new(Heard {
        wanted: count,
        state: Mutex::new(State { began, took: Durations::default() }),
        all: Notify::new(),
    });
    let mut listening = JoinSet::new();
    for listener in listeners {
        let heard = heard.clone();
        listening.spawn(listener.run(move |body| {
            if body.contains("to everybody") {
                heard.note();
            }
        }));
    }
    if is_told {
        tell_idle(server, name, count, before_kib).await?;
        tell_delivery(server, &crowd, name, &heard).await?;
    }
    if let Some(ended) = listening.try_join_next() {
        return Err(format!("one has ended: {ended:?}").into());
    }
    Ok(Waiting { listening })
}

async fn tell_idle(server: &Server, name: &str, count: usize, before_kib: u64) -> Result<(), Failure> {
    sleep(SETTLE).await;
    let kib = server.memory_kib()?.saturating_sub(before_kib);
    println!("{name}: {:.2} KiB each ({before_kib} KiB before, {kib} KiB more now)", kib as f64 / count as f64);
    let (before_ms, began) = (server.cpu_ms()?, Instant::now());
    sleep(IDLE).await;
    let (used_ms, seconds) = (server.cpu_ms()? - before_ms, began.elapsed().as_secs_f64());
    println!(
        "{name}: idle, {used_ms} ms of processor time in {seconds:.0} s ({:.2} % of a core)",
        used_ms as f64 / seconds / 10.0
    );
    Ok(())
}

async fn tell_delivery(server: &Server, crowd: &Crowd, name: &str, heard: &Heard) -> Result<(), Failure> {
    let device = crowd.devices.first().ok_or("nobody")?;
    let sender = Sender::Http(Pool::connect(server.address, &device.token, 1).await?);
    let (mut last, mut cpu_ms) = (Durations::default(), server.cpu_ms()?);
    for number in 0..MESSAGES {
        *heard.state.lock().expect("nobody panics") = State { began: Instant::now(), took: Durations::default() };
        sender.send(&crowd.room, &format!("{name}-{number}").replace(' ', "-"), "to everybody").await?;
        timeout(DELIVERY_MAX, heard.all.notified()).await?;
        let (all_ms, summary) = {
            let mut state = heard.state.lock().expect("nobody panics");
            (state.took.percentile_ms(100), state.took.summary())
        };
        last.note(Duration::from_secs_f64(all_ms / 1000.0));
        println!("{name}: message {number} to {}: {summary}", heard.wanted);
        sleep(PAUSE).await;
    }
    cpu_ms = (server.cpu_ms()? - cpu_ms) / MESSAGES as u64;
    println!("{name}: the last has a message after: {}; {cpu_ms} ms of processor time each", last.summary());
    println!("{name}: memory after that: {} KiB", server.memory_kib()?);
    Ok(())
}
