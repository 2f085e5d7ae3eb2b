use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use hearth_homeserver::Stop;
use hearth_protocol::{MockClock, UnixMs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Edge, serve};
use crate::config::ListenersConfig;
use crate::listeners::{Address, bind};
use crate::workers::Tasks;

/// Long enough for anything that should happen at once, on a machine that is busy.
const SOON: Duration = Duration::from_secs(10);

struct Running {
    address: SocketAddr,
    tasks: Tasks,
    stop: Stop,
    cut: Stop,
}

fn start(config: &ListenersConfig) -> Running {
    let router = Router::new()
        .route("/", get(|| async { "hearth" }))
        .route("/echo", post(|body: String| async move { body }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "slow"
            }),
        )
        .route("/unread", post(|| async { "not read" }))
        .route("/never", get(|| async { std::future::pending::<()>().await }));
    let tasks = Tasks::new(Arc::new(MockClock::new(UnixMs(0))));
    let (stop, cut) = (Stop::new(), Stop::new());
    let edge = Edge::new(router, config, tasks.clone(), stop.clone(), cut.clone());
    let listener = bind(&Address::parse("127.0.0.1:0").unwrap(), 0).unwrap();
    let Address::Tcp(address) = listener.address else { panic!("TCP was asked for") };
    tasks.start_listener(serve(listener, None, edge));
    Running { address, tasks, stop, cut }
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_is_answered() {
    let running = start(&ListenersConfig::default());
    let head = "POST /echo HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi";
    let answer = read_to_end(&mut send(running.address, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nhi"), "{answer}");
}

#[tokio::test]
async fn who_is_silent_or_slow_is_cut_off() {
    let config = ListenersConfig { header_timeout_ms: 100, body_timeout_ms: 100, ..ListenersConfig::default() };
    let running = start(&config);
    for begun in ["", "PRI * HTTP/2", "GET / HTTP/1.1\r\nhost:"] {
        read_to_end(&mut send(running.address, begun).await).await;
    }
    let head = "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhalf";
    let answer = read_to_end(&mut send(running.address, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_closes_idle_connections() {
    let running = start(&ListenersConfig::default());
    let mut idle = send(running.address, "").await;
    let mut slow = send(running.address, "GET /slow HTTP/1.1\r\nhost: h\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.stop.cancel();
    assert!(running.tasks.finish_connections(SOON).await);
    assert!(read_to_end(&mut slow).await.ends_with("slow"));
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut() {
    let running = start(&ListenersConfig::default());
    let mut never = send(running.address, "GET /never HTTP/1.1\r\nhost: h\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.stop.cancel();
    assert!(!running.tasks.finish_connections(Duration::from_millis(50)).await);
    running.cut.cancel();
    assert!(running.tasks.finish_connections(SOON).await);
    assert_eq!(read_to_end(&mut never).await, "");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let running = start(&ListenersConfig { connections_max: 1, ..ListenersConfig::default() });
    let first = send(running.address, "").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let head = "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    let mut second = send(running.address, head).await;
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(100), second.read(&mut byte)).await.is_err());
    drop(first);
    assert!(read_to_end(&mut second).await.ends_with("hearth"));
}

#[tokio::test]
async fn http_2_without_tls_is_understood() {
    let running = start(&ListenersConfig::default());
    let mut stream = send(running.address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut frame = [0; 9];
    tokio::time::timeout(SOON, stream.read_exact(&mut frame)).await.unwrap().unwrap();
    assert_eq!(frame[3], 4, "the server's first frame is SETTINGS");
}

#[tokio::test]
async fn an_answer_that_does_not_wait_for_the_body_reaches_who_sends_it_all() {
    let running = start(&ListenersConfig::default());
    let bytes = 20_000_000;
    let head = format!("POST /unread HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
    let mut stream = send(running.address, &head).await;
    let sending = async { stream.write_all(&vec![b'x'; bytes]).await.unwrap() };
    tokio::time::timeout(SOON, sending).await.expect("all of it is taken");
    assert!(read_to_end(&mut stream).await.ends_with("not read"));
}

#[tokio::test]
async fn who_waits_to_be_told_to_send_is_answered_at_once() {
    let running = start(&ListenersConfig::default());
    let head = "POST /unread HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    let answer = read_to_end(&mut send(running.address, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
