//! A socket over HTTP/2 (RFC 8441): CONNECT with `:protocol`, and the frames in its stream.

use std::time::Duration;

use bytes::Bytes;
use h2::ext::Protocol;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use http::{Method, Request, Version};
use tokio::net::TcpStream;

use crate::harness::{CONNECT_PATH, TestServer};

/// A whole text frame, as a server sends it and, with a mask of zeros, as a client does.
const TEXT: u8 = 0x81;

fn masked(text: &str) -> Bytes {
    let length = u8::try_from(text.len()).expect("a short text");
    let mut frame = vec![TEXT, 0x80 | length, 0, 0, 0, 0];
    frame.extend_from_slice(text.as_bytes());
    frame.into()
}

#[tokio::test]
async fn a_socket_opens_over_http_2() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let address = server.listen();
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (requests, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let talk = async {
        let mut requests = requests.ready().await.expect("a connection");
        while !requests.is_extended_connect_protocol_enabled() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .version(Version::HTTP_2)
            .uri(format!("http://{address}{CONNECT_PATH}"))
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_PROTOCOL, "chat.hearth.v1.json")
            .header(AUTHORIZATION, format!("Bearer {}", alice.token.as_deref().expect("a token")))
            .body(())
            .expect("a request");
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        let (response, mut sending) = requests.send_request(request, false).expect("a stream");
        let response = response.await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "chat.hearth.v1.json");
        let mut receiving = response.into_body();
        let hello = receiving.data().await.expect("a frame").expect("bytes");
        assert_eq!(hello[0], TEXT);
        assert!(String::from_utf8_lossy(&hello).contains(r#"{"op":"hello""#), "{hello:?}");
        sending.send_data(masked(r#"{"op":"ping"}"#), false).expect("a frame");
        let pong = receiving.data().await.expect("a frame").expect("bytes");
        assert!(pong.ends_with(br#"{"op":"pong"}"#), "{pong:?}");
    };
    tokio::select! {
        end = connection => panic!("the connection ended: {end:?}"),
        () = talk => {}
    }
}
