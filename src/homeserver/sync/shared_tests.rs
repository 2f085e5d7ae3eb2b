//! What many readers of a room are told alike is written and judged once; and it is what each of them would be told alone.

use std::time::Duration;

use ruma::OwnedRoomId;
use ruma::presence::PresenceState;
use serde_json::{Value, json};

use super::testing::{Server, bodies};
use super::{SyncRequest, SyncToken};
use crate::rooms::{JoinWish, ReceiptKind};
use crate::users::LocalUser;

/// Readers of the room beside the sender.
const READERS: usize = 12;

struct Reading {
    user: LocalUser,
    since: SyncToken,
}

/// A room with one who speaks and many who read, each of whom has been told of one message already.
async fn fill(server: &Server) -> (LocalUser, OwnedRoomId, Vec<Reading>) {
    let speaker = server.user("speaker").await;
    let room = server.room(&speaker).await;
    let mut readers = Vec::new();
    for n in 0..READERS {
        let user = server.user(&format!("reader{n:02}")).await;
        server.rooms.join(&user, &room, JoinWish::default()).await.unwrap();
        readers.push(user);
    }
    let mut all = Vec::new();
    for user in readers {
        let (_, since) = server.sync(&user, None).await;
        let (_, since) = server.sync(&user, Some(&since)).await;
        all.push(Reading { user, since });
    }
    server.say(&speaker, &room, "first").await;
    read_all(server, &room, &mut all).await;
    (speaker, room, all)
}

/// What each of the readers is told of the room.
async fn read_all(server: &Server, room: &OwnedRoomId, readers: &mut [Reading]) -> Vec<Value> {
    let mut told = Vec::new();
    for reader in readers {
        let (news, since) = server.sync(&reader.user, Some(&reader.since)).await;
        reader.since = since;
        told.push(news["rooms"]["join"][room.as_str()].clone());
    }
    told
}

fn counts(server: &Server) -> (u64, u64) {
    (server.sync.0.shared.writings.value(), server.sync.0.unread.evaluations.value())
}

fn unread(room: &Value) -> (u64, u64) {
    let counts = &room["unread_notifications"];
    (counts["notification_count"].as_u64().unwrap(), counts["highlight_count"].as_u64().unwrap())
}

#[tokio::test]
async fn a_message_is_written_and_judged_once_for_all_readers_whom_it_does_not_name() {
    let server = Server::new(1).await;
    let (speaker, room, mut readers) = fill(&server).await;
    let before = counts(&server);
    server.say(&speaker, &room, "hello").await;
    let told = read_all(&server, &room, &mut readers).await;
    for room in &told {
        assert_eq!(bodies(&room["timeline"]["events"]), ["hello"], "{room}");
        assert_eq!(unread(room), (2, 0), "{room}");
        assert_eq!(room["timeline"]["events"][0]["unsigned"]["membership"], "join");
        assert!(room.get("state").is_none() && room.get("summary").is_none(), "{room}");
    }
    assert!(told.iter().all(|room| room["timeline"] == told[0]["timeline"]));
    assert_eq!(counts(&server), (before.0 + 1, before.1 + 1));
}

#[tokio::test]
async fn who_is_named_is_asked_for_alone() {
    let server = Server::new(1).await;
    let (speaker, room, mut readers) = fill(&server).await;
    let before = counts(&server).1;
    server.say(&speaker, &room, "hello Reader03").await;
    let mention = json!({ "body": "hi", "m.mentions": { "user_ids": [readers[5].user.user_id] } });
    let told = read_all(&server, &room, &mut readers).await;
    let highlights: Vec<u64> = told.iter().map(|room| unread(room).1).collect();
    assert_eq!(highlights, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counts(&server).1, before + 2, "once for all, once for the one");

    server.send(&speaker, &room, "m.room.message", None, mention).await.unwrap();
    let told = read_all(&server, &room, &mut readers).await;
    let highlights: Vec<u64> = told.iter().map(|room| unread(room).1).collect();
    assert_eq!(highlights, [0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counts(&server).1, before + 4);
}

#[tokio::test]
async fn the_sender_sees_the_transaction_and_who_ignores_the_sender_sees_nothing() {
    let server = Server::new(1).await;
    let (speaker, room, mut readers) = fill(&server).await;
    let (_, since) = server.sync(&speaker, None).await;
    let ignoring = json!({ "ignored_users": { speaker.user_id.as_str(): {} } });
    let content = serde_json::value::to_raw_value(&ignoring).unwrap();
    server.users.set_account_data(&readers[1].user, None, "m.ignored_user_list", &content).await.unwrap();
    read_all(&server, &room, &mut readers).await;
    let event = crate::rooms::NewEvent {
        kind: "m.room.message".to_owned(),
        state_key: None,
        content: serde_json::value::to_raw_value(&json!({ "msgtype": "m.text", "body": "hello" })).unwrap(),
        redacts: None,
        txn_id: Some("txn".to_owned()),
        timestamp: None,
    };
    server.rooms.send(&speaker, &room, event).await.unwrap();
    let told = read_all(&server, &room, &mut readers).await;
    assert_eq!(bodies(&told[0]["timeline"]["events"]), ["hello"]);
    assert!(told[0]["timeline"]["events"][0]["unsigned"].get("transaction_id").is_none(), "{}", told[0]);
    assert!(bodies(&told[1]["timeline"]["events"]).is_empty(), "{}", told[1]);
    assert_eq!(bodies(&told[2]["timeline"]["events"]), ["hello"]);
    let (news, _) = server.sync(&speaker, Some(&since)).await;
    let event = &news["rooms"]["join"][room.as_str()]["timeline"]["events"][0];
    assert_eq!(event["unsigned"]["transaction_id"], "txn", "{news}");
}

#[tokio::test]
async fn what_is_read_is_not_counted_and_what_changes_the_room_is_told_each_alone() {
    let server = Server::new(1).await;
    let (speaker, room, mut readers) = fill(&server).await;
    let event = server.say(&speaker, &room, "hello").await;
    let view = server.rooms.load_view(&room).await.unwrap().unwrap();
    server.receipts.record(&readers[0].user, &view, ReceiptKind::Read, &event, None).await.unwrap();
    let told = read_all(&server, &room, &mut readers).await;
    assert_eq!((unread(&told[0]), unread(&told[1])), ((0, 0), (2, 0)));
    server.say(&speaker, &room, "again").await;
    let told = read_all(&server, &room, &mut readers).await;
    assert_eq!((unread(&told[0]), unread(&told[1])), ((1, 0), (3, 0)));

    let written = counts(&server).0;
    server.send(&speaker, &room, "m.room.topic", Some(""), json!({ "topic": "x" })).await.unwrap();
    let told = read_all(&server, &room, &mut readers).await;
    assert_eq!(told[0]["timeline"]["events"][0]["type"], "m.room.topic", "{}", told[0]);
    assert_eq!(counts(&server).0, written);
}

/// Whom a change of presence concerns is known without asking the engine, however many rooms the reader has.
#[tokio::test]
async fn presence_costs_what_it_tells() {
    let server = Server::new(1).await;
    let (alice, bob, carol) = (server.user("alice").await, server.user("bob").await, server.user("carol").await);
    let shared = server.room(&alice).await;
    server.rooms.join(&bob, &shared, JoinWish::default()).await.unwrap();
    for _ in 0..20 {
        server.room(&alice).await;
    }
    server.room(&carol).await;
    let (_, mut since) = server.sync(&alice, None).await;
    for user in [&alice, &bob, &carol] {
        for _ in 0..2 {
            server.sync(user, None).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    (_, since) = server.sync(&alice, Some(&since)).await;

    let ask = |since: &SyncToken| SyncRequest {
        set_presence: PresenceState::Offline,
        ..SyncRequest::new(Some(since.clone()))
    };
    let before = server.store.counters();
    server.users.presence().set(&carol.user_id, PresenceState::Unavailable, None).unwrap();
    let (news, since) = server.ask(&alice, &ask(&since)).await;
    assert!(news.get("presence").is_none(), "{news}");

    server.users.presence().set(&bob.user_id, PresenceState::Unavailable, None).unwrap();
    let (news, _) = server.ask(&alice, &ask(&since)).await;
    assert_eq!(news["presence"]["events"][0]["sender"], bob.user_id.as_str(), "{news}");
    assert_eq!(server.store.counters().since(before).total(), 0);
}

/// Who was told of typing just now is not told again at once; what comes meanwhile is not even gathered.
#[tokio::test]
async fn what_can_wait_is_not_gathered_until_it_is_told() {
    let server = Server::new(1).await;
    let (speaker, room, mut readers) = fill(&server).await;
    let reader = readers.pop().unwrap();
    let waiting = |since: &SyncToken, timeout_ms| SyncRequest { timeout_ms, ..SyncRequest::new(Some(since.clone())) };
    let view = server.rooms.load_view(&room).await.unwrap().unwrap();
    server.typing.set(&speaker, &view, Some(30_000)).unwrap();
    let (told, since) = server.ask(&reader.user, &waiting(&reader.since, 5_000)).await;
    assert_eq!(told["rooms"]["join"][room.as_str()]["ephemeral"]["events"][0]["type"], "m.typing", "{told}");

    server.typing.set(&speaker, &view, None).unwrap();
    let before = server.sync.0.holds.value();
    let (told, _) = server.ask(&reader.user, &waiting(&since, 50)).await;
    assert_eq!(server.sync.0.holds.value(), before + 1);
    let typing = &told["rooms"]["join"][room.as_str()]["ephemeral"]["events"][0];
    assert_eq!(typing["content"]["user_ids"], json!([]), "the time is over before the pause is: {told}");

    server.say(&speaker, &room, "now").await;
    let (told, _) = server.ask(&reader.user, &waiting(&since, 5_000)).await;
    assert_eq!(bodies(&told["rooms"]["join"][room.as_str()]["timeline"]["events"]), ["now"]);
}
