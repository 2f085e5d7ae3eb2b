//! How often an operation may ask the engine: a distributed engine costs a round trip a call.

use hearth_storage::EngineCalls;
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

/// How often an operation is tried. Workers that follow what happened ask the engine too, whenever they get to it;
/// they can only add to what is counted, so the least of some tries is what the operation itself asks.
const TRIES: usize = 12;

/// How long followers get to take in what happened before an operation is tried, in milliseconds.
const REST_MS: u64 = 120;

/// What an operation asked the engine.
#[derive(Clone, Copy, Debug)]
struct Spent {
    reads: u64,
    commits: u64,
}

/// The most that an operation may ask.
#[derive(Clone, Copy, Debug)]
struct Budget {
    reads: u64,
    commits: u64,
}

impl Budget {
    const NOTHING: Self = Self { reads: 0, commits: 0 };

    /// Whether some try kept to it.
    #[track_caller]
    fn check(self, tries: &[Spent]) {
        let is_kept = |spent: &Spent| spent.reads <= self.reads && spent.commits <= self.commits;
        assert!(tries.iter().any(is_kept), "{self:?} is less than every of {tries:?}");
    }
}

/// A server whose search index is not written beside what is counted.
async fn quiet_server() -> TestServer {
    TestServer::start_with(|config| config.search.enabled = false).await
}

async fn spent<T>(server: &TestServer, operation: impl Future<Output = T>) -> (T, Spent) {
    tokio::time::sleep(std::time::Duration::from_millis(REST_MS)).await;
    let before = server.engine_calls();
    let answer = operation.await;
    let after = server.engine_calls();
    let reads = |calls: EngineCalls| calls.gets + calls.multi_gets + calls.scans;
    (answer, Spent { reads: reads(after) - reads(before), commits: after.commits - before.commits })
}

/// What each of some tries of the same operation asked.
async fn tries(server: &TestServer, mut operation: impl AsyncFnMut()) -> Vec<Spent> {
    let mut tries = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        tries.push(spent(server, operation()).await.1);
    }
    tries
}

#[tokio::test]
async fn sending_is_one_commit_and_nothing_else() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "warm").await;
    let tries = tries(&server, async || drop(alice.send_text(&room, "measured").await)).await;
    Budget { reads: 0, commits: 1 }.check(&tries);
}

#[tokio::test]
async fn an_idle_sync_asks_nothing() {
    let server = quiet_server().await;
    let alice = server.register("alice").await;
    alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let since = alice.sync(Some(&since)).await["next_batch"].as_str().expect("a token").to_owned();
    let tries = tries(&server, async || drop(alice.sync(Some(&since)).await)).await;
    Budget::NOTHING.check(&tries);
}

#[tokio::test]
async fn a_sync_with_news_asks_once() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let mut since = bob.sync(Some(&since)).await["next_batch"].as_str().expect("a token").to_owned();
    let mut tries = Vec::new();
    for _ in 0..TRIES {
        alice.send_text(&room, "news").await;
        let (answer, spent) = spent(&server, bob.sync(Some(&since))).await;
        assert_eq!(answer["rooms"]["join"][&room]["timeline"]["events"][0]["content"]["body"], "news");
        answer["next_batch"].as_str().expect("a token").clone_into(&mut since);
        tries.push(spent);
    }
    Budget { reads: 1, commits: 0 }.check(&tries);
}

#[tokio::test]
async fn the_members_of_a_warm_room_cost_nothing() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/members");
    alice.get(&path).await.ok();
    let tries = tries(&server, async || drop(alice.get(&path).await.ok())).await;
    Budget::NOTHING.check(&tries);
}

#[tokio::test]
async fn joining_asks_three_times_at_most() {
    let server = quiet_server().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    let mut tries = Vec::new();
    for n in 0..TRIES {
        let joiner = server.register(&format!("joiner{n}")).await;
        joiner.get("/account/whoami").await.ok();
        tries.push(spent(&server, joiner.join(&room)).await.1);
    }
    Budget { reads: 2, commits: 1 }.check(&tries);
}

#[tokio::test]
async fn a_page_of_messages_costs_the_same_however_long_it_is() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    for n in 0..60 {
        alice.send_text(&room, &n.to_string()).await;
    }
    for limit in [5, 50] {
        let path = Client::room_path(&room, &format!("/messages?dir=b&limit={limit}"));
        let tries = tries(&server, async || drop(alice.get(&path).await.ok())).await;
        // The page itself, and whom the reader ignores. That nothing relates to the events is known.
        Budget { reads: 3, commits: 0 }.check(&tries);
    }
}

#[tokio::test]
async fn relations_cost_what_is_answered() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let relate = |rel_type: &str| json!({ "body": "x", "m.relates_to": { "rel_type": rel_type, "event_id": root } });
    for _ in 0..40 {
        alice.put(&Client::send_path(&room, "m.room.message"), relate("m.thread")).await.ok();
    }
    alice.put(&Client::send_path(&room, "m.room.message"), relate("m.reference")).await.ok();
    let base = format!("/_matrix/client/v1/rooms/{}/relations/{}", escape(&room), escape(&root));
    let path = format!("{base}/m.reference");
    let tries = tries(&server, async || {
        let answer = alice.get(&path).await.ok();
        assert_eq!(answer["chunk"].as_array().map(Vec::len), Some(1));
    })
    .await;
    Budget { reads: 4, commits: 0 }.check(&tries);
}

#[tokio::test]
async fn a_page_of_a_resting_directory_asks_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for _ in 0..3 {
        alice.create_room(json!({ "visibility": "public" })).await;
    }
    alice.get("/publicRooms?limit=2").await.ok();
    let tries = tries(&server, async || {
        let page = alice.get("/publicRooms?limit=2").await.ok();
        assert_eq!(page["chunk"].as_array().map(Vec::len), Some(2));
    })
    .await;
    Budget::NOTHING.check(&tries);
}
