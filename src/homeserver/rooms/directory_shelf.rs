//! The listed rooms in memory, in the order in which they are asked for, kept current by the output log.
//!
//! It must never be the only place of a truth: a restart reads the table again, and so does a sweep, for what other
//! processes list.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::{Lane, LanePos, RoomKey};
use hearth_storage::schema::directory::ListedRooms;
use hearth_storage::schema::log::OutputLog;
use hearth_storage::{Page, StorageError};
use parking_lot::{RwLock, RwLockReadGuard};

use super::card::RoomCard;
use super::reader::{RoomReader, list_rows};
use super::view::RoomView;
use crate::env::Env;
use crate::worker::{Stop, Worker, run_every};

/// Rows of the log that are read at once.
const LOG_ROWS_PER_PAGE: usize = 1_000;
/// Pages of the log that one round reads of a lane; whoever is further behind looks at every listed room instead.
const LOG_PAGES_MAX: usize = 20;
/// How often the directory is brought up to date while nobody asks for it.
const EVERY: Duration = Duration::from_secs(5);
/// How old the list of listed rooms may be, where another process changes it, in milliseconds.
const LIST_AGE_MS_MAX: u64 = 60 * 1_000;

/// A room of the directory.
#[derive(Debug)]
pub struct ListedRoom {
    /// What it shows.
    pub card: RoomCard,
    /// Where searches look, in small letters.
    pub(super) text: String,
}

/// A place in the order of the directory: the most members first.
pub(super) type Place = (Reverse<u32>, RoomKey);

/// The directory as it is known in memory; cheap to clone.
#[derive(Clone)]
pub(super) struct Directory(Arc<Inner>);

struct Inner {
    env: Env,
    reader: Arc<RoomReader>,
    shelf: RwLock<Shelf>,
    progress: tokio::sync::Mutex<Progress>,
}

/// The rooms that are shown.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) rooms: HashMap<RoomKey, Arc<ListedRoom>>,
    pub(super) order: BTreeSet<Place>,
}

/// How far the log is read.
#[derive(Default)]
struct Progress {
    /// When the table was read, in monotonic milliseconds; none before the first time.
    listed_at_ms: Option<u64>,
    lanes: HashMap<Lane, LanePos>,
    /// All listed rooms, those too that show nothing now.
    listed: HashSet<RoomKey>,
    /// Those that have to be read again, and the position of the log that they have to have reached.
    changed: HashMap<RoomKey, LanePos>,
}

impl Shelf {
    fn remove(&mut self, key: RoomKey) {
        if let Some(old) = self.rooms.remove(&key) {
            self.order.remove(&place_of(key, &old.card));
        }
    }

    fn put(&mut self, key: RoomKey, card: RoomCard) {
        self.remove(key);
        self.order.insert(place_of(key, &card));
        let text = search_text(&card);
        self.rooms.insert(key, Arc::new(ListedRoom { card, text }));
    }
}

impl Directory {
    pub(super) fn new(env: Env, reader: Arc<RoomReader>) -> Self {
        Self(Arc::new(Inner { env, reader, shelf: RwLock::default(), progress: tokio::sync::Mutex::default() }))
    }

    /// What is shown; to be held for as short as it takes.
    pub(super) fn shelf(&self) -> RwLockReadGuard<'_, Shelf> {
        self.0.shelf.read()
    }

    /// Takes in what happened since the last time.
    pub(super) async fn catch_up(&self) -> Result<(), StorageError> {
        let mut progress = self.0.progress.lock().await;
        let now_ms = self.0.env.clock.monotonic_ms();
        let is_fresh = progress.listed_at_ms.is_some_and(|at_ms| now_ms < at_ms.saturating_add(LIST_AGE_MS_MAX));
        if !is_fresh {
            self.read_list(&mut progress).await?;
            progress.listed_at_ms = Some(now_ms);
        }
        for lane in (0..self.0.env.store.lanes()).map(Lane) {
            self.read_log(&mut progress, lane).await?;
        }
        self.read_rooms(&mut progress).await
    }

    /// Reads which rooms are listed.
    async fn read_list(&self, progress: &mut Progress) -> Result<(), StorageError> {
        let store = &self.0.env.store;
        let mut listed = HashSet::new();
        for lane in (0..store.lanes()).map(Lane) {
            // What happens from here on stands in the log behind this position.
            let head = store.head(lane);
            progress.lanes.entry(lane).or_insert(head);
            for ((_, room), _) in list_rows::<ListedRooms, _>(store, &lane).await? {
                if !progress.listed.contains(&room) {
                    progress.changed.insert(room, LanePos(0));
                }
                listed.insert(room);
            }
        }
        let mut shelf = self.0.shelf.write();
        for room in progress.listed.difference(&listed) {
            shelf.remove(*room);
            progress.changed.remove(room);
        }
        progress.listed = listed;
        Ok(())
    }

    /// Marks the listed rooms in which something happened.
    async fn read_log(&self, progress: &mut Progress, lane: Lane) -> Result<(), StorageError> {
        let store = &self.0.env.store;
        let mut from = progress.lanes.get(&lane).copied().unwrap_or_default();
        for _ in 0..LOG_PAGES_MAX {
            let to = store.head(lane);
            if from >= to {
                break;
            }
            let page = Page::first(LOG_ROWS_PER_PAGE).after((lane, from)).up_to((lane, to));
            let rows = store.scan::<OutputLog, _>(&lane, page).await?;
            for ((_, pos), row) in &rows.rows {
                if progress.listed.contains(&row.room) {
                    progress.changed.insert(row.room, *pos);
                }
            }
            from = match rows.rows.last() {
                Some(((_, pos), _)) if rows.more => *pos,
                _ => to,
            };
        }
        let head = store.head(lane);
        if from < head {
            for room in progress.listed.iter().filter(|room| store.lane_of(&room.0) == lane) {
                progress.changed.insert(*room, LanePos(0));
            }
            from = head;
        }
        progress.lanes.insert(lane, from);
        Ok(())
    }

    /// Reads the rooms that are marked. What is committed and not yet published is read again the next time.
    async fn read_rooms(&self, progress: &mut Progress) -> Result<(), StorageError> {
        let changed: Vec<_> = progress.changed.iter().map(|(key, pos)| (*key, *pos)).collect();
        for (key, pos) in changed {
            let mut is_current = true;
            let mut card = None;
            if let Some(room) = self.0.reader.load_room(key).await? {
                is_current = room.head.last_pos >= pos;
                card = Some(RoomView { reader: self.0.reader.clone(), room }.load_card().await?);
            }
            let mut shelf = self.0.shelf.write();
            match card.filter(is_shown) {
                Some(card) => shelf.put(key, card),
                None => shelf.remove(key),
            }
            if is_current {
                progress.changed.remove(&key);
            }
        }
        Ok(())
    }

    /// Takes a change of this process in at once.
    pub(super) async fn note(&self, room: RoomKey, is_listed: bool) {
        let mut progress = self.0.progress.lock().await;
        if is_listed {
            progress.listed.insert(room);
            progress.changed.entry(room).or_insert(LanePos(0));
        } else {
            progress.listed.remove(&room);
            progress.changed.remove(&room);
            self.0.shelf.write().remove(room);
        }
    }
}

fn place_of(key: RoomKey, card: &RoomCard) -> Place {
    (Reverse(card.num_joined_members), key)
}

/// Rooms without members, and those that nobody could get into or look at, are not shown while they are so.
fn is_shown(card: &RoomCard) -> bool {
    let is_open = matches!(card.join_rule.as_str(), "public" | "knock" | "knock_restricted" | "restricted");
    card.num_joined_members > 0 && (is_open || card.world_readable)
}

fn search_text(card: &RoomCard) -> String {
    let alias = card.canonical_alias.as_ref().map(|alias| alias.as_str());
    let parts = [card.name.as_deref(), card.topic.as_deref(), alias, Some(card.room_id.as_str())];
    parts.into_iter().flatten().map(str::to_lowercase).collect::<Vec<_>>().join("\n")
}

/// Keeps the directory up to date, so that who asks for it need not wait.
pub struct DirectoryWorker(Directory);

impl DirectoryWorker {
    pub(super) fn new(directory: Directory) -> Self {
        Self(directory)
    }
}

impl Worker for DirectoryWorker {
    fn name(&self) -> &'static str {
        "room directory"
    }

    fn follows(&self) -> &'static str {
        "the output log of every lane, and the table of listed rooms"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            let worker = &*self;
            run_every(EVERY, &stop, worker.name(), || worker.0.catch_up()).await;
        }
        .boxed()
    }
}
