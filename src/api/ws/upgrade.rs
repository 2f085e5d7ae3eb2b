//! The handshake of WebSocket: over HTTP/1.1 (RFC 6455, section 4.2) and over HTTP/2 (RFC 8441).

use axum::{body::Body, extract::FromRequestParts, response::Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    request::Parts,
};
use hyper::{ext::Protocol, upgrade::OnUpgrade};
use sha1::{Digest as _, Sha1};

use crate::api_error::ApiError;

/// What every WebSocket server appends to the client's key.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request to open a WebSocket.
pub struct UpgradeRequest {
    /// Where the connection comes when the answer has been sent.
    pub connection: OnUpgrade,
    /// The answer to the client's key; none over HTTP/2, which needs no such proof.
    accept: Option<HeaderValue>,
    protocols: HeaderMap,
}

impl<S: Sync> FromRequestParts<S> for UpgradeRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read_upgrade(parts).ok_or_else(|| ApiError::invalid_param("This is no request to open a WebSocket."))
    }
}

fn read_upgrade(parts: &mut Parts) -> Option<UpgradeRequest> {
    let headers = &parts.headers;
    let accept = if parts.method == Method::CONNECT {
        parts.extensions.get::<Protocol>().filter(|protocol| protocol.as_str() == "websocket")?;
        None
    } else {
        let is_asked = parts.method == Method::GET
            && names(headers, &CONNECTION, "upgrade")
            && names(headers, &UPGRADE, "websocket");
        Some(answer_key(headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_asked)?))
    };
    headers.get(SEC_WEBSOCKET_VERSION).filter(|version| version.as_bytes() == b"13")?;
    let mut protocols = HeaderMap::new();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        protocols.append(SEC_WEBSOCKET_PROTOCOL, value.clone());
    }
    Some(UpgradeRequest { connection: parts.extensions.remove::<OnUpgrade>()?, accept, protocols })
}

/// Whether a header with a list has this word in it.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
}

fn answer_key(key: &HeaderValue) -> HeaderValue {
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(KEY_SUFFIX).finalize();
    HeaderValue::try_from(BASE64_STANDARD.encode(digest)).expect("base64 is a header's value")
}

impl UpgradeRequest {
    /// Whether the client speaks this subprotocol.
    pub fn offers(&self, protocol: &str) -> bool {
        names(&self.protocols, &SEC_WEBSOCKET_PROTOCOL, protocol)
    }

    /// The answer that opens the socket.
    pub fn accept(self, protocol: &'static str) -> (OnUpgrade, Response) {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        if let Some(accept) = self.accept {
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        (self.connection, response)
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, header::SEC_WEBSOCKET_KEY};

    use super::{answer_key, read_upgrade};

    #[test]
    fn the_key_of_the_rfc_is_answered() {
        let request = Request::builder().header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap();
        assert_eq!(answer_key(&request.headers()[SEC_WEBSOCKET_KEY]), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_asks_for_something_else_opens_nothing() {
        let good = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in [
            ("connection", "close"),
            ("upgrade", "h2c"),
            ("sec-websocket-version", "8"),
            // All headers are as they should be, but nothing can be upgraded.
            ("host", "x"),
        ] {
            let mut request = Request::get("/").body(()).unwrap();
            for (name, value) in good.into_iter().chain([(name, value)]) {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            assert!(read_upgrade(&mut request.into_parts().0).is_none(), "{name}: {value}");
        }
    }
}
