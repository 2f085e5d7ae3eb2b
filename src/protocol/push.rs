//! Push rules: whether an event notifies a user, and how loudly (client-server API, "Push rules").
//!
//! The rules and their conditions are ruma's. An event is taken apart once ([`PushEvent`]) and then
//! judged for each of a room's users.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use ruma::{
    Int, OwnedUserId, RoomId, UInt, UserId,
    events::AnySyncTimelineEvent,
    power_levels::{NotificationPowerLevels, NotificationPowerLevelsKey},
    push::{
        Action, AnyPushRuleRef, ConditionalPushRule, ConditionalPushRuleInit, EventMatchConditionData, FlattenedJson,
        FlattenedJsonValue, HighlightTweakValue, PatternedPushRuleInit, PushCondition, PushConditionPowerLevelsCtx,
        PushConditionRoomCtx, RoomMemberCountConditionData, RoomMemberCountIs, Ruleset,
        SenderNotificationPermissionConditionData, SoundTweakValue, Tweak,
    },
    room_version_rules::RoomPowerLevelsRules,
    serde::Raw,
    user_id,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use crate::{Event, RoomRules, power::PowerLevels};

/// What an event does to a user.
#[derive(Debug, Clone, Default)]
pub struct Actions {
    /// It counts as unread and is sent to the user's pushers.
    pub notify: bool,
    /// It counts as a highlight.
    pub highlight: bool,
    /// The sound to play, if any.
    pub sound: Option<String>,
    /// The actions as the user's rule has them, for the push gateway and `/notifications`.
    pub actions: Vec<Action>,
}

/// The push rules of a user who has changed none: those of the specification, and those of polls (MSC3930).
pub fn default_rules(user: &UserId) -> Ruleset {
    let mut rules = Ruleset::server_default(user);
    let poll = "org.matrix.msc3381.poll";
    rules.override_.insert(build_poll_rule("poll_response", &format!("{poll}.response"), PollRule::Silent));
    for part in ["start", "end"] {
        let kind = format!("{poll}.{part}");
        rules.underride.insert(build_poll_rule(&format!("poll_{part}_one_to_one"), &kind, PollRule::OneToOne));
        rules.underride.insert(build_poll_rule(&format!("poll_{part}"), &kind, PollRule::Group));
    }
    add_legacy_mentions(&mut rules, user);
    rules
}

/// The default rules that can hit one reader of a message and not another.
const NAMING_RULES: [&str; 3] =
    [".m.rule.is_user_mention", ".m.rule.contains_display_name", ".m.rule.contains_user_name"];

/// The default rules for a message that names none of those for whom it is judged ([`PushEvent::may_name`]).
pub fn rules_for_anybody() -> Ruleset {
    let mut rules = default_rules(user_id!("@anybody:anywhere"));
    rules.override_.retain(|rule| !NAMING_RULES.contains(&rule.rule_id.as_str()));
    rules.content.retain(|rule| !NAMING_RULES.contains(&rule.rule_id.as_str()));
    rules
}

/// The rules by which those are mentioned whose name stands in a text. The specification has dropped them; clients that do
/// not yet say whom they mention, and conformance tests, have not.
const LEGACY_MENTIONS: [&str; 3] = [".m.rule.contains_display_name", ".m.rule.roomnotif", ".m.rule.contains_user_name"];

fn add_legacy_mentions(rules: &mut Ruleset, user: &UserId) {
    let highlight = || Action::SetTweak(Tweak::Highlight(HighlightTweakValue::Yes));
    let sound = || Action::SetTweak(Tweak::Sound(SoundTweakValue::Default));
    let [display_name, room, user_name] = LEGACY_MENTIONS.map(str::to_owned);
    let body_has_room = EventMatchConditionData::new("content.body".to_owned(), "@room".to_owned());
    let may_notify_room = SenderNotificationPermissionConditionData::new(NotificationPowerLevelsKey::Room);
    #[expect(deprecated, reason = "for the rules that used it")]
    let conditions = vec![PushCondition::ContainsDisplayName];
    let by_name = ConditionalPushRuleInit {
        actions: vec![Action::Notify, sound(), highlight()],
        default: true,
        enabled: true,
        rule_id: display_name,
        conditions,
    };
    let by_room = ConditionalPushRuleInit {
        actions: vec![Action::Notify, highlight()],
        default: true,
        enabled: true,
        rule_id: room,
        conditions: vec![
            PushCondition::SenderNotificationPermission(may_notify_room),
            PushCondition::EventMatch(body_has_room),
        ],
    };
    for (rule, after) in [(by_name, ".m.rule.is_user_mention"), (by_room, ".m.rule.is_room_mention")] {
        let (from, _) = rules.override_.insert_full(rule.into());
        let to = rules.override_.get_index_of(after).map_or(from, |at| at + 1);
        rules.override_.move_index(from, to);
    }
    let by_user_name = PatternedPushRuleInit {
        actions: vec![Action::Notify, sound(), highlight()],
        default: true,
        enabled: true,
        rule_id: user_name,
        pattern: user.localpart().to_owned(),
    };
    rules.content.insert(by_user_name.into());
}

/// How loud a poll is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PollRule {
    Silent,
    OneToOne,
    Group,
}

fn build_poll_rule(name: &str, kind: &str, rule: PollRule) -> ConditionalPushRule {
    let mut conditions =
        vec![PushCondition::EventMatch(EventMatchConditionData::new("type".to_owned(), kind.to_owned()))];
    let mut actions = Vec::new();
    if rule != PollRule::Silent {
        actions.push(Action::Notify);
    }
    if rule == PollRule::OneToOne {
        let two = RoomMemberCountIs::from(UInt::from(2_u32));
        conditions.insert(0, PushCondition::RoomMemberCount(RoomMemberCountConditionData::new(two)));
        actions.push(Action::SetTweak(Tweak::Sound(SoundTweakValue::Default)));
    }
    let id = format!(".org.matrix.msc3930.rule.{name}");
    let init = ConditionalPushRuleInit { actions, default: true, enabled: true, rule_id: id, conditions };
    init.into()
}

/// How much of a text the rules look at, in bytes. Each rule reads all of it, and a user may have many rules.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// An event taken apart for the rules.
pub struct PushEvent {
    fields: FlattenedJson,
    sender: OwnedUserId,
    /// It says itself whom it mentions (C-S API, "User and room mentions"): names in its text mean nothing.
    has_mentions: bool,
    /// Whom it says it mentions.
    mentioned: Vec<String>,
    /// The text in which names are looked for, in lower case.
    body: Option<String>,
    is_state: bool,
}

impl PushEvent {
    /// Takes an event apart. The depth of its JSON was bounded when it came in.
    pub fn of(event: &Event) -> Self {
        #[derive(Deserialize)]
        struct Mentions {
            #[serde(rename = "m.mentions")]
            mentions: Option<IgnoredAny>,
        }
        let mentions = event.content_as::<Mentions>();
        let json: Box<RawValue> = shorten(&event.json).unwrap_or_else(|| event.json.clone());
        let raw: Raw<AnySyncTimelineEvent> = Raw::from_json(json);
        let fields = FlattenedJson::from_raw(&raw);
        let mentioned = match fields.get("content.m\\.mentions.user_ids") {
            Some(FlattenedJsonValue::Array(users)) => {
                users.iter().filter_map(|user| user.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        Self {
            body: fields.get_str("content.body").map(str::to_lowercase),
            mentioned,
            fields,
            sender: event.sender.clone(),
            has_mentions: mentions.is_ok_and(|content| content.mentions.is_some()),
            is_state: event.is_state(),
        }
    }

    /// Whether it may mean this user in particular, so that the default rules have to be asked for them alone; true too
    /// often rather than too rarely.
    pub fn may_name(&self, user: &UserId, display_name: &str) -> bool {
        let is_in = |body: &str, name: &str| name.contains(['*', '?']) || body.contains(&name.to_lowercase());
        let is_named = |name: &str| !name.is_empty() && self.body.as_deref().is_some_and(|body| is_in(body, name));
        self.is_state
            || self.body.as_deref() == Some("")
            || self.sender == user
            || self.mentioned.iter().any(|mentioned| mentioned == user.as_str())
            || is_named(user.localpart())
            || is_named(display_name)
    }
}

/// The parts of a room that the conditions read, the same for each of its users.
pub struct PushRoom {
    room_id: ruma::OwnedRoomId,
    member_count: UInt,
    power: PushConditionPowerLevelsCtx,
}

impl PushRoom {
    /// A room with so many joined members and these power levels.
    pub fn new(rules: &RoomRules, room_id: &RoomId, member_count: u64, power: &PowerLevels) -> Self {
        let int = Int::new_saturating;
        let level_rules =
            RoomPowerLevelsRules::new(&rules.ruma.authorization, power.infinite_users().map(ToOwned::to_owned));
        let mut notifications = NotificationPowerLevels::new();
        notifications.room = int(power.notification("room"));
        Self {
            room_id: room_id.to_owned(),
            member_count: UInt::new_saturating(member_count),
            power: PushConditionPowerLevelsCtx::new(
                power.users().into_iter().map(|(user, level)| (user, int(level))).collect(),
                int(power.users_default()),
                notifications,
                level_rules,
            ),
        }
    }

    /// The conditions' view of the room for one of its users.
    pub fn reader(&self, user: &UserId, display_name: &str) -> PushReader {
        PushReader(
            PushConditionRoomCtx::new(
                self.room_id.clone(),
                self.member_count,
                user.to_owned(),
                display_name.to_owned(),
            )
            .with_power_levels(self.power.clone()),
        )
    }
}

/// One user of a [`PushRoom`].
pub struct PushReader(PushConditionRoomCtx);

/// What an event does to a user with these rules. One's own events do nothing.
pub fn evaluate_push(rules: &Ruleset, event: &PushEvent, reader: &PushReader) -> Actions {
    if event.sender == reader.0.user_id {
        return Actions::default();
    }
    let is_passed_over = |rule: &AnyPushRuleRef<'_>| event.has_mentions && LEGACY_MENTIONS.contains(&rule.rule_id());
    let mut rules = rules.iter().filter(|rule| !is_passed_over(rule));
    let matched = rules.find(|rule| now(rule.applies(&event.fields, &reader.0)).unwrap_or(false));
    matched.map(actions_of).unwrap_or_default()
}

/// The event with its texts cut; none when it is so short that none needs to be.
fn shorten(json: &RawValue) -> Option<Box<RawValue>> {
    if json.get().len() <= TEXT_BYTES_MAX {
        return None;
    }
    let mut value: Value = serde_json::from_str(json.get()).ok()?;
    cut_texts(&mut value);
    to_raw_value(&value).ok()
}

/// The depth of the JSON was bounded when it came in.
fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX)),
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn actions_of(rule: AnyPushRuleRef<'_>) -> Actions {
    Actions {
        notify: rule.triggers_notification(),
        highlight: rule.triggers_highlight(),
        sound: rule.triggers_sound().map(ToString::to_string),
        actions: rule.actions().to_vec(),
    }
}

/// The value of a future that waits for nothing: ruma's conditions could ask for thread subscriptions,
/// which are not compiled in.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
#[path = "push_tests.rs"]
mod tests;
