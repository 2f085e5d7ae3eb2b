//! The events that relate to an event (C-S API, "Relationships API").

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hearth_protocol::EventKey;
use ruma::{EventId, RoomId};
use serde_json::value::RawValue;

use super::Flows;
use super::messages::beyond;
use crate::rooms::{BundleReader, Direction, HistoryPos, Related, RelationFilter, RoomError, RoomView, StoredEvent};
use crate::sync::history_token;
use crate::users::LocalUser;

/// Events in one page.
const PAGE_EVENTS_MAX: usize = 100;
/// Events in a page when the request names no number.
const PAGE_EVENTS_DEFAULT: usize = 50;
/// Relations that are looked at for one page, when few of them are for the reader.
const LOOKED_AT_MAX: usize = 2_000;
/// From relation to relation, how far a recursion goes.
const RECURSION_DEPTH_MAX: u32 = 3;
/// Events that a recursion gathers.
const RECURSED_EVENTS_MAX: usize = 5_000;
/// Targets whose relations are read side by side.
const TARGETS_AT_ONCE: usize = 16;

/// Which relations are wanted.
pub struct RelationsRequest<'a> {
    /// Which of them.
    pub filter: RelationFilter<'a>,
    /// Where the page begins; at the end of history in the walk's direction when left out.
    pub from: Option<&'a str>,
    /// Where it has to stop.
    pub to: Option<&'a str>,
    /// Which way.
    pub direction: Direction,
    /// Events at the most.
    pub limit: Option<usize>,
    /// Also what relates to what relates to the event.
    pub recurse: bool,
}

/// A page of relations.
pub struct RelationsPage {
    /// The events, in the direction of the walk.
    pub chunk: Vec<Box<RawValue>>,
    /// Where the next page begins; none when there is nothing more.
    pub next_batch: Option<String>,
    /// How far a recursion went.
    pub recursion_depth: Option<u32>,
}

/// What a walk found.
struct Found {
    events: Vec<Arc<StoredEvent>>,
    next: Option<HistoryPos>,
}

impl Flows {
    /// A page of the events that relate to an event, of those that the caller may see.
    ///
    /// # Errors
    /// When the event is unknown or not visible, or a token is none of this server's.
    pub async fn load_relations(
        &self,
        user: &LocalUser,
        room: &RoomId,
        event_id: &EventId,
        request: &RelationsRequest<'_>,
    ) -> Result<RelationsPage, RoomError> {
        let view = self.rooms.load_view(room).await?.ok_or(RoomError::UnknownEvent)?;
        let target = view.load_event(event_id).await?.ok_or(RoomError::UnknownEvent)?;
        if !view.check_access(&target, &user.user_id).await? {
            return Err(RoomError::UnknownEvent);
        }
        let from = match (request.from, request.direction) {
            (Some(token), _) => self.history_pos(&view, token).await?,
            (None, Direction::Forward) => HistoryPos::START,
            (None, Direction::Backward) => HistoryPos::END,
        };
        let to = match request.to {
            Some(token) => Some(self.history_pos(&view, token).await?),
            None => None,
        };
        let limit = request.limit.unwrap_or(PAGE_EVENTS_DEFAULT).clamp(1, PAGE_EVENTS_MAX);
        let ignored = self.users.load_ignored(&user.user_id).await?;
        let reader = BundleReader { user: &user.user_id, ignored: &ignored };
        let walk = Walk { view: &view, reader, request, range: (from, to), limit };
        let found = if request.recurse { walk.recurse(event_id).await? } else { walk.go(event_id).await? };
        Ok(RelationsPage {
            chunk: view.list_bundled_json(&found.events, self.audience(user), &ignored).await?,
            next_batch: found.next.map(history_token),
            recursion_depth: request.recurse.then_some(RECURSION_DEPTH_MAX),
        })
    }
}

/// A walk over the relations of an event.
struct Walk<'a> {
    view: &'a RoomView,
    reader: BundleReader<'a>,
    request: &'a RelationsRequest<'a>,
    range: (HistoryPos, Option<HistoryPos>),
    limit: usize,
}

impl Walk<'_> {
    /// Over the direct relations: as many steps as it takes to fill the page.
    async fn go(&self, target: &EventId) -> Result<Found, RoomError> {
        let (mut from, to) = self.range;
        let (mut events, mut looked_at) = (Vec::new(), 0);
        let (target, direction) = (EventKey::of(target), self.request.direction);
        loop {
            let page = self.view.list_related(target, self.request.filter, (from, to), direction, self.limit).await?;
            looked_at += self.limit;
            events.extend(self.view.list_wanted(&page.related, self.reader).await?);
            if events.len() > self.limit {
                return Ok(self.cut(events));
            }
            match page.more {
                Some(next) if events.len() < self.limit && looked_at < LOOKED_AT_MAX => from = next,
                next => return Ok(Found { events, next }),
            }
        }
    }

    /// Over direct and indirect relations: the whole tree is gathered, within its limits, and the page is cut from it.
    async fn recurse(&self, target: &EventId) -> Result<Found, RoomError> {
        let mut tree: HashMap<EventKey, Related> = HashMap::new();
        let mut level = vec![EventKey::of(target)];
        let mut seen: HashSet<EventKey> = level.iter().copied().collect();
        for _ in 0..RECURSION_DEPTH_MAX {
            let found: Vec<Vec<Related>> = stream::iter(level.into_iter().map(|target| self.list_children(target)))
                .buffered(TARGETS_AT_ONCE)
                .try_collect()
                .await?;
            let found: Vec<Related> = found.into_iter().flatten().collect();
            let nums: Vec<_> = found.iter().map(|related| related.row.num).collect();
            let events = self.view.events(&nums).await?;
            let mut next = Vec::new();
            for (stored, related) in events.iter().zip(found) {
                let key = EventKey::of(&stored.event.id);
                if tree.len() < RECURSED_EVENTS_MAX && seen.insert(key) {
                    tree.insert(key, related);
                    next.push(stored.clone());
                }
            }
            let totals = self.view.list_totals(&next).await?;
            let with_children = next.iter().zip(totals).filter(|(_, total)| total.is_some());
            level = with_children.map(|(stored, _)| EventKey::of(&stored.event.id)).collect();
        }
        let mut related: Vec<Related> = tree.into_values().filter(|related| self.is_in_range(related.pos)).collect();
        related.sort_unstable_by_key(|related| related.pos);
        if self.request.direction == Direction::Backward {
            related.reverse();
        }
        let mut events = Vec::new();
        for part in related.chunks(self.limit) {
            events.extend(self.view.list_wanted(part, self.reader).await?);
            if events.len() > self.limit {
                return Ok(self.cut(events));
            }
        }
        Ok(Found { events, next: None })
    }

    async fn list_children(&self, target: EventKey) -> Result<Vec<Related>, RoomError> {
        let (mut children, mut from) = (Vec::new(), HistoryPos::END);
        loop {
            let range = (from, None);
            let step = RECURSED_EVENTS_MAX / 5;
            let page = self.view.list_related(target, self.request.filter, range, Direction::Backward, step).await?;
            children.extend(page.related);
            match page.more {
                Some(next) if children.len() < RECURSED_EVENTS_MAX => from = next,
                _ => return Ok(children),
            }
        }
    }

    fn is_in_range(&self, pos: HistoryPos) -> bool {
        let (from, to) = self.range;
        match self.request.direction {
            Direction::Forward => pos >= from && to.is_none_or(|to| pos < to),
            Direction::Backward => pos < from && to.is_none_or(|to| pos >= to),
        }
    }

    fn cut(&self, mut events: Vec<Arc<StoredEvent>>) -> Found {
        events.truncate(self.limit);
        let next = events.last().map(|last| beyond(last, self.request.direction));
        Found { events, next }
    }
}
