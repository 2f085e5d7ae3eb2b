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
    power_levels::NotificationPowerLevels,
    push::{AnyPushRuleRef, FlattenedJson, PushConditionPowerLevelsCtx, PushConditionRoomCtx, Ruleset},
    room_version_rules::RoomPowerLevelsRules,
    serde::Raw,
};
use serde_json::value::RawValue;

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
    pub actions: Vec<ruma::push::Action>,
}

/// The push rules of a user who has changed none.
pub fn default_rules(user: &UserId) -> Ruleset {
    Ruleset::server_default(user)
}

/// An event taken apart for the rules.
pub struct PushEvent {
    fields: FlattenedJson,
    sender: OwnedUserId,
}

impl PushEvent {
    /// Takes an event apart. The depth of its JSON was bounded when it came in.
    pub fn of(event: &Event) -> Self {
        let json: Box<RawValue> = event.json.clone();
        let raw: Raw<AnySyncTimelineEvent> = Raw::from_json(json);
        Self { fields: FlattenedJson::from_raw(&raw), sender: event.sender.clone() }
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
    let matched = rules.iter().find(|rule| now(rule.applies(&event.fields, &reader.0)).unwrap_or(false));
    matched.map(actions_of).unwrap_or_default()
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
