//! Sockets against long polls, on one server and in one run: what one costs while nothing happens, how long one message
//! takes to reach ten thousand, how many a second go through, and what a slow link makes of both.
//!
//! `cargo run --release --example sockets -- SERVER [USERS] [DEVICES] [PART ..]`; `SERVER` is the built program, which
//! this starts on a port of its own, in a folder of its own, and ends. With 100 users of 100 devices both need
//! `ulimit -n 40000`. Parts are `idle`, `rate` and `links`; without a name all of them run, in about five minutes.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement: it tells the time and the result, and no figure has sixteen digits"
)]

mod figures;
mod http;
mod idle;
mod link;
mod links;
mod people;
mod rate;
mod server;
mod socket;

use std::path::Path;

use server::Server;

/// Whatever goes wrong ends the measurement.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How clients are told what is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Socket,
    LongPoll,
}

impl Transport {
    const BOTH: [Self; 2] = [Self::Socket, Self::LongPoll];

    fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::LongPoll => "long poll",
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = arguments.first().ok_or("SERVER [USERS] [DEVICES] [PART ..]")?;
    let (mut numbers, mut parts) = (Vec::new(), Vec::new());
    for argument in &arguments[1..] {
        match argument.parse::<usize>() {
            Ok(number) => numbers.push(number),
            Err(_) => parts.push(argument.as_str()),
        }
    }
    let (users, devices) = (numbers.first().copied().unwrap_or(100), numbers.get(1).copied().unwrap_or(100));
    let is_wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    let server = Server::start(Path::new(program)).await?;
    println!("memory at start: {} KiB", server.memory_kib()?);
    if is_wanted("idle") || is_wanted("rate") {
        let crowd = people::make_crowd(&server, users, devices).await?;
        println!("{users} users with {devices} devices each, in one room");
        for transport in Transport::BOTH {
            let waiting = idle::measure(&server, &crowd, transport, is_wanted("idle")).await?;
            if is_wanted("rate") {
                rate::measure(&server, transport).await?;
            }
            waiting.end().await;
        }
    }
    if is_wanted("links") {
        links::measure(&server).await?;
    }
    println!("memory at the end: {} KiB", server.memory_kib()?);
    Ok(())
}
