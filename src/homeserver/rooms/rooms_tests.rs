use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::testing::{Dice, RandomRoom, RandomRoomOptions, Replica};
use hearth_protocol::{EventKey, Origin, StateMapOf, Verdict, redact, rules_of};
use hearth_storage::schema::rooms::{EventNums, Events, Outcome};
use hearth_storage::schema::users::Membership;
use hearth_storage::{MemoryDisk, MemoryFaults, WriteFault, WriteFaults};
use ruma::{OwnedEventId, RoomVersionId, UserId};
use serde_json::json;

use super::event_cache::EventCache;
use super::testing::{Fixture, event, message, new_room};
use super::*;
use crate::rooms::timeline::EVENTS_PER_CALL_MAX;

const VERSIONS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

fn version(text: &str) -> RoomVersionId {
    RoomVersionId::try_from(text).unwrap()
}

async fn kinds_of(fixture: &Fixture, room: &ruma::RoomId) -> Vec<String> {
    let view = fixture.rooms.require_view(room).await.unwrap();
    let mut stretch =
        view.list_history(HistoryPos::START, None, Direction::Forward, EVENTS_PER_CALL_MAX).await.unwrap();
    stretch.events.drain(..).map(|stored| stored.event.kind.clone()).collect()
}

#[tokio::test]
async fn every_version_and_preset_makes_a_room_that_checks() {
    for lanes in [1, 8] {
        let fixture = Fixture::new(lanes).await;
        let alice = fixture.user("alice").await;
        let bob = fixture.user("bob").await;
        for text in VERSIONS {
            for preset in [Preset::PrivateChat, Preset::TrustedPrivateChat, Preset::PublicChat] {
                let mut request = new_room(Some(version(text)), preset);
                request.name = Some("A room".to_owned());
                request.topic = Some("What it is about".to_owned());
                request.invite = vec![bob.user_id.clone()];
                let room =
                    fixture.rooms.create(&alice, request).await.unwrap_or_else(|error| panic!("{text}: {error}"));
                fixture
                    .rooms
                    .join(&bob, &room, JoinWish::default())
                    .await
                    .unwrap_or_else(|error| panic!("{text}: {error}"));
                fixture.rooms.send(&bob, &room, message("hello", Some("1"))).await.unwrap();
                let view = fixture.rooms.require_view(&room).await.unwrap();
                assert_eq!(view.room.rules.version.as_str(), text);
                assert_eq!(view.membership(&bob.user_id), Some(Membership::Join));
                assert_eq!((view.room.joined, view.room.invited), (2, 0));
            }
        }
        assert_eq!(fixture.check().await, []);
    }
}

#[tokio::test]
async fn the_first_events_come_in_the_order_of_the_specification() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PublicChat).await;
    let expected =
        ["create", "member", "power_levels", "join_rules", "history_visibility"].map(|kind| format!("m.room.{kind}"));
    assert_eq!(kinds_of(&fixture, &room).await, expected);
}

#[tokio::test]
async fn a_refused_power_level_override_makes_no_room() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let before = fixture.env.store.head(hearth_protocol::Lane(0));
    let mut request = new_room(Some(version("12")), Preset::PrivateChat);
    request.power_levels = json!({"users": {alice.user_id.as_str(): 100}}).as_object().cloned();
    let error = fixture.rooms.create(&alice, request).await.unwrap_err();
    assert!(matches!(error, RoomError::InvalidRoomState(_)), "{error}");
    assert_eq!(fixture.env.store.head(hearth_protocol::Lane(0)), before);
}

#[tokio::test]
async fn a_transaction_makes_one_event_however_often_it_comes() {
    for lanes in [1, 8] {
        let fixture = Fixture::new(lanes).await;
        let alice = fixture.user("alice").await;
        let room = fixture.room(&alice, Preset::PrivateChat).await;
        let sends = (0..20).map(|_| fixture.rooms.send(&alice, &room, message("once", Some("txn"))));
        let ids = futures_util::future::try_join_all(sends).await.unwrap();
        assert!(ids.iter().all(|id| *id == ids[0]));
        let other = fixture.rooms.send(&alice, &room, message("twice", Some("other"))).await.unwrap();
        assert_ne!(other, ids[0]);
        let messages = kinds_of(&fixture, &room).await.iter().filter(|kind| *kind == "m.room.message").count();
        assert_eq!(messages, 2);
        assert_eq!(fixture.check().await, []);
    }
}

#[tokio::test]
async fn a_transaction_is_answered_again_after_its_sender_was_banned() {
    let fixture = Fixture::new(1).await;
    let (alice, bob) = (fixture.user("alice").await, fixture.user("bob").await);
    let room = fixture.room(&alice, Preset::PublicChat).await;
    fixture.rooms.join(&bob, &room, JoinWish::default()).await.unwrap();
    let first = fixture.rooms.send(&bob, &room, message("once", Some("txn"))).await.unwrap();
    fixture.rooms.ban(&alice, &room, &bob.user_id, Some("noise")).await.unwrap();
    assert_eq!(fixture.rooms.send(&bob, &room, message("once", Some("txn"))).await.unwrap(), first);
    let refused = fixture.rooms.send(&bob, &room, message("again", Some("new"))).await.unwrap_err();
    assert!(matches!(refused, RoomError::Refused(_)), "{refused}");
}

#[tokio::test]
async fn the_same_state_again_makes_no_event() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PrivateChat).await;
    let name = |name: &str| event("m.room.name", Some(""), &json!({"name": name}), None);
    let first = fixture.rooms.send(&alice, &room, name("one")).await.unwrap();
    assert_eq!(fixture.rooms.send(&alice, &room, name("one")).await.unwrap(), first);
    assert_ne!(fixture.rooms.send(&alice, &room, name("two")).await.unwrap(), first);
}

#[tokio::test]
async fn a_send_into_a_warm_room_is_one_engine_call() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PrivateChat).await;
    fixture.rooms.send(&alice, &room, message("warm", Some("0"))).await.unwrap();
    let before = fixture.env.store.counters();
    fixture.rooms.send(&alice, &room, message("counted", Some("1"))).await.unwrap();
    let calls = fixture.env.store.counters().since(before);
    assert_eq!((calls.commits, calls.total()), (1, 1), "{calls:?}");
}

#[tokio::test]
async fn a_redaction_takes_effect_and_its_original_is_erased_in_time() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PrivateChat).await;
    let target = fixture.rooms.send(&alice, &room, message("secret", None)).await.unwrap();
    let redaction = NewEvent { redacts: Some(target.clone()), ..event("m.room.redaction", None, &json!({}), None) };
    fixture.rooms.send(&alice, &room, redaction).await.unwrap();
    let view = fixture.rooms.require_view(&room).await.unwrap();
    let stored = view.load_event(&target).await.unwrap().unwrap();
    assert_eq!(stored.event.content.get(), "{}");
    assert!(stored.redacted_by.is_some());
    let raw = || async { fixture.env.store.get::<Events>(&(view.room.key, stored.num)).await.unwrap().unwrap().json };
    assert!(raw().await.contains("secret"), "the original is kept for a while");
    fixture.clock.advance(8 * 24 * 60 * 60 * 1_000);
    assert_eq!(fixture.erasure.erase_due().await.unwrap(), 1);
    assert!(!raw().await.contains("secret"));
    assert_eq!(fixture.erasure.erase_due().await.unwrap(), 0);
    assert_eq!(fixture.check().await, []);
}

#[tokio::test]
async fn an_event_that_is_redacted_while_it_is_read_is_not_kept() {
    let fixture = Fixture::new(1).await;
    let alice = fixture.user("alice").await;
    let room = fixture.room(&alice, Preset::PrivateChat).await;
    let target = fixture.rooms.send(&alice, &room, message("secret", None)).await.unwrap();
    let view = fixture.rooms.require_view(&room).await.unwrap();
    let read = view.load_event(&target).await.unwrap().unwrap();
    let (room, num, cache) = (view.room.key, read.num, EventCache::new(16, 1 << 20));
    let vacancy = || cache.find(room, num).err().unwrap();

    let (first, beside) = (vacancy(), vacancy());
    cache.forget(room, num);
    first.keep(read.clone());
    beside.keep(read.clone());
    assert!(cache.get(room, num).is_none(), "both read it before its row was rewritten");

    drop(vacancy());
    vacancy().keep(read.clone());
    assert!(cache.get(room, num).is_some(), "nothing happened while it was read");
    cache.forget(room, num);
    let late = vacancy();
    cache.insert(room, Arc::new(read.with_event(Arc::new(redact(view.room.rules, &read.event)))));
    late.keep(read);
    assert_eq!(cache.get(room, num).unwrap().event.content.get(), "{}");
}

/// The state of a numbered set, by names and ids.
async fn named_state(view: &RoomView, set: hearth_protocol::StateSetNum) -> StateMapOf {
    let state = view.state_at(set).await.unwrap();
    let events = view.list_events_of(&state, None).await.unwrap();
    let pair = |stored: &StoredEvent| {
        let (kind, key) = stored.event.state_pair().unwrap();
        ((kind.to_owned(), key.to_owned()), stored.event.id.clone())
    };
    events.iter().map(|stored| pair(stored)).collect()
}

/// Promise P3: rejections, the state before each event and the state of the ends do not depend on the order of delivery.
#[tokio::test]
async fn whatever_the_order_of_delivery_servers_agree() {
    for (text, seed) in
        ["1", "2", "6", "10", "11", "12"].into_iter().flat_map(|text| (0..6).map(move |seed| (text, seed)))
    {
        let rules = rules_of(&version(text)).unwrap();
        let room = RandomRoom::generate(rules, seed, RandomRoomOptions::default());
        let mut dice = Dice::new(seed);
        let mut replica = Replica::new(rules);
        for event in &room.events {
            replica.receive(event);
        }
        let fixture = Fixture::new(if seed % 2 == 0 { 1 } else { 8 }).await;
        for chunk in room.delivery(&mut dice).chunks(3) {
            let events = chunk.iter().map(|event| RemoteEvent { event: event.clone() }).collect();
            fixture
                .rooms
                .submit(&room.room_id, Submission::Remote { rules, origin: Origin::Remote, events })
                .await
                .unwrap();
        }
        assert_eq!(fixture.check().await, [], "version {text}, seed {seed}");
        let view = fixture.rooms.require_view(&room.room_id).await.unwrap();
        let mut after = BTreeMap::new();
        for (id, received) in replica.events() {
            let stored = view.load_event(id).await.unwrap().unwrap();
            assert_eq!(
                stored.outcome == Outcome::Rejected,
                received.is_rejected(),
                "version {text}, seed {seed}, {id}"
            );
            if !matches!(received.verdict, Verdict::Need(_)) {
                assert_eq!(
                    named_state(&view, stored.before).await,
                    received.before,
                    "version {text}, seed {seed}, {id}"
                );
            }
            after.insert(id.clone(), stored.after);
        }
        let ends: Vec<OwnedEventId> = room.ends(&replica);
        if let [end] = ends.as_slice() {
            assert_eq!(named_state(&view, after[end]).await, replica.state_after(&ends));
        }
    }
}

/// Promise P2: a fault at every write in turn leaves no half change, and nothing that was acknowledged is lost.
#[tokio::test]
async fn a_fault_at_any_write_leaves_no_half_change() {
    for lanes in [1, 8] {
        for fault in [WriteFault::Down, WriteFault::Busy, WriteFault::Unknown] {
            for nth in 1..30 {
                if !run_with_fault(lanes, fault, nth).await {
                    break;
                }
            }
        }
    }
}

/// Runs a conversation with a fault at one write; false when there were fewer writes.
async fn run_with_fault(lanes: u16, fault: WriteFault, nth: u64) -> bool {
    let (disk, write_faults) = (MemoryDisk::default(), WriteFaults::default());
    let faults = || MemoryFaults { disk: disk.clone(), write_faults: write_faults.clone(), ..MemoryFaults::default() };
    let fixture = Fixture::with(lanes, faults(), Arc::new(NoRemote)).await;
    let (alice, bob) = (fixture.user("alice").await, fixture.user("bob").await);
    write_faults.fail_nth(nth, fault);
    let start = write_faults.calls();
    let mut acknowledged = Vec::new();
    if let Ok(room) = fixture.rooms.create(&alice, new_room(None, Preset::PublicChat)).await {
        let mut keep = |id: Result<OwnedEventId, RoomError>| {
            acknowledged.extend(id.map(|id| (room.clone(), id)));
        };
        keep(fixture.rooms.send(&alice, &room, message("one", Some("1"))).await);
        keep(fixture.rooms.join(&bob, &room, JoinWish::default()).await);
        keep(fixture.rooms.send(&bob, &room, message("two", Some("2"))).await);
        keep(
            fixture
                .rooms
                .send(&bob, &room, event("m.room.message", None, &json!({"body": "no transaction"}), None))
                .await,
        );
        keep(fixture.rooms.kick(&alice, &room, &bob.user_id, None).await);
        keep(fixture.rooms.send(&alice, &room, event("m.room.topic", Some(""), &json!({"topic": "x"}), None)).await);
    }
    let reached = write_faults.calls() - start >= nth;
    write_faults.clear();
    drop(fixture);
    let fixture = Fixture::with(lanes, faults(), Arc::new(NoRemote)).await;
    let label = format!("{lanes} lanes, {fault:?} at write {nth}");
    let mut pending = fixture.check().await;
    for _ in 0..50 {
        if pending.is_empty() {
            break;
        }
        // Effects on other lanes are applied by a worker after the start.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        pending = fixture.check().await;
    }
    assert_eq!(pending, [], "{label}");
    for (room, id) in acknowledged {
        let key = (hearth_protocol::RoomKey::of(&room), EventKey::of(&id));
        assert!(fixture.env.store.get::<EventNums>(&key).await.unwrap().is_some(), "{label}: {id} was acknowledged");
    }
    reached
}

#[tokio::test]
async fn who_may_see_what() {
    let fixture = Fixture::new(1).await;
    let (alice, bob) = (fixture.user("alice").await, fixture.user("bob").await);
    // Visibility; what bob may see of: before his invite, while invited, while joined, after leaving.
    let table = [
        ("world_readable", [true, true, true, true]),
        ("shared", [true, true, true, false]),
        ("invited", [false, true, true, false]),
        ("joined", [false, false, true, false]),
    ];
    for (visibility, expected) in table {
        let room = fixture.room(&alice, Preset::PrivateChat).await;
        let set = event("m.room.history_visibility", Some(""), &json!({"history_visibility": visibility}), None);
        fixture.rooms.send(&alice, &room, set).await.unwrap();
        let mut sent = Vec::new();
        for step in 0..4 {
            match step {
                1 => drop(fixture.rooms.invite(&alice, &room, &bob.user_id, None).await.unwrap()),
                2 => drop(fixture.rooms.join(&bob, &room, JoinWish::default()).await.unwrap()),
                3 => fixture.rooms.leave(&bob, &room, None).await.unwrap(),
                _ => {}
            }
            sent.push(fixture.rooms.send(&alice, &room, message("x", None)).await.unwrap());
        }
        let view = fixture.rooms.require_view(&room).await.unwrap();
        let stranger = UserId::parse("@stranger:hs1").unwrap();
        for (id, seen) in sent.iter().zip(expected) {
            let stored = view.load_event(id).await.unwrap().unwrap();
            assert_eq!(
                view.check_access(&stored, &bob.user_id).await.unwrap(),
                seen,
                "{visibility}: {}",
                stored.event.content
            );
            assert_eq!(view.check_access(&stored, &stranger).await.unwrap(), visibility == "world_readable");
            assert!(view.check_access(&stored, &alice.user_id).await.unwrap());
        }
    }
}
