//! Reading the index: the events with all words, the newest first, over many rooms, a page at a time.
//!
//! The rarest word of a room leads; whether an event has the others as well is asked by key. So a page costs what it
//! holds, however much the rooms hold.

use std::collections::{BinaryHeap, VecDeque};

use hearth_protocol::{EventNum, RoomKey};
use hearth_storage::schema::search::{Posting, SearchPostings, SearchWord, SearchWords};
use hearth_storage::{Page, StorageError, Store};

use super::cursor::Place;
use super::query::{Field, Query};

/// Postings that one search reads at the most; it can be gone on with from there.
pub const SCANNED_MAX: usize = 20_000;
/// Postings that are read at once at first, and at last.
const ROWS_PER_FILL: (usize, usize) = (16, 500);
/// How much a further occurrence of a word in an event counts (the `k1` of BM25).
const SATURATION: f64 = 1.2;
/// How much an event's length counts against it (the `b` of BM25).
const LENGTH_WEIGHT: f64 = 0.5;
/// The length of a usual event, in words.
const USUAL_WORDS: f64 = 12.0;
/// Against how many events the rarity of a word is measured.
const EVENTS_BEYOND: f64 = 1_000_000.0;

/// An event that has all the words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    pub place: Place,
    /// How well it matches: higher is better.
    pub rank: f64,
}

/// One field of one room in which every word occurs.
struct Stream {
    room: RoomKey,
    field: Field,
    /// The words, the rarest first, each with its weight.
    words: Vec<(String, f64)>,
    /// How many events have the rarest word.
    rarest: u64,
    /// What is not read yet lies below this.
    below: (u64, EventNum),
    read: VecDeque<Hit>,
    rows_next: usize,
    is_done: bool,
    scanned: u64,
    matched: u64,
}

/// A search that is under way.
pub struct SearchWalk {
    store: Store,
    streams: Vec<Stream>,
    /// The place of the next event of each stream, or what it lies below.
    order: BinaryHeap<(Place, usize)>,
    scanned: usize,
}

impl SearchWalk {
    /// Finds where to look: one read for all rooms and words.
    pub(super) async fn begin(
        store: Store,
        query: &Query,
        rooms: &[RoomKey],
        after: Option<Place>,
    ) -> Result<Self, StorageError> {
        let mut streams = Vec::new();
        if !query.words.is_empty() {
            let spots = || rooms.iter().flat_map(|room| query.fields.iter().map(move |field| (*room, *field)));
            let keys: Vec<_> = spots()
                .flat_map(|(room, field)| query.words.iter().map(move |word| (room, field as u8, word.clone())))
                .collect();
            let known = store.multi_get::<SearchWords>(&keys).await?;
            for ((room, field), known) in spots().zip(known.chunks(query.words.len())) {
                let known: Option<Vec<SearchWord>> = known.iter().copied().collect();
                streams.extend(known.and_then(|known| Stream::new((room, field), &query.words, &known, after)));
            }
        }
        let order = streams.iter().enumerate().map(|(index, stream)| (stream.next_place(), index)).collect();
        Ok(Self { store, streams, order, scanned: 0 })
    }

    /// The next event; none when there is no more, or when enough was read: see [`is_done`](Self::is_done).
    ///
    /// # Errors
    /// When reading fails.
    pub async fn next(&mut self) -> Result<Option<Hit>, StorageError> {
        while let Some((_, index)) = self.order.peek().copied() {
            let stream = &mut self.streams[index];
            if let Some(hit) = stream.read.pop_front() {
                self.order.pop();
                if !stream.is_done || !stream.read.is_empty() {
                    self.order.push((stream.next_place(), index));
                }
                return Ok(Some(hit));
            }
            if self.scanned >= SCANNED_MAX {
                return Ok(None);
            }
            self.scanned += stream.fill(&self.store).await?;
            self.order.pop();
            if !stream.is_done || !stream.read.is_empty() {
                self.order.push((stream.next_place(), index));
            }
        }
        Ok(None)
    }

    /// Whether everything was found.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.order.is_empty()
    }

    /// Behind what everything that was not given yet lies; none when there is nothing more.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.order.peek().map(|(place, _)| *place)
    }

    /// About how many events there are from the place on at which the search began: exact for one word, estimated by
    /// what was read for several.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        let read = |of: fn(&Stream) -> u64| self.streams.iter().map(of).sum::<u64>();
        let (scanned, matched) = (read(|stream| stream.scanned), read(|stream| stream.matched));
        let share = |stream: &Stream| {
            let unread = stream.rarest.saturating_sub(stream.scanned);
            match (stream.words.len(), scanned) {
                _ if stream.is_done => stream.matched,
                (1, _) => stream.rarest,
                (_, 0) => unread,
                // Both are counts of rows; their product stays far below the limit.
                _ => stream.matched + unread * matched / scanned,
            }
        };
        self.streams.iter().map(share).sum()
    }
}

impl Stream {
    /// None when a word does not occur, or nothing lies behind the place.
    fn new(
        (room, field): (RoomKey, Field),
        words: &[String],
        known: &[SearchWord],
        after: Option<Place>,
    ) -> Option<Self> {
        let mut ordered: Vec<(&String, &SearchWord)> = words.iter().zip(known).collect();
        ordered.sort_by_key(|(_, known)| known.events);
        let newest_ms = known.iter().map(|known| known.newest_ms).min()?;
        let end = (newest_ms.saturating_add(1), EventNum(0));
        let below = after.map_or(end, |after| below(after, room).min(end));
        let rarest = u64::from(ordered.first()?.1.events);
        let weigh = |events: u32| (1.0 + EVENTS_BEYOND / f64::from(events.max(1))).ln();
        let words = ordered.into_iter().map(|(word, known)| (word.clone(), weigh(known.events))).collect();
        let (read, rows_next) = (VecDeque::new(), ROWS_PER_FILL.0);
        Some(Self { room, field, words, rarest, below, read, rows_next, is_done: false, scanned: 0, matched: 0 })
    }

    fn next_place(&self) -> Place {
        let (at_ms, event) = self.below;
        self.read.front().map_or(Place { at_ms, room: self.room, event }, |hit| hit.place)
    }

    /// Reads the next events; gives how many rows were read.
    async fn fill(&mut self, store: &Store) -> Result<usize, StorageError> {
        let Some(((lead, lead_weight), others)) = self.words.split_first() else { return Ok(0) };
        let (room, field) = (self.room, self.field as u8);
        let prefix = (room, field, lead.clone());
        let page = Page::last(self.rows_next).before((room, field, lead.clone(), self.below.0, self.below.1));
        let found = store.scan::<SearchPostings, _>(&prefix, page).await?;
        self.rows_next = (self.rows_next * 4).min(ROWS_PER_FILL.1);
        self.is_done = !found.more;
        let rows = found.rows;
        let keys: Vec<_> = rows
            .iter()
            .flat_map(|((_, _, _, at_ms, event), _)| {
                others.iter().map(move |(word, _)| (room, field, word.clone(), *at_ms, *event))
            })
            .collect();
        let beside = if keys.is_empty() { Vec::new() } else { store.multi_get::<SearchPostings>(&keys).await? };
        for (n, ((_, _, _, at_ms, event), posting)) in rows.iter().enumerate() {
            self.below = (*at_ms, *event);
            let beside = &beside[n * others.len()..(n + 1) * others.len()];
            let Some(beside) = beside.iter().copied().collect::<Option<Vec<Posting>>>() else { continue };
            let others = others.iter().zip(&beside).map(|((_, weight), posting)| weight * score(*posting));
            let rank = lead_weight * score(*posting) + others.sum::<f64>();
            self.read.push_back(Hit { place: Place { at_ms: *at_ms, room, event: *event }, rank });
            self.matched += 1;
        }
        self.scanned += rows.len() as u64;
        Ok(rows.len().max(1))
    }
}

/// How much a word counts that occurs so often in an event of so many words.
fn score(posting: Posting) -> f64 {
    let (times, words) = (f64::from(posting.times), f64::from(posting.words));
    times * (SATURATION + 1.0) / (times + SATURATION * (1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * words / USUAL_WORDS))
}

/// Below which key the events of a room lie that come behind a place.
fn below(place: Place, room: RoomKey) -> (u64, EventNum) {
    match room.0.cmp(&place.room.0) {
        std::cmp::Ordering::Less => (place.at_ms, EventNum(0)),
        std::cmp::Ordering::Equal => (place.at_ms, place.event),
        std::cmp::Ordering::Greater => (place.at_ms.saturating_add(1), EventNum(0)),
    }
}
