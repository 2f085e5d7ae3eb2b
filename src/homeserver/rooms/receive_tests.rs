use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::{Event, EventDraft, Origin, Placement, PublicKeys, Signer, VerifyKey, auth_pairs, build_event};
use hearth_storage::MemoryFaults;
use hearth_storage::schema::rooms::Outcome;
use hearth_storage::schema::users::Membership;
use parking_lot::Mutex;
use ruma::{OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId, RoomId, ServerName, UserId};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::rooms::testing::{Fixture, message};
use crate::rooms::{Direction, HistoryPos, Preset, RemoteEvent, RemoteRooms, RoomError, RoomView, Submission};
use crate::users::LocalUser;

/// A remote homeserver with a key that signs what it likes, and that gives out the events it was told to keep.
struct FakePeer {
    server: OwnedServerName,
    signer: Signer,
    kept: Mutex<BTreeMap<OwnedEventId, Box<RawValue>>>,
}

impl FakePeer {
    fn new() -> Arc<Self> {
        let server: OwnedServerName = "peer.example".try_into().unwrap();
        let signer = Signer::from_seed(server.clone(), [9; 32], "ed25519:peer").unwrap();
        Arc::new(Self { server, signer, kept: Mutex::default() })
    }

    fn user(&self, name: &str) -> OwnedUserId {
        UserId::parse(format!("@{name}:{}", self.server)).unwrap()
    }

    /// An event on these predecessors, judged by the state that the view shows.
    async fn build(
        &self,
        view: &RoomView,
        user: &UserId,
        what: (&str, Option<&str>, Value),
        prev: &[Arc<Event>],
    ) -> Arc<Event> {
        let depth = prev.iter().map(|event| event.depth).max().unwrap_or(0) + 1;
        self.build_at(view, user, what, (prev, depth)).await
    }

    /// The same with a depth of the peer's choice, which nobody checks.
    async fn build_at(
        &self,
        view: &RoomView,
        user: &UserId,
        what: (&str, Option<&str>, Value),
        (prev, depth): (&[Arc<Event>], u64),
    ) -> Arc<Event> {
        let (kind, state_key, content) = what;
        let content = to_raw_value(&content).unwrap();
        let rules = view.room.rules;
        let mut auth_events = Vec::new();
        for (kind, key) in auth_pairs(rules, user, kind, state_key, &content).unwrap() {
            if let Some(cited) = view.state_event(&kind, &key).await.unwrap() {
                auth_events.push(cited.event.id.clone());
            }
        }
        let draft = EventDraft {
            kind: kind.to_owned(),
            state_key: state_key.map(str::to_owned),
            sender: user.to_owned(),
            content,
            redacts: None,
            origin_server_ts: 1_700_000_000_500,
        };
        let placement = Placement {
            room_id: Some(view.room.room_id.clone()),
            prev_events: prev.iter().map(|event| event.id.clone()).collect(),
            auth_events,
            depth,
        };
        Arc::new(build_event(rules, draft, placement).unwrap().sign(&self.signer))
    }

    fn keep(&self, event: &Event) {
        self.kept.lock().insert(event.id.clone(), event.json.clone());
    }
}

impl RemoteRooms for FakePeer {
    fn fetch_events<'a>(
        &'a self,
        _: &'a ServerName,
        _: &'a RoomId,
        ids: &'a [OwnedEventId],
    ) -> BoxFuture<'a, Vec<Box<RawValue>>> {
        let kept = self.kept.lock();
        let found = ids.iter().filter_map(|id| kept.get(id).cloned()).collect();
        async { found }.boxed()
    }

    fn load_keys<'a>(&'a self, servers: &'a [OwnedServerName]) -> BoxFuture<'a, PublicKeys> {
        let mut keys = PublicKeys::new();
        if servers.contains(&self.server) {
            let key = VerifyKey { key: self.signer.public_key(), valid_until_ts: 4_000_000_000_000 };
            keys.insert(self.server.clone(), BTreeMap::from([(self.signer.key_id().to_owned(), key)]));
        }
        async { keys }.boxed()
    }
}

/// A public room of alice's, which the peer's bob has joined.
struct Scene {
    fixture: Fixture,
    peer: Arc<FakePeer>,
    alice: LocalUser,
    bob: OwnedUserId,
    room: OwnedRoomId,
    joined: Arc<Event>,
}

impl Scene {
    async fn new(lanes: u16) -> Self {
        let peer = FakePeer::new();
        let fixture = Fixture::with(lanes, MemoryFaults::default(), peer.clone()).await;
        let alice = fixture.user("alice").await;
        let room = fixture.room(&alice, Preset::PublicChat).await;
        let bob = peer.user("bob");
        let view = fixture.rooms.require_view(&room).await.unwrap();
        let ends = Self::ends_of(&view).await;
        let join = ("m.room.member", Some(bob.as_str()), json!({"membership": "join"}));
        let joined = peer.build(&view, &bob, join, &ends).await;
        let scene = Self { fixture, peer, alice, bob, room, joined };
        scene.receive(&scene.joined).await.unwrap();
        scene
    }

    async fn view(&self) -> RoomView {
        self.fixture.rooms.require_view(&self.room).await.unwrap()
    }

    async fn ends_of(view: &RoomView) -> Vec<Arc<Event>> {
        let nums: Vec<_> = view.room.head.extremities.iter().map(|end| end.num).collect();
        view.events(&nums).await.unwrap().iter().map(|stored| stored.event.clone()).collect()
    }

    async fn receive(&self, event: &Event) -> Result<OwnedEventId, RoomError> {
        self.fixture.rooms.receive(&self.peer.server, &self.room, &event.json).await
    }

    async fn message(&self, body: &str, prev: &[Arc<Event>]) -> Arc<Event> {
        let what = ("m.room.message", None, json!({"msgtype": "m.text", "body": body}));
        self.peer.build(&self.view().await, &self.bob, what, prev).await
    }

    async fn shown(&self) -> Vec<String> {
        let view = self.view().await;
        let all = view.list_history(HistoryPos::START, None, Direction::Forward, 100).await.unwrap().events;
        all.iter()
            .filter(|stored| stored.event.kind == "m.room.message")
            .map(|stored| stored.event.content.get().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn a_remote_user_joins_and_speaks() {
    for lanes in [1, 8] {
        let scene = Scene::new(lanes).await;
        assert_eq!(scene.view().await.membership(&scene.bob), Some(Membership::Join));
        let said = scene.message("hello from afar", std::slice::from_ref(&scene.joined)).await;
        assert_eq!(scene.receive(&said).await.unwrap(), said.id);
        assert_eq!(scene.receive(&said).await.unwrap(), said.id, "twice is once");
        assert_eq!(scene.shown().await.len(), 1);
        assert_eq!(scene.fixture.check().await, []);
    }
}

#[tokio::test]
async fn a_gap_is_filled_before_what_follows_it() {
    let scene = Scene::new(1).await;
    let first = scene.message("1", std::slice::from_ref(&scene.joined)).await;
    let second = scene.message("2", std::slice::from_ref(&first)).await;
    let third = scene.message("3", std::slice::from_ref(&second)).await;
    scene.peer.keep(&first);
    assert!(matches!(scene.receive(&third).await, Err(RoomError::Missing(_))), "nobody has the second");
    assert!(scene.shown().await.is_empty());
    scene.peer.keep(&second);
    scene.receive(&third).await.unwrap();
    let bodies: Vec<Value> =
        scene.shown().await.iter().map(|json| serde_json::from_str::<Value>(json).unwrap()["body"].clone()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    assert_eq!(scene.fixture.check().await, []);
}

#[tokio::test]
async fn a_forged_event_is_dropped_and_a_changed_one_redacted() {
    let scene = Scene::new(1).await;
    let forger = FakePeer {
        signer: Signer::from_seed(scene.peer.server.clone(), [8; 32], "ed25519:peer").unwrap(),
        server: scene.peer.server.clone(),
        kept: Mutex::default(),
    };
    let what = ("m.room.message", None, json!({"body": "forged"}));
    let forged = forger.build(&scene.view().await, &scene.bob, what, std::slice::from_ref(&scene.joined)).await;
    assert!(matches!(scene.receive(&forged).await, Err(RoomError::BadSignature(_))));
    assert!(scene.view().await.load_event(&forged.id).await.unwrap().is_none());
    let said = scene.message("as it was", std::slice::from_ref(&scene.joined)).await;
    let changed = RawValue::from_string(said.json.get().replace("as it was", "as it never was")).unwrap();
    scene.fixture.rooms.receive(&scene.peer.server, &scene.room, &changed).await.unwrap();
    assert_eq!(scene.shown().await, ["{}"]);
    assert_eq!(scene.fixture.check().await, []);
}

#[tokio::test]
async fn what_the_rules_refuse_is_stored_as_rejected_and_taints_what_cites_it() {
    let scene = Scene::new(1).await;
    let name = ("m.room.name", Some(""), json!({"name": "mine"}));
    let refused = scene.peer.build(&scene.view().await, &scene.bob, name, std::slice::from_ref(&scene.joined)).await;
    scene.receive(&refused).await.unwrap();
    let view = scene.view().await;
    let stored = view.load_event(&refused.id).await.unwrap().unwrap();
    assert_eq!(stored.outcome, Outcome::Rejected);
    assert!(view.state_event("m.room.name", "").await.unwrap().is_none());
    assert!(view.room.head.extremities.iter().all(|end| end.event_id != refused.id.as_str()));
    assert_eq!(scene.fixture.check().await, []);
}

#[tokio::test]
async fn what_was_said_before_a_ban_that_was_not_known_is_softly_failed() {
    let scene = Scene::new(1).await;
    let late = scene.message("before I knew", std::slice::from_ref(&scene.joined)).await;
    scene.fixture.rooms.ban(&scene.alice, &scene.room, &scene.bob, None).await.unwrap();
    scene.receive(&late).await.unwrap();
    let stored = scene.view().await.load_event(&late.id).await.unwrap().unwrap();
    assert_eq!(stored.outcome, Outcome::SoftFailed);
    assert!(scene.shown().await.is_empty());
    assert_eq!(scene.fixture.check().await, []);
}

#[tokio::test]
async fn a_fork_is_joined_by_the_next_local_event() {
    let scene = Scene::new(1).await;
    let theirs = scene.message("theirs", std::slice::from_ref(&scene.joined)).await;
    scene.fixture.rooms.send(&scene.alice, &scene.room, message("ours", None)).await.unwrap();
    scene.receive(&theirs).await.unwrap();
    assert_eq!(scene.view().await.room.head.extremities.len(), 2);
    let joining = scene.fixture.rooms.send(&scene.alice, &scene.room, message("joining", None)).await.unwrap();
    let view = scene.view().await;
    assert_eq!(view.load_event(&joining).await.unwrap().unwrap().event.prev_events.len(), 2);
    assert_eq!(view.room.head.extremities.len(), 1);
    assert_eq!(scene.fixture.check().await, []);
}

/// Pages backwards are read forwards where each depth has one event: here one has two, one has forty, and hundreds have none.
#[tokio::test]
async fn history_backwards_is_history_forwards_turned_round() {
    let scene = Scene::new(1).await;
    let mut ends = vec![scene.joined.clone()];
    for n in 0..60_usize {
        let side_events = match n {
            20 => 2,
            40 => 40,
            _ => 1,
        };
        let depth = ends[0].depth + if n == 50 { 500 } else { 1 };
        let view = scene.view().await;
        let mut made = Vec::new();
        for side in 0..side_events {
            let what = ("m.room.message", None, json!({ "body": format!("{n} {side}") }));
            made.push(scene.peer.build_at(&view, &scene.bob, what, (&ends, depth)).await);
            scene.receive(&made[side]).await.unwrap();
        }
        made.truncate(20);
        ends = made;
    }
    let view = scene.view().await;
    let forwards = view.list_history(HistoryPos::START, None, Direction::Forward, 1_000).await.unwrap().events;
    assert!(forwards.len() > 100, "{}", forwards.len());
    let places: Vec<HistoryPos> = forwards.iter().map(|stored| HistoryPos::of(stored)).collect();
    for (n, from) in places.iter().copied().chain([HistoryPos::END]).enumerate() {
        for limit in [1, 16, 17, 30, 1_000] {
            for to in [None, Some(places[n / 2])] {
                let least = to.map_or(0, |_| n / 2);
                let found = view.list_history(from, to, Direction::Backward, limit).await.unwrap();
                let wanted: Vec<_> = forwards[least..n].iter().rev().take(limit).map(|stored| stored.num).collect();
                assert_eq!(
                    found.events.iter().map(|stored| stored.num).collect::<Vec<_>>(),
                    wanted,
                    "{n} {limit} {to:?}"
                );
                assert_eq!(found.more, n - least > limit, "{n} {limit} {to:?}");
            }
        }
    }
}

#[tokio::test]
async fn history_that_was_redacted_meanwhile_is_fetched_without_its_content() {
    let scene = Scene::new(1).await;
    let said = scene.message("regretted", std::slice::from_ref(&scene.joined)).await;
    let what = ("m.room.redaction", None, json!({ "redacts": said.id }));
    let redaction = scene.peer.build(&scene.view().await, &scene.bob, what, std::slice::from_ref(&scene.joined)).await;
    scene.receive(&redaction).await.unwrap();
    let rules = scene.view().await.room.rules;
    let events = vec![RemoteEvent { event: said.clone() }];
    let fetched = Submission::Remote { rules, origin: Origin::Backfill, events };
    scene.fixture.rooms.submit(&scene.room, fetched).await.unwrap();
    assert_eq!(scene.shown().await, ["{}"]);
    assert_eq!(scene.fixture.check().await, []);
}
