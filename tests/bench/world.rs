//! The server that is measured, and what is prepared on it.

use std::sync::Arc;
use std::time::Duration;

use axum::{Router, body::Body};
use futures_util::{StreamExt as _, stream};
use hearth_api::PeerAddress;
use hearth_homeserver::rooms::{JoinWish, NewEvent};
use hearth_homeserver::users::{LocalUser, NewDevice, NewUser};
use hearth_server::assembly::Homeserver;
use hearth_server::config::{Config, Durability};
use hearth_server::system::{SystemClock, SystemRng};
use hearth_server::telemetry::RequestStats;
use http::{Method, Request, StatusCode, header};
use ruma::RoomId;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::measure::note;

/// What is prepared side by side.
const AT_ONCE: usize = 256;
/// How long to wait before it is asked again whether the index is there.
const INDEX_PAUSE: Duration = Duration::from_millis(250);
/// How long to wait before the server is asked again that was too busy.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
/// Pages between two places of a history that are read.
const TOKENS: usize = 40;

/// A user with a token.
#[derive(Clone)]
pub struct Member {
    user: LocalUser,
    token: String,
}

/// A server in this process.
pub struct World {
    homeserver: Homeserver,
    app: Router,
    clock: Arc<SystemClock>,
    _folder: TempDir,
}

impl World {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::default();
        config.server.name = Some("bench.hearth".to_owned());
        config.server.data = folder.path().to_owned();
        config.storage.durability = Durability::Os;
        config.rate_limits.enabled = false;
        let clock = Arc::new(SystemClock::new());
        let homeserver = Homeserver::open(&config, clock.clone()).await.expect("a server");
        let stats = RequestStats::new(clock.clone(), &SystemRng);
        let app = homeserver.router(&config, &stats);
        Self { homeserver, app, clock, _folder: folder }
    }

    pub async fn close(self) {
        self.homeserver.close().await;
    }

    pub fn clock_us(&self) -> u64 {
        self.clock.monotonic_us()
    }

    /// Lets what goes on by itself come to rest.
    pub async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }

    pub async fn register(&self, name: &str) -> Member {
        let device = Some(NewDevice::default());
        let new = NewUser { username: name.to_owned(), password: None, is_admin: false, device, display_name: None };
        let session = self.homeserver.users.create_user(new).await.expect("a user").session.expect("a session");
        let user = self.homeserver.users.authenticate(&session.access_token).await.expect("a valid token");
        Member { user, token: session.access_token }
    }

    pub async fn register_many(&self, prefix: &str, count: usize) -> Vec<Member> {
        note(&format!("registering {count} users"));
        let names = (0..count).map(|n| format!("{prefix}{n}"));
        stream::iter(names).map(async |name| self.register(&name).await).buffered(AT_ONCE).collect().await
    }

    pub async fn create_room(&self, owner: &Member) -> String {
        let answer = self.request(owner, Method::POST, "/createRoom", json!({ "preset": "public_chat" })).await;
        answer["room_id"].as_str().expect("a room").to_owned()
    }

    pub async fn create_rooms(&self, owner: &Member, count: usize) -> Vec<String> {
        note(&format!("making {count} rooms"));
        stream::iter(0..count).map(async |_| self.create_room(owner).await).buffered(AT_ONCE).collect().await
    }

    pub async fn join_many(&self, members: &[Member], room: &str) {
        note(&format!("{} users join a room", members.len()));
        let room = RoomId::parse(room).expect("a room id");
        let join = async |member: &Member| {
            self.homeserver.rooms.join(&member.user, &room, JoinWish::default()).await.expect("joined");
        };
        stream::iter(members).for_each_concurrent(AT_ONCE, join).await;
    }

    pub async fn send(&self, sender: &Member, room: &str, text: &str) {
        let transaction = self.clock_us();
        let path = format!("/rooms/{}/send/m.room.message/{transaction}", escape(room));
        self.request(sender, Method::PUT, &path, json!({ "msgtype": "m.text", "body": text })).await;
    }

    pub async fn send_many(&self, sender: &Member, room: &str, count: usize, text: impl Fn(usize) -> String) {
        note(&format!("sending {count} messages"));
        let room = RoomId::parse(room).expect("a room id");
        let send = async |n: usize| {
            let content = json!({ "msgtype": "m.text", "body": text(n) });
            let event = NewEvent {
                kind: "m.room.message".to_owned(),
                state_key: None,
                content: serde_json::value::to_raw_value(&content).expect("JSON"),
                redacts: None,
                txn_id: None,
                timestamp: None,
            };
            self.homeserver.rooms.send(&sender.user, &room, event).await.expect("sent");
        };
        stream::iter(0..count).for_each_concurrent(AT_ONCE, send).await;
    }

    /// The next token, and in how many rooms something was new.
    pub async fn sync(&self, who: &Member, since: Option<&str>) -> (String, usize) {
        let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
        let answer = self.request(who, Method::GET, &format!("/sync?timeout=0{since}"), Value::Null).await;
        let token = answer["next_batch"].as_str().expect("a token").to_owned();
        (token, answer["rooms"]["join"].as_object().map_or(0, serde_json::Map::len))
    }

    /// The next token, and how many events a page has.
    pub async fn page(&self, who: &Member, room: &str, from: &str, limit: usize) -> (String, usize) {
        let path = format!("/rooms/{}/messages?dir=b&limit={limit}&from={from}", escape(room));
        let answer = self.request(who, Method::GET, &path, Value::Null).await;
        let token = answer["end"].as_str().unwrap_or_default().to_owned();
        (token, answer["chunk"].as_array().map_or(0, Vec::len))
    }

    /// Places in the newer part of a history, a page apart.
    pub async fn page_tokens(&self, who: &Member, room: &str, limit: usize) -> Vec<String> {
        let path = format!("/rooms/{}/messages?dir=b&limit={limit}", escape(room));
        let answer = self.request(who, Method::GET, &path, Value::Null).await;
        let mut tokens = vec![answer["end"].as_str().expect("a token").to_owned()];
        while tokens.len() < TOKENS {
            let next = self.page(who, room, &tokens[tokens.len() - 1], limit).await.0;
            tokens.push(next);
        }
        tokens
    }

    /// How many results a page of a search has.
    pub async fn search(&self, who: &Member, criteria: Value) -> usize {
        let body = json!({ "search_categories": { "room_events": criteria } });
        let answer = self.request(who, Method::POST, "/search", body).await;
        answer["search_categories"]["room_events"]["results"].as_array().map_or(0, Vec::len)
    }

    /// Waits until a word is found so often.
    pub async fn wait_for_index(&self, who: &Member, room: &str, word: &str, count: usize) {
        note("waiting for the index");
        let criteria =
            json!({ "search_term": word, "order_by": "recent", "filter": { "rooms": [room], "limit": 100 } });
        while self.search(who, criteria.clone()).await < count {
            tokio::time::sleep(INDEX_PAUSE).await;
        }
        self.rest().await;
    }

    async fn request(&self, who: &Member, method: Method, path: &str, body: Value) -> Value {
        loop {
            let (status, answer) = self.try_request(who, &method, path, &body).await;
            // Preparations ask for more at once than the server takes.
            if status != StatusCode::TOO_MANY_REQUESTS {
                assert_eq!(status, StatusCode::OK, "{path}: {answer}");
                return answer;
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }

    async fn try_request(&self, who: &Member, method: &Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/_matrix/client/v3{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", who.token))
            .extension(PeerAddress(std::net::Ipv4Addr::LOCALHOST.into()))
            .body(if body.is_null() { Body::empty() } else { Body::from(body.to_string()) })
            .expect("a request");
        let answer = self.app.clone().oneshot(request).await.expect("an answer");
        let (status, body) = (answer.status(), answer.into_body());
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }
}

/// A room's id within a path.
fn escape(room: &str) -> String {
    room.replace('!', "%21").replace(':', "%3A").replace('$', "%24")
}
