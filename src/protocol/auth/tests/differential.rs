//! Our rules against ruma's, on random states and events of every version.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ALICE, BOB, CAROL, DAVE, Sample, Scene};

const USERS: [&str; 4] = [ALICE, BOB, CAROL, DAVE];

fn user() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&USERS[..])
}

fn level() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => prop::sample::select(vec![0, 1, 49, 50, 51, 99, 100, 101, -1]).prop_map(|n| json!(n)),
        1 => prop::sample::select(vec!["50", " 100 ", "+5", "-7", "ten", "", "1.5"])
            .prop_map(|s| json!(s)),
        1 => prop::sample::select(vec![json!(null), json!([]), json!(true), json!({})]),
    ]
}

/// Power levels with any of the properties, some of them unreadable.
fn levels() -> impl Strategy<Value = Value> {
    let fields = prop::collection::btree_map(
        prop::sample::select(vec![
            "users_default",
            "events_default",
            "state_default",
            "ban",
            "redact",
            "kick",
            "invite",
        ]),
        level(),
        0..4,
    );
    let users = prop::option::weighted(0.8, prop::collection::btree_map(user(), level(), 0..4));
    let kinds = vec!["m.room.topic", "m.room.message", "m.room.power_levels", "m.room.redaction"];
    let events = prop::option::of(prop::collection::btree_map(prop::sample::select(kinds), level(), 0..3));
    let notifications = prop::option::of(level().prop_map(|level| json!({ "room": level })));
    (fields, users, events, notifications).prop_map(|(fields, users, events, notifications)| {
        let mut content = json!(fields);
        for (name, value) in
            [("users", json!(users)), ("events", json!(events)), ("notifications", json!(notifications))]
        {
            if !value.is_null() {
                content[name] = value;
            }
        }
        content
    })
}

fn membership() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["join", "join", "join", "invite", "leave", "ban", "knock", "asleep"])
}

fn join_rule() -> impl Strategy<Value = &'static str> {
    let rules = vec!["public", "invite", "knock", "restricted", "knock_restricted", "private", "other"];
    prop::sample::select(rules)
}

fn event() -> impl Strategy<Value = Sample> {
    let member = (user(), user(), membership(), prop::option::of(user()), any::<bool>()).prop_map(
        |(sender, target, membership, by, own)| {
            let target = if own { sender } else { target };
            let sample = Sample::member(sender, target, membership);
            match by {
                Some(by) => sample.with("join_authorised_via_users_server", json!(by)),
                None => sample,
            }
        },
    );
    let state_keys = vec!["", ALICE, BOB, "@", "a.org", "b.org"];
    let kinds =
        vec!["m.room.topic", "m.room.aliases", "m.room.third_party_invite", "m.room.join_rules", "org.example.state"];
    let state = (user(), prop::sample::select(kinds), prop::sample::select(state_keys))
        .prop_map(|(sender, kind, key)| Sample::state(kind, sender, key, json!({})));
    let message = (user(), prop::sample::select(vec!["m.room.message", "m.room.encrypted"]))
        .prop_map(|(sender, kind)| Sample::message(kind, sender, json!({})));
    let power =
        (user(), levels()).prop_map(|(sender, content)| Sample::state("m.room.power_levels", sender, "", content));
    prop_oneof![3 => member, 2 => state, 1 => message, 3 => power]
}

fn scene() -> impl Strategy<Value = (usize, Vec<Sample>)> {
    let members = prop::collection::vec((user(), membership()), 0..4)
        .prop_map(|members| members.into_iter().map(|(user, m)| Sample::member(user, user, m)).collect::<Vec<_>>());
    let rule = join_rule().prop_map(|rule| Sample::state("m.room.join_rules", ALICE, "", json!({ "join_rule": rule })));
    let levels = prop::option::weighted(
        0.8,
        levels().prop_map(|content| Sample::state("m.room.power_levels", ALICE, "", content)),
    );
    let federate = prop::option::weighted(0.1, any::<bool>());
    (1..=12_usize, members, rule, levels, federate).prop_map(|(version, mut state, rule, levels, federate)| {
        state.push(rule);
        state.extend(levels);
        if let Some(federate) = federate {
            let create = Sample::create(super::rules(version), ALICE);
            state.push(create.with("m.federate", json!(federate)));
        }
        (version, state)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn our_rules_end_as_rumas_do((version, state) in scene(), event in event()) {
        let mut scene = Scene::new(version);
        for sample in state {
            scene.put(sample);
        }
        let ours = scene.check(event.clone());
        let ruma = scene.check_by_ruma(event.clone());
        prop_assert_eq!(
            ours.is_ok(), ruma.is_ok(), "version {}: ours {:?}, ruma {:?}", version, ours, ruma
        );
    }
}
