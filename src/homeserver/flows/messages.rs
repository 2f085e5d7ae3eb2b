//! Pages of a room's history (C-S API, "Getting events for a room").

use std::collections::BTreeSet;
use std::sync::Arc;

use hearth_protocol::EventFilter;
use ruma::{OwnedUserId, RoomId};
use serde_json::value::RawValue;

use super::{Flows, Readable};
use crate::rooms::{Direction, HistoryPos, RoomError, RoomView, StoredEvent};
use crate::sync::{PageToken, history_token};
use crate::users::{IgnoredUsers, LocalUser};

/// Events in one page.
pub const PAGE_EVENTS_MAX: usize = 500;
/// Events that are looked at for one page, when few of them are for the reader.
const LOOKED_AT_MAX: usize = 5_000;

/// Which page.
pub struct MessagesRequest<'a> {
    /// Where it begins; the end of history in the walk's direction when left out.
    pub from: Option<&'a str>,
    /// Where it has to stop.
    pub to: Option<&'a str>,
    /// Which way.
    pub direction: Direction,
    /// Events at the most.
    pub limit: usize,
    /// Which events.
    pub filter: &'a EventFilter,
}

/// A page.
pub struct MessagesPage {
    /// Where it begins.
    pub start: String,
    /// Where the next one begins; none when there is nothing more.
    pub end: Option<String>,
    /// The events, in the direction of the walk: an array in JSON.
    pub chunk: String,
    /// The members who sent them, when the filter loads members lazily.
    pub state: Vec<Box<RawValue>>,
}

/// Which events a walk is for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Events at the most.
    pub limit: usize,
    pub filter: &'a EventFilter,
    /// Whose events are left out, their state events excepted.
    pub ignored: &'a IgnoredUsers,
}

/// Events of a walk, and where it goes on.
pub(super) struct Walked {
    pub events: Vec<Arc<StoredEvent>>,
    pub next: Option<HistoryPos>,
}

impl Flows {
    /// A page of a room's history, of events that the caller may see.
    ///
    /// # Errors
    /// When the room is not readable, or a token is none of this server's.
    pub async fn load_messages(
        &self,
        user: &LocalUser,
        room: &RoomId,
        request: &MessagesRequest<'_>,
    ) -> Result<MessagesPage, RoomError> {
        let Readable { view, .. } = self.require_readable(user, room).await?;
        let ignored = self.users.load_ignored(&user.user_id).await?;
        let from = match request.from {
            Some(token) => self.history_pos(&view, token).await?,
            None if request.direction == Direction::Forward => HistoryPos::START,
            None => HistoryPos::END,
        };
        let to = match request.to {
            Some(token) => Some(self.history_pos(&view, token).await?),
            None => None,
        };
        let limit = request.limit.min(PAGE_EVENTS_MAX);
        let wanted = Wanted { limit, filter: request.filter, ignored: &ignored };
        let walked = walk(&view, user, (from, to), request.direction, wanted).await?;
        // Where a filter held events back, there may be more for another one: the page has an end still.
        let last = walked.events.last().filter(|_| request.to.is_none() && request.filter.holds_events_back());
        let behind_the_filter = last.map(|last| beyond(last, request.direction));
        let newest = match request.direction {
            Direction::Forward => walked.events.last(),
            Direction::Backward => walked.events.first(),
        };
        let state = match newest {
            Some(newest) if request.filter.lazy_load_members => list_senders(&view, newest, &walked.events).await?,
            _ => Vec::new(),
        };
        Ok(MessagesPage {
            start: request.from.map_or_else(|| history_token(from), str::to_owned),
            end: walked.next.or(behind_the_filter).map(history_token),
            chunk: view.write_bundled_json(&walked.events, self.audience(user), &ignored).await?,
            state: view.list_client_json(&state, self.audience(user)).await?,
        })
    }

    /// The place in history that a token means.
    pub(super) async fn history_pos(&self, view: &RoomView, token: &str) -> Result<HistoryPos, RoomError> {
        let token = PageToken::parse(token, self.env.store.lanes())
            .map_err(|_| RoomError::Invalid("not a token of this server"))?;
        Ok(token.history_pos(&self.env.store, view).await?)
    }
}

/// Walks from a place until enough events are found that the reader may see and wants.
pub(super) async fn walk(
    view: &RoomView,
    user: &LocalUser,
    (from, to): (HistoryPos, Option<HistoryPos>),
    direction: Direction,
    wanted: Wanted<'_>,
) -> Result<Walked, RoomError> {
    let Wanted { limit, filter, ignored } = wanted;
    let (mut events, mut pos, mut looked_at) = (Vec::new(), from, 0);
    while events.len() < limit && looked_at < LOOKED_AT_MAX {
        let stretch = view.list_history(pos, to, direction, limit).await?;
        let Some(last) = stretch.events.last().map(|last| beyond(last, direction)) else {
            return Ok(Walked { events, next: None });
        };
        looked_at += stretch.events.len();
        let is_heard = |stored: &StoredEvent| !ignored.hides(&stored.event);
        let wanted = stretch.events.into_iter().filter(|stored| is_heard(stored) && filter.matches(&stored.event));
        let wanted = view.list_related_by(wanted.collect(), filter).await?;
        let missing = limit - events.len();
        let mut visible = view.list_visible(wanted, &user.user_id).await?;
        if visible.len() > missing {
            visible.truncate(missing);
            let next = visible.last().map(|last| beyond(last, direction));
            events.append(&mut visible);
            return Ok(Walked { events, next });
        }
        events.append(&mut visible);
        if !stretch.more {
            return Ok(Walked { events, next: None });
        }
        pos = last;
    }
    Ok(Walked { events, next: Some(pos) })
}

/// The place right behind an event, in the direction of the walk.
pub(super) fn beyond(event: &StoredEvent, direction: Direction) -> HistoryPos {
    let pos = HistoryPos::of(event);
    match direction {
        Direction::Forward => HistoryPos { order: pos.order.saturating_add(1), ..pos },
        Direction::Backward => pos,
    }
}

/// The member events, as of the newest of some events, of those who sent them.
pub(super) async fn list_senders(
    view: &RoomView,
    newest: &StoredEvent,
    events: &[Arc<StoredEvent>],
) -> Result<Vec<Arc<StoredEvent>>, RoomError> {
    let state = view.state_at(newest.after).await?;
    let senders: BTreeSet<&OwnedUserId> = events.iter().map(|stored| &stored.event.sender).collect();
    let keys = senders.into_iter().filter_map(|sender| view.room.keys.find("m.room.member", sender.as_str()));
    let nums: Vec<_> = keys.filter_map(|key| state.get(&key).copied()).collect();
    Ok(view.events(&nums).await?)
}
