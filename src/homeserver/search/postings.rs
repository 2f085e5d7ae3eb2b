//! Writing the index: one event's old words out, its new ones in, and the counts of the words with them.

use std::collections::BTreeMap;

use hearth_protocol::{EventNum, RoomKey};
use hearth_storage::schema::search::{Posting, SearchPostings, SearchWord, SearchWords, SearchedEvent, SearchedEvents};
use hearth_storage::{StorageError, Store, Txn};

use super::entry::Entry;
use crate::log_follower::LogStep;
use crate::rooms::RoomError;
use crate::words::WORDS_PER_EVENT_MAX;

/// Operations that one commit may have, apart from the follower's position.
const OPS_MAX: usize = 900;
/// Postings of one event that go into one commit; each may cost a count as well.
const POSTINGS_MAX: usize = WORDS_PER_EVENT_MAX + 40;

/// What becomes of an event in the index.
pub struct Change {
    pub room: RoomKey,
    pub event: EventNum,
    pub old: Option<SearchedEvent>,
    pub new: New,
}

/// What is to be in the index of an event.
pub enum New {
    Nothing,
    Entry(Entry),
    EditOf(EventNum),
}

impl Change {
    /// Operations at the most.
    fn cost(&self) -> usize {
        let old = match &self.old {
            Some(SearchedEvent::Found { words, .. }) => words.len(),
            _ => 0,
        };
        let new = match &self.new {
            New::Entry(entry) => entry.words.words.len(),
            _ => 0,
        };
        2 * (old + new) + 1
    }

    /// The same in steps of which each fits into a commit.
    fn into_steps(self) -> Vec<Self> {
        if self.cost() <= 2 * POSTINGS_MAX {
            return vec![self];
        }
        let (room, event) = (self.room, self.event);
        let (out, into) = ((self.old, New::Nothing), (None, self.new));
        [out, into].into_iter().map(|(old, new)| Self { room, event, old, new }).collect()
    }
}

/// Writes changes of rooms of one lane, and with the last of them the position up to which the log is indexed.
/// Each change is the same however often it is made, so that a crash between two commits costs only work.
pub async fn write(store: &Store, step: &LogStep, changes: Vec<Change>) -> Result<(), RoomError> {
    let mut steps = changes.into_iter().flat_map(Change::into_steps).peekable();
    loop {
        let (mut batch, mut ops) = (Vec::new(), 0);
        while let Some(change) = steps.next_if(|change| batch.is_empty() || ops + change.cost() <= OPS_MAX) {
            ops += change.cost();
            batch.push(change);
        }
        let mut txn = store.txn().home(step.lane);
        stage(store, &mut txn, batch).await?;
        let is_last = steps.peek().is_none();
        if is_last {
            step.stage_done(&mut txn);
        } else {
            step.stage_assert(&mut txn);
        }
        store.commit(txn).await?;
        if is_last {
            return Ok(());
        }
    }
}

type WordKey = (RoomKey, u8, String);

/// How a word's count changes, and the newest event that gets it.
#[derive(Default)]
struct Delta {
    events: i64,
    newest_ms: u64,
}

async fn stage(store: &Store, txn: &mut Txn, batch: Vec<Change>) -> Result<(), StorageError> {
    let mut deltas: BTreeMap<WordKey, Delta> = BTreeMap::new();
    for change in batch {
        let key = (change.room, change.event);
        remove_words(txn, &change, &mut deltas);
        match change.new {
            New::Nothing if change.old.is_none() => {}
            New::Nothing => txn.delete::<SearchedEvents>(&key),
            New::EditOf(original) => txn.put::<SearchedEvents>(&key, &SearchedEvent::EditOf(original)),
            New::Entry(entry) => add_words(txn, key, entry, &mut deltas),
        }
    }
    deltas.retain(|_, delta| delta.events != 0 || delta.newest_ms != 0);
    let keys: Vec<WordKey> = deltas.keys().cloned().collect();
    let known = store.multi_get::<SearchWords>(&keys).await?;
    for ((key, delta), known) in deltas.into_iter().zip(known) {
        let known = known.unwrap_or_default();
        let events = u32::try_from((i64::from(known.events) + delta.events).max(0)).unwrap_or(u32::MAX);
        let word = SearchWord { events, newest_ms: known.newest_ms.max(delta.newest_ms) };
        if events == 0 {
            txn.delete::<SearchWords>(&key);
        } else {
            txn.put::<SearchWords>(&key, &word);
        }
    }
    Ok(())
}

fn remove_words(txn: &mut Txn, change: &Change, deltas: &mut BTreeMap<WordKey, Delta>) {
    let Some(SearchedEvent::Found { field, at_ms, words }) = &change.old else { return };
    for word in words {
        txn.delete::<SearchPostings>(&(change.room, *field, word.clone(), *at_ms, change.event));
        deltas.entry((change.room, *field, word.clone())).or_default().events -= 1;
    }
}

fn add_words(txn: &mut Txn, (room, event): (RoomKey, EventNum), entry: Entry, deltas: &mut BTreeMap<WordKey, Delta>) {
    let (field, at_ms, total) = (entry.field as u8, entry.at_ms, entry.words.total);
    let mut words = Vec::with_capacity(entry.words.words.len());
    for (word, times) in entry.words.words {
        let posting = Posting { times, words: total };
        txn.put::<SearchPostings>(&(room, field, word.clone(), at_ms, event), &posting);
        let delta = deltas.entry((room, field, word.clone())).or_default();
        delta.events += 1;
        delta.newest_ms = delta.newest_ms.max(at_ms);
        words.push(word);
    }
    txn.put::<SearchedEvents>(&(room, event), &SearchedEvent::Found { field, at_ms, words });
}
