//! Random rooms: several users of several servers who talk, invite, ban, change power levels and join
//! rules, on forks that split and join, and at times do what they may not.

use std::{collections::BTreeSet, sync::Arc};

use ruma::{OwnedEventId, OwnedRoomId, OwnedServerName, UserId};
use serde_json::{Value, json};

use super::{Dice, Replica, Sample};
use crate::{AUTH_EVENTS_MAX, Event, RoomRules, StateMapOf, auth_pairs};

/// How large and how wild a random room is.
#[derive(Debug, Clone, Copy)]
pub struct RandomRoomOptions {
    /// How many events follow the first five.
    pub events: usize,
    /// How often in a hundred an event starts from an older part of the room.
    pub fork_percent: usize,
    /// How often in a hundred an event cites a wrong auth event.
    pub bad_auth_percent: usize,
}

impl Default for RandomRoomOptions {
    fn default() -> Self {
        Self { events: 30, fork_percent: 40, bad_auth_percent: 5 }
    }
}

/// A random room: its events in an order in which each comes after what it refers to. They are true
/// events, hashed and signed with the keys of [`public_keys_of`](super::public_keys_of).
pub struct RandomRoom {
    /// The rules of its version.
    pub rules: &'static RoomRules,
    /// Its id.
    pub room_id: OwnedRoomId,
    /// Its events, rejected ones among them.
    pub events: Vec<Arc<Event>>,
}

const USERS: [&str; 5] = ["@alice:a.org", "@bob:b.org", "@carol:c.org", "@dave:b.org", "@erin:a.org"];

impl RandomRoom {
    /// The room of a seed.
    pub fn generate(rules: &'static RoomRules, seed: u64, options: RandomRoomOptions) -> Self {
        let mut maker = Maker::start(rules, seed);
        for _ in 0..options.events {
            maker.add_event(options);
        }
        Self { rules, room_id: maker.room_id, events: maker.events }
    }

    /// The servers of its users.
    pub fn servers() -> BTreeSet<OwnedServerName> {
        let user = |user: &str| UserId::parse(user).expect("a user id");
        USERS.iter().map(|id| user(id).server_name().to_owned()).collect()
    }

    /// The events in a random order, each still after what it refers to.
    pub fn delivery(&self, dice: &mut Dice) -> Vec<Arc<Event>> {
        let mut waiting = self.events.clone();
        dice.shuffle(&mut waiting);
        let mut there: BTreeSet<OwnedEventId> = BTreeSet::new();
        let mut order = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let ready =
                |event: &Arc<Event>| event.prev_events.iter().chain(&event.auth_events).all(|id| there.contains(id));
            let next = waiting.iter().position(ready).expect("there is a first event");
            let event = waiting.remove(next);
            there.insert(event.id.clone());
            order.push(event);
        }
        order
    }

    /// The accepted events that no accepted event follows, by a replica that has them all.
    pub fn ends(&self, replica: &Replica) -> Vec<OwnedEventId> {
        let accepted = || replica.events().values().filter(|received| !received.is_rejected());
        let followed: BTreeSet<_> = accepted().flat_map(|received| &received.event.prev_events).collect();
        let ids = accepted().map(|received| &received.event.id);
        ids.filter(|id| !followed.contains(id)).cloned().collect()
    }
}

struct Maker {
    rules: &'static RoomRules,
    room_id: OwnedRoomId,
    events: Vec<Arc<Event>>,
    replica: Replica,
    dice: Dice,
}

impl Maker {
    fn start(rules: &'static RoomRules, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let ts = 1_000 + dice.below(5) as u64;
        let create = Sample { origin_server_ts: ts, ..Sample::create(rules, USERS[0]) };
        let named = OwnedRoomId::try_from("!room:a.org").expect("a room id");
        let named = (!rules.room_id_is_create_hash).then_some(&*named);
        let create = create.build_signed(rules, named);
        let room_id = create.room_id.clone();
        let mut replica = Replica::new(rules);
        replica.receive(&create);
        let mut maker = Self { rules, room_id, events: vec![create], replica, dice };
        let levels = if rules.ruma.authorization.explicitly_privilege_room_creators {
            json!({ "users": { USERS[1]: 50 } })
        } else {
            json!({ "users": { USERS[0]: 100, USERS[1]: 50 } })
        };
        let state = |kind, content| Sample::state(kind, USERS[0], "", content);
        let first = [
            Sample::member(USERS[0], USERS[0], "join"),
            state("m.room.power_levels", levels),
            state("m.room.join_rules", json!({ "join_rule": "public" })),
            Sample::member(USERS[1], USERS[1], "join"),
            Sample::member(USERS[2], USERS[2], "join"),
        ];
        for sample in first {
            let last = maker.events[maker.events.len() - 1].id.clone();
            maker.place(sample, vec![last], 0);
        }
        maker
    }

    fn add_event(&mut self, options: RandomRoomOptions) {
        let prev_events = self.pick_prev_events(options.fork_percent);
        let before = self.replica.state_after(&prev_events);
        let sample = self.pick_action(&before);
        self.place(sample, prev_events, options.bad_auth_percent);
    }

    fn pick_prev_events(&mut self, fork_percent: usize) -> Vec<OwnedEventId> {
        if !self.dice.chance(fork_percent) {
            return self.replica.extremities().iter().take(5).cloned().collect();
        }
        let recent = self.events.len().min(12);
        let count = 1 + self.dice.below(3);
        let picked: BTreeSet<OwnedEventId> =
            (0..count).map(|_| self.events[self.events.len() - 1 - self.dice.below(recent)].id.clone()).collect();
        picked.into_iter().collect()
    }

    /// Mostly what the sender may do, at times what not.
    fn pick_action(&mut self, before: &StateMapOf) -> Sample {
        let joined: Vec<&str> = USERS
            .into_iter()
            .filter(|user| {
                self.replica
                    .event_in(before, "m.room.member", user)
                    .is_some_and(|event| event.content.get().contains("\"join\""))
            })
            .collect();
        let sender =
            if joined.is_empty() || self.dice.chance(10) { *self.dice.pick(&USERS) } else { *self.dice.pick(&joined) };
        let other = *self.dice.pick(&USERS);
        let text = format!("{}", self.dice.below(1000));
        match self.dice.below(12) {
            0 | 1 => self.pick_join(other, sender),
            2 => Sample::member(sender, sender, "leave"),
            3 => Sample::member(sender, other, "ban"),
            4 => Sample::member(sender, other, "leave"),
            5 => Sample::member(sender, other, "invite"),
            6 | 7 => self.pick_levels(before, sender),
            8 => {
                let rule = *self.dice.pick(&["public", "invite", "knock", "restricted"]);
                Sample::state("m.room.join_rules", sender, "", json!({ "join_rule": rule }))
            }
            9 => Sample::state("m.room.topic", sender, "", json!({ "topic": text })),
            10 => Sample::state("m.room.name", sender, "", json!({ "name": text })),
            _ => Sample::message("m.room.message", sender, json!({ "body": text })),
        }
    }

    /// A join, at times authorised by someone who may or may not do so.
    fn pick_join(&mut self, user: &str, authoriser: &str) -> Sample {
        let join = Sample::member(user, user, "join");
        if self.rules.ruma.authorization.restricted_join_rule && self.dice.chance(50) {
            return join.with("join_authorised_via_users_server", json!(authoriser));
        }
        join
    }

    fn pick_levels(&mut self, before: &StateMapOf, sender: &str) -> Sample {
        let current = self.replica.event_in(before, "m.room.power_levels", "");
        let mut content =
            current.and_then(|event| event.content_as::<Value>().ok()).unwrap_or_else(|| json!({ "users": {} }));
        let level = *self.dice.pick(&[0, 25, 50, 75, 100]);
        match self.dice.below(4) {
            0 => content["events"] = json!({ "m.room.topic": level }),
            1 => content["ban"] = json!(level),
            _ => {
                let user = *self.dice.pick(&USERS[1..]);
                content["users"][user] = json!(level);
            }
        }
        Sample::state("m.room.power_levels", sender, "", content)
    }

    fn place(&mut self, mut sample: Sample, prev: Vec<OwnedEventId>, bad_auth_percent: usize) {
        let before = self.replica.state_after(&prev);
        let sender = <&UserId>::try_from(sample.sender.as_str()).expect("a user id");
        let content = serde_json::value::to_raw_value(&sample.content).expect("JSON");
        let state_key = sample.state_key.as_deref();
        let pairs =
            auth_pairs(self.rules, sender, &sample.kind, state_key, &content).expect("the sample is well formed");
        sample.auth_events = pairs.iter().filter_map(|pair| before.get(pair)).cloned().collect();
        if sample.auth_events.len() < AUTH_EVENTS_MAX && self.dice.chance(bad_auth_percent) {
            let any = self.dice.below(self.events.len());
            sample.auth_events.push(self.events[any].id.clone());
        }
        let depths = prev.iter().filter_map(|id| self.replica.received(id));
        sample.depth = 1 + depths.map(|received| received.event.depth).max().unwrap_or(0);
        sample.prev_events = prev;
        sample.origin_server_ts = 1_000 + self.dice.below(20) as u64;
        let event = sample.build_signed(self.rules, Some(&self.room_id));
        if self.replica.received(&event.id).is_none() {
            self.replica.receive(&event);
            self.events.push(event);
        }
    }
}
