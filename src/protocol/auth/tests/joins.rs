//! The rules for joins, restricted ones among them.

use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, DAVE, Row, Sample, Scene, join, knock_and_invited, nothing, row, run};
use crate::auth::Rejection as R;

/// A room of its create event alone, and a join right after that.
fn only_created(scene: &mut Scene) {
    let create = scene.get("m.room.create", "");
    scene.state.retain(|_, event| Some(event.id.clone()) == create.as_ref().map(|c| c.id.clone()));
}

fn join_after_create(scene: &Scene, user: &str) -> Sample {
    let create = scene.get("m.room.create", "").expect("there is one");
    Sample { prev_events: vec![create.id.clone()], ..join(user) }
}

#[test]
fn rule_5_2_1_first_join() {
    run(vec![
        row("5.2.1 the creator", ALL, only_created, |s| join_after_create(s, ALICE), None),
        row("5.2.1 another", ALL, only_created, |s| join_after_create(s, BOB), R::JoinRule),
        row(
            "5.2.1 not only the create event before",
            ALL,
            only_created,
            |s| {
                let mut join = join_after_create(s, ALICE);
                join.prev_events.push(s.get("m.room.create", "").expect("one").id.clone());
                join
            },
            R::JoinRule,
        ),
        row(
            "5.2.1 the `creator` in the content is the creator up to version 10",
            1..=10,
            |s| {
                s.create_with("creator", json!(BOB));
                only_created(s);
            },
            |s| join_after_create(s, BOB),
            None,
        ),
        row(
            "5.2.1 and since version 11 the sender is",
            11..=12,
            |s| {
                s.create_with("creator", json!(BOB));
                only_created(s);
            },
            |s| join_after_create(s, BOB),
            R::JoinRule,
        ),
        row(
            "5.3.1 of version 12: an additional creator does not join first",
            12..=12,
            |s| {
                s.create_with("additional_creators", json!([BOB]));
                only_created(s);
            },
            |s| join_after_create(s, BOB),
            R::JoinRule,
        ),
    ]);
}

#[test]
fn rule_5_2_joins() {
    run(vec![
        row("5.2.2", ALL, nothing, |_| Sample::member(ALICE, DAVE, "join"), R::JoinForAnother),
        row("5.2.3", ALL, |s| s.member(DAVE, "ban"), |_| join(DAVE), R::JoinWhileBanned),
        row("5.2.4 invited", ALL, |s| s.member(DAVE, "invite"), |_| join(DAVE), None),
        row("5.2.4 joined", ALL, nothing, |_| join(CAROL), None),
        row("5.2.4 neither", ALL, nothing, |_| join(DAVE), R::JoinRule),
        row("5.2.4 left", ALL, |s| s.member(CAROL, "leave"), |_| join(CAROL), R::JoinRule),
        row("5.2.5", ALL, |s| s.join_rule("public"), |_| join(DAVE), None),
        row("5.2.6", ALL, |s| s.join_rule("private"), |_| join(DAVE), R::JoinRule),
        row("5.2.6 unknown", ALL, |s| s.join_rule("org.other"), |_| join(CAROL), R::JoinRule),
        row("5.2.6 no join rules event", ALL, |s| s.remove("m.room.join_rules", ""), |_| join(CAROL), R::JoinRule),
    ]);
}

#[test]
fn rule_4_2_4_of_version_7_join_of_a_knock_room() {
    run(vec![
        row("4.2.4, before", 1..=6, knock_and_invited, |_| join(DAVE), R::JoinRule),
        row("4.2.4, invited", 7..=12, knock_and_invited, |_| join(DAVE), None),
        row(
            "4.2.4, knocked",
            7..=12,
            |s| {
                s.join_rule("knock");
                s.member(DAVE, "knock");
            },
            |_| join(DAVE),
            R::JoinRule,
        ),
    ]);
}

fn join_by(authoriser: &str) -> Sample {
    join(DAVE).with("join_authorised_via_users_server", json!(authoriser))
}

/// The rows of restricted joins, for a join rule and the versions that know it.
fn restricted(rule: &'static str, versions: std::ops::RangeInclusive<usize>) -> Vec<Row> {
    let scene: fn(&mut Scene) = match rule {
        "restricted" => |s| {
            s.join_rule("restricted");
            s.level("invite", json!(50));
        },
        _ => |s| {
            s.join_rule("knock_restricted");
            s.level("invite", json!(50));
        },
    };
    let all = || versions.clone();
    vec![
        row("4.3.5.1 joined", all(), scene, |_| join(CAROL), None),
        row("4.3.5.2 nobody named", all(), scene, |_| join(DAVE), R::JoinNotAuthorised),
        row("4.3.5.2 not joined", all(), scene, |_| join_by("@e:a.org"), R::JoinAuthoriserNotJoined),
        row("4.3.5.2 no power", all(), scene, |_| join_by(CAROL), R::JoinAuthoriserPower),
        row("4.3.5.3", all(), scene, |_| join_by(BOB), None),
        row("4.3.5.3 by a creator", all(), scene, |_| join_by(ALICE), None),
        row(
            "4.3.5.1 a join of who is in the room already: who vouches is not looked at",
            all(),
            scene,
            |_| join(CAROL).with("join_authorised_via_users_server", json!("@gone:a.org")),
            None,
        ),
    ]
}

#[test]
fn rule_4_3_5_of_version_8_restricted_joins() {
    run(restricted("restricted", 8..=12));
    run(restricted("knock_restricted", 10..=12));
    run(vec![
        row(
            "4.3.5.1 invited",
            8..=12,
            |s| {
                s.join_rule("restricted");
                s.member(DAVE, "invite");
            },
            |_| join(DAVE),
            None,
        ),
        row("before version 8", 1..=7, |s| s.join_rule("restricted"), |_| join_by(BOB), R::JoinRule),
        row("before version 10", 1..=9, |s| s.join_rule("knock_restricted"), |_| join_by(BOB), R::JoinRule),
    ]);
}

/// Other implementations refuse the event already where its auth events are selected; this is no rule.
#[test]
fn a_text_that_is_no_user_vouches_for_nobody() {
    let mut scene = Scene::new(10);
    scene.join_rule("restricted");
    let by_text = |user: &str| join(user).with("join_authorised_via_users_server", json!("unused"));
    assert_eq!(scene.check(by_text(CAROL)), Ok(()), "joined already");
    assert_eq!(scene.check(by_text(DAVE)), Err(R::JoinNotAuthorised));
    let by_number = join(DAVE).with("join_authorised_via_users_server", json!(1));
    assert_eq!(scene.check(by_number), Err(R::Malformed("join_authorised_via_users_server")));
}
