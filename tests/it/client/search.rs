//! `POST /search`.

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

/// Searches with these criteria beside the text.
async fn search(who: &Client, text: &str, more: Value) -> Value {
    search_page(who, text, more, None).await
}

async fn search_page(who: &Client, text: &str, more: Value, from: Option<&str>) -> Value {
    let mut criteria = json!({ "search_term": text });
    criteria.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let path = from.map_or("/search".to_owned(), |token| format!("/search?next_batch={}", escape(token)));
    let answer = who.post(&path, json!({ "search_categories": { "room_events": criteria } })).await.ok();
    answer["search_categories"]["room_events"].clone()
}

fn bodies(found: &Value) -> Vec<&str> {
    let results = found["results"].as_array().expect("results");
    results.iter().map(|result| result["result"]["content"]["body"].as_str().expect("a body")).collect()
}

fn recent() -> Value {
    json!({ "order_by": "recent" })
}

async fn redact(who: &Client, room: &str, event: &str) {
    who.put(&Client::room_path(room, &format!("/redact/{0}/{0}", escape(event))), json!({})).await.ok();
}

async fn edit(who: &Client, room: &str, event: &str, text: &str) -> String {
    let content = json!({
        "msgtype": "m.text", "body": format!("* {text}"),
        "m.new_content": { "msgtype": "m.text", "body": text },
        "m.relates_to": { "rel_type": "m.replace", "event_id": event },
    });
    let answer = who.put(&Client::send_path(room, "m.room.message"), content).await.ok();
    answer["event_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn messages_names_and_topics_are_found() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "name": "Gärten", "topic": "Everything that grows" })).await;
    alice.send_text(&room, "The CAFÉ opens at nine").await;
    alice.send_text(&room, "我的服务器今天很慢").await;
    let found = search(&alice, "cafe nine", json!({})).await;
    assert_eq!(bodies(&found), ["The CAFÉ opens at nine"]);
    assert_eq!(found["count"], 1);
    assert_eq!(found["results"][0]["result"]["room_id"], room.as_str());
    assert!(found["results"][0]["rank"].as_f64().is_some_and(|rank| rank > 0.0));
    assert!(found["highlights"].as_array().expect("words").contains(&json!("café")), "{found}");
    assert_eq!(bodies(&search(&alice, "服务器", json!({})).await).len(), 1);
    assert!(bodies(&search(&alice, "cafe ten", json!({})).await).is_empty());
    assert_eq!(search(&alice, "!?", json!({})).await["count"], 0);
    for (key, text) in [("content.name", "garten"), ("content.topic", "grows")] {
        let found = search(&alice, text, json!({ "keys": [key] })).await;
        assert_eq!(found["results"].as_array().map(Vec::len), Some(1), "{key}");
        assert_eq!(search(&alice, text, json!({ "keys": ["content.body"] })).await["count"], 0, "{key}");
    }
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let rooms = [alice.create_room(json!({})).await, alice.create_room(json!({})).await];
    for n in 0..23 {
        // Several in one millisecond, in turns.
        if n % 3 == 0 {
            server.clock.advance(1);
        }
        alice.send_text(&rooms[n % 2], &format!("Message number {n}")).await;
        alice.send_text(&rooms[n % 2], "something else").await;
    }
    for order in ["recent", "rank"] {
        let more = json!({ "order_by": order, "filter": { "limit": 10 } });
        let (mut seen, mut token) = (Vec::new(), None::<String>);
        for (page, size) in [10, 10, 3].into_iter().enumerate() {
            let found = search_page(&alice, "message", more.clone(), token.as_deref()).await;
            assert_eq!((bodies(&found).len(), &found["count"]), (size, &json!(23)), "{order}, page {page}");
            seen.extend(bodies(&found).into_iter().map(str::to_owned));
            token = found["next_batch"].as_str().map(str::to_owned);
            assert_eq!(token.is_some(), size == 10, "{order}, page {page}");
        }
        if order == "recent" {
            // What was sent in one millisecond has no order of its own.
            let times =
                seen.iter().map(|body| body.rsplit(' ').next().and_then(|n| n.parse::<u32>().ok()).expect("n") / 3);
            assert!(times.is_sorted_by(|a, b| a >= b), "{seen:?}");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 23, "{order}");
    }
    let exact = json!({ "order_by": "recent", "filter": { "limit": 1, "rooms": [rooms[0]] } });
    let found = search(&alice, "message 4", exact.clone()).await;
    assert_eq!((bodies(&found), &found["count"]), (vec!["Message number 4"], &json!(1)));
    let token = found["next_batch"].as_str().expect("a full page has a next one");
    let found = search_page(&alice, "message 4", exact, Some(token)).await;
    assert_eq!((bodies(&found).len(), &found["count"], &found["next_batch"]), (0, &json!(1), &Value::Null));
}

#[tokio::test]
async fn edits_and_redactions_change_what_is_found() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let first = alice.send_text(&room, "an apple").await;
    assert_eq!(search(&alice, "apple", recent()).await["count"], 1);
    server.clock.advance(5);
    let second = edit(&alice, &room, &first, "a banana").await;
    let found = search(&alice, "banana", recent()).await;
    assert_eq!(found["results"][0]["result"]["event_id"], first.as_str(), "found at the original: {found}");
    assert_eq!(search(&alice, "apple", recent()).await["count"], 0);
    redact(&alice, &room, &second).await;
    assert_eq!(search(&alice, "banana", recent()).await["count"], 0);
    assert_eq!(search(&alice, "apple", recent()).await["count"], 1);
    redact(&alice, &room, &first).await;
    for order in ["recent", "rank"] {
        let found = search(&alice, "apple", json!({ "order_by": order })).await;
        assert_eq!((&found["count"], bodies(&found).len()), (&json!(0), 0));
    }
}

#[tokio::test]
async fn only_the_sender_edits() {
    let server = TestServer::start().await;
    let (alice, eve) = (server.register("alice").await, server.register("eve").await);
    let room = alice.create_room_with(&[&eve]).await;
    let first = alice.send_text(&room, "an apple").await;
    edit(&eve, &room, &first, "a worm").await;
    assert_eq!(search(&alice, "worm", recent()).await["count"], 0);
    assert_eq!(search(&alice, "apple", recent()).await["count"], 1);
}

#[tokio::test]
async fn only_what_the_reader_may_see_is_found() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let history =
        json!({ "type": "m.room.history_visibility", "state_key": "", "content": { "history_visibility": "joined" } });
    let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await;
    alice.send_text(&room, "needle before").await;
    assert_eq!(search(&bob, "needle", recent()).await["count"], 0, "a stranger");
    bob.join(&room).await;
    alice.send_text(&room, "needle present").await;
    assert_eq!(bodies(&search(&bob, "needle", recent()).await), ["needle present"]);
    bob.leave(&room).await;
    alice.send_text(&room, "needle after").await;
    assert_eq!(bodies(&search(&bob, "needle", recent()).await), ["needle present"], "who left finds the past");
    bob.post(&Client::room_path(&room, "/forget"), json!({})).await.ok();
    assert_eq!(search(&bob, "needle", recent()).await["count"], 0, "who forgot finds nothing");
    assert_eq!(bodies(&search(&alice, "needle", recent()).await).len(), 3);
}

#[tokio::test]
async fn filters_ignored_users_and_encrypted_rooms_are_heeded() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let other = alice.create_room(json!({})).await;
    alice.send_text(&room, "needle of alice").await;
    bob.send_text(&room, "needle of bob").await;
    alice.send_text(&other, "needle elsewhere").await;
    let content = json!({ "msgtype": "m.image", "body": "needle.png", "url": "mxc://test.hearth/x" });
    bob.put(&Client::send_path(&room, "m.room.message"), content).await.ok();
    let with = |filter: Value| json!({ "order_by": "recent", "filter": filter });
    let found = |filter: Value| {
        let alice = alice.clone();
        async move { bodies(&search(&alice, "needle", with(filter)).await).len() }
    };
    assert_eq!(found(json!({})).await, 4);
    assert_eq!(found(json!({ "rooms": [room] })).await, 3);
    assert_eq!(found(json!({ "not_rooms": [room] })).await, 1);
    assert_eq!(found(json!({ "senders": [bob.user_id] })).await, 2);
    assert_eq!(found(json!({ "not_senders": [bob.user_id] })).await, 2);
    assert_eq!(found(json!({ "contains_url": true })).await, 1);
    assert_eq!(found(json!({ "types": ["m.room.name"] })).await, 0);
    let ignored = json!({ "ignored_users": { bob.user_id.as_str(): {} } });
    alice.put(&alice.user_path("/account_data/m.ignored_user_list"), ignored).await.ok();
    assert_eq!(found(json!({})).await, 2);
    alice.set_state(&other, "m.room.encryption", json!({ "algorithm": "m.megolm.v1.aes-sha2" })).await;
    alice.send_text(&other, "needle by mistake").await;
    assert_eq!(found(json!({ "rooms": [other] })).await, 1, "what was said in the clear before stays");
}

#[tokio::test]
async fn context_state_and_groups_come_along() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    for n in 1..=7 {
        alice.send_text(&room, &format!("number {n}")).await;
    }
    bob.send_text(&room, "number 4").await;
    let more = json!({
        "order_by": "recent",
        "filter": { "limit": 1 },
        "event_context": { "before_limit": 2, "after_limit": 1, "include_profile": true },
        "include_state": true,
        "groupings": { "group_by": [{ "key": "room_id" }, { "key": "sender" }] },
    });
    let found = search(&alice, "number 4", more.clone()).await;
    let context = &found["results"][0]["context"];
    let before: Vec<_> =
        context["events_before"].as_array().expect("events").iter().map(|e| &e["content"]["body"]).collect();
    assert_eq!(before, ["number 7", "number 6"]);
    assert_eq!(context["profile_info"][&bob.user_id]["displayname"], "bob");
    let older = format!("/messages?dir=b&limit=1&from={}", escape(context["start"].as_str().expect("a token")));
    let page = alice.get(&Client::room_path(&room, &older)).await.ok();
    assert_eq!(page["chunk"][0]["content"]["body"], "number 5");
    let state = found["state"][&room].as_array().expect("state");
    assert!(state.iter().any(|event| event["type"] == "m.room.create"));
    let by_room = &found["groups"]["room_id"][&room];
    assert_eq!(by_room["results"], json!([found["results"][0]["result"]["event_id"]]));
    assert_eq!(by_room["order"], 1);
    let of_bob = &found["groups"]["sender"][&bob.user_id];
    let token = of_bob["next_batch"].as_str().expect("a full page");
    let rest = search_page(&alice, "number 4", more.clone(), Some(token)).await;
    assert_eq!(bodies(&rest).len(), 0, "nothing more of bob: {rest}");
    let token = by_room["next_batch"].as_str().expect("a full page");
    let rest = search_page(&alice, "number 4", more, Some(token)).await;
    assert_eq!(rest["results"][0]["result"]["sender"], alice.user_id.as_str());
}

#[tokio::test]
async fn bad_questions_and_a_switched_off_index_are_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let ask = |criteria: Value| json!({ "search_categories": { "room_events": criteria } });
    for (criteria, code) in [
        (json!({}), "M_BAD_JSON"),
        (json!({ "search_term": 1 }), "M_BAD_JSON"),
        (json!({ "search_term": "x", "keys": ["content.secret"] }), "M_INVALID_PARAM"),
        (json!({ "search_term": "x", "order_by": "chance" }), "M_INVALID_PARAM"),
        (json!({ "search_term": "x", "groupings": { "group_by": [{ "key": "mood" }] } }), "M_INVALID_PARAM"),
    ] {
        alice.post("/search", ask(criteria)).await.fails(400, code);
    }
    alice.post("/search?next_batch=x", ask(json!({ "search_term": "x" }))).await.fails(400, "M_INVALID_PARAM");
    alice.request(http::Method::POST, "/search", "{").await.fails(400, "M_NOT_JSON");
    alice.signed_out().post("/search", ask(json!({ "search_term": "x" }))).await.fails(401, "M_MISSING_TOKEN");
    assert_eq!(alice.post("/search", json!({ "search_categories": {} })).await.ok()["search_categories"], json!({}));
    let server = TestServer::start_with(|config| config.search.enabled = false).await;
    let alice = server.register("alice").await;
    alice.post("/search", ask(json!({ "search_term": "x" }))).await.fails(400, "M_UNKNOWN");
}

#[tokio::test]
async fn what_relates_to_a_result_comes_with_it_and_with_what_is_around_it() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let first = alice.send_text(&room, "an apple").await;
    let second = alice.send_text(&room, "a quince").await;
    edit(&alice, &room, &first, "an apricot").await;
    let relates = json!({ "rel_type": "m.thread", "event_id": second });
    alice
        .put(&Client::send_path(&room, "m.room.message"), json!({ "body": "sour", "m.relates_to": relates }))
        .await
        .ok();
    let found = search(&alice, "quince", json!({})).await;
    assert_eq!(bodies(&found), ["a quince"]);
    let result = &found["results"][0];
    assert_eq!(result["result"]["unsigned"]["m.relations"]["m.thread"]["count"], 1, "{result}");
    let before = result["context"]["events_before"].as_array().expect("a list");
    let apple = before.iter().find(|event| event["event_id"] == first.as_str()).expect("the message before");
    let edited = &apple["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]["body"];
    assert_eq!(edited, "an apricot", "{apple}");
}

#[tokio::test]
async fn a_room_and_its_predecessor_are_searched_together() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let old = alice.create_room(json!({ "preset": "public_chat", "room_version": "10" })).await;
    alice.send_text(&old, "Message before upgrade").await;
    let answer = alice.post(&Client::room_path(&old, "/upgrade"), json!({ "new_version": "11" })).await.ok();
    let new = answer["replacement_room"].as_str().expect("a room").to_owned();
    alice.send_text(&new, "Message after upgrade").await;
    let more = json!({ "keys": ["content.body"], "order_by": "recent", "filter": { "rooms": [old, new] } });
    let found = search(&alice, "upgrade", more).await;
    let mut texts = bodies(&found);
    texts.sort_unstable();
    assert_eq!((&found["count"], texts), (&json!(2), vec!["Message after upgrade", "Message before upgrade"]));
}
