//! Clients' filters, compiled once and matched against many events.
//!
//! Spec: client-server API, "Filtering". An absent list lets everything through, an empty list of what to
//! include lets nothing through, and what is excluded stays excluded even when it is included too.

use std::collections::BTreeSet;

use ruma::api::client::filter::{EventFormat, Filter, FilterDefinition, LazyLoadOptions, RoomEventFilter, UrlFilter};
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UInt, UserId};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::event::Event;
use crate::event_fields::EventFields;
use crate::filter_relations::{RelatedBy, RelationTypes, parse_relations};

/// A pattern in which `*` stands for any text, also for none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob {
    /// The texts between the stars.
    pieces: Vec<String>,
}

impl Glob {
    fn new(pattern: &str) -> Self {
        Self { pieces: pattern.split('*').map(str::to_owned).collect() }
    }

    fn matches(&self, text: &str) -> bool {
        let [first, rest @ ..] = self.pieces.as_slice() else {
            return false;
        };
        let Some(mut text) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        let [middle @ .., last] = rest else {
            return text.is_empty();
        };
        // The earliest place for each piece leaves the most for those after it.
        for piece in middle {
            let Some(at) = text.find(piece.as_str()) else {
                return false;
            };
            text = &text[at + piece.len()..];
        }
        text.ends_with(last.as_str())
    }
}

/// A list of what to let through (`None`: all) and one of what to hold back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rooms {
    only: Option<BTreeSet<OwnedRoomId>>,
    not: BTreeSet<OwnedRoomId>,
}

impl Rooms {
    fn new(only: Option<&[OwnedRoomId]>, not: &[OwnedRoomId]) -> Self {
        let set = |ids: &[OwnedRoomId]| ids.iter().cloned().collect();
        Self { only: only.map(set), not: set(not) }
    }

    fn matches(&self, room_id: &RoomId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(room_id)) && !self.not.contains(room_id)
    }
}

#[derive(Deserialize)]
struct HasUrl {
    url: Option<IgnoredAny>,
}

/// A filter of events, for one part of a sync or for an endpoint that takes a filter of room events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// The most events the client wants; the endpoint has its own default and limit.
    pub limit: Option<usize>,
    /// Send only the members that the client needs for the events sent.
    pub lazy_load_members: bool,
    /// With `lazy_load_members`: also those members that the client has been sent already.
    pub include_redundant_members: bool,
    /// Count notifications by thread.
    pub unread_thread_notifications: bool,
    /// `Some(true)`: only events with `url` in their content; `Some(false)`: only those without.
    pub contains_url: Option<bool>,
    /// Only events to which others relate in this way.
    pub related_by: Option<RelatedBy>,
    relations: RelationTypes,
    types: Option<Vec<Glob>>,
    not_types: Vec<Glob>,
    senders: Option<BTreeSet<OwnedUserId>>,
    not_senders: BTreeSet<OwnedUserId>,
    rooms: Rooms,
}

fn globs(patterns: &[String]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(pattern)).collect()
}

fn users(ids: &[OwnedUserId]) -> BTreeSet<OwnedUserId> {
    ids.iter().cloned().collect()
}

fn limit(limit: Option<UInt>) -> Option<usize> {
    limit.map(|limit| usize::try_from(u64::from(limit)).unwrap_or(usize::MAX))
}

impl EventFilter {
    /// The filter that lets everything through.
    pub fn all() -> Self {
        Self::compile(&RoomEventFilter::default())
    }

    /// Whether it may hold events back, so that who asks with another filter may find more.
    pub fn holds_events_back(&self) -> bool {
        let Self { limit, lazy_load_members, include_redundant_members, unread_thread_notifications, .. } = *self;
        let open =
            Self { limit, lazy_load_members, include_redundant_members, unread_thread_notifications, ..Self::all() };
        *self != open
    }

    /// Compiles a filter of room events.
    pub fn compile(filter: &RoomEventFilter) -> Self {
        let (lazy_load_members, include_redundant_members) = match filter.lazy_load_options {
            LazyLoadOptions::Disabled => (false, false),
            LazyLoadOptions::Enabled { include_redundant_members } => (true, include_redundant_members),
        };
        Self {
            limit: limit(filter.limit),
            lazy_load_members,
            include_redundant_members,
            unread_thread_notifications: filter.unread_thread_notifications,
            contains_url: filter.url_filter.map(|url| matches!(url, UrlFilter::EventsWithUrl)),
            related_by: None,
            relations: RelationTypes::default(),
            types: filter.types.as_deref().map(globs),
            not_types: globs(&filter.not_types),
            senders: filter.senders.as_deref().map(users),
            not_senders: users(&filter.not_senders),
            rooms: Rooms::new(filter.rooms.as_deref(), &filter.not_rooms),
        }
    }

    /// Compiles a filter of room events as it was written, with what ruma's type leaves out.
    ///
    /// # Errors
    /// When the text is no such filter.
    pub fn compile_text(text: &str) -> Result<Self, serde_json::Error> {
        Self::compile(&serde_json::from_str(text)?).with_relations(text)
    }

    fn with_relations(self, text: &str) -> Result<Self, serde_json::Error> {
        let (related_by, relations) = parse_relations(text)?;
        Ok(Self { related_by, relations, ..self })
    }

    /// Compiles a filter of what belongs to no room: presence, global account data.
    pub fn compile_roomless(filter: &Filter) -> Self {
        Self {
            limit: limit(filter.limit),
            types: filter.types.as_deref().map(globs),
            not_types: globs(&filter.not_types),
            senders: filter.senders.as_deref().map(users),
            not_senders: users(&filter.not_senders),
            ..Self::all()
        }
    }

    /// Whether events of this type may pass.
    pub fn matches_type(&self, kind: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(kind));
        self.types.as_deref().is_none_or(any) && !any(&self.not_types)
    }

    /// Whether events of this sender may pass.
    pub fn matches_sender(&self, sender: &UserId) -> bool {
        self.senders.as_ref().is_none_or(|senders| senders.contains(sender)) && !self.not_senders.contains(sender)
    }

    /// Whether events of this room may pass.
    pub fn matches_room(&self, room_id: &RoomId) -> bool {
        self.rooms.matches(room_id)
    }

    /// Whether something with a type and perhaps a sender passes that is no room event: presence, typing,
    /// receipts, account data.
    pub fn matches_parts(&self, kind: &str, sender: Option<&UserId>) -> bool {
        self.matches_type(kind) && sender.is_none_or(|sender| self.matches_sender(sender))
    }

    /// Whether a room event passes.
    pub fn matches(&self, event: &Event) -> bool {
        self.matches_type(&event.kind)
            && self.matches_sender(&event.sender)
            && self.matches_room(&event.room_id)
            && self.contains_url.is_none_or(|wanted| wanted == has_url(event))
            && self.relations.matches(event)
    }

    /// Whether every event passes, though perhaps not more than a limit of them.
    pub fn is_everything(&self) -> bool {
        self.contains_url.is_none()
            && self.related_by.is_none()
            && self.relations.is_everything()
            && self.types.is_none()
            && self.not_types.is_empty()
            && self.senders.is_none()
            && self.not_senders.is_empty()
            && self.rooms.only.is_none()
            && self.rooms.not.is_empty()
    }

    /// Whether nothing can pass, so that nothing has to be read.
    pub fn is_nothing(&self) -> bool {
        self.limit == Some(0)
            || self.types.as_ref().is_some_and(Vec::is_empty)
            || self.senders.as_ref().is_some_and(BTreeSet::is_empty)
            || self.rooms.only.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

fn has_url(event: &Event) -> bool {
    event.content_as::<HasUrl>().is_ok_and(|content| content.url.is_some())
}

/// A filter of a whole sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncFilter {
    /// The fields of events that the client wants.
    pub event_fields: Option<EventFields>,
    /// Events in the format of federation instead of that of clients.
    pub federation_format: bool,
    /// Also rooms that the user has left.
    pub include_leave: bool,
    /// For presence.
    pub presence: EventFilter,
    /// For the account data of no room.
    pub account_data: EventFilter,
    /// For the account data of rooms.
    pub room_account_data: EventFilter,
    /// For typing and receipts.
    pub ephemeral: EventFilter,
    /// For state.
    pub state: EventFilter,
    /// For timelines.
    pub timeline: EventFilter,
    rooms: Rooms,
}

impl SyncFilter {
    /// The filter that lets everything through.
    pub fn all() -> Self {
        Self::compile(&FilterDefinition::default())
    }

    /// Compiles a filter as clients upload it or put it into a request.
    pub fn compile(filter: &FilterDefinition) -> Self {
        let room = &filter.room;
        Self {
            event_fields: filter.event_fields.as_deref().map(EventFields::parse),
            federation_format: filter.event_format == EventFormat::Federation,
            include_leave: room.include_leave,
            presence: EventFilter::compile_roomless(&filter.presence),
            account_data: EventFilter::compile_roomless(&filter.account_data),
            room_account_data: EventFilter::compile(&room.account_data),
            ephemeral: EventFilter::compile(&room.ephemeral),
            state: EventFilter::compile(&room.state),
            timeline: EventFilter::compile(&room.timeline),
            rooms: Rooms::new(room.rooms.as_deref(), &room.not_rooms),
        }
    }

    /// Compiles a filter as it was written, with what ruma's type leaves out.
    ///
    /// # Errors
    /// When the text is no filter.
    pub fn compile_text(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Parts<'a> {
            #[serde(borrow)]
            room: Option<RoomParts<'a>>,
        }
        #[derive(Deserialize)]
        struct RoomParts<'a> {
            #[serde(borrow)]
            timeline: Option<&'a serde_json::value::RawValue>,
        }
        let mut filter = Self::compile(&serde_json::from_str(text)?);
        let parts: Parts<'_> = serde_json::from_str(text)?;
        if let Some(timeline) = parts.room.and_then(|room| room.timeline) {
            filter.timeline = filter.timeline.with_relations(timeline.get())?;
        }
        Ok(filter)
    }

    /// Whether anything of this room may pass.
    pub fn matches_room(&self, room_id: &RoomId) -> bool {
        self.rooms.matches(room_id)
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
