//! The rules for member events, but for joins and third-party invites.

use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, DAVE, Sample, Scene, join, knock_and_invited, nothing, row, run};
use crate::auth::Rejection as R;

#[test]
fn rule_5_1_state_key_and_membership() {
    run(vec![
        row("5.1 no state key", ALL, nothing, |_| Sample { state_key: None, ..join(ALICE) }, R::MemberStateKey),
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

#[test]
fn rule_5_3_invites() {
    let invite = |_: &Scene| Sample::member(CAROL, DAVE, "invite");
    run(vec![
        row("5.3.2", ALL, |s| s.member(CAROL, "leave"), invite, R::InviteSenderNotJoined),
        row("5.3.3 joined", ALL, nothing, |_| Sample::member(CAROL, BOB, "invite"), R::InviteTargetJoinedOrBanned),
        row("5.3.3 banned", ALL, |s| s.member(DAVE, "ban"), invite, R::InviteTargetJoinedOrBanned),
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
        row("5.4.4 an invitation taken back", ALL, |s| s.member(DAVE, "invite"), |_| kick(BOB, DAVE), None),
        row("5.4.4 a ban lifted", ALL, |s| s.member(DAVE, "ban"), |_| kick(BOB, DAVE), None),
        row("5.4.5 below the kick level", ALL, |s| s.level("kick", json!(51)), |_| kick(BOB, CAROL), R::KickPower),
        row(
            "5.4.5 no power over an equal",
            ALL,
            |s| s.level("users", json!({ BOB: 50, CAROL: 50 })),
            |_| kick(BOB, CAROL),
            R::KickPower,
        ),
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
        row("5.5.3 below the ban level", ALL, |s| s.level("ban", json!(51)), |_| ban(BOB, CAROL), R::BanPower),
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
        row("4.6.1 before version 10", 7..=9, |s| s.join_rule("knock_restricted"), knock, R::KnockJoinRule),
        row("4.7.1 of version 10", 10..=12, |s| s.join_rule("knock_restricted"), knock, None),
        row("4.6.2", 7..=12, |s| s.join_rule("knock"), |_| Sample::member(CAROL, DAVE, "knock"), R::KnockForAnother),
        row("4.6.3", 7..=12, |s| s.join_rule("knock"), knock, None),
        row(
            "4.6.4 joined",
            7..=12,
            |s| s.join_rule("knock"),
            |_| Sample::member(CAROL, CAROL, "knock"),
            R::KnockAlreadyMember,
        ),
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
    run(vec![row("5.6", ALL, nothing, |_| Sample::member(CAROL, CAROL, "asleep"), R::UnknownMembership)]);
}
