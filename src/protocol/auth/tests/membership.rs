//! The rules for member events, but for third-party invites.

use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, DAVE, Row, Sample, Scene, nothing, row, run};
use crate::auth::Rejection as R;

fn join(user: &str) -> Sample {
    Sample::member(user, user, "join")
}

#[test]
fn rule_5_1_state_key_and_membership() {
    run(vec![
        row("5.1 no state key", ALL, nothing, |_| Sample { state_key: None, ..join(ALICE) }, {
            R::MemberStateKey
        }),
        row(
            "5.1 a state key that is no user",
            ALL,
            nothing,
            |_| Sample::member(ALICE, "alice", "join"),
            R::MemberStateKey,
        ),
        row(
            "5.1 no membership",
            ALL,
            nothing,
            |_| Sample::state("m.room.member", ALICE, ALICE, json!({})),
            R::MemberWithoutMembership,
        ),
        row(
            "5.1 a membership that is no string",
            ALL,
            nothing,
            |_| Sample::state("m.room.member", ALICE, ALICE, json!({ "membership": 1 })),
            R::MemberWithoutMembership,
        ),
    ]);
}

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
        row(
            "5.2.4 left",
            ALL,
            |s| s.member(CAROL, "leave"),
            |_| join(CAROL),
            R::JoinRule,
        ),
        row("5.2.5", ALL, |s| s.join_rule("public"), |_| join(DAVE), None),
        row("5.2.6", ALL, |s| s.join_rule("private"), |_| join(DAVE), R::JoinRule),
        row("5.2.6 unknown", ALL, |s| s.join_rule("org.other"), |_| join(CAROL), R::JoinRule),
        row(
            "5.2.6 no join rules event",
            ALL,
            |s| s.remove("m.room.join_rules", ""),
            |_| join(CAROL),
            R::JoinRule,
        ),
    ]);
}

fn knock_and_invited(scene: &mut Scene) {
    scene.join_rule("knock");
    scene.member(DAVE, "invite");
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
        row("4.3.5.2 not joined", all(), scene, |_| join_by("@e:a.org"), {
            R::JoinAuthoriserNotJoined
        }),
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
        row(
            "before version 10",
            1..=9,
            |s| s.join_rule("knock_restricted"),
            |_| join_by(BOB),
            R::JoinRule,
        ),
    ]);
}

#[test]
fn rule_5_3_invites() {
    let invite = |_: &Scene| Sample::member(CAROL, DAVE, "invite");
    run(vec![
        row("5.3.2", ALL, |s| s.member(CAROL, "leave"), invite, R::InviteSenderNotJoined),
        row("5.3.3 joined", ALL, nothing, |_| Sample::member(CAROL, BOB, "invite"), {
            R::InviteTargetJoinedOrBanned
        }),
        row("5.3.3 banned", ALL, |s| s.member(DAVE, "ban"), invite, {
            R::InviteTargetJoinedOrBanned
        }),
        row("5.3.4", ALL, nothing, invite, None),
        row("5.3.4 invited before", ALL, |s| s.member(DAVE, "invite"), invite, None),
        row("5.3.5", ALL, |s| s.level("invite", json!(1)), invite, R::InvitePower),
    ]);
}

#[test]
fn rule_5_4_1_own_leave() {
    let leave = |_: &Scene| Sample::member(DAVE, DAVE, "leave");
    run(vec![
        row("5.4.1 joined", ALL, |s| s.member(DAVE, "join"), leave, None),
        row("5.4.1 invited", ALL, |s| s.member(DAVE, "invite"), leave, None),
        row("5.4.1 never there", ALL, nothing, leave, R::LeaveNotMember),
        row("5.4.1 left", ALL, |s| s.member(DAVE, "leave"), leave, R::LeaveNotMember),
        row("5.4.1 banned", ALL, |s| s.member(DAVE, "ban"), leave, R::LeaveNotMember),
        row("4.4.1 of version 7: knocked", 7..=12, |s| s.member(DAVE, "knock"), leave, None),
        row("5.4.1 knocked", 1..=6, |s| s.member(DAVE, "knock"), leave, R::LeaveNotMember),
    ]);
}

#[test]
fn rule_5_4_kicks_and_unbans() {
    fn kick(by: &str, whom: &str) -> Sample {
        Sample::member(by, whom, "leave")
    }
    run(vec![
        row("5.4.2", ALL, nothing, |_| kick(DAVE, CAROL), R::KickSenderNotJoined),
        row(
            "5.4.3",
            ALL,
            |s| {
                s.level("ban", json!(51));
                s.member(DAVE, "ban");
            },
            |_| kick(BOB, DAVE),
            R::UnbanPower,
        ),
        row("5.4.4", ALL, nothing, |_| kick(BOB, CAROL), None),
        row("5.4.4 an invitation taken back", ALL, |s| s.member(DAVE, "invite"), {
            |_| kick(BOB, DAVE)
        }, None),
        row("5.4.4 a ban lifted", ALL, |s| s.member(DAVE, "ban"), |_| kick(BOB, DAVE), None),
        row("5.4.5 below the kick level", ALL, |s| s.level("kick", json!(51)), {
            |_| kick(BOB, CAROL)
        }, R::KickPower),
        row("5.4.5 no power over an equal", ALL, |s| s.level("users", json!({ BOB: 50, CAROL: 50 })), {
            |_| kick(BOB, CAROL)
        }, R::KickPower),
        row("5.4.5 nor over a creator", ALL, nothing, |_| kick(BOB, ALICE), R::KickPower),
        row(
            "a lifted ban needs the kick level also",
            ALL,
            |s| {
                s.level("kick", json!(51));
                s.member(DAVE, "ban");
            },
            |_| kick(BOB, DAVE),
            R::KickPower,
        ),
    ]);
}

#[test]
fn rule_5_5_bans() {
    fn ban(by: &str, whom: &str) -> Sample {
        Sample::member(by, whom, "ban")
    }
    run(vec![
        row("5.5.1", ALL, nothing, |_| ban(DAVE, CAROL), R::BanSenderNotJoined),
        row("5.5.2", ALL, nothing, |_| ban(BOB, CAROL), None),
        row("5.5.2 who is not there", ALL, nothing, |_| ban(BOB, DAVE), None),
        row("5.5.3 below the ban level", ALL, |s| s.level("ban", json!(51)), |_| ban(BOB, CAROL), {
            R::BanPower
        }),
        row("5.5.3 no power over an equal", ALL, nothing, |_| ban(BOB, BOB), R::BanPower),
        row("5.5.3 nor over a creator", ALL, nothing, |_| ban(BOB, ALICE), R::BanPower),
    ]);
}

#[test]
fn rule_4_6_of_version_7_knocks() {
    let knock = |_: &Scene| Sample::member(DAVE, DAVE, "knock");
    run(vec![
        row("before version 7", 1..=6, |s| s.join_rule("knock"), knock, R::UnknownMembership),
        row("4.6.1", 7..=12, nothing, knock, R::KnockJoinRule),
        row("4.6.1 public", 7..=12, |s| s.join_rule("public"), knock, R::KnockJoinRule),
        row("4.6.1 before version 10", 7..=9, |s| s.join_rule("knock_restricted"), knock, {
            R::KnockJoinRule
        }),
        row("4.7.1 of version 10", 10..=12, |s| s.join_rule("knock_restricted"), knock, None),
        row("4.6.2", 7..=12, |s| s.join_rule("knock"), |_| Sample::member(CAROL, DAVE, "knock"), {
            R::KnockForAnother
        }),
        row("4.6.3", 7..=12, |s| s.join_rule("knock"), knock, None),
        row("4.6.4 joined", 7..=12, |s| s.join_rule("knock"), {
            |_| Sample::member(CAROL, CAROL, "knock")
        }, R::KnockAlreadyMember),
        row("4.6.4 invited", 7..=12, knock_and_invited, knock, R::KnockAlreadyMember),
        row(
            "4.6.4 banned",
            7..=12,
            |s| {
                s.join_rule("knock");
                s.member(DAVE, "ban");
            },
            knock,
            R::KnockAlreadyMember,
        ),
    ]);
}

#[test]
fn rule_5_6_unknown_membership() {
    run(vec![row("5.6", ALL, nothing, |_| Sample::member(CAROL, CAROL, "asleep"), {
        R::UnknownMembership
    })]);
}
