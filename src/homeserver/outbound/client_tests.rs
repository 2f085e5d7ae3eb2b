use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _, join};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{Fetch, Fetched, Outbound, Url};
use crate::outbound::{FetchError, Names, OutboundConfig};

/// `inside` has inner addresses only; `here` is this machine.
struct MadeUpNames;

impl Names for MadeUpNames {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let addresses = match name {
            "inside.example" => vec![here, "::1".parse().unwrap(), "10.0.0.1".parse().unwrap()],
            "here.example" => vec![here],
            _ => Vec::new(),
        };
        async { Ok(addresses) }.boxed()
    }
}

fn outbound(allowed: &[&str]) -> Outbound {
    let allowed_networks = allowed.iter().map(|network| network.parse().unwrap()).collect();
    let config = OutboundConfig { allowed_networks, ..OutboundConfig::default() };
    Outbound::with_names(&config, Arc::new(MadeUpNames))
}

async fn get(outbound: &Outbound, url: &str) -> Result<Fetched, FetchError> {
    let url = Url::parse(url).map_err(|_| FetchError::BadUrl)?;
    let fetch = Fetch {
        url,
        accept: "*/*",
        languages: "en",
        redirects_max: 3,
        timeout_ms: 2_000,
        bytes_max: 1_000,
        is_cut: false,
        may_ask: &|url| url.path() != "/forbidden",
    };
    outbound.get(fetch).await
}

/// Answers each request on a connection of its own, as `answers` says by path; counts connections.
async fn serve(listener: &TcpListener, connections: &AtomicUsize, answers: impl Fn(&str) -> String) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::Relaxed);
        let mut request = vec![0; 4_096];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default();
        // The other side may have heard enough.
        let _ = stream.write_all(answers(path).as_bytes()).await;
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// Runs `test` beside a server on this machine; gives what it gave and how many connections there were.
async fn beside_server<T>(answers: impl Fn(u16, &str) -> String, test: impl AsyncFnOnce(u16) -> T) -> (T, usize) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = AtomicUsize::new(0);
    let value = tokio::select! {
        () = serve(&listener, &connections, |path| answers(port, path)) => unreachable!(),
        value = test(port) => value,
    };
    (value, connections.into_inner())
}

#[tokio::test]
async fn a_host_that_is_an_inner_address_is_refused_however_it_is_written() {
    let outbound = outbound(&[]);
    let ((), connections) = beside_server(
        |_, _| ok("secret"),
        async |port| {
            let hosts = [
                "127.0.0.1",
                "2130706433",
                "0x7f000001",
                "0177.0.0.1",
                "127.1",
                "0",
                "0.0.0.0",
                "[::1]",
                "[::]",
                "[::ffff:127.0.0.1]",
                "[::ffff:7f00:1]",
                "[64:ff9b::7f00:1]",
                "10.0.0.1",
                "169.254.169.254",
                "127.0.0.1.",
                "%31%32%37.0.0.1",
                "\u{ff11}27.0.0.1",
            ];
            for host in hosts {
                let got = get(&outbound, &format!("http://{host}:{port}/")).await;
                assert!(matches!(got, Err(FetchError::Denied)), "{host}: {got:?}");
            }
        },
    )
    .await;
    assert_eq!(connections, 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_and_no_connection_is_made() {
    let outbound = outbound(&[]);
    let (got, connections) = beside_server(
        |_, _| ok("secret"),
        async |port| get(&outbound, &format!("http://inside.example:{port}/")).await,
    )
    .await;
    assert!(matches!(got, Err(FetchError::Denied)), "{got:?}");
    assert_eq!(connections, 0);
}

#[tokio::test]
async fn a_redirect_inside_is_refused() {
    // Only what the first hop needs is allowed.
    let outbound = outbound(&["127.0.0.1"]);
    let answers = |port: u16, path: &str| match path {
        "/v6" => redirect(&format!("http://[::1]:{port}/secret")),
        "/name" => redirect("http://10.0.0.1/secret"),
        "/file" => redirect("file:///etc/passwd"),
        "/user" => redirect(&format!("http://user:secret@127.0.0.1:{port}/")),
        "/list" => redirect("/forbidden"),
        _ => ok("secret"),
    };
    let ((), connections) = beside_server(answers, async |port| {
        for path in ["v6", "name", "list"] {
            let got = get(&outbound, &format!("http://here.example:{port}/{path}")).await;
            assert!(matches!(got, Err(FetchError::Denied)), "{path}: {got:?}");
        }
        for path in ["file", "user"] {
            let got = get(&outbound, &format!("http://here.example:{port}/{path}")).await;
            assert!(matches!(got, Err(FetchError::BadUrl)), "{path}: {got:?}");
        }
    })
    .await;
    assert_eq!(connections, 5, "none to where a redirect led");
}

#[tokio::test]
async fn redirects_end_and_long_answers_are_refused() {
    let outbound = outbound(&["127.0.0.0/8"]);
    let answers = |_: u16, path: &str| match path {
        "/loop" => redirect("/loop"),
        "/once" => redirect("/there"),
        "/long" => ok(&"x".repeat(1_001)),
        "/missing" => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/nonsense" => "SSH-2.0-OpenSSH\r\n".to_owned(),
        path => ok(path),
    };
    let ((), _) = beside_server(answers, async |port| {
        let base = format!("http://here.example:{port}");
        let (once, looped) =
            join(get(&outbound, &format!("{base}/once")), get(&outbound, &format!("{base}/loop"))).await;
        let once = once.unwrap();
        assert_eq!((&once.body[..], once.url.path()), (&b"/there"[..], "/there"));
        assert_eq!(once.content_type.as_deref(), Some("text/plain"));
        assert!(matches!(looped, Err(FetchError::TooManyRedirects)), "{looped:?}");
        assert!(matches!(get(&outbound, &format!("{base}/long")).await, Err(FetchError::TooLarge)));
        assert!(matches!(get(&outbound, &format!("{base}/missing")).await, Err(FetchError::Status(404))));
        assert!(matches!(get(&outbound, &format!("{base}/nonsense")).await, Err(FetchError::Failed(_))));
    })
    .await;
    for bad in ["ftp://here.example/", "file:///etc/passwd", "http://user@here.example/", "data:text/plain,x"] {
        assert!(matches!(get(&outbound, bad).await, Err(FetchError::BadUrl)), "{bad}");
    }
}
