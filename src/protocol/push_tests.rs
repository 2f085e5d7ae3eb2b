//! The default push rules, and changed ones, on events of a small room.

use ruma::{
    RoomId, UserId,
    push::{
        Action, HighlightTweakValue, NewPatternedPushRule, NewPushRule, NewSimplePushRule, RuleKind, Ruleset, Tweak,
    },
};
use serde_json::{Value, json};

use super::{Actions, PushEvent, PushRoom, default_rules, evaluate_push};
use crate::{power::PowerLevels, testing::Sample, version::list_rules};

const ALICE: &str = "@alice:a.org";
const BOB: &str = "@bob:b.org";

fn user(id: &str) -> &UserId {
    <&UserId>::try_from(id).expect("a user id")
}

/// What an event does to Bob in a room of so many, where Alice alone has power.
fn judged_in(rules: &Ruleset, sample: Sample, members: u64) -> Actions {
    let room_rules = &list_rules()[10];
    let (create, room_id) = Sample::create(room_rules, ALICE).build_create(room_rules);
    let event = sample.build(room_rules, &room_id);
    let power = PowerLevels::from_state(room_rules, &create, None);
    let room = PushRoom::new(room_rules, &room_id, members, &power);
    evaluate_push(rules, &PushEvent::of(&event), &room.reader(user(BOB), "Bob"))
}

fn judged(sample: Sample) -> Actions {
    judged_in(&default_rules(user(BOB)), sample, 5)
}

fn message(sender: &str, content: Value) -> Sample {
    Sample::message("m.room.message", sender, content)
}

fn text(body: &str) -> Value {
    json!({ "msgtype": "m.text", "body": body })
}

fn outcome(actions: &Actions) -> (bool, bool, bool) {
    (actions.notify, actions.highlight, actions.sound.is_some())
}

#[test]
fn a_message_notifies_without_sound() {
    assert_eq!(outcome(&judged(message(ALICE, text("hello")))), (true, false, false));
}

#[test]
fn a_message_between_two_has_a_sound() {
    let rules = default_rules(user(BOB));
    let actions = judged_in(&rules, message(ALICE, text("hello")), 2);
    assert_eq!(outcome(&actions), (true, false, true));
    assert_eq!(actions.sound.as_deref(), Some("default"));
}

#[test]
fn ones_own_message_does_nothing() {
    assert_eq!(outcome(&judged(message(BOB, text("hello")))), (false, false, false));
}

#[test]
fn mentions_highlight() {
    let mentions = |ids: Value| {
        let mut content = text("hello");
        content["m.mentions"] = ids;
        content
    };
    let bob = judged(message(ALICE, mentions(json!({ "user_ids": [BOB] }))));
    assert_eq!(outcome(&bob), (true, true, true));
    let alice = judged(message(BOB, mentions(json!({ "user_ids": [ALICE] }))));
    assert!(!alice.highlight);
    let carol = judged(message("@carol:c.org", mentions(json!({ "user_ids": [ALICE] }))));
    assert_eq!(outcome(&carol), (true, false, false));
}

#[test]
fn a_room_mention_needs_power() {
    let content = json!({ "msgtype": "m.text", "body": "hello", "m.mentions": { "room": true } });
    assert!(judged(message(ALICE, content.clone())).highlight);
    assert!(!judged(message("@carol:c.org", content)).highlight);
}

/// The specification has dropped these rules; clients that name nobody in `m.mentions`, and Complement, have not.
#[test]
fn names_in_the_text_are_mentions_only_where_the_event_does_not_say_whom_it_mentions() {
    for body in ["hello Bob", "hello bob", "hello @room", "hello @bob:b.org"] {
        assert!(judged(message(ALICE, text(body))).highlight, "{body}");
        let silent = json!({ "msgtype": "m.text", "body": body, "m.mentions": {} });
        assert!(!judged(message(ALICE, silent)).highlight, "{body}");
    }
    assert!(!judged(message("@carol:c.org", text("hello @room"))).highlight, "a room mention needs power");
    assert!(!judged(message(ALICE, text("hello bobby"))).highlight);
}

#[test]
fn the_order_of_the_default_rules_is_that_of_the_specification_with_what_stands_beside_it() {
    let rules = default_rules(user(BOB));
    let ids: Vec<_> = rules.override_.iter().map(|rule| rule.rule_id.as_str()).collect();
    let expected = [
        ".m.rule.master",
        ".m.rule.suppress_notices",
        ".m.rule.invite_for_me",
        ".m.rule.member_event",
        ".m.rule.is_user_mention",
        ".m.rule.contains_display_name",
        ".m.rule.is_room_mention",
        ".m.rule.roomnotif",
        ".m.rule.tombstone",
        ".m.rule.reaction",
        ".m.rule.room.server_acl",
        ".m.rule.suppress_edits",
        ".org.matrix.msc3930.rule.poll_response",
    ];
    assert_eq!(ids, expected);
    assert_eq!(rules.content.len(), 1);
}

#[test]
fn polls_notify_like_messages() {
    let poll = |part: &str| Sample::message(&format!("org.matrix.msc3381.poll.{part}"), ALICE, json!({}));
    let rules = default_rules(user(BOB));
    for part in ["start", "end"] {
        assert_eq!(outcome(&judged_in(&rules, poll(part), 2)), (true, false, true), "{part}");
        assert_eq!(outcome(&judged_in(&rules, poll(part), 5)), (true, false, false), "{part}");
    }
    assert_eq!(outcome(&judged_in(&rules, poll("response"), 2)), (false, false, false));
}

#[test]
fn notices_members_and_reactions_are_silent() {
    let notice = message(ALICE, json!({ "msgtype": "m.notice", "body": "hello" }));
    assert!(!judged(notice).notify);
    assert!(!judged(Sample::member(ALICE, ALICE, "join")).notify);
    let reaction = json!({ "m.relates_to": { "rel_type": "m.annotation", "event_id": "$x", "key": "y" } });
    assert!(!judged(Sample::message("m.reaction", ALICE, reaction)).notify);
    let edit = json!({ "body": "x", "m.relates_to": { "rel_type": "m.replace", "event_id": "$x" } });
    assert!(!judged(message(ALICE, edit)).notify);
}

#[test]
fn an_invitation_has_a_sound() {
    assert_eq!(outcome(&judged(Sample::member(ALICE, BOB, "invite"))), (true, false, true));
    assert!(!judged(Sample::member(ALICE, "@carol:c.org", "invite")).notify);
}

#[test]
fn an_upgrade_highlights() {
    let tombstone = Sample::state("m.room.tombstone", ALICE, "", json!({}));
    assert_eq!(outcome(&judged(tombstone)), (true, true, false));
}

#[test]
fn a_muted_room_and_a_master_switch() {
    let mut rules = default_rules(user(BOB));
    let room_id = RoomId::parse("!room:a.org").expect("a room id");
    let mute = NewPushRule::Room(NewSimplePushRule::new(room_id, Vec::new()));
    rules.insert(mute, None, None).expect("inserted");
    assert!(!judged_in(&rules, message(ALICE, text("hello")), 5).notify);

    let mut rules = default_rules(user(BOB));
    rules.set_enabled(RuleKind::Override, ".m.rule.master", true).expect("there");
    let actions = judged_in(&rules, Sample::member(ALICE, BOB, "invite"), 5);
    assert_eq!(outcome(&actions), (false, false, false));
}

#[test]
fn the_rules_look_at_the_beginning_of_a_long_text() {
    let mut rules = default_rules(user(BOB));
    let rule = NewPatternedPushRule::new(
        "needle".to_owned(),
        "needle".to_owned(),
        vec![Action::SetTweak(Tweak::Highlight(HighlightTweakValue::Yes))],
    );
    rules.insert(NewPushRule::Content(rule), None, None).expect("a rule");
    let long = "\u{e9}".repeat(20_000);
    assert!(judged_in(&rules, message(ALICE, text(&format!("needle {long}"))), 5).highlight);
    assert!(!judged_in(&rules, message(ALICE, text(&format!("{long} needle"))), 5).highlight);
}
