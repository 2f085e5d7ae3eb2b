//! Who may read what: every way to read an event, for every kind of reader, every history visibility and type of room.

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

/// The messages of the room under test, in the order in which they are sent. A thread starts from each at once.
const MESSAGES: [&str; 3] = ["before", "present", "after"];

/// What the reader does between "before" and "present", and between "present" and "after".
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reader {
    Stranger,
    Invited,
    Knocked,
    Joined,
    Left,
    Kicked,
    Banned,
}

const READERS: [Reader; 7] =
    [Reader::Stranger, Reader::Invited, Reader::Knocked, Reader::Joined, Reader::Left, Reader::Kicked, Reader::Banned];

impl Reader {
    fn was_in(self) -> bool {
        !matches!(self, Self::Stranger | Self::Invited | Self::Knocked)
    }

    fn has_left(self) -> bool {
        matches!(self, Self::Left | Self::Kicked | Self::Banned)
    }
}

/// The messages that the reader may see (C-S API, "Room history visibility", "Server behaviour").
fn may_see(visibility: &str, reader: Reader) -> Vec<&'static str> {
    let is_in = reader == Reader::Joined;
    let sees = |message: &str| match (visibility, message) {
        ("world_readable", _) => true,
        (_, "after") => is_in || (visibility == "invited" && reader == Reader::Invited),
        ("shared", _) => reader.was_in(),
        (_, "present") => reader.was_in() || (visibility == "invited" && reader == Reader::Invited),
        (_, _) => false,
    };
    MESSAGES.into_iter().filter(|message| sees(message)).collect()
}

async fn act(alice: &Client, bob: &Client, room: &str, reader: Reader) {
    match reader {
        Reader::Stranger => {}
        Reader::Invited => alice.invite(room, bob).await,
        Reader::Knocked => {
            alice.set_state(room, "m.room.join_rules", json!({ "join_rule": "knock" })).await;
            bob.post(&format!("/knock/{}", escape(room)), json!({})).await.ok();
        }
        _ => bob.join(room).await,
    }
}

async fn act_again(alice: &Client, bob: &Client, room: &str, reader: Reader) {
    let what = match reader {
        Reader::Stranger | Reader::Invited | Reader::Knocked | Reader::Joined => return,
        Reader::Left => return bob.leave(room).await,
        Reader::Kicked => "/kick",
        Reader::Banned => "/ban",
    };
    alice.post(&Client::room_path(room, what), json!({ "user_id": bob.user_id })).await.ok();
}

/// A message from which a thread starts.
async fn send_thread(alice: &Client, room: &str, body: &str) -> String {
    let root = alice.send_text(room, body).await;
    let relates = json!({ "rel_type": "m.thread", "event_id": root });
    let reply = json!({ "body": format!("reply to {body}"), "m.relates_to": relates });
    alice.put(&Client::send_path(room, "m.room.message"), reply).await.ok();
    root
}

/// The room under test.
struct Case {
    visibility: &'static str,
    reader: Reader,
    room: String,
    /// The messages' ids.
    ids: Vec<String>,
    /// A token of the reader from before there was the room.
    since: String,
}

impl Case {
    async fn new(alice: &Client, bob: &Client, visibility: &'static str, reader: Reader, kind: &Value) -> Self {
        let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
        let content = json!({ "history_visibility": visibility });
        let history = json!({ "type": "m.room.history_visibility", "state_key": "", "content": content });
        let body = json!({ "preset": "public_chat", "initial_state": [history], "creation_content": kind });
        let room = alice.create_room(body).await;
        let mut ids = vec![send_thread(alice, &room, MESSAGES[0]).await];
        act(alice, bob, &room, reader).await;
        ids.push(send_thread(alice, &room, MESSAGES[1]).await);
        act_again(alice, bob, &room, reader).await;
        ids.push(send_thread(alice, &room, MESSAGES[2]).await);
        Self { visibility, reader, room, ids, since }
    }

    fn expected(&self) -> Vec<&'static str> {
        may_see(self.visibility, self.reader)
    }

    /// Whether anything of the room itself may be read.
    fn is_readable(&self) -> bool {
        self.visibility == "world_readable" || self.reader.was_in()
    }

    fn what(&self, way: &str) -> String {
        format!("{way}, {}, {:?}", self.visibility, self.reader)
    }

    fn path(&self, rest: &str) -> String {
        Client::room_path(&self.room, rest)
    }

    fn v1_path(&self, rest: &str) -> String {
        format!("/_matrix/client/v1/rooms/{}{rest}", escape(&self.room))
    }

    /// Every way to read a single event.
    async fn check_events(&self, bob: &Client) {
        let expected = self.expected();
        for (message, id) in MESSAGES.iter().zip(&self.ids) {
            let (sees, id) = (expected.contains(message), escape(id));
            let mut ways = vec![
                (self.path(&format!("/event/{id}")), sees),
                (self.v1_path(&format!("/relations/{id}")), sees),
                (self.v1_path(&format!("/relations/{id}?recurse=true")), sees),
                (self.v1_path(&format!("/relations/{id}/m.thread")), sees),
                (self.v1_path(&format!("/relations/{id}/m.thread/m.room.message")), sees),
                // It is looked for in the rooms that the reader has to do with.
                (format!("/events/{id}"), sees && self.reader != Reader::Stranger),
            ];
            if self.is_readable() || !sees {
                ways.push((self.path(&format!("/context/{id}?limit=0")), sees));
            }
            for (path, may) in ways {
                let answer = bob.get(&path).await;
                assert_eq!(answer.status == 200, may, "{}, {message}: {}", self.what(&path), answer.text());
                assert!(may || !answer.text().contains("reply to"), "{}", self.what(&path));
            }
        }
    }

    /// Every way to read a room's events, and what each answers with.
    async fn check_lists(&self, bob: &Client) {
        let expected = self.expected();
        let since = escape(&self.since);
        for (path, list) in [
            (self.path("/messages?dir=f&limit=100"), "/chunk"),
            (self.path("/initialSync"), "/messages/chunk"),
            (format!("/events?room_id={}&timeout=0&from={since}", escape(&self.room)), "/chunk"),
        ] {
            let page = bob.get(&path).await;
            assert_eq!(page.status == 200, self.is_readable(), "{}: {}", self.what(&path), page.text());
            if self.is_readable() {
                // Who has left is given the room as it was then, even where all may read what came after.
                let then = path.ends_with("/initialSync") && self.reader.has_left();
                let expected: Vec<_> = expected.iter().filter(|message| !then || **message != "after").collect();
                assert_eq!(
                    bodies(page.ok().pointer(list)).iter().collect::<Vec<_>>(),
                    expected,
                    "{}",
                    self.what(&path)
                );
            }
        }
        let threads = bob.get(&self.v1_path("/threads")).await;
        assert_eq!(threads.status == 200, self.is_readable(), "{}: {}", self.what("/threads"), threads.text());
        if self.is_readable() {
            let mut listed = bodies(threads.ok().get("chunk"));
            listed.reverse();
            assert_eq!(listed, expected, "{}", self.what("/threads"));
        }
        let found = bob.get(&self.v1_path("/timestamp_to_event?ts=9999999999999&dir=b")).await;
        assert_eq!(found.status == 200, self.is_readable(), "{}: {}", self.what("/timestamp_to_event"), found.text());
        if self.is_readable() {
            let id = found.ok()["event_id"].as_str().map(escape).expect("an id");
            bob.get(&self.path(&format!("/event/{id}"))).await.ok();
        }
    }

    /// Whoever is or was in the room finds in it what they may see, with nothing around it that they may not.
    async fn check_search(&self, bob: &Client) {
        let expected = if self.reader.was_in() { self.expected() } else { Vec::new() };
        for message in MESSAGES {
            let criteria = json!({ "search_term": message, "filter": { "rooms": [self.room] } });
            let body = json!({ "search_categories": { "room_events": criteria } });
            let found = bob.post("/search", body).await.ok();
            let results = list_of(found.pointer("/search_categories/room_events/results"));
            let events = Value::from(results.iter().map(|result| result["result"].clone()).collect::<Vec<_>>());
            let (sees, what) = (expected.contains(&message), self.what("/search"));
            assert_eq!(bodies(Some(&events)).len(), usize::from(sees), "{what}, {message}: {found}");
            assert!(sees || results.is_empty(), "{what}, {message}: {found}");
            for side in ["/context/events_before", "/context/events_after"] {
                let around = results.iter().flat_map(|result| bodies(result.pointer(side)));
                let hidden: Vec<_> = around.filter(|body| !expected.contains(&body.as_str())).collect();
                assert!(hidden.is_empty(), "{what}, around {message}: {hidden:?}");
            }
        }
    }

    /// The state and the members.
    async fn check_state(&self, bob: &Client) {
        let readable = self.is_readable();
        for (rest, may) in [
            ("/state", readable),
            ("/state/m.room.create", readable),
            ("/state/m.room.create/?format=event", readable),
            ("/members", readable),
            ("/joined_members", self.reader == Reader::Joined),
        ] {
            let answer = bob.get(&self.path(rest)).await;
            assert_eq!(answer.status == 200, may, "{}: {}", self.what(rest), answer.text());
        }
    }

    /// Whoever may join or knock may look at what the room is, and nobody by this at anything that happened in it.
    async fn check_previews(&self, bob: &Client) {
        let summary = format!("/_matrix/client/v1/room_summary/{}", escape(&self.room));
        for path in [self.v1_path("/hierarchy"), summary] {
            let answer = bob.get(&path).await;
            let is_shown = answer.status == 200 || self.reader == Reader::Banned;
            assert!(is_shown, "{}: {}", self.what(&path), answer.text());
            assert!(MESSAGES.iter().all(|message| !answer.text().contains(message)), "{}", answer.text());
        }
    }

    /// Only who is in a room reads it, and tells others of it.
    async fn check_receipts(&self, bob: &Client) {
        let path = self.path(&format!("/receipt/m.read/{}", escape(&self.ids[0])));
        let told = bob.post(&path, json!({})).await;
        assert_eq!(told.status == 200, self.reader == Reader::Joined, "{}: {}", self.what("/receipt"), told.text());
    }

    /// What comes by itself.
    async fn check_sync(&self, bob: &Client) {
        let expected = self.expected();
        let in_sync: &[&str] = if self.reader == Reader::Joined { &expected } else { &[] };
        let synced = bob.sync_with(None, "timeout=0").await;
        let timeline = synced.pointer(&format!("/rooms/join/{}/timeline/events", self.room));
        assert_eq!(bodies(timeline), in_sync, "{}", self.what("/sync"));
        let news = bob.get(&format!("/events?timeout=0&from={}", escape(&self.since))).await.ok();
        let of_room = list_of(news.get("chunk")).into_iter().filter(|event| event["room_id"] == self.room.as_str());
        let of_room = Value::from(of_room.collect::<Vec<_>>());
        // Who has left is told what they saw when they were in.
        let told: &[&str] = if self.reader.has_left() { &expected } else { in_sync };
        let told: Vec<_> =
            told.iter().filter(|message| self.reader == Reader::Joined || **message != "after").collect();
        assert_eq!(bodies(Some(&of_room)).iter().collect::<Vec<_>>(), told, "{}", self.what("/events"));
        let initial = bob.get("/initialSync?limit=50").await.ok();
        let room = list_of(initial.get("rooms")).into_iter().find(|room| room["room_id"] == self.room.as_str());
        let messages = room.as_ref().and_then(|room| room.pointer("/messages/chunk"));
        assert_eq!(bodies(messages), in_sync, "{}", self.what("/initialSync"));
    }
}

fn list_of(events: Option<&Value>) -> Vec<Value> {
    events.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The messages among some events.
fn bodies(events: Option<&Value>) -> Vec<String> {
    let events = list_of(events);
    let bodies = events.iter().filter_map(|event| event["content"]["body"].as_str());
    bodies.filter(|body| MESSAGES.contains(body)).map(str::to_owned).collect()
}

async fn check_gate(visibility: &'static str) {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for (kind, content) in [("room", json!({})), ("space", json!({ "type": "m.space" }))] {
        for (n, reader) in READERS.into_iter().enumerate() {
            let bob = server.register(&format!("bob-{kind}-{n}")).await;
            let case = Case::new(&alice, &bob, visibility, reader, &content).await;
            case.check_events(&bob).await;
            case.check_lists(&bob).await;
            case.check_search(&bob).await;
            case.check_state(&bob).await;
            case.check_sync(&bob).await;
            case.check_receipts(&bob).await;
            case.check_previews(&bob).await;
        }
    }
}

#[tokio::test]
async fn every_way_to_read_passes_the_same_gate_in_world_readable_rooms() {
    check_gate("world_readable").await;
}

#[tokio::test]
async fn every_way_to_read_passes_the_same_gate_in_shared_rooms() {
    check_gate("shared").await;
}

#[tokio::test]
async fn every_way_to_read_passes_the_same_gate_from_the_invite_on() {
    check_gate("invited").await;
}

#[tokio::test]
async fn every_way_to_read_passes_the_same_gate_from_the_join_on() {
    check_gate("joined").await;
}

/// Every endpoint under a room, with a body that it takes.
fn endpoints_of(room: &str, event: &str, user: &str) -> Vec<(Method, String, Value)> {
    let path = |rest: &str| Client::room_path(room, rest);
    let v1 = |rest: &str| format!("/_matrix/client/v1/rooms/{}{rest}", escape(room));
    let (event, escaped) = (escape(event), escape(user));
    vec![
        (Method::GET, path("/state"), json!(null)),
        (Method::GET, path("/state/m.room.create"), json!(null)),
        (Method::GET, path("/members"), json!(null)),
        (Method::GET, path("/joined_members"), json!(null)),
        (Method::GET, path("/messages?dir=b"), json!(null)),
        (Method::GET, path(&format!("/event/{event}")), json!(null)),
        (Method::GET, path(&format!("/context/{event}")), json!(null)),
        (Method::GET, v1(&format!("/relations/{event}")), json!(null)),
        (Method::GET, v1(&format!("/relations/{event}/m.thread")), json!(null)),
        (Method::GET, v1(&format!("/relations/{event}/m.thread/m.room.message")), json!(null)),
        (Method::GET, v1("/threads"), json!(null)),
        (Method::GET, v1("/timestamp_to_event?ts=0&dir=f"), json!(null)),
        (Method::GET, path("/initialSync"), json!(null)),
        (Method::GET, path("/aliases"), json!(null)),
        (Method::GET, v1("/hierarchy"), json!(null)),
        (Method::GET, format!("/_matrix/client/v1/room_summary/{}", escape(room)), json!(null)),
        (Method::POST, path("/upgrade"), json!({ "new_version": "11" })),
        (Method::GET, format!("/events?timeout=0&room_id={}", escape(room)), json!(null)),
        (Method::PUT, path("/send/m.room.message/t"), json!({ "body": "x" })),
        (Method::PUT, path("/state/m.room.topic"), json!({ "topic": "x" })),
        (Method::PUT, path(&format!("/redact/{event}/t")), json!({})),
        (Method::PUT, path(&format!("/typing/{escaped}")), json!({ "typing": true })),
        (Method::POST, path(&format!("/receipt/m.read/{event}")), json!({})),
        (Method::POST, path("/read_markers"), json!({ "m.fully_read": "$x" })),
        (Method::POST, path("/invite"), json!({ "user_id": user })),
        (Method::POST, path("/kick"), json!({ "user_id": user })),
        (Method::POST, path("/ban"), json!({ "user_id": user })),
        (Method::POST, path("/unban"), json!({ "user_id": user })),
        (Method::POST, path("/leave"), json!({})),
        (Method::POST, path("/forget"), json!({})),
        (Method::POST, path("/join"), json!({})),
        (Method::POST, format!("/knock/{}", escape(room)), json!({})),
    ]
}

#[tokio::test]
async fn unknown_rooms_and_those_of_others_are_closed_everywhere() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let event = alice.send_text(&room, "secret").await;
    for room in [room.as_str(), "!nothing:test.hearth", "!nothing:elsewhere.test", "!nothing"] {
        for (method, path, body) in endpoints_of(room, &event, &eve.user_id) {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let answer = eve.request(method.clone(), &path, body).await;
            let refused = answer.status == 403 || answer.status == 404;
            assert!(refused, "{method} {path}: {} {}", answer.status, answer.text());
            assert!(!answer.text().contains("secret"), "{method} {path}");
        }
    }
    assert_eq!(alice.get(&Client::room_path(&room, "/members")).await.ok()["chunk"].as_array().map(Vec::len), Some(1));
}
