//! Promise P4: a client that folds all answers has the server's truth, whatever happened on the way: no event lost, none doubled,
//! none that it may not see. Answers are dropped and repeated, requests cancelled, the server stopped and started again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::{Rng as _, SeededRng, SyncFilter};
use hearth_storage::schema::users::Membership;
use ruma::api::client::filter::FilterDefinition;
use ruma::{OwnedRoomId, RoomId};
use serde_json::{Value, json};

use super::testing::{Server, new_room};
use super::{StateForm, SyncRequest, SyncToken};
use crate::rooms::{Direction, HistoryPos, JoinWish, Preset, RoomView};
use crate::users::LocalUser;

/// Steps of one run.
const STEPS: u32 = 220;
/// Users of one run, with one client each.
const NAMES: [&str; 4] = ["alice", "bob", "carol", "dora"];

struct Dice(SeededRng);

impl Dice {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A room as a client has it.
#[derive(Default)]
struct Folded {
    is_joined: bool,
    state: BTreeMap<(String, String), String>,
    events: BTreeSet<String>,
}

/// A client: what it has folded so far.
struct Client {
    token: String,
    since: Option<SyncToken>,
    filter: Arc<SyncFilter>,
    form: StateForm,
    rooms: BTreeMap<OwnedRoomId, Folded>,
    invites: BTreeSet<OwnedRoomId>,
}

fn pair(event: &Value) -> Option<(String, String)> {
    Some((event["type"].as_str()?.to_owned(), event["state_key"].as_str()?.to_owned()))
}

fn id(event: &Value) -> String {
    event["event_id"].as_str().unwrap().to_owned()
}

fn list<'a>(section: &'a Value, name: &str) -> &'a [Value] {
    section[name]["events"].as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Client {
    async fn fold(&mut self, server: &Server, user: &LocalUser, news: &Value) {
        for (section, is_joined) in [("join", true), ("leave", false)] {
            let Some(rooms) = news["rooms"][section].as_object() else { continue };
            for (room, told) in rooms {
                let room = RoomId::parse(room).unwrap();
                self.invites.remove(&room);
                self.fold_room(server, user, &room, told, is_joined).await;
            }
        }
        for room in news["rooms"]["invite"].as_object().map(|rooms| rooms.keys()).into_iter().flatten() {
            let room = RoomId::parse(room).unwrap();
            // Who is invited is not in the room, though no leave was told.
            if let Some(folded) = self.rooms.get_mut(&room) {
                folded.is_joined = false;
            }
            self.invites.insert(room);
        }
    }

    async fn fold_room(&mut self, server: &Server, user: &LocalUser, room: &RoomId, told: &Value, is_joined: bool) {
        let form = self.form;
        let folded = self.rooms.entry(room.to_owned()).or_default();
        let was_joined = std::mem::replace(&mut folded.is_joined, is_joined);
        if is_joined && !was_joined {
            folded.state.clear();
        }
        let after = list(told, if form == StateForm::After { "state_after" } else { "state" });
        for event in after {
            folded.state.insert(pair(event).unwrap(), id(event));
        }
        let is_limited = told["timeline"]["limited"] == true;
        let mut oldest_is_known = false;
        for event in list(told, "timeline") {
            let is_new = folded.events.insert(id(event));
            oldest_is_known |= !is_new;
            assert!(is_new || !was_joined, "told twice: {event}");
            if let Some(pair) = pair(event).filter(|_| form == StateForm::Before) {
                folded.state.insert(pair, id(event));
            }
        }
        if is_limited && (!oldest_is_known || !was_joined) {
            let token = told["timeline"]["prev_batch"].as_str().unwrap();
            // A member that is new may now see what came before, also before what it saw in an earlier membership.
            fill_gap(server, user, room, token, folded, !was_joined).await;
        }
    }
}

/// Pages back from a timeline until the client finds what it has, or to the beginning.
async fn fill_gap(
    server: &Server,
    user: &LocalUser,
    room: &RoomId,
    token: &str,
    folded: &mut Folded,
    to_the_end: bool,
) {
    let view = server.rooms.require_view(room).await.unwrap();
    let token = server.sync.parse_page_token(token).unwrap();
    let from = server.sync.history_pos(&view, &token).await.unwrap();
    for event in list_visible(&view, user, from).await {
        if !folded.events.insert(event) && !to_the_end {
            return;
        }
    }
}

/// What a user may see of a room's history before a place, newest first.
async fn list_visible(view: &RoomView, user: &LocalUser, from: HistoryPos) -> Vec<String> {
    let page = view.list_history(from, None, Direction::Backward, 1_000).await.unwrap();
    let visible = view.list_visible(page.events, &user.user_id).await.unwrap();
    visible.iter().map(|event| event.event.id.to_string()).collect()
}

/// One command of one user, whatever comes of it.
async fn act(server: &Server, dice: &Dice, users: &[LocalUser], rooms: &mut Vec<OwnedRoomId>, step: u32) {
    let user = &users[dice.below(users.len())];
    if rooms.is_empty() || (rooms.len() < 4 && dice.one_in(12)) {
        let preset = if dice.one_in(2) { Preset::PublicChat } else { Preset::PrivateChat };
        rooms.push(server.rooms.create(user, new_room(preset)).await.unwrap());
        return;
    }
    let room = &rooms[dice.below(rooms.len())];
    let other = &users[dice.below(users.len())].user_id;
    // Most of these may be refused: the rules are not what is tested here.
    match dice.below(20) {
        0..=7 => drop(server.send(user, room, "m.room.message", None, json!({ "body": step })).await),
        8 => drop(server.send(user, room, "m.room.topic", Some(""), json!({ "topic": step })).await),
        9 => drop(server.send(user, room, "org.example", Some(&dice.below(3).to_string()), json!({ "n": step })).await),
        10 => {
            let visibility = ["shared", "joined", "invited", "world_readable"][dice.below(4)];
            drop(
                server
                    .send(
                        user,
                        room,
                        "m.room.history_visibility",
                        Some(""),
                        json!({ "history_visibility": visibility }),
                    )
                    .await,
            );
        }
        11 | 12 => drop(server.rooms.invite(user, room, other, None).await),
        13..=15 => drop(server.rooms.join(user, room, JoinWish::default()).await),
        16 | 17 => drop(server.rooms.leave(user, room, None).await),
        18 => drop(server.rooms.kick(user, room, other, None).await),
        _ if dice.one_in(2) => drop(server.rooms.ban(user, room, other, None).await),
        _ => drop(server.rooms.unban(user, room, other, None).await),
    }
}

/// One request of one client, which may get lost on either way.
async fn sync(server: &Server, dice: &Dice, client: &mut Client, user: &LocalUser) {
    let request = SyncRequest {
        filter: client.filter.clone(),
        state_form: client.form,
        ..SyncRequest::new(client.since.clone())
    };
    match dice.below(6) {
        0 => drop(server.ask(user, &request).await),
        1 => {
            let cancelled = SyncRequest { timeout_ms: 1_000, ..request };
            let _ = tokio::time::timeout(Duration::from_micros(dice.below(2_000) as u64), server.ask(user, &cancelled))
                .await;
        }
        chance => {
            if chance == 2 {
                server.ask(user, &request).await;
            }
            let (news, next) = server.ask(user, &request).await;
            client.fold(server, user, &news).await;
            client.since = Some(next);
        }
    }
}

async fn check(server: &Server, client: &Client, user: &LocalUser, rooms: &[OwnedRoomId]) {
    for room in rooms {
        let view = server.rooms.require_view(room).await.unwrap();
        let name = &user.user_id;
        let folded = client.rooms.get(room);
        let is_joined = view.membership(name) == Some(Membership::Join);
        assert_eq!(folded.is_some_and(|folded| folded.is_joined), is_joined, "{name} in {room}");
        assert_eq!(
            client.invites.contains(room),
            view.membership(name) == Some(Membership::Invite),
            "{name} invited to {room}"
        );
        let Some(folded) = folded else { continue };
        let visible: BTreeSet<String> = list_visible(&view, user, HistoryPos::END).await.into_iter().collect();
        let own: BTreeSet<String> = own_events(&view, user).await;
        let unseen: Vec<_> =
            folded.events.iter().filter(|event| !visible.contains(*event) && !own.contains(*event)).collect();
        assert!(unseen.is_empty(), "{name} was told what they may not see in {room}: {unseen:?}");
        if is_joined {
            let state = view.list_state().await.unwrap();
            let truth: BTreeMap<_, _> = state
                .iter()
                .map(|event| {
                    let (kind, state_key) = event.event.state_pair().unwrap();
                    ((kind.to_owned(), state_key.to_owned()), event.event.id.to_string())
                })
                .collect();
            assert_eq!(folded.state, truth, "the state of {room} for {name}");
            let lost: Vec<_> = visible.difference(&folded.events).collect();
            assert!(lost.is_empty(), "{name} has not got, of {room}: {lost:?}");
        }
    }
}

/// A user's own membership events, which are told to them whatever the rules of visibility say.
async fn own_events(view: &RoomView, user: &LocalUser) -> BTreeSet<String> {
    let all = view.list_history(HistoryPos::END, None, Direction::Backward, 1_000).await.unwrap().events;
    let own = all.iter().filter(|event| event.event.state_pair() == Some(("m.room.member", user.user_id.as_str())));
    own.map(|event| event.event.id.to_string()).collect()
}

/// One run; gives how many events all clients have in the end.
async fn run(lanes: u16, seed: u64) -> usize {
    let dice = Dice(SeededRng::new(seed));
    let mut server = Server::new(lanes).await;
    let mut clients = Vec::new();
    for (n, name) in NAMES.into_iter().enumerate() {
        let limit = [1, 3, 10, 50][n];
        let definition: FilterDefinition =
            serde_json::from_value(json!({ "room": { "timeline": { "limit": limit } } })).unwrap();
        clients.push(Client {
            token: server.register(name).await,
            since: None,
            filter: Arc::new(SyncFilter::compile(&definition)),
            form: if n % 2 == 0 { StateForm::Before } else { StateForm::After },
            rooms: BTreeMap::new(),
            invites: BTreeSet::new(),
        });
    }
    let mut rooms = Vec::new();
    let mut users = log_in(&server, &clients).await;
    for step in 0..STEPS {
        if dice.one_in(60) {
            server.restart().await;
            users = log_in(&server, &clients).await;
        }
        act(&server, &dice, &users, &mut rooms, step).await;
        if dice.one_in(3) {
            let n = dice.below(clients.len());
            sync(&server, &dice, &mut clients[n], &users[n]).await;
        }
    }
    for (client, user) in clients.iter_mut().zip(&users) {
        for _ in 0..2 {
            let request = SyncRequest {
                filter: client.filter.clone(),
                state_form: client.form,
                ..SyncRequest::new(client.since.clone())
            };
            let (news, next) = server.ask(user, &request).await;
            client.fold(&server, user, &news).await;
            client.since = Some(next);
        }
        check(&server, client, user, &rooms).await;
    }
    clients.iter().flat_map(|client| client.rooms.values()).map(|folded| folded.events.len()).sum()
}

async fn log_in(server: &Server, clients: &[Client]) -> Vec<LocalUser> {
    let mut users = Vec::new();
    for client in clients {
        users.push(server.users.authenticate(&client.token).await.unwrap());
    }
    users
}

#[tokio::test]
async fn folding_all_answers_gives_the_servers_truth_with_one_lane() {
    let mut events = 0;
    for seed in 0..12 {
        events += run(1, seed).await;
    }
    assert!(events > 1_000, "a test of {events} events proves nothing");
}

#[tokio::test]
async fn folding_all_answers_gives_the_servers_truth_with_eight_lanes() {
    let mut events = 0;
    for seed in 100..112 {
        events += run(8, seed).await;
    }
    assert!(events > 1_000, "a test of {events} events proves nothing");
}
