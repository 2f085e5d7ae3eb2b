//! How often an operation may ask the engine: a distributed engine costs a round trip a call.

use hearth_storage::EngineCalls;
use serde_json::json;

use crate::harness::{Client, TestServer, escape};

/// What an operation asked the engine.
struct Spent {
    reads: u64,
    commits: u64,
}

/// A server whose search index is not written beside what is counted.
async fn quiet_server() -> TestServer {
    TestServer::start_with(|config| config.search.enabled = false).await
}

/// Commits are counted where they happen, so background work must have come to rest before.
async fn rest() {
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

async fn spent<T>(server: &TestServer, operation: impl Future<Output = T>) -> (T, Spent) {
    rest().await;
    let before = server.engine_calls();
    let answer = operation.await;
    let after = server.engine_calls();
    let reads = |calls: EngineCalls| calls.gets + calls.multi_gets + calls.scans;
    (answer, Spent { reads: reads(after) - reads(before), commits: after.commits - before.commits })
}

#[tokio::test]
async fn sending_is_one_commit_and_nothing_else() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "warm").await;
    let (_, spent) = spent(&server, alice.send_text(&room, "measured")).await;
    assert_eq!((spent.reads, spent.commits), (0, 1));
}

#[tokio::test]
async fn an_idle_sync_asks_nothing() {
    let server = quiet_server().await;
    let alice = server.register("alice").await;
    alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let since = alice.sync(Some(&since)).await["next_batch"].as_str().expect("a token").to_owned();
    let (_, spent) = spent(&server, alice.sync(Some(&since))).await;
    assert_eq!((spent.reads, spent.commits), (0, 0));
}

#[tokio::test]
async fn a_sync_with_news_asks_once() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let since = bob.sync(Some(&since)).await["next_batch"].as_str().expect("a token").to_owned();
    alice.send_text(&room, "news").await;
    let (answer, spent) = spent(&server, bob.sync(Some(&since))).await;
    assert_eq!(answer["rooms"]["join"][&room]["timeline"]["events"][0]["content"]["body"], "news");
    assert!(spent.reads <= 1 && spent.commits == 0, "{} reads, {} commits", spent.reads, spent.commits);
}

#[tokio::test]
async fn the_members_of_a_warm_room_cost_nothing() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/members");
    alice.get(&path).await.ok();
    let (_, spent) = spent(&server, alice.get(&path)).await;
    assert_eq!((spent.reads, spent.commits), (0, 0));
}

#[tokio::test]
async fn joining_asks_three_times_at_most() {
    let server = quiet_server().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bob.get("/account/whoami").await.ok();
    let ((), spent) = spent(&server, bob.join(&room)).await;
    assert!(spent.reads + spent.commits <= 3, "{} reads, {} commits", spent.reads, spent.commits);
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
        let (_, spent) = spent(&server, alice.get(&path)).await;
        // The page itself, and whom the reader ignores. That nothing relates to the events is known.
        assert!(spent.reads <= 3 && spent.commits == 0, "{limit}: {} reads", spent.reads);
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
    let (answer, spent) = spent(&server, alice.get(&format!("{base}/m.reference"))).await;
    assert_eq!(answer.ok()["chunk"].as_array().map(Vec::len), Some(1));
    assert!(spent.reads <= 4 && spent.commits == 0, "{} reads", spent.reads);
}

#[tokio::test]
async fn a_page_of_a_resting_directory_asks_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    for _ in 0..3 {
        alice.create_room(json!({ "visibility": "public" })).await;
    }
    alice.get("/publicRooms?limit=2").await.ok();
    let (page, spent) = spent(&server, alice.get("/publicRooms?limit=2")).await;
    assert_eq!(page.ok()["chunk"].as_array().map(Vec::len), Some(2));
    assert_eq!((spent.reads, spent.commits), (0, 0));
}
