//! What stands around the results of a search.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::EventFilter;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Flows;
use super::messages::{Wanted, beyond, list_senders, walk};
use super::search::SearchRequest;
use crate::rooms::{Direction, HistoryPos, RoomError, RoomView, StoredEvent};
use crate::sync::history_token;
use crate::users::{IgnoredUsers, LocalUser};

/// Events before a result, and after it, at the most.
pub const CONTEXT_EVENTS_MAX: usize = 25;

/// What stands around a result.
pub struct SearchContext {
    /// Where what is before continues.
    pub start: String,
    /// Where what is after continues.
    pub end: String,
    /// The newest first.
    pub events_before: Vec<Box<RawValue>>,
    /// The oldest first.
    pub events_after: Vec<Box<RawValue>>,
    /// By user id.
    pub profiles: BTreeMap<String, HistoricProfile>,
}

/// How somebody was called in the room then.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HistoricProfile {
    pub displayname: Option<String>,
    pub avatar_url: Option<String>,
}

impl Flows {
    pub(super) async fn load_search_context(
        &self,
        user: &LocalUser,
        view: &RoomView,
        stored: &Arc<StoredEvent>,
        (request, ignored): (&SearchRequest<'_>, &IgnoredUsers),
    ) -> Result<SearchContext, RoomError> {
        let (before_max, after_max) = request.context;
        let all = EventFilter::all();
        let wanted = |max: usize| Wanted { limit: max.min(CONTEXT_EVENTS_MAX), filter: &all, ignored };
        let (backward, forward) = (HistoryPos::of(stored), beyond(stored, Direction::Forward));
        let before = walk(view, user, (backward, None), Direction::Backward, wanted(before_max)).await?.events;
        let after = walk(view, user, (forward, None), Direction::Forward, wanted(after_max)).await?.events;
        let mut context = SearchContext {
            start: history_token(before.last().map_or(backward, |oldest| HistoryPos::of(oldest))),
            end: history_token(after.last().map_or(forward, |newest| beyond(newest, Direction::Forward))),
            events_before: view.list_bundled_json(&before, self.audience(user), ignored).await?,
            events_after: view.list_bundled_json(&after, self.audience(user), ignored).await?,
            profiles: BTreeMap::new(),
        };
        if request.include_profile {
            let newest = after.last().unwrap_or(stored);
            let mut events = before.clone();
            events.extend(after.iter().cloned());
            events.push(stored.clone());
            for member in list_senders(view, newest, &events).await? {
                let user_id = member.event.state_key.clone().unwrap_or_default();
                context.profiles.insert(user_id, member.event.content_as().unwrap_or_default());
            }
        }
        Ok(context)
    }
}
