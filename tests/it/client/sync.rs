//! `GET /sync`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, TestServer, escape};

fn token(answer: &Value) -> String {
    answer["next_batch"].as_str().expect("a token").to_owned()
}

fn timeline(answer: &Value, room: &str) -> Vec<Value> {
    answer["rooms"]["join"][room]["timeline"]["events"].as_array().cloned().unwrap_or_default()
}

fn kinds(events: &Value) -> Vec<&str> {
    events
        .as_array()
        .map(|events| events.iter().filter_map(|event| event["type"].as_str()).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn an_idle_account_gets_a_token_and_nothing_else() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let first = alice.sync(None).await;
    let second = alice.sync(Some(&token(&first))).await;
    for section in ["rooms", "presence", "to_device", "account_data"] {
        assert!(second.get(section).is_none(), "{section} is left out: {second}");
    }
}

#[tokio::test]
async fn the_first_sync_brings_rules_and_rooms_with_their_state() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({ "name": "A room" })).await;
    alice.send_text(&room, "hello").await;
    let answer = alice.sync(None).await;
    assert!(kinds(&answer["account_data"]["events"]).contains(&"m.push_rules"), "{answer}");
    let joined = &answer["rooms"]["join"][&room];
    let mut all = kinds(&joined["state"]["events"]);
    all.extend(kinds(&joined["timeline"]["events"]));
    for kind in
        ["m.room.create", "m.room.member", "m.room.power_levels", "m.room.join_rules", "m.room.name", "m.room.message"]
    {
        assert_eq!(all.iter().filter(|other| **other == kind).count(), 1, "{kind} comes once: {all:?}");
    }
    assert_eq!(joined["summary"]["m.joined_member_count"], 1);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a long poll that waits beside the test")]
async fn a_waiting_sync_is_woken_by_a_message() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = token(&bob.sync(None).await);
    let waiting = {
        let bob = bob.clone();
        tokio::spawn(async move { bob.sync_with(Some(&since), "timeout=30000").await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "it waits");
    let event = alice.send_text(&room, "wake up").await;
    let answer = tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("in time").expect("an answer");
    assert_eq!(timeline(&answer, &room)[0]["event_id"], event.as_str());
}

#[tokio::test]
async fn a_long_timeline_is_limited_and_says_what_was_before() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = token(&bob.sync(None).await);
    alice.set_state(&room, "m.room.topic", json!({ "topic": "in the gap" })).await;
    for n in 0..12 {
        alice.send_text(&room, &n.to_string()).await;
    }
    let filter = escape(&json!({ "room": { "timeline": { "limit": 5 } } }).to_string());
    let answer = bob.sync_with(Some(&since), &format!("timeout=0&filter={filter}")).await;
    let joined = &answer["rooms"]["join"][&room];
    assert_eq!((&joined["timeline"]["limited"], timeline(&answer, &room).len()), (&json!(true), 5));
    assert_eq!(kinds(&joined["state"]["events"]), ["m.room.topic"]);
    assert!(joined["timeline"]["prev_batch"].is_string());
}

#[tokio::test]
async fn state_after_shows_the_state_at_the_end() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = token(&bob.sync(None).await);
    alice.set_state(&room, "m.room.topic", json!({ "topic": "new" })).await;
    alice.send_text(&room, "after it").await;
    for parameter in ["use_state_after", "org.matrix.msc4222.use_state_after"] {
        let answer = bob.sync_with(Some(&since), &format!("timeout=0&{parameter}=true")).await;
        let joined = &answer["rooms"]["join"][&room];
        let name = if parameter == "use_state_after" { "state_after" } else { "org.matrix.msc4222.state_after" };
        assert_eq!(kinds(&joined[name]["events"]), ["m.room.topic"], "{answer}");
        assert!(joined.get("state").is_none(), "{answer}");
        assert_eq!(timeline(&answer, &room).len(), 2);
    }
}

#[tokio::test]
async fn full_state_is_given_when_asked_for() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let since = token(&alice.sync(None).await);
    let answer = alice.sync_with(Some(&since), "timeout=0&full_state=true").await;
    assert!(kinds(&answer["rooms"]["join"][&room]["state"]["events"]).contains(&"m.room.create"), "{answer}");
}

#[tokio::test]
async fn lazy_members_come_with_who_speaks() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let room = alice.create_room_with(&[&bob, &carol]).await;
    // Without a name the members who name the room would be told too.
    alice.set_state(&room, "m.room.name", json!({ "name": "A room" })).await;
    alice.send_text(&room, "from alice").await;
    let filter = json!({ "room": { "state": { "lazy_load_members": true }, "timeline": { "limit": 1 } } });
    let filter = escape(&filter.to_string());
    let answer = bob.sync_with(None, &format!("timeout=0&filter={filter}")).await;
    let state = answer["rooms"]["join"][&room]["state"]["events"].as_array().expect("state").clone();
    let members: Vec<_> =
        state.iter().filter(|event| event["type"] == "m.room.member").map(|event| event["state_key"].clone()).collect();
    assert!(members.contains(&json!(alice.user_id)) && !members.contains(&json!(carol.user_id)), "{members:?}");
    let since = token(&answer);
    carol.send_text(&room, "from carol").await;
    let answer = bob.sync_with(Some(&since), &format!("timeout=0&filter={filter}")).await;
    let state = answer["rooms"]["join"][&room]["state"]["events"].as_array().cloned().unwrap_or_default();
    assert!(state.iter().any(|event| event["state_key"] == carol.user_id.as_str()), "{answer}");
}

#[tokio::test]
async fn rooms_one_is_invited_to_or_left_come_in_their_sections() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let since = token(&bob.sync(None).await);
    let room = alice.create_room(json!({})).await;
    alice.invite(&room, &bob).await;
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["invite"].get(&room).is_some(), "{answer}");
    let since = token(&answer);
    bob.join(&room).await;
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["join"].get(&room).is_some(), "{answer}");
    let since = token(&answer);
    bob.leave(&room).await;
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["leave"].get(&room).is_some(), "{answer}");
    assert!(bob.sync(None).await.get("rooms").is_none(), "left rooms are not shown at first");
    let filter = escape(&json!({ "room": { "include_leave": true } }).to_string());
    assert!(bob.sync_with(None, &format!("timeout=0&filter={filter}")).await["rooms"]["leave"].get(&room).is_some());
}

#[tokio::test]
async fn folding_every_answer_gives_every_event_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let rooms = [alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await];
    let mut since = token(&bob.sync(None).await);
    let (mut sent, mut seen) = (Vec::new(), Vec::new());
    for n in 0..30 {
        let room = &rooms[n % 2];
        sent.push(alice.send_text(room, &n.to_string()).await);
        if n % 3 == 0 {
            let answer = bob.sync(Some(&since)).await;
            seen.extend(rooms.iter().flat_map(|room| timeline(&answer, room)));
            since = token(&answer);
        }
    }
    let answer = bob.sync(Some(&since)).await;
    seen.extend(rooms.iter().flat_map(|room| timeline(&answer, room)));
    let mut seen: Vec<_> = seen.iter().map(|event| event["event_id"].as_str().expect("an id").to_owned()).collect();
    seen.sort();
    sent.sort();
    assert_eq!(seen, sent);
}

#[tokio::test]
async fn bad_tokens_and_filters_are_refused() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    alice.get("/sync?timeout=0&since=nonsense").await.fails(400, "M_INVALID_PARAM");
    alice.get("/sync?timeout=0&filter=%7Bnonsense").await.fails(400, "M_INVALID_PARAM");
    server.client().get("/sync").await.fails(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn membership_stands_with_each_event() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room(json!({ "preset": "public_chat" })).await;
    alice.send_text(&room, "before").await;
    bob.join(&room).await;
    alice.send_text(&room, "after").await;
    let events = timeline(&bob.sync(None).await, &room);
    let membership = |body: &str| {
        let event = events.iter().find(|event| event["content"]["body"] == body).expect("the message");
        event["unsigned"]["membership"].clone()
    };
    assert_eq!((membership("before"), membership("after")), (json!("leave"), json!("join")));
}

#[tokio::test]
async fn state_events_tell_what_they_replaced() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    let first = alice.set_state(&room, "m.room.topic", json!({ "topic": "old" })).await;
    let since = token(&alice.sync(None).await);
    alice.set_state(&room, "m.room.topic", json!({ "topic": "new" })).await;
    let event = timeline(&alice.sync(Some(&since)).await, &room)[0].clone();
    assert_eq!(event["unsigned"]["prev_content"], json!({ "topic": "old" }), "{event}");
    assert_eq!(event["unsigned"]["replaces_state"], first.as_str());
    let path = Client::room_path(&room, &format!("/event/{}", escape(event["event_id"].as_str().expect("an id"))));
    assert_eq!(alice.get(&path).await.ok()["unsigned"]["prev_content"], json!({ "topic": "old" }));
}

#[tokio::test]
async fn a_filter_chooses_fields_and_format() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let room = alice.create_room(json!({})).await;
    alice.send_text(&room, "hello").await;
    let timeline = |answer: Value| answer["rooms"]["join"][&room]["timeline"]["events"].as_array().cloned();
    let fields = escape(&json!({ "event_fields": ["type", "content.body"] }).to_string());
    let events = timeline(alice.sync_with(None, &format!("timeout=0&filter={fields}")).await).expect("events");
    assert_eq!(events.last(), Some(&json!({ "type": "m.room.message", "content": { "body": "hello" } })));
    let federation = escape(&json!({ "event_format": "federation" }).to_string());
    let events = timeline(alice.sync_with(None, &format!("timeout=0&filter={federation}")).await).expect("events");
    let event = events.last().expect("the message");
    for field in ["auth_events", "prev_events", "hashes", "signatures", "depth", "unsigned"] {
        assert!(event.get(field).is_some(), "{field}: {event}");
    }
}

#[tokio::test]
async fn a_filter_chooses_by_what_relates() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let root = alice.send_text(&room, "root").await;
    alice.send_text(&room, "alone").await;
    let content = json!({ "body": "reply", "m.relates_to": { "rel_type": "m.thread", "event_id": root } });
    bob.put(&Client::send_path(&room, "m.room.message"), content).await.ok();
    let bodies = |events: &Value| -> Vec<String> {
        let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
        events.iter().filter_map(|event| event["content"]["body"].as_str()).map(str::to_owned).collect()
    };
    for (filter, expected) in [
        (json!({ "related_by_rel_types": ["m.thread"] }), vec!["root"]),
        (json!({ "related_by_rel_types": ["m.replace"] }), vec![]),
        (json!({ "related_by_senders": [bob.user_id] }), vec!["root"]),
        (json!({ "related_by_rel_types": ["m.thread"], "related_by_senders": [alice.user_id] }), vec![]),
        (json!({ "org.matrix.msc3874.rel_types": ["m.thread"] }), vec!["reply"]),
        (json!({ "types": ["m.room.message"], "not_rel_types": ["m.thread"] }), vec!["alone", "root"]),
    ] {
        let text = escape(&filter.to_string());
        let page = alice.get(&Client::room_path(&room, &format!("/messages?dir=b&filter={text}"))).await.ok();
        assert_eq!(bodies(&page["chunk"]), expected, "/messages, {filter}");
        let text = escape(&json!({ "room": { "timeline": filter } }).to_string());
        let synced = alice.sync_with(None, &format!("timeout=0&filter={text}")).await;
        let mut found = bodies(&synced["rooms"]["join"][&room]["timeline"]["events"]);
        found.reverse();
        assert_eq!(found, expected, "/sync, {filter}");
    }
}

/// Clients and conformance tests look for these even where there is nothing to say.
#[tokio::test]
async fn what_clients_look_for_is_there_though_empty() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let first = bob.sync(None).await;
    assert_eq!(first["device_one_time_keys_count"], json!({}));
    assert_eq!(first["device_unused_fallback_key_types"], json!([]));
    let joined = &first["rooms"]["join"][&room];
    assert_eq!(joined["timeline"]["limited"], json!(false));
    assert_eq!(joined["unread_notifications"], json!({ "highlight_count": 0, "notification_count": 0 }));
    bob.leave(&room).await;
    let answer = bob.sync(Some(&token(&first))).await;
    let left = &answer["rooms"]["leave"][&room];
    assert!(left["state"]["events"].is_array() && left["timeline"]["events"].is_array(), "{answer}");
}

#[tokio::test]
async fn a_left_room_is_told_as_it_was_when_it_was_left() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let filter = json!({ "room": {
        "timeline": { "types": ["m.room.message", "a.made.up"] },
        "state": { "types": ["a.made.up"] },
        "include_leave": true,
    } });
    let filter = escape(&filter.to_string());
    let since = token(&bob.sync_with(None, &format!("timeout=0&filter={filter}")).await);
    let speak = async |word: &str| {
        alice.send_text(&room, word).await;
        alice.set_state(&room, "a.made.up", json!({ "body": word })).await;
    };
    speak("before").await;
    bob.leave(&room).await;
    speak("after").await;
    for since in [None, Some(since.as_str())] {
        let answer = bob.sync_with(since, &format!("timeout=0&filter={filter}")).await;
        let left = &answer["rooms"]["leave"][&room];
        let events = left["timeline"]["events"].as_array().expect("a timeline").clone();
        assert_eq!(events.iter().map(|event| &event["content"]["body"]).collect::<Vec<_>>(), ["before", "before"]);
        assert_eq!(left["state"]["events"], json!([]), "{answer}");
    }
    let empty = escape(&json!({ "room": { "timeline": { "limit": 0 }, "include_leave": true } }).to_string());
    let answer = bob.sync_with(None, &format!("timeout=0&filter={empty}")).await;
    let left = &answer["rooms"]["leave"][&room];
    assert_eq!(left["timeline"]["events"], json!([]), "{answer}");
    let state = left["state"]["events"].as_array().expect("state").clone();
    let has = |wanted: &dyn Fn(&Value) -> bool| state.iter().any(wanted);
    assert!(has(&|event| event["state_key"] == bob.user_id.as_str() && event["content"]["membership"] == "leave"));
    assert!(has(&|event| event["type"] == "a.made.up" && event["content"]["body"] == "before"));
}

#[tokio::test]
async fn filters_leave_out_what_they_name() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let rooms = [alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await];
    let event = alice.send_text(&rooms[0], "hello").await;
    alice.post(&Client::room_path(&rooms[0], &format!("/receipt/m.read/{}", escape(&event))), json!({})).await.ok();
    alice.put(&format!("/presence/{}/status", escape(&alice.user_id)), json!({ "presence": "online" })).await.ok();
    let with =
        async |filter: Value| bob.sync_with(None, &format!("timeout=0&filter={}", escape(&filter.to_string()))).await;
    let answer = with(json!({ "room": { "not_rooms": [rooms[1]] } })).await;
    assert!(answer["rooms"]["join"].get(&rooms[0]).is_some() && answer["rooms"]["join"].get(&rooms[1]).is_none());
    let answer = with(json!({ "room": { "rooms": [rooms[1]] } })).await;
    assert!(answer["rooms"]["join"].get(&rooms[0]).is_none() && answer["rooms"]["join"].get(&rooms[1]).is_some());
    let answer = with(json!({})).await;
    assert!(answer["presence"]["events"].to_string().contains(&alice.user_id), "{answer}");
    assert!(answer["rooms"]["join"][&rooms[0]].get("ephemeral").is_some(), "{answer}");
    let nothing = json!({
        "presence": { "types": [] },
        "account_data": { "not_types": ["*"] },
        "room": { "ephemeral": { "not_types": ["m.receipt"] }, "state": { "types": ["m.room.create"] } },
    });
    let answer = with(nothing).await;
    assert!(answer.get("presence").is_none() && answer.get("account_data").is_none(), "{answer}");
    assert!(answer["rooms"]["join"][&rooms[0]].get("ephemeral").is_none(), "{answer}");
    assert!(kinds(&answer["rooms"]["join"][&rooms[0]]["state"]["events"]).iter().all(|kind| *kind == "m.room.create"));
    alice.get("/sync?timeout=0&filter=none").await.fails(404, "M_NOT_FOUND");
}

/// Typing, receipts and presence are told at once when nothing of the kind was told lately, and gathered after that,
/// also when a message goes out meanwhile.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "long polls that wait beside the test")]
async fn quiet_news_come_at_once_and_are_gathered_after_that() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let typing = Client::room_path(&room, &format!("/typing/{}", escape(&alice.user_id)));
    let follow = |since: String| {
        let bob = bob.clone();
        tokio::spawn(async move { bob.sync_with(Some(&since), "timeout=30000").await })
    };
    let soon = |waiting: tokio::task::JoinHandle<Value>| async {
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("soon").expect("it")
    };
    let since = token(&bob.sync(None).await);
    let waiting = follow(since);
    tokio::time::sleep(Duration::from_millis(50)).await;
    alice.put(&typing, json!({ "typing": true, "timeout": 20_000 })).await.ok();
    let answer = soon(waiting).await;
    assert!(answer["rooms"]["join"][&room]["ephemeral"].to_string().contains(&alice.user_id), "{answer}");
    let waiting = follow(token(&answer));
    alice.put(&typing, json!({ "typing": false })).await.ok();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "what is no message is gathered");
    let event = alice.send_text(&room, "a message does not wait").await;
    let answer = tokio::time::timeout(Duration::from_millis(250), waiting).await.expect("at once").expect("it");
    assert_eq!(timeline(&answer, &room)[0]["event_id"], event.as_str());
    assert!(answer["rooms"]["join"][&room].get("ephemeral").is_none(), "a message takes nothing along: {answer}");
    let (mut since, mut told) = (token(&answer), String::new());
    alice.post(&Client::room_path(&room, &format!("/receipt/m.read/{}", escape(&event))), json!({})).await.ok();
    while !(told.contains("m.receipt") && told.contains(r#""user_ids":[]"#)) {
        let answer = soon(follow(since)).await;
        told.push_str(&answer["rooms"]["join"][&room]["ephemeral"].to_string());
        since = token(&answer);
    }
}

/// The filter of a sync that shows left rooms, and little of the others.
fn with_left_rooms() -> String {
    let filter = json!({ "room": { "timeline": { "limit": 1 }, "include_leave": true } });
    format!("timeout=0&filter={}", escape(&filter.to_string()))
}

#[tokio::test]
async fn a_left_room_is_told_once_in_its_section_however_much_happens_elsewhere() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (left, busy) = (alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await);
    let since = token(&alice.sync_with(None, &with_left_rooms()).await);
    alice.leave(&left).await;
    for n in 0..20 {
        bob.send_text(&busy, &n.to_string()).await;
    }
    for (since, parameters) in [
        (None, with_left_rooms()),
        (Some(since.as_str()), with_left_rooms()),
        (Some(since.as_str()), "timeout=0".to_owned()),
        (Some(since.as_str()), format!("{}&full_state=true", with_left_rooms())),
    ] {
        let answer = alice.sync_with(since, &parameters).await;
        assert!(answer["rooms"]["leave"].get(&left).is_some(), "{since:?} {parameters}: {answer}");
    }
    let since = token(&alice.sync_with(Some(&since), &with_left_rooms()).await);
    // What happens there later is not alice's any more.
    let member = Client::room_path(&left, &format!("/state/m.room.member/{}", escape(&bob.user_id)));
    bob.put(&member, json!({ "membership": "join", "displayname": "Bobby" })).await.ok();
    for n in 0..20 {
        bob.send_text(&busy, &n.to_string()).await;
    }
    let answer = alice.sync_with(Some(&since), &with_left_rooms()).await;
    assert!(answer["rooms"]["join"].get(&busy).is_some() && answer["rooms"].get("leave").is_none(), "{answer}");
}

#[tokio::test]
async fn a_leave_comes_alone_where_history_is_for_members() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let history =
        json!({ "type": "m.room.history_visibility", "state_key": "", "content": { "history_visibility": "joined" } });
    let room = alice.create_room(json!({ "preset": "public_chat", "initial_state": [history] })).await;
    bob.join(&room).await;
    let filter = format!("timeout=0&filter={}", escape(&json!({ "room": { "include_leave": true } }).to_string()));
    let since = token(&alice.sync_with(None, &filter).await);
    alice.leave(&room).await;
    let left = alice.sync_with(Some(&since), &filter).await["rooms"]["leave"][&room].clone();
    assert_eq!(left["state"]["events"], json!([]), "{left}");
    let events = left["timeline"]["events"].as_array().expect("a timeline");
    assert_eq!(events.len(), 1, "{left}");
    assert_eq!((&events[0]["sender"], &events[0]["content"]["membership"]), (&json!(alice.user_id), &json!("leave")));
}

#[tokio::test]
async fn only_the_last_of_several_memberships_counts() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[]).await;
    let since = token(&bob.sync(None).await);
    bob.join(&room).await;
    bob.leave(&room).await;
    bob.join(&room).await;
    let answer = bob.sync(Some(&since)).await;
    assert!(answer["rooms"]["join"].get(&room).is_some() && answer["rooms"].get("leave").is_none(), "{answer}");

    let carol = server.register("carol").await;
    let since = token(&carol.sync(None).await);
    alice.invite(&room, &carol).await;
    carol.leave(&room).await;
    let full = |since: String| {
        let carol = carol.clone();
        async move { carol.sync_with(Some(&since), "timeout=0&full_state=true").await }
    };
    let answer = full(since).await;
    assert!(answer["rooms"]["leave"].get(&room).is_some() && answer["rooms"].get("invite").is_none(), "{answer}");
    carol.join(&room).await;
    let answer = full(token(&answer)).await;
    assert!(answer["rooms"]["join"].get(&room).is_some() && answer["rooms"].get("leave").is_none(), "{answer}");
}

#[tokio::test]
async fn members_and_invites_are_counted() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let since = token(&alice.sync(None).await);
    let room = alice.create_room(json!({ "preset": "public_chat", "invite": [bob.user_id] })).await;
    let counts = |answer: &Value| {
        let summary = &answer["rooms"]["join"][&room]["summary"];
        (summary["m.joined_member_count"].as_u64(), summary["m.invited_member_count"].as_u64())
    };
    let answer = alice.sync(Some(&since)).await;
    assert_eq!(counts(&answer), (Some(1), Some(1)), "{answer}");
    let of_bob = token(&bob.sync(None).await);
    bob.join(&room).await;
    for answer in [alice.sync(Some(&token(&answer))).await, bob.sync(Some(&of_bob)).await] {
        assert_eq!(counts(&answer), (Some(2), Some(0)), "{answer}");
    }
}

#[tokio::test]
async fn state_after_has_the_members_of_a_lazy_timeline() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let filter = json!({ "room": { "state": { "lazy_load_members": true } } });
    let parameters = format!("timeout=0&use_state_after=true&filter={}", escape(&filter.to_string()));
    for preset in ["public_chat", "private_chat"] {
        let room = alice.create_room(json!({ "preset": preset, "invite": [bob.user_id] })).await;
        bob.join(&room).await;
        let answer = alice.sync_with(None, &parameters).await;
        let state = answer["rooms"]["join"][&room]["state_after"]["events"].as_array().expect("state").clone();
        for event in timeline(&answer, &room) {
            let has = |member: &Value| member["type"] == "m.room.member" && member["state_key"] == event["sender"];
            assert!(state.iter().any(has), "{preset}: {event}");
        }
        assert!(timeline(&answer, &room).iter().any(|event| event["sender"] == bob.user_id.as_str()), "{preset}");
    }
}

#[tokio::test]
async fn what_passes_in_a_room_is_filtered_by_room_too() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let (loud, quiet) = (alice.create_room_with(&[&bob]).await, alice.create_room_with(&[&bob]).await);
    let since = alice.sync(None).await["next_batch"].as_str().unwrap().to_owned();
    for room in [&loud, &quiet] {
        let typing = Client::room_path(room, &format!("/typing/{}", escape(&bob.user_id)));
        bob.put(&typing, json!({ "typing": true, "timeout": 10_000 })).await.ok();
        let sent = bob.send_text(room, "read this").await;
        bob.post(&Client::room_path(room, &format!("/receipt/m.read/{}", escape(&sent))), json!({})).await.ok();
    }
    for filter in [json!({ "not_rooms": [quiet] }), json!({ "rooms": [loud] })] {
        let filter = json!({ "room": { "ephemeral": filter } }).to_string();
        let news = alice.sync_with(Some(&since), &format!("timeout=0&filter={}", escape(&filter))).await;
        let of = |room: &str| kinds(&news["rooms"]["join"][room]["ephemeral"]["events"]);
        assert_eq!(of(&loud).len(), 2, "{news}");
        assert!(of(&quiet).is_empty(), "{news}");
    }
}

#[tokio::test]
async fn all_state_is_told_of_a_room_that_was_left_too() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let room = alice.create_room_with(&[&bob]).await;
    let since = bob.sync(None).await["next_batch"].as_str().unwrap().to_owned();
    bob.leave(&room).await;
    let part = bob.sync(Some(&since)).await;
    assert_eq!(part["rooms"]["leave"][&room]["state"]["events"], json!([]), "{part}");
    let full = bob.sync_with(Some(&since), "timeout=0&full_state=true").await;
    let state = kinds(&full["rooms"]["leave"][&room]["state"]["events"]);
    for kind in ["m.room.create", "m.room.power_levels", "m.room.member"] {
        assert!(state.contains(&kind), "{full}");
    }
    assert_eq!(full["rooms"]["leave"][&room]["timeline"]["events"].as_array().map(Vec::len), Some(1), "{full}");
}
