//! `GET /rooms/{roomId}/relations/..`, and what is told of relations wherever events are read.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

/// A path of the relations API.
fn relations(room: &str, event: &str, rest: &str) -> String {
    format!("/_matrix/client/v1/rooms/{}/relations/{}{rest}", escape(room), escape(event))
}

fn id(answer: &Value) -> String {
    answer["event_id"].as_str().unwrap_or_else(|| panic!("no event_id: {answer}")).to_owned()
}

/// Sends an event that relates to another one.
async fn relate(client: &Client, room: &str, target: &str, rel_type: &str, body: &str) -> String {
    let mut content =
        json!({ "msgtype": "m.text", "body": body, "m.relates_to": { "rel_type": rel_type, "event_id": target } });
    if rel_type == "m.replace" {
        content["m.new_content"] = json!({ "msgtype": "m.text", "body": body });
    }
    id(&client.put(&Client::send_path(room, "m.room.message"), content).await.ok())
}

async fn react(client: &Client, room: &str, target: &str, key: &str) -> crate::harness::Response {
    let content = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": target, "key": key } });
    client.put(&Client::send_path(room, "m.reaction"), content).await
}

async fn redact(client: &Client, room: &str, event: &str) {
    let path = Client::room_path(room, &format!("/redact/{}/{}", escape(event), escape(event)));
    client.put(&path, json!({})).await.ok();
}

async fn event(client: &Client, room: &str, event: &str) -> Value {
    client.get(&Client::room_path(room, &format!("/event/{}", escape(event)))).await.ok()
}

fn ids(events: &Value) -> Vec<&str> {
    events.as_array().expect("events").iter().map(|event| event["event_id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn relations_are_listed_by_type_and_kind_in_both_directions() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await;
    let first = relate(&bob, &room, &root, "m.thread", "one").await;
    let reaction = id(&react(&bob, &room, &root, "👍").await.ok());
    let second = relate(&alice, &room, &root, "m.thread", "two").await;
    let all = alice.get(&relations(&room, &root, "")).await.ok();
    assert_eq!(ids(&all["chunk"]), [&second, &reaction, &first]);
    assert!(all.get("next_batch").is_none() && all.get("recursion_depth").is_none(), "{all}");
    let forward = alice.get(&relations(&room, &root, "?dir=f")).await.ok();
    assert_eq!(ids(&forward["chunk"]), [&first, &reaction, &second]);
    let thread = alice.get(&relations(&room, &root, "/m.thread")).await.ok();
    assert_eq!(ids(&thread["chunk"]), [&second, &first]);
    let reactions = alice.get(&relations(&room, &root, "/m.annotation/m.reaction")).await.ok();
    assert_eq!(ids(&reactions["chunk"]), [&reaction]);
    let none = alice.get(&relations(&room, &root, "/m.annotation/m.room.message")).await.ok();
    assert_eq!(none["chunk"], json!([]));
    let unstable = relations(&room, &root, "").replace("/v1/", "/unstable/");
    assert_eq!(ids(&alice.get(&unstable).await.ok()["chunk"]).len(), 3);
}

#[tokio::test]
async fn pages_of_relations_join_up_also_from_a_sync_token() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let mut sent = Vec::new();
    for n in 0..9 {
        sent.push(relate(&alice, &room, &root, "m.thread", &n.to_string()).await);
    }
    let since = alice.sync(None).await["next_batch"].as_str().expect("a token").to_owned();
    let late = relate(&alice, &room, &root, "m.thread", "late").await;
    for direction in ["f", "b"] {
        let mut expected = sent.clone();
        expected.push(late.clone());
        if direction == "b" {
            expected.reverse();
        }
        let (mut seen, mut from, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = alice.get(&relations(&room, &root, &format!("?limit=4&dir={direction}{from}"))).await.ok();
            seen.extend(ids(&page["chunk"]).into_iter().map(str::to_owned));
            pages += 1;
            match page["next_batch"].as_str() {
                Some(next) => from = format!("&from={}", escape(next)),
                None => break,
            }
        }
        assert_eq!((seen, pages), (expected, 3), "{direction}");
    }
    let page = alice.get(&relations(&room, &root, &format!("?from={}", escape(&since)))).await.ok();
    sent.reverse();
    assert_eq!(ids(&page["chunk"]), sent, "what came after the token is left out");
    assert_eq!(page["prev_batch"], since.as_str());
    alice.get(&relations(&room, &root, "?from=nonsense")).await.fails(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn a_recursion_finds_what_relates_to_what_relates() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let reply = relate(&alice, &room, &root, "m.thread", "reply").await;
    let edit = relate(&alice, &room, &reply, "m.replace", "better").await;
    let reaction = id(&react(&alice, &room, &reply, "x").await.ok());
    let reference = relate(&alice, &room, &reaction, "m.reference", "deep").await;
    let too_deep = relate(&alice, &room, &reference, "m.reference", "too deep").await;
    let direct = alice.get(&relations(&room, &root, "")).await.ok();
    assert_eq!(ids(&direct["chunk"]), [&reply]);
    let all = alice.get(&relations(&room, &root, "?recurse=true")).await.ok();
    assert_eq!(ids(&all["chunk"]), [&reference, &reaction, &edit, &reply]);
    assert_eq!(all["recursion_depth"], 3);
    assert!(!all.to_string().contains(&format!("\"{too_deep}\":")), "{all}");
    let page = alice.get(&relations(&room, &root, "?recurse=true&limit=2&dir=f")).await.ok();
    assert_eq!(ids(&page["chunk"]), [&reply, &edit]);
    let next = escape(page["next_batch"].as_str().expect("there is more"));
    let page = alice.get(&relations(&room, &root, &format!("?recurse=true&limit=2&dir=f&from={next}"))).await.ok();
    assert_eq!(ids(&page["chunk"]), [&reaction, &reference]);
    let only = alice.get(&relations(&room, &root, "/m.thread?recurse=true")).await.ok();
    assert_eq!(ids(&only["chunk"]), [&reply], "a recursion goes by what the filter lets through");
}

#[tokio::test]
async fn strangers_and_unknown_events_have_no_relations() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    relate(&alice, &room, &root, "m.thread", "secret").await;
    for rest in ["", "/m.thread", "/m.thread/m.room.message"] {
        eve.get(&relations(&room, &root, rest)).await.fails(404, "M_NOT_FOUND");
        alice.get(&relations(&room, "$nothing", rest)).await.fails(404, "M_NOT_FOUND");
    }
}

#[tokio::test]
async fn the_latest_valid_edit_is_told_with_the_event() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let original = alice.send_text(&room, "first").await;
    assert!(event(&bob, &room, &original).await["unsigned"].get("m.relations").is_none());
    relate(&alice, &room, &original, "m.replace", "second").await;
    server.clock.advance(1_000);
    let latest = relate(&alice, &room, &original, "m.replace", "third").await;
    server.clock.advance(1_000);
    // Not by the sender, not of the type, without a new content, and an edit of an edit: all invalid.
    relate(&bob, &room, &original, "m.replace", "forged").await;
    let relates = json!({ "rel_type": "m.replace", "event_id": original });
    let of_another_type = json!({ "m.relates_to": relates, "m.new_content": { "body": "x" } });
    alice.put(&Client::send_path(&room, "org.example.other"), of_another_type).await.ok();
    let without = json!({ "m.relates_to": relates, "body": "x", "msgtype": "m.text" });
    alice.put(&Client::send_path(&room, "m.room.message"), without).await.ok();
    relate(&alice, &room, &latest, "m.replace", "edit of an edit").await;
    let told = event(&bob, &room, &original).await;
    assert_eq!(told["content"]["body"], "first", "the original is left as it was");
    let edit = &told["unsigned"]["m.relations"]["m.replace"];
    assert_eq!((&edit["event_id"], &edit["content"]["body"]), (&json!(latest), &json!("third")), "{told}");
    assert_eq!((&edit["sender"], &edit["room_id"]), (&json!(alice.user_id), &json!(room)));
    assert!(event(&bob, &room, &latest).await["unsigned"].get("m.relations").is_none());
    redact(&alice, &room, &latest).await;
    let told = event(&bob, &room, &original).await;
    assert_eq!(told["unsigned"]["m.relations"]["m.replace"]["content"]["body"], "second", "{told}");
    redact(&alice, &room, &original).await;
    let told = event(&bob, &room, &original).await;
    assert!(told["unsigned"]["m.relations"].get("m.replace").is_none(), "{told}");
}

#[tokio::test]
async fn a_thread_and_references_are_summed_up() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let root = alice.send_text(&room, "root").await;
    relate(&bob, &room, &root, "m.thread", "one").await;
    let latest = relate(&bob, &room, &root, "m.thread", "two").await;
    relate(&bob, &room, &latest, "m.replace", "two, better").await;
    let reference = relate(&carol, &room, &root, "m.reference", "see").await;
    let told = event(&carol, &room, &root).await;
    let thread = &told["unsigned"]["m.relations"]["m.thread"];
    assert_eq!((&thread["count"], &thread["current_user_participated"]), (&json!(2), &json!(false)), "{told}");
    assert_eq!(thread["latest_event"]["event_id"], latest.as_str());
    let edit = &thread["latest_event"]["unsigned"]["m.relations"]["m.replace"];
    assert_eq!(edit["content"]["body"], "two, better", "{thread}");
    assert_eq!(told["unsigned"]["m.relations"]["m.reference"], json!({ "chunk": [{ "event_id": reference }] }));
    for participant in [&alice, &bob] {
        let told = event(participant, &room, &root).await;
        assert_eq!(told["unsigned"]["m.relations"]["m.thread"]["current_user_participated"], true);
    }
    redact(&bob, &room, &latest).await;
    let thread = &event(&carol, &room, &root).await["unsigned"]["m.relations"]["m.thread"];
    assert_eq!((&thread["count"], &thread["latest_event"]["content"]["body"]), (&json!(1), &json!("one")));
}

#[tokio::test]
async fn what_ignored_users_sent_is_not_counted() {
    let server = TestServer::start().await;
    let (alice, bob, eve) =
        (server.register("alice").await, server.register("bob").await, server.register("eve").await);
    let room = alice.create_room_with(&[&bob, &eve]).await;
    let root = alice.send_text(&room, "root").await;
    relate(&bob, &room, &root, "m.thread", "kind").await;
    relate(&eve, &room, &root, "m.thread", "unkind").await;
    relate(&eve, &room, &root, "m.reference", "unkind too").await;
    let list = json!({ "ignored_users": { &eve.user_id: {} } });
    alice.put(&alice.user_path("/account_data/m.ignored_user_list"), list).await.ok();
    let told = event(&alice, &room, &root).await;
    let relations_told = &told["unsigned"]["m.relations"];
    assert_eq!(relations_told["m.thread"]["count"], 1, "{told}");
    assert_eq!(relations_told["m.thread"]["latest_event"]["content"]["body"], "kind");
    assert!(relations_told.get("m.reference").is_none());
    let listed = alice.get(&relations(&room, &root, "")).await.ok();
    assert_eq!(listed["chunk"].as_array().map(Vec::len), Some(1));
    assert!(!alice.get(&Client::room_path(&room, "/messages?dir=b")).await.text().contains("unkind"));
    assert_eq!(event(&bob, &room, &root).await["unsigned"]["m.relations"]["m.thread"]["count"], 2);
}

#[tokio::test]
async fn relations_are_told_wherever_events_are_read() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let original = alice.send_text(&room, "first").await;
    let edit = relate(&alice, &room, &original, "m.replace", "second").await;
    let is_told = |events: &Value, what: &str| {
        let found = events.as_array().expect("events").iter().find(|event| event["event_id"] == original.as_str());
        let found = found.unwrap_or_else(|| panic!("{what}: {events}"));
        assert_eq!(found["unsigned"]["m.relations"]["m.replace"]["event_id"], edit.as_str(), "{what}: {found}");
    };
    is_told(&alice.get(&Client::room_path(&room, "/messages?dir=b")).await.ok()["chunk"], "/messages");
    let context = alice.get(&Client::room_path(&room, &format!("/context/{}", escape(&original)))).await.ok();
    is_told(&json!([context["event"]]), "/context");
    let context = alice.get(&Client::room_path(&room, &format!("/context/{}", escape(&edit)))).await.ok();
    is_told(&context["events_before"], "/context, before");
    is_told(&alice.sync(None).await["rooms"]["join"][&room]["timeline"]["events"], "/sync");
}

#[tokio::test]
async fn redacted_relations_are_gone_and_may_be_made_again() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await;
    let first = id(&react(&alice, &room, &root, "👍").await.ok());
    react(&alice, &room, &root, "👍").await.fails(400, "M_DUPLICATE_ANNOTATION");
    react(&alice, &room, &root, "👎").await.ok();
    react(&bob, &room, &root, "👍").await.ok();
    redact(&alice, &room, &first).await;
    let left = alice.get(&relations(&room, &root, "/m.annotation")).await.ok();
    assert_eq!(left["chunk"].as_array().map(Vec::len), Some(2));
    react(&alice, &room, &root, "👍").await.ok();
    react(&alice, &room, &root, "👍").await.fails(400, "M_DUPLICATE_ANNOTATION");
}

#[tokio::test]
async fn what_may_not_be_related_is_refused_and_nothing_is_sent() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let (room, other) = (alice.create_room(json!({})).await, alice.create_room(json!({})).await);
    let root = alice.send_text(&room, "root").await;
    let reply = relate(&alice, &room, &root, "m.thread", "reply").await;
    let elsewhere = alice.send_text(&other, "elsewhere").await;
    let before = alice.get(&Client::room_path(&room, "/messages?dir=b")).await.ok()["chunk"].clone();
    for (target, rel_type) in [(&reply, "m.thread"), (&elsewhere, "m.thread"), (&"$nothing".to_owned(), "m.reference")]
    {
        let content = json!({ "body": "x", "m.relates_to": { "rel_type": rel_type, "event_id": target } });
        alice.put(&Client::send_path(&room, "m.room.message"), content).await.fails(400, "M_UNKNOWN");
    }
    assert_eq!(alice.get(&Client::room_path(&room, "/messages?dir=b")).await.ok()["chunk"], before);
}

#[tokio::test]
async fn a_repeated_reaction_by_the_same_transaction_is_the_first() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let root = alice.send_text(&room, "root").await;
    let content = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": root, "key": "x" } });
    let path = Client::send_path(&room, "m.reaction");
    let first = alice.put(&path, content.clone()).await.ok();
    assert_eq!(alice.put(&path, content).await.ok(), first);
}
