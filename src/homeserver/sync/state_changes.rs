//! What a reader is told of a room's state beside its timeline.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::{EventNum, LanePos, StateKeyNum, UserKey};
use hearth_storage::StorageError;
use imbl::ordmap::DiffItem;
use ruma::OwnedUserId;

use super::moment::{Moment, num_in};
use super::request::StateForm;
use super::response::{Events, Piece, StateChanges};
use super::scope::Scope;
use super::window::Window;
use crate::rooms::{RoomView, StateMap, StoredEvent};

/// The type of events that say who is in a room.
const MEMBER: &str = "m.room.member";

/// Between which states the changes are told.
pub struct Span<'a> {
    /// What the client has; nothing when it is told everything.
    pub base: Option<&'a Moment>,
    /// The room at the end of the timeline.
    pub end: &'a Moment,
    /// The timeline.
    pub window: &'a Window,
    /// Members that the client needs though they say nothing in the timeline.
    pub heroes: &'a [OwnedUserId],
    /// Up to where the answer reads in the room's lane.
    pub to: LanePos,
}

/// The pairs that differ, with what they are now. What state resolution took away altogether cannot be told.
pub fn list_differences(old: &StateMap, new: &StateMap) -> Vec<(StateKeyNum, EventNum)> {
    let changes = old.diff(new).filter_map(|item| match item {
        DiffItem::Add(key, num) | DiffItem::Update { new: (key, num), .. } => Some((*key, *num)),
        DiffItem::Remove(..) => None,
    });
    changes.collect()
}

/// Whether a number stands for somebody's membership.
pub fn is_member_key(view: &RoomView, key: StateKeyNum) -> bool {
    view.room.keys.pair(key).is_some_and(|(kind, _)| &*kind == MEMBER)
}

impl Span<'_> {
    /// The state events to send.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list(&self, scope: &Scope<'_>, view: &RoomView) -> Result<Vec<Arc<StoredEvent>>, StorageError> {
        let filter = &scope.request.filter.state;
        let target = self.load_target(scope, view).await?;
        let mut nums = match self.base {
            None if filter.lazy_load_members => {
                target.iter().map(|(key, num)| (*key, *num)).filter(|(key, _)| !is_member_key(view, *key)).collect()
            }
            None => target.iter().map(|(key, num)| (*key, *num)).collect(),
            Some(base) => list_differences(&base.state, &target),
        };
        if !scope.tells_state_after() {
            self.add_kept_out(view, &mut nums);
        }
        let mut told: HashSet<EventNum> = nums.iter().map(|(_, num)| *num).collect();
        let mut nums: Vec<EventNum> = nums.into_iter().map(|(_, num)| num).collect();
        if filter.lazy_load_members {
            for num in self.list_needed_members(scope, view, &target) {
                if told.insert(num) {
                    nums.push(num);
                }
            }
        }
        let mut events = view.events(&nums).await?;
        events.retain(|event| filter.matches(&event.event));
        if filter.lazy_load_members {
            let sent = events.iter().chain(&self.window.events).filter_map(|event| member_key(event));
            scope.sent_members.note(scope.who, view.room.key, self.to, sent);
        }
        Ok(events)
    }

    /// The state up to which changes are told.
    async fn load_target(&self, scope: &Scope<'_>, view: &RoomView) -> Result<StateMap, StorageError> {
        match self.window.events.first() {
            Some(first) if !scope.tells_state_after() => view.state_at(first.before).await,
            _ => Ok(self.end.state.clone()),
        }
    }

    /// State that the timeline's filter keeps out of the timeline is told here, where it is still in force.
    fn add_kept_out(&self, view: &RoomView, nums: &mut Vec<(StateKeyNum, EventNum)>) {
        for event in &self.window.kept_out {
            let Some((kind, state_key)) = event.event.state_pair() else { continue };
            let Some(key) = view.room.keys.find(kind, state_key) else { continue };
            if self.end.state.get(&key) == Some(&event.num) {
                nums.retain(|(known, _)| *known != key);
                nums.push((key, event.num));
            }
        }
    }

    /// The memberships of those who speak in the timeline, of the heroes, and of the reader at first.
    fn list_needed_members(&self, scope: &Scope<'_>, view: &RoomView, target: &StateMap) -> Vec<EventNum> {
        let is_first = self.base.is_none();
        let mut users: Vec<&OwnedUserId> = self.window.events.iter().map(|event| &event.event.sender).collect();
        users.extend(self.heroes);
        if is_first {
            users.push(&scope.who.user_id);
            scope.sent_members.forget(scope.who, view.room.key);
        }
        let redundant = scope.request.filter.state.include_redundant_members || is_first;
        let since = scope.since(scope.hub.lane_of(view.room.key)).unwrap_or_default();
        users.dedup();
        users.retain(|user| redundant || !scope.sent_members.has(scope.who, view.room.key, UserKey::of(user), since));
        users.into_iter().filter_map(|user| num_in(view, target, MEMBER, user.as_str())).collect()
    }
}

fn member_key(event: &StoredEvent) -> Option<UserKey> {
    let (kind, state_key) = event.event.state_pair()?;
    let user = ruma::UserId::parse(state_key).ok()?;
    (kind == MEMBER).then(|| UserKey::of(&user))
}

/// State changes under the name that the request asks for.
pub fn under_name(form: StateForm, events: Vec<Piece>) -> StateChanges {
    let events = Events::from(events);
    match form {
        StateForm::Before => {
            StateChanges { state: Some(events).filter(|events| !events.is_empty()), ..StateChanges::default() }
        }
        // Required even when empty: its presence says that the timeline does not change the state.
        StateForm::After => StateChanges { state_after: Some(events), ..StateChanges::default() },
        StateForm::AfterUnstable => StateChanges { state_after_unstable: Some(events), ..StateChanges::default() },
    }
}
