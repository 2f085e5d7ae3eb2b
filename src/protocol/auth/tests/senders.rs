//! The rules for who may send: federation, aliases, being in the room, levels, state keys, redactions.

use ruma::OwnedEventId;
use serde_json::json;

use super::{ALICE, ALL, BOB, CAROL, DAVE, Sample, Scene, nothing, row, run};
use crate::auth::Rejection as R;
use crate::version::{OWNED_STATE_VERSION, rules_of};

fn message(sender: &str) -> Sample {
    Sample::message("m.room.message", sender, json!({ "body": "hello" }))
}

#[test]
fn a_state_without_create_event() {
    run(vec![row("any", ALL, |s| s.remove("m.room.create", ""), |_| message(CAROL), R::NoCreateEvent)]);
}

#[test]
fn rule_3_federation() {
    fn alone(scene: &mut Scene) {
        scene.create_with("m.federate", json!(false));
    }
    run(vec![
        row("3 another server", ALL, alone, |_| message(CAROL), R::NotFederated),
        row("3 the creator's server", ALL, alone, |_| message(ALICE), None),
        row("3 federated", ALL, |s| s.create_with("m.federate", json!(true)), |_| message(CAROL), None),
        row(
            "3 not readable",
            ALL,
            |s| s.create_with("m.federate", json!("no")),
            |_| message(ALICE),
            R::Malformed("m.federate"),
        ),
    ]);
}

#[test]
fn rule_4_aliases_up_to_version_5() {
    fn aliases(state_key: &str) -> Sample {
        Sample::state("m.room.aliases", DAVE, state_key, json!({ "aliases": [] }))
    }
    run(vec![
        row("4.1", 1..=5, nothing, |_| Sample { state_key: None, ..aliases("") }, R::AliasesStateKey),
        row("4.2", 1..=5, nothing, |_| aliases("a.org"), R::AliasesStateKey),
        row("4.3 without being in the room", 1..=5, nothing, |_| aliases("d.org"), None),
        row("no rule since version 6", 6..=12, nothing, |_| aliases("d.org"), R::SenderNotJoined),
    ]);
}

#[test]
fn rule_6_sender_in_the_room() {
    run(vec![
        row("6 never there", ALL, nothing, |_| message(DAVE), R::SenderNotJoined),
        row("6 invited", ALL, |s| s.member(DAVE, "invite"), |_| message(DAVE), R::SenderNotJoined),
        row("6 left", ALL, |s| s.member(CAROL, "leave"), |_| message(CAROL), R::SenderNotJoined),
        row("6 banned", ALL, |s| s.member(CAROL, "ban"), |_| message(CAROL), R::SenderNotJoined),
        row("6 a creator who left", ALL, |s| s.member(ALICE, "leave"), |_| message(ALICE), R::SenderNotJoined),
        row("12 joined", ALL, nothing, |_| message(CAROL), None),
    ]);
}

#[test]
fn rule_7_third_party_invites_need_the_invite_level() {
    fn invite(sender: &str) -> Sample {
        Sample::state("m.room.third_party_invite", sender, "token", json!({}))
    }
    run(vec![
        row("7.1", ALL, nothing, |_| invite(CAROL), None),
        row("7.1 no power", ALL, |s| s.level("invite", json!(50)), |_| invite(CAROL), R::ThirdPartyInvitePower),
        row("7.1 enough power", ALL, |s| s.level("invite", json!(50)), |_| invite(BOB), None),
    ]);
}

#[test]
fn rule_8_required_power_level() {
    run(vec![
        row("8 state_default is 50", ALL, nothing, |_| topic_of(CAROL), R::EventPower),
        row("8 state_default is 50", ALL, nothing, |_| topic_of(BOB), None),
        row("8 state_default", ALL, |s| s.level("state_default", json!(51)), |_| topic_of(BOB), R::EventPower),
        row("8 events_default is 0", ALL, nothing, |_| message(CAROL), None),
        row("8 events_default", ALL, |s| s.level("events_default", json!(1)), |_| message(CAROL), R::EventPower),
        row("8 named", ALL, |s| s.level("events", json!({ "m.room.topic": 0 })), |_| topic_of(CAROL), None),
        row("8 named", ALL, |s| s.level("events", json!({ "m.room.message": 1 })), |_| message(CAROL), R::EventPower),
        row("8 users_default", ALL, |s| s.level("users_default", json!(50)), |_| topic_of(CAROL), None),
        row(
            "8 without a power levels event the creator has 100, state needs 50",
            ALL,
            |s| s.remove("m.room.power_levels", ""),
            |_| topic_of(ALICE),
            None,
        ),
        row("8 and others 0", ALL, |s| s.remove("m.room.power_levels", ""), |_| topic_of(BOB), R::EventPower),
    ]);
}

#[test]
fn version_12_creators_have_infinite_power() {
    fn demanding(scene: &mut Scene) {
        scene.create_with("additional_creators", json!([CAROL]));
        scene.level("events", json!({ "m.room.topic": 9_007_199_254_740_991_i64 }));
    }
    run(vec![
        row("creator", 12..=12, demanding, |_| topic_of(ALICE), None),
        row("additional creator", 12..=12, demanding, |_| topic_of(CAROL), None),
        row("others", 12..=12, demanding, |_| topic_of(BOB), R::EventPower),
        row("no such thing before", 1..=11, demanding, |_| topic_of(CAROL), R::EventPower),
        row("no such thing before", 1..=11, demanding, |_| topic_of(ALICE), R::EventPower),
        row(
            "5.6.2: a creator cannot ban another creator",
            12..=12,
            demanding,
            |_| Sample::member(ALICE, CAROL, "ban"),
            R::BanPower,
        ),
        row("5.5.4: nor remove one", 12..=12, demanding, |_| Sample::member(CAROL, ALICE, "leave"), R::KickPower),
    ]);
}

fn topic_of(sender: &str) -> Sample {
    Sample::state("m.room.topic", sender, "", json!({}))
}

#[test]
fn rule_9_state_keys_of_other_users() {
    fn state(state_key: &str) -> Sample {
        Sample::state("org.example.state", BOB, state_key, json!({}))
    }
    run(vec![
        row("9 another's", ALL, nothing, |_| state(CAROL), R::StateKeyOfAnother),
        row("9 any that begins so", ALL, nothing, |_| state("@"), R::StateKeyOfAnother),
        row("9 one's own", ALL, nothing, |_| state(BOB), None),
        row("9 no user", ALL, nothing, |_| state("bob"), None),
    ]);
}

#[test]
fn owned_state_belongs_to_its_user_and_to_those_with_more_power() {
    let mut scene = Scene::new(10);
    let version = ruma::RoomVersionId::try_from(OWNED_STATE_VERSION).expect("a version");
    scene.rules = rules_of(&version).expect("rules");
    scene.level("events", json!({ "org.example.state": 0 }));
    let check = |sender: &str, state_key: &str| {
        scene.check(Sample::state("org.example.state", sender, state_key, json!({}))).err()
    };
    let suffixed = |user: &str| format!("{user}_suffix:!@#$123_more");
    assert_eq!(check(CAROL, CAROL), None);
    assert_eq!(check(CAROL, &suffixed(CAROL)), None);
    assert_eq!(check(ALICE, CAROL), None, "more power");
    assert_eq!(check(ALICE, &suffixed(CAROL)), None);
    assert_eq!(check(ALICE, "@nobody:z.org"), None);
    let equal = "@peer:z.org";
    for state_key in [ALICE, &suffixed(ALICE), equal, &format!("{CAROL}suffix"), &format!("@prefix_{CAROL}_suffix")] {
        assert_eq!(check(CAROL, state_key), Some(R::StateKeyOfAnother), "{state_key}");
    }
    for state_key in ["@", "@oops", "@oops_key", &format!("{ALICE}@key")] {
        assert_eq!(check(ALICE, state_key), Some(R::StateKeyOwnerMalformed), "{state_key}");
    }
}

#[test]
fn rule_11_redactions_in_versions_1_and_2() {
    fn redaction(sender: &str, target: &str) -> Sample {
        Sample {
            redacts: Some(OwnedEventId::try_from(target).expect("an event id")),
            id: Some(OwnedEventId::try_from("$redaction:c.org").expect("an event id")),
            ..Sample::message("m.room.redaction", sender, json!({}))
        }
    }
    run(vec![
        row("11.1", 1..=2, nothing, |_| redaction(BOB, "$x:a.org"), None),
        row("11.2", 1..=2, nothing, |_| redaction(CAROL, "$x:c.org"), None),
        row("11.3", 1..=2, nothing, |_| redaction(CAROL, "$x:a.org"), R::RedactionPower),
        row("11.1 redact", 1..=2, |s| s.level("redact", json!(0)), |_| redaction(CAROL, "$x:a.org"), None),
        row("no rule since version 3", 3..=12, nothing, |_| redaction(CAROL, "$x:a.org"), None),
    ]);
}
