//! A client that speaks Matrix, for one user on one device or for nobody.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::{Router, body::Body};
use hearth_api::PeerAddress;
use http::{HeaderName, Method, Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Response, TestServer, conformance::check_exchange};

/// The password of every account that tests make.
pub const PASSWORD: &str = "correct horse battery staple";

static TRANSACTION: AtomicU64 = AtomicU64::new(1);

/// Sends requests to the server in this process.
#[derive(Clone)]
pub struct Client {
    app: Router,
    /// From which address it seems to come.
    pub address: std::net::IpAddr,
    pub token: Option<String>,
    pub user_id: String,
    pub device_id: String,
}

/// Percent-encodes one segment of a path.
pub fn escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

/// Paths that do not name an API are of the client-server API's v3.
fn whole_path(path: &str) -> String {
    if path.starts_with("/_matrix") || path.starts_with("/_synapse") || path.starts_with("/.well-known") {
        path.to_owned()
    } else {
        format!("/_matrix/client/v3{path}")
    }
}

impl Client {
    pub fn new(app: Router) -> Self {
        let address = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
        Self { app, address, token: None, user_id: String::new(), device_id: String::new() }
    }

    /// Takes token, user and device from the answer of a login or registration.
    #[must_use]
    #[track_caller]
    pub fn signed_in(&self, answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("no {field}: {answer}")).to_owned();
        Self {
            token: Some(text("access_token")),
            user_id: text("user_id"),
            device_id: text("device_id"),
            ..self.clone()
        }
    }

    /// The same client with this token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client at another server, such as one that was started again.
    #[must_use]
    pub fn at(&self, server: &TestServer) -> Self {
        Self { app: server.app(), ..self.clone() }
    }

    /// The same client without a token.
    #[must_use]
    pub fn signed_out(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Sends any bytes.
    pub async fn request(&self, method: Method, path: &str, body: impl Into<Body>) -> Response {
        self.request_with(method, path, &[], body).await
    }

    /// Sends any bytes with more headers.
    pub async fn request_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Body>,
    ) -> Response {
        let path = whole_path(path);
        let mut request = Request::builder().method(method.clone()).uri(&path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.extension(PeerAddress(self.address)).body(body.into()).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        let response =
            Response { request: format!("{method} {path}"), status: parts.status, headers: parts.headers, body };
        check_exchange(&method, &path, &response);
        response
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path, Body::empty()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Response {
        self.request(Method::PUT, path, body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path, body.to_string()).await
    }

    pub async fn delete(&self, path: &str, body: Value) -> Response {
        self.request(Method::DELETE, path, body.to_string()).await
    }

    /// Uploads a file and gives its URI without `mxc://`, as paths name it.
    pub async fn upload(&self, content_type: &str, bytes: impl Into<Body>) -> String {
        let headers = [(header::CONTENT_TYPE, content_type)];
        let answer = self.request_with(Method::POST, "/_matrix/media/v3/upload", &headers, bytes).await.ok();
        let uri = answer["content_uri"].as_str().unwrap_or_else(|| panic!("no content_uri: {answer}"));
        uri.strip_prefix("mxc://").expect("an mxc URI").to_owned()
    }

    /// Asks for a file or a thumbnail: `what` begins with `download/` or `thumbnail/`.
    pub async fn get_media(&self, what: &str) -> Response {
        self.get(&format!("/_matrix/client/v1/media/{what}")).await
    }

    /// Logs this account in on a new device.
    pub async fn log_in_again(&self) -> Self {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": self.user_id },
            "password": PASSWORD,
        });
        self.signed_in(&self.signed_out().post("/login", body).await.ok())
    }

    /// A path under a room.
    pub fn room_path(room: &str, rest: &str) -> String {
        format!("/rooms/{}{rest}", escape(room))
    }

    /// A path under this user.
    pub fn user_path(&self, rest: &str) -> String {
        format!("/user/{}{rest}", escape(&self.user_id))
    }

    /// Makes a room and gives its id.
    pub async fn create_room(&self, body: Value) -> String {
        let answer = self.post("/createRoom", body).await.ok();
        answer["room_id"].as_str().unwrap_or_else(|| panic!("no room_id: {answer}")).to_owned()
    }

    /// Makes a public room that the others join.
    pub async fn create_room_with(&self, others: &[&Self]) -> String {
        let room = self.create_room(json!({ "preset": "public_chat" })).await;
        for other in others {
            other.join(&room).await;
        }
        room
    }

    pub async fn join(&self, room: &str) {
        self.post(&Self::room_path(room, "/join"), json!({})).await.ok();
    }

    pub async fn invite(&self, room: &str, user: &Self) {
        self.post(&Self::room_path(room, "/invite"), json!({ "user_id": user.user_id })).await.ok();
    }

    pub async fn leave(&self, room: &str) {
        self.post(&Self::room_path(room, "/leave"), json!({})).await.ok();
    }

    /// The path to send an event of this type with a fresh transaction id.
    pub fn send_path(room: &str, kind: &str) -> String {
        let transaction = TRANSACTION.fetch_add(1, Ordering::Relaxed);
        Self::room_path(room, &format!("/send/{kind}/t{transaction}"))
    }

    /// Sends texts of 60 KB that begin with their number and a colon.
    pub async fn send_long_texts(&self, room: &str, count: usize) {
        let long = "y".repeat(60_000);
        for number in 0..count {
            self.send_text(room, &format!("{number}:{long}")).await;
        }
    }

    /// Sends a text message and gives the event's id.
    pub async fn send_text(&self, room: &str, text: &str) -> String {
        let content = json!({ "msgtype": "m.text", "body": text });
        event_id(&self.put(&Self::send_path(room, "m.room.message"), content).await.ok())
    }

    /// Sets state under the empty key and gives the event's id.
    pub async fn set_state(&self, room: &str, kind: &str, content: Value) -> String {
        event_id(&self.put(&Self::room_path(room, &format!("/state/{kind}")), content).await.ok())
    }

    /// What a user's membership says now, as this client sees it.
    pub async fn membership_of(&self, room: &str, user: &Self) -> String {
        let path = Self::room_path(room, &format!("/state/m.room.member/{}", escape(&user.user_id)));
        self.get(&path).await.ok()["membership"].as_str().expect("a membership").to_owned()
    }

    /// Syncs at once, from the beginning or from a token.
    pub async fn sync(&self, since: Option<&str>) -> Value {
        self.sync_with(since, "timeout=0").await
    }

    /// Syncs with more parameters.
    pub async fn sync_with(&self, since: Option<&str>, parameters: &str) -> Value {
        let since = since.map(|since| format!("&since={}", escape(since))).unwrap_or_default();
        self.get(&format!("/sync?{parameters}{since}")).await.ok()
    }
}

/// The `event_id` of an answer.
#[track_caller]
pub fn event_id(answer: &Value) -> String {
    answer["event_id"].as_str().unwrap_or_else(|| panic!("no event_id: {answer}")).to_owned()
}
