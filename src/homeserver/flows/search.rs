//! Searching messages (C-S API, "Server Side Search"): what the index finds, passed through the gate.

use std::collections::BTreeMap;
use std::sync::Arc;

use hearth_protocol::{EventFilter, EventNum, RoomKey};
use hearth_storage::StorageError;
use ruma::{OwnedRoomId, OwnedUserId, RoomId};
use serde_json::value::RawValue;

use super::Flows;
use super::search_context::SearchContext;
use crate::rooms::{RoomError, RoomView, StoredEvent};
use crate::search::{Cursor, Field, Group, Hit, Place, Query, SearchWalk};
use crate::users::{IgnoredUsers, LocalUser};

/// Results of a page when the client names no limit.
const RESULTS_DEFAULT: usize = 10;
/// Results of a page at the most.
pub const RESULTS_MAX: usize = 100;
/// Events with all the words, the newest ones, among which the best are looked for.
const RANKED_MAX: usize = 1_000;
/// What the index found that one request loads at the most, shown or not.
const LOADED_MAX: usize = 2_000;
/// Events found at once that are passed through the gate together.
const HITS_PER_STEP: usize = 50;

/// In which order results come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The best match first.
    Rank,
    /// The newest first.
    Recent,
}

/// What results may be gathered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    Room,
    Sender,
}

/// What is asked.
pub struct SearchRequest<'a> {
    pub text: &'a str,
    pub fields: &'a [Field],
    pub filter: &'a EventFilter,
    pub order: Order,
    /// Events before and after each result at the most.
    pub context: (usize, usize),
    /// With the names and avatars that the senders had then.
    pub include_profile: bool,
    /// With the state of the rooms of the results.
    pub include_state: bool,
    pub group_by: &'a [GroupBy],
    /// The token of the page, none for the first.
    pub from: Option<&'a str>,
}

/// One result.
pub struct SearchResult {
    pub rank: f64,
    pub event_id: String,
    pub room_id: OwnedRoomId,
    pub sender: OwnedUserId,
    pub event: Box<RawValue>,
    pub context: SearchContext,
}

/// A page of results.
#[derive(Default)]
pub struct SearchPage {
    /// About how many results there are on all pages.
    pub count: u64,
    pub results: Vec<SearchResult>,
    /// Words as they are written in the results, for marking them.
    pub highlights: Vec<String>,
    /// The token of the next page.
    pub next: Option<String>,
    /// The token of the next page of each group.
    pub next_of_groups: BTreeMap<String, String>,
    pub state: BTreeMap<OwnedRoomId, Vec<Box<RawValue>>>,
}

/// Why a search was refused.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The server has no index.
    #[error("search is switched off")]
    Off,
    /// The token of the page is none of a search.
    #[error(transparent)]
    Cursor(#[from] crate::search::InvalidCursor),
    /// Reading failed.
    #[error(transparent)]
    Room(#[from] RoomError),
}

impl From<StorageError> for SearchError {
    fn from(error: StorageError) -> Self {
        Self::Room(error.into())
    }
}

/// A result that the caller may see.
struct Shown {
    hit: Hit,
    view: RoomView,
    stored: Arc<StoredEvent>,
}

/// What was shown, and how it goes on.
struct Found {
    shown: Vec<Shown>,
    /// None when there is nothing more.
    next: Option<(Place, Option<u32>)>,
    estimate: u64,
}

impl Flows {
    /// A page of the events that hold all words of a text, in the rooms that the caller is or was in. Events that
    /// arrive while the index lags are found a moment later.
    ///
    /// # Errors
    /// When search is switched off, the token is bad, or reading fails.
    pub async fn search(&self, user: &LocalUser, request: &SearchRequest<'_>) -> Result<SearchPage, SearchError> {
        if !self.search.is_enabled() {
            return Err(SearchError::Off);
        }
        let cursor = request.from.map(Cursor::parse).transpose()?;
        let group = cursor.as_ref().and_then(|cursor| cursor.group.as_ref());
        let fields = request.fields.iter().copied().filter(|field| request.filter.matches_type(field.kind()));
        let query = Query::new(request.text, &fields.collect::<Vec<_>>());
        let rooms = self.list_searched_rooms(user, request.filter, group).await?;
        let after = cursor.as_ref().map(|cursor| match cursor.skip {
            // Ranked pages look at the same events again.
            Some(_) => Place { event: EventNum(cursor.place.event.0.saturating_add(1)), ..cursor.place },
            None => cursor.place,
        });
        let mut walk = self.search.begin(&query, &rooms, after).await?;
        let gate = Gate { flows: self, user, request, group, ignored: self.users.load_ignored(&user.user_id).await? };
        let skip = cursor.as_ref().and_then(|cursor| cursor.skip).unwrap_or(0);
        let found = match request.order {
            Order::Recent => gate.list_recent(&mut walk).await?,
            Order::Rank => gate.list_ranked(&mut walk, skip).await?,
        };
        let count = match &cursor {
            Some(cursor) => cursor.count,
            None => found.estimate,
        };
        self.build_page(user, (request, &*gate.ignored), &query, found, count).await
    }

    /// The rooms that are searched: those that the caller is in or has left, and not forgotten.
    async fn list_searched_rooms(
        &self,
        user: &LocalUser,
        filter: &EventFilter,
        group: Option<&Group>,
    ) -> Result<Vec<RoomKey>, StorageError> {
        let rows = self.users.list_rooms(&user.key).await?;
        let searched = rows.into_iter().filter(|(_, row)| {
            let was_in = matches!(row.membership.as_str(), "join" | "leave" | "ban") && !row.forgotten;
            let in_group = match group {
                Some(Group::Room(room)) => row.room_id == *room,
                Some(Group::Sender(_)) | None => true,
            };
            was_in && in_group && RoomId::parse(row.room_id.as_str()).is_ok_and(|room| filter.matches_room(&room))
        });
        Ok(searched.map(|(key, _)| key).collect())
    }

    async fn build_page(
        &self,
        user: &LocalUser,
        (request, ignored): (&SearchRequest<'_>, &IgnoredUsers),
        query: &Query,
        found: Found,
        count: u64,
    ) -> Result<SearchPage, SearchError> {
        let mut page = SearchPage { count, ..SearchPage::default() };
        if let Some((place, skip)) = found.next {
            let cursor = |group| Cursor { place, skip, count, group }.to_token();
            page.next = Some(cursor(None));
            for shown in &found.shown {
                let groups = request.group_by.iter().map(|by| match by {
                    GroupBy::Room => Group::Room(shown.view.room.room_id.to_string()),
                    GroupBy::Sender => Group::Sender(shown.stored.event.sender.to_string()),
                });
                page.next_of_groups.extend(groups.map(|group| (group.value().to_owned(), cursor(Some(group)))));
            }
        }
        let mut marked: Vec<String> = query.words.clone();
        for Shown { hit, view, stored } in found.shown {
            marked.extend(crate::words::spellings(stored.event.content.get(), &query.words));
            let room_id = view.room.room_id.clone();
            if request.include_state && !page.state.contains_key(&room_id) {
                page.state.insert(room_id.clone(), self.list_state(user, &room_id).await?);
            }
            page.results.push(SearchResult {
                rank: hit.rank,
                event_id: stored.event.id.to_string(),
                room_id,
                sender: stored.event.sender.clone(),
                event: self.write_event(&view, user, &stored).await?,
                context: self.load_search_context(user, &view, &stored, (request, ignored)).await?,
            });
        }
        marked.sort_unstable();
        marked.dedup();
        page.highlights = marked;
        Ok(page)
    }
}

/// Decides what of the found events the caller is shown.
struct Gate<'a> {
    flows: &'a Flows,
    user: &'a LocalUser,
    request: &'a SearchRequest<'a>,
    group: Option<&'a Group>,
    ignored: Arc<IgnoredUsers>,
}

impl Gate<'_> {
    fn limit(&self) -> usize {
        self.request.filter.limit.unwrap_or(RESULTS_DEFAULT).clamp(1, RESULTS_MAX)
    }

    async fn list_recent(&self, walk: &mut SearchWalk) -> Result<Found, RoomError> {
        let (limit, mut shown, mut loaded, mut last) = (self.limit(), Vec::new(), 0, None);
        while shown.len() < limit && loaded < LOADED_MAX {
            let mut hits = Vec::new();
            while hits.len() < (limit - shown.len()).min(HITS_PER_STEP)
                && let Some(hit) = walk.next().await?
            {
                hits.push(hit);
            }
            let Some(end) = hits.last() else { break };
            (loaded, last) = (loaded + hits.len(), Some(end.place));
            shown.extend(self.pass(&hits).await?);
        }
        let estimate = if walk.is_done() { shown.len() as u64 } else { walk.estimate() };
        // A full page has a next one, if only an empty one: clients go on until there is none.
        let next = match walk.place() {
            Some(_) if shown.len() >= limit || loaded >= LOADED_MAX => last,
            Some(place) => Some(place),
            None => last.filter(|_| shown.len() >= limit),
        };
        Ok(Found { shown, next: next.map(|place| (place, None)), estimate })
    }

    async fn list_ranked(&self, walk: &mut SearchWalk, skip: u32) -> Result<Found, RoomError> {
        let mut hits = Vec::new();
        while hits.len() < RANKED_MAX
            && let Some(hit) = walk.next().await?
        {
            hits.push(hit);
        }
        let first = hits.first().map(|hit| hit.place);
        hits.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| b.place.cmp(&a.place)));
        let (limit, mut shown, mut at) = (self.limit(), Vec::new(), skip as usize);
        while shown.len() < limit && at < hits.len() {
            let end = (at + (limit - shown.len()).min(HITS_PER_STEP)).min(hits.len());
            shown.extend(self.pass(&hits[at..end]).await?);
            at = end;
        }
        let is_whole = walk.is_done() && at >= hits.len() && skip == 0;
        let estimate = if is_whole { shown.len() as u64 } else { walk.estimate() };
        let skip = u32::try_from(at).unwrap_or(u32::MAX);
        let next = first.filter(|_| shown.len() >= limit).map(|place| (place, Some(skip)));
        Ok(Found { shown, next, estimate })
    }

    /// Those of the hits that the caller is shown, in their order.
    async fn pass(&self, hits: &[Hit]) -> Result<Vec<Shown>, RoomError> {
        let mut by_room: BTreeMap<[u8; 16], (RoomKey, Vec<EventNum>)> = BTreeMap::new();
        for hit in hits {
            let room = hit.place.room;
            by_room.entry(room.0).or_insert((room, Vec::new())).1.push(hit.place.event);
        }
        let mut passed = BTreeMap::new();
        for (room, nums) in by_room.into_values() {
            let Some(view) = self.flows.rooms.load_view_by_key(room).await? else { continue };
            let events = view.events(&nums).await?.into_iter().filter(|stored| self.wants(stored)).collect();
            for stored in view.list_visible(events, &self.user.user_id).await? {
                passed.insert((room.0, stored.num), (view.clone(), stored));
            }
        }
        let shown = hits.iter().filter_map(|hit| {
            let (view, stored) = passed.remove(&(hit.place.room.0, hit.place.event))?;
            Some(Shown { hit: *hit, view, stored })
        });
        Ok(shown.collect())
    }

    fn wants(&self, stored: &StoredEvent) -> bool {
        let event = &stored.event;
        let in_group = match self.group {
            Some(Group::Sender(sender)) => event.sender == *sender,
            Some(Group::Room(_)) | None => true,
        };
        stored.redacted_by.is_none()
            && in_group
            && self.request.filter.matches(event)
            && !self.ignored.contains(&event.sender)
    }
}
