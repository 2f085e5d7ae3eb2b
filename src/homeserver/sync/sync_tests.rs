//! Sync as a client sees it, with 1 lane and with 8.

use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::SyncFilter;
use ruma::api::client::filter::FilterDefinition;
use serde_json::{Value, json, value::to_raw_value};

use super::testing::{Server, bodies, kinds, new_room};
use super::{StateForm, SyncRequest, SyncToken};
use crate::rooms::{JoinWish, Preset, ReceiptKind};

fn filter(definition: Value) -> Arc<SyncFilter> {
    let definition: FilterDefinition = serde_json::from_value(definition).unwrap();
    Arc::new(SyncFilter::compile(&definition))
}

fn waiting(since: &SyncToken, timeout_ms: u64) -> SyncRequest {
    SyncRequest { timeout_ms, ..SyncRequest::new(Some(since.clone())) }
}

async fn with_lanes(test: impl AsyncFn(Server)) {
    for lanes in [1, 8] {
        test(Server::new(lanes).await).await;
    }
}

#[tokio::test]
async fn a_first_sync_shows_the_room_and_the_next_ones_what_is_new() {
    with_lanes(async |server: Server| {
        let alice = server.user("alice").await;
        let room = server.room(&alice).await;
        server.say(&alice, &room, "one").await;
        let (first, since) = server.sync(&alice, None).await;
        let joined = &first["rooms"]["join"][room.as_str()];
        assert_eq!(kinds(&joined["timeline"]["events"]).len() + kinds(&joined["state"]["events"]).len(), 6, "{joined}");
        assert_eq!(bodies(&joined["timeline"]["events"]), ["one"]);
        assert_eq!(joined["summary"]["m.joined_member_count"], 1);
        assert!(kinds(&first["account_data"]["events"]).contains(&"m.push_rules".to_owned()));
        assert_eq!(first["device_one_time_keys_count"], json!({}));

        let (nothing, since) = server.sync(&alice, Some(&since)).await;
        assert!(nothing.get("rooms").is_none() && nothing.get("account_data").is_none(), "{nothing}");
        server.say(&alice, &room, "two").await;
        let (second, _) = server.sync(&alice, Some(&since)).await;
        let joined = &second["rooms"]["join"][room.as_str()];
        assert_eq!(bodies(&joined["timeline"]["events"]), ["two"]);
        assert!(joined.get("state").is_none() && joined.get("summary").is_none(), "{joined}");
        assert_eq!(joined["timeline"]["events"][0]["unsigned"]["membership"], "join");
        let (again, _) = server.sync(&alice, Some(&since)).await;
        assert_eq!(again["rooms"], second["rooms"], "the same position gives the same news");
    })
    .await;
}

#[tokio::test]
async fn budgets_of_engine_calls() {
    let server = Server::new(1).await;
    let (alice, bob) = (server.user("alice").await, server.user("bob").await);
    let room = server.room(&alice).await;
    server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
    let other = server.room(&bob).await;
    let (_, since) = server.sync(&alice, None).await;
    let (_, since) = server.sync(&alice, Some(&since)).await;

    let before = server.store.counters();
    let (_, since) = server.sync(&alice, Some(&since)).await;
    assert_eq!(server.store.counters().since(before).total(), 0, "an idle sync");

    server.say(&bob, &other, "elsewhere").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = server.store.counters();
    let (_, since) = server.sync(&alice, Some(&since)).await;
    assert_eq!(server.store.counters().since(before).total(), 0, "news of others");

    server.say(&bob, &room, "here").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = server.store.counters();
    let (news, _) = server.sync(&alice, Some(&since)).await;
    assert_eq!(bodies(&news["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["here"]);
    let calls = server.store.counters().since(before);
    assert!(calls.total() <= 1, "news of one warm room: {calls:?}");
}

#[tokio::test]
async fn who_waits_is_woken_by_what_concerns_them() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
        let (_, since) = server.sync(&alice, None).await;
        let (_, since) = server.sync(&alice, Some(&since)).await;

        let request = waiting(&since, 100);
        let (nothing, since) = server.ask(&alice, &request).await;
        assert!(nothing.get("rooms").is_none(), "{nothing}");

        let request = waiting(&since, 20_000);
        let wait = server.ask(&alice, &request);
        let act = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            server.say(&bob, &room, "wake up").await;
        };
        let ((news, since), ()) =
            tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(wait, act) }).await.unwrap();
        assert_eq!(bodies(&news["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["wake up"]);

        let request = waiting(&since, 20_000);
        let wait = server.ask(&alice, &request);
        let act = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            server
                .users
                .set_account_data(&alice, None, "org.example", &to_raw_value(&json!({ "a": 1 })).unwrap())
                .await
                .unwrap();
        };
        let ((news, since), ()) =
            tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(wait, act) }).await.unwrap();
        assert_eq!(news["account_data"]["events"], json!([{ "type": "org.example", "content": { "a": 1 } }]));

        let request = waiting(&since, 20_000);
        let wait = server.ask(&alice, &request);
        let act = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            server
                .rooms
                .create(
                    &bob,
                    crate::rooms::CreateRoom { invite: vec![alice.user_id.clone()], ..new_room(Preset::PrivateChat) },
                )
                .await
                .unwrap()
        };
        let ((news, _), invited) =
            tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(wait, act) }).await.unwrap();
        let stripped = kinds(&news["rooms"]["invite"][invited.as_str()]["invite_state"]["events"]);
        assert!(stripped.contains(&"m.room.member".to_owned()), "{news}");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_ahead_is_waited_for() {
    let server = Server::new(1).await;
    let alice = server.user("alice").await;
    let room = server.room(&alice).await;
    let (_, since) = server.sync(&alice, None).await;
    let mut text = since.clone();
    text.lanes = super::Positions::new(text.lanes.iter().map(|(_, pos)| hearth_protocol::LanePos(pos.0 + 1)).collect());
    server.say(&alice, &room, "known to the client").await;
    let (news, next) = server.ask(&alice, &waiting(&text, 50)).await;
    assert!(news.get("rooms").is_none(), "{news}");
    assert!(next.lanes.reaches(&text.lanes));
    server.say(&alice, &room, "new").await;
    let (news, _) = server.ask(&alice, &waiting(&next, 5_000)).await;
    assert_eq!(bodies(&news["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["new"]);
}

#[tokio::test]
async fn a_long_gap_is_limited_and_tells_the_state_in_it() {
    with_lanes(async |server: Server| {
        let alice = server.user("alice").await;
        let room = server.room(&alice).await;
        let (_, since) = server.sync(&alice, None).await;
        server.send(&alice, &room, "m.room.topic", Some(""), json!({ "topic": "old" })).await.unwrap();
        server.send(&alice, &room, "m.room.topic", Some(""), json!({ "topic": "new" })).await.unwrap();
        for n in 0..5 {
            server.say(&alice, &room, &n.to_string()).await;
        }
        server.send(&alice, &room, "m.room.name", Some(""), json!({ "name": "last" })).await.unwrap();
        let filter = filter(json!({ "room": { "timeline": { "limit": 3 } } }));
        let mut request = SyncRequest { filter, ..SyncRequest::new(Some(since)) };
        let (news, _) = server.ask(&alice, &request).await;
        let joined = &news["rooms"]["join"][room.as_str()];
        assert_eq!(bodies(&joined["timeline"]["events"]), ["3", "4"]);
        assert_eq!(joined["timeline"]["limited"], true);
        assert_eq!(kinds(&joined["state"]["events"]), ["m.room.topic"]);
        assert_eq!(joined["state"]["events"][0]["content"]["topic"], "new");

        request.state_form = StateForm::After;
        let (news, _) = server.ask(&alice, &request).await;
        let joined = &news["rooms"]["join"][room.as_str()];
        assert!(joined.get("state").is_none());
        assert_eq!(kinds(&joined["state_after"]["events"]), ["m.room.topic", "m.room.name"]);
        request.state_form = StateForm::AfterUnstable;
        let (news, _) = server.ask(&alice, &request).await;
        assert!(news["rooms"]["join"][room.as_str()]["org.matrix.msc4222.state_after"]["events"].is_array());

        let token = news["rooms"]["join"][room.as_str()]["timeline"]["prev_batch"].as_str().unwrap().to_owned();
        let view = server.rooms.require_view(&room).await.unwrap();
        let from = server.sync.history_pos(&view, &server.sync.parse_page_token(&token).unwrap()).await.unwrap();
        let page = view.list_history(from, None, crate::rooms::Direction::Backward, 1).await.unwrap();
        let before: Value = page.events[0].event.content_as().unwrap();
        assert_eq!(before["body"], "2", "pages go on right before the timeline");
    })
    .await;
}

#[tokio::test]
async fn a_kick_ends_the_data_and_a_leave_is_never_empty() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
        let (_, since) = server.sync(&bob, None).await;
        server.say(&alice, &room, "for both").await;
        server.rooms.kick(&alice, &room, &bob.user_id, None).await.unwrap();
        server.say(&alice, &room, "secret").await;
        let (news, since) = server.sync(&bob, Some(&since)).await;
        assert!(news["rooms"].get("join").is_none(), "{news}");
        let left = &news["rooms"]["leave"][room.as_str()]["timeline"]["events"];
        assert_eq!(bodies(left), ["for both"]);
        assert_eq!(kinds(left), ["m.room.message", "m.room.member"]);
        let (nothing, _) = server.sync(&bob, Some(&since)).await;
        assert!(nothing.get("rooms").is_none(), "{nothing}");
        let (first, _) = server.sync(&bob, None).await;
        assert!(first.get("rooms").is_none(), "{first}");
        let request =
            SyncRequest { filter: filter(json!({ "room": { "include_leave": true } })), ..SyncRequest::new(None) };
        let (first, _) = server.ask(&bob, &request).await;
        let left = &first["rooms"]["leave"][room.as_str()];
        assert_eq!(bodies(&left["timeline"]["events"]), ["for both"], "{first}");
    })
    .await;
}

#[tokio::test]
async fn a_declined_invite_comes_as_a_leave_with_one_event() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server
            .rooms
            .create(
                &alice,
                crate::rooms::CreateRoom { invite: vec![bob.user_id.clone()], ..new_room(Preset::PrivateChat) },
            )
            .await
            .unwrap();
        let (news, since) = server.sync(&bob, None).await;
        assert!(news["rooms"]["invite"][room.as_str()].is_object(), "{news}");
        server.say(&alice, &room, "not for bob").await;
        server.rooms.leave(&bob, &room, None).await.unwrap();
        let (news, _) = server.sync(&bob, Some(&since)).await;
        let left = &news["rooms"]["leave"][room.as_str()];
        assert_eq!(kinds(&left["timeline"]["events"]), ["m.room.member"], "{news}");
        assert!(kinds(&left["state"]["events"]).is_empty(), "{left}");
    })
    .await;
}

#[tokio::test]
async fn lazy_loading_sends_the_members_that_are_needed_once() {
    with_lanes(async |server: Server| {
        let (alice, bob, carol) = (server.user("alice").await, server.user("bob").await, server.user("carol").await);
        let room = server.room(&alice).await;
        for user in [&bob, &carol] {
            server.rooms.join(user, &room, JoinWish::default()).await.unwrap();
        }
        for n in 0..3 {
            server.say(&alice, &room, &n.to_string()).await;
        }
        let filter = filter(json!({ "room": { "state": { "lazy_load_members": true }, "timeline": { "limit": 2 } } }));
        let members = |news: &Value| -> Vec<String> {
            let state = news["rooms"]["join"][room.as_str()]["state"]["events"].as_array().cloned().unwrap_or_default();
            let members = state.iter().filter(|event| event["type"] == "m.room.member");
            members.map(|event| event["state_key"].as_str().unwrap().to_owned()).collect()
        };
        let ask = async |since: Option<&SyncToken>| {
            server.ask(&carol, &SyncRequest { filter: filter.clone(), ..SyncRequest::new(since.cloned()) }).await
        };
        server.send(&alice, &room, "m.room.name", Some(""), json!({ "name": "named" })).await.unwrap();
        let (first, since) = ask(None).await;
        assert_eq!(members(&first), [alice.user_id.as_str(), carol.user_id.as_str()], "{first}");
        server.say(&bob, &room, "hello").await;
        let (news, dropped) = ask(Some(&since)).await;
        assert_eq!(members(&news), [bob.user_id.as_str()]);
        let (again, _) = ask(Some(&since)).await;
        assert_eq!(members(&again), [bob.user_id.as_str()], "the client may not have had the first answer");
        server.say(&bob, &room, "hello again").await;
        let (news, _) = ask(Some(&dropped)).await;
        assert!(members(&news).is_empty(), "{news}");
    })
    .await;
}

#[tokio::test]
async fn unread_counts_follow_the_rules_and_start_again_at_receipts() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
        server.say(&alice, &room, "one").await;
        let mention = json!({ "msgtype": "m.text", "body": "hello", "m.mentions": { "user_ids": [bob.user_id] } });
        let marked = server.send(&alice, &room, "m.room.message", None, mention).await.unwrap();
        let root = server.say(&alice, &room, "three").await;
        let reply = json!({ "msgtype": "m.text", "body": "in a thread", "m.relates_to": { "rel_type": "m.thread", "event_id": root } });
        server.send(&alice, &room, "m.room.message", None, reply).await.unwrap();
        let threads = SyncRequest { filter: filter(json!({ "room": { "timeline": { "unread_thread_notifications": true } } })), ..SyncRequest::new(None) };
        let (first, since) = server.sync(&bob, None).await;
        let unread = |news: &Value| news["rooms"]["join"][room.as_str()]["unread_notifications"].clone();
        assert_eq!(unread(&first), json!({ "highlight_count": 1, "notification_count": 4 }));
        let (first, _) = server.ask(&bob, &threads).await;
        assert_eq!(unread(&first), json!({ "highlight_count": 1, "notification_count": 3 }));
        assert_eq!(first["rooms"]["join"][room.as_str()]["unread_thread_notifications"], json!({ root.as_str(): { "highlight_count": 0, "notification_count": 1 } }));

        let view = server.rooms.require_view(&room).await.unwrap();
        server.receipts.record(&bob, &view, ReceiptKind::ReadPrivate, &marked, None).await.unwrap();
        let (news, since) = server.sync(&bob, Some(&since)).await;
        assert_eq!(unread(&news), json!({ "highlight_count": 0, "notification_count": 2 }), "{news}");
        let receipt = &news["rooms"]["join"][room.as_str()]["ephemeral"]["events"][0];
        assert!(receipt["content"][marked.as_str()]["m.read.private"][bob.user_id.as_str()]["ts"].is_u64(), "{news}");
        let (of_alice, _) = server.sync(&alice, None).await;
        assert!(!of_alice.to_string().contains("m.read.private"), "a private receipt is nobody else's");
        server.receipts.record(&bob, &view, ReceiptKind::Read, &root, Some("main")).await.unwrap();
        let (news, _) = server.sync(&bob, Some(&since)).await;
        assert_eq!(unread(&news), json!({ "highlight_count": 0, "notification_count": 1 }));
        let wrong = server.receipts.record(&bob, &view, ReceiptKind::Read, &marked, Some(root.as_str())).await;
        assert!(wrong.is_err(), "an event of no thread");
    })
    .await;
}

#[tokio::test]
async fn typing_is_told_once_and_cleared_after_a_restart() {
    let mut server = Server::new(8).await;
    let (alice, token) = (server.user("alice").await, server.register("bob").await);
    let bob = server.users.authenticate(&token).await.unwrap();
    let room = server.room(&alice).await;
    server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
    let (_, since) = server.sync(&bob, None).await;
    let view = server.rooms.require_view(&room).await.unwrap();
    server.typing.set(&alice, &view, Some(30_000)).unwrap();
    let typing =
        |news: &Value| news["rooms"]["join"][room.as_str()]["ephemeral"]["events"][0]["content"]["user_ids"].clone();
    let (news, since) = server.ask(&bob, &waiting(&since, 5_000)).await;
    assert_eq!(typing(&news), json!([alice.user_id]));
    let (nothing, since) = server.sync(&bob, Some(&since)).await;
    assert!(nothing.get("rooms").is_none(), "{nothing}");
    server.restart().await;
    let bob = server.users.authenticate(&token).await.unwrap();
    let (news, since) = server.sync(&bob, Some(&since)).await;
    assert_eq!(typing(&news), json!([]), "{news}");
    let (nothing, _) = server.sync(&bob, Some(&since)).await;
    assert!(nothing.get("rooms").is_none(), "{nothing}");
}

#[tokio::test]
async fn ignored_users_are_not_heard() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
        let ignored = to_raw_value(&json!({ "ignored_users": { alice.user_id.as_str(): {} } })).unwrap();
        server.users.set_account_data(&bob, None, "m.ignored_user_list", &ignored).await.unwrap();
        let (_, since) = server.sync(&bob, None).await;
        server.say(&alice, &room, "can you hear me?").await;
        server.send(&alice, &room, "m.room.topic", Some(""), json!({ "topic": "state is state" })).await.unwrap();
        server
            .rooms
            .create(
                &alice,
                crate::rooms::CreateRoom { invite: vec![bob.user_id.clone()], ..new_room(Preset::PrivateChat) },
            )
            .await
            .unwrap();
        let (news, _) = server.sync(&bob, Some(&since)).await;
        assert_eq!(kinds(&news["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["m.room.topic"]);
        assert!(news["rooms"].get("invite").is_none(), "{news}");
    })
    .await;
}

#[tokio::test]
async fn old_tokens_find_the_changed_rooms_without_the_recent_log() {
    for lanes in [1, 8] {
        let mut server = Server::new(lanes).await;
        let token = server.register("alice").await;
        let alice = server.users.authenticate(&token).await.unwrap();
        let mut rooms = Vec::new();
        for _ in 0..4 {
            rooms.push(server.room(&alice).await);
        }
        let (_, since) = server.sync(&alice, None).await;
        server.say(&alice, &rooms[1], "while away").await;
        let view = server.rooms.require_view(&rooms[2]).await.unwrap();
        let newest: ruma::OwnedEventId = view.room.head.extremities[0].event_id.as_str().try_into().unwrap();
        server.receipts.record(&alice, &view, ReceiptKind::Read, &newest, None).await.unwrap();
        server.rooms.leave(&alice, &rooms[3], None).await.unwrap();
        drop(view);
        server.restart().await;
        let alice = server.users.authenticate(&token).await.unwrap();
        let (news, _) = server.sync(&alice, Some(&since)).await;
        let names = |section: &str| -> Vec<String> {
            news["rooms"][section].as_object().map(|rooms| rooms.keys().cloned().collect()).unwrap_or_default()
        };
        let mut joined = vec![rooms[1].to_string(), rooms[2].to_string()];
        joined.sort();
        assert_eq!(names("join"), joined, "{news}");
        assert_eq!(names("leave"), [rooms[3].to_string()]);
        assert_eq!(bodies(&news["rooms"]["join"][rooms[1].as_str()]["timeline"]["events"]), ["while away"]);
    }
}

#[tokio::test]
async fn who_comes_back_after_a_long_while_gets_the_newest() {
    with_lanes(async |server: Server| {
        let (alice, bob) = (server.user("alice").await, server.user("bob").await);
        let room = server.room(&alice).await;
        let quiet = server.room(&alice).await;
        let (_, since) = server.sync(&alice, None).await;
        server.clock.advance(10 * 60 * 1_000);
        server.say(&alice, &room, "before everybody was forgotten").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(server.sync.0.hub.sessions.count(), 0, "nobody syncs");
        server.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
        for n in 0..1_200 {
            server.say(&bob, &room, &n.to_string()).await;
        }
        let (news, since) = server.sync(&alice, Some(&since)).await;
        let joined = &news["rooms"]["join"][room.as_str()];
        let last: Vec<String> = (1_190..1_200).map(|n| n.to_string()).collect();
        assert_eq!(bodies(&joined["timeline"]["events"]), last);
        assert_eq!(kinds(&joined["state"]["events"]), ["m.room.member"]);
        assert_eq!(joined["summary"]["m.joined_member_count"], 2);
        assert!(news["rooms"]["join"].get(quiet.as_str()).is_none(), "{news}");
        server.say(&bob, &room, "and on").await;
        let (news, _) = server.sync(&alice, Some(&since)).await;
        assert_eq!(bodies(&news["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["and on"]);
    })
    .await;
}
