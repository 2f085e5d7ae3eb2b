//! How often an operation may ask the engine: a distributed engine costs a round trip a call.

use hearth_storage::EngineCalls;
use serde_json::json;

use crate::harness::{Client, TestServer};

/// What an operation asked the engine.
struct Spent {
    reads: u64,
    commits: u64,
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
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    alice.send_text(&room, "warm").await;
    let (_, spent) = spent(&server, alice.send_text(&room, "measured")).await;
    assert_eq!((spent.reads, spent.commits), (0, 1));
}

#[tokio::test]
async fn an_idle_sync_asks_nothing() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.create_room(json!({})).await;
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let since = alice.sync(Some(&since)).await["next_batch"].as_str().expect("a token").to_owned();
    let (_, spent) = spent(&server, alice.sync(Some(&since))).await;
    assert_eq!((spent.reads, spent.commits), (0, 0));
}

#[tokio::test]
async fn a_sync_with_news_asks_once() {
    let server = TestServer::start().await;
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
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let path = Client::room_path(&room, "/members");
    alice.get(&path).await.ok();
    let (_, spent) = spent(&server, alice.get(&path)).await;
    assert_eq!((spent.reads, spent.commits), (0, 0));
}

#[tokio::test]
async fn joining_asks_three_times_at_most() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    bob.get("/account/whoami").await.ok();
    let ((), spent) = spent(&server, bob.join(&room)).await;
    assert!(spent.reads + spent.commits <= 3, "{} reads, {} commits", spent.reads, spent.commits);
}
