//! Which events of a room go into a timeline: the newest that the reader may see and wants to, up to a limit.

use std::collections::HashSet;
use std::sync::Arc;

use hearth_protocol::{EventFilter, EventNum, LanePos};
use hearth_storage::StorageError;

use super::scope::Scope;
use super::token::before;
use crate::rooms::{HistoryPos, RoomView, StoredEvent};

/// Events of a timeline when the filter names no limit.
const LIMIT_DEFAULT: usize = 10;
/// Events of a timeline at the most.
pub const LIMIT_MAX: usize = 100;
/// Events that are looked at for one timeline; beyond, it ends there as if by the limit.
const LOOKED_AT_MAX: usize = 500;

/// From where to where a timeline may reach.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Behind this position.
    pub from: LanePos,
    /// Up to and with this one.
    pub to: LanePos,
    /// End the timeline at a piece of state that the reader may not see, so that what is told of the state fits.
    pub ends_at_unseen_state: bool,
    /// The reader's own membership event, which they see whatever the room's rules say.
    pub own: Option<EventNum>,
}

/// A timeline before it is written out.
#[derive(Default)]
pub struct Window {
    /// The events, oldest first.
    pub events: Vec<Arc<StoredEvent>>,
    /// There were more than the limit allows.
    pub limited: bool,
    /// Pieces of state between the first and the last place of the timeline that the filter keeps out of it.
    pub kept_out: Vec<Arc<StoredEvent>>,
    /// Whether there was anything at all in the range.
    pub is_news: bool,
}

impl Window {
    /// The timeline of a range.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load(scope: &Scope<'_>, view: &RoomView, range: Range) -> Result<Self, StorageError> {
        let filter = &scope.request.filter.timeline;
        let limit = limit_of(filter);
        let mut window = Self::default();
        let (mut to, mut looked_at) = (range.to, 0);
        'pages: loop {
            let (events, more) = list_newest(scope, view, range.from, to, limit + 1).await?;
            let Some(oldest) = events.last().map(|event| event.pos) else { break };
            window.is_news = true;
            looked_at += events.len();
            let visible = view.list_visible(events.clone(), &scope.who.user_id).await?;
            let visible: HashSet<EventNum> = visible.iter().map(|event| event.num).collect();
            let wanted = list_wanted(view, filter, &events).await?;
            for event in events {
                let is_seen = visible.contains(&event.num) || range.own == Some(event.num);
                let is_state = event.event.is_state();
                if !is_seen {
                    if is_state && range.ends_at_unseen_state {
                        window.limited = true;
                        break 'pages;
                    }
                    continue;
                }
                let is_ignored = scope.personal.ignored.hides(&event.event);
                if is_ignored || !wanted.contains(&event.num) {
                    if is_state && window.events.len() < limit {
                        window.kept_out.push(event);
                    }
                } else if window.events.len() == limit {
                    window.limited = true;
                    break 'pages;
                } else {
                    window.events.push(event);
                }
            }
            if !more {
                break;
            }
            if looked_at >= LOOKED_AT_MAX {
                window.limited = true;
                break;
            }
            to = before(oldest);
        }
        window.events.reverse();
        Ok(window)
    }

    /// The place in history right before the timeline, or at its end where it is empty.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn start(&self, view: &RoomView, to: LanePos) -> Result<HistoryPos, StorageError> {
        match self.events.first() {
            Some(first) => Ok(HistoryPos::of(first)),
            None => view.history_pos_at(to).await,
        }
    }

    /// Whether it reaches back to the beginning of the room.
    pub fn has_create(&self) -> bool {
        self.events.first().is_some_and(|first| first.event.state_pair() == Some(("m.room.create", "")))
    }
}

/// How many events a filter wants at the most.
pub fn limit_of(filter: &EventFilter) -> usize {
    filter.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX)
}

/// Which of the events the filter lets through.
async fn list_wanted(
    view: &RoomView,
    filter: &EventFilter,
    events: &[Arc<StoredEvent>],
) -> Result<HashSet<EventNum>, StorageError> {
    let matching = events.iter().filter(|event| filter.matches(&event.event)).cloned().collect();
    let wanted = view.list_related_by(matching, filter).await?;
    Ok(wanted.iter().map(|event| event.num).collect())
}

/// The newest events of a range, newest first, and whether there are more; out of memory where they are recent.
async fn list_newest(
    scope: &Scope<'_>,
    view: &RoomView,
    from: LanePos,
    to: LanePos,
    limit: usize,
) -> Result<(Vec<Arc<StoredEvent>>, bool), StorageError> {
    if to <= from {
        return Ok((Vec::new(), false));
    }
    if let Some(mut nums) = scope.hub.room_events(view.room.key, from, to) {
        let more = nums.len() > limit;
        let mut nums = nums.split_off(nums.len().saturating_sub(limit));
        nums.reverse();
        return Ok((view.events(&nums).await?, more));
    }
    let stretch = view.list_arrived(from, to, limit).await?;
    Ok((stretch.events, stretch.more))
}
