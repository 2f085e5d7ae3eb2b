//! Writing the index of people: what it says of somebody, against what it said before.

use std::collections::BTreeMap;

use hearth_protocol::{Lane, RoomKey, UserKey};
use hearth_storage::schema::people::{OpenRooms, People, PeopleWords, Person, RoomPeople, RoomPerson, RoomPersons};
use hearth_storage::{CommitError, Page, Placed, StorageError, Store, Txn};

use crate::rooms::RoomError;
use crate::words::name_words;

/// Over how many shelves the words of people in open rooms lie.
pub const SHELVES: u8 = 8;
/// People whose rows go into one commit: each has at most 16 words, old and new, in two tables.
pub const PEOPLE_PER_COMMIT: usize = 12;

/// Somebody, as a room has them now.
pub struct Seen {
    pub user: UserKey,
    pub localpart: String,
    pub user_id: String,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    /// Whether they are in the room.
    pub is_in: bool,
}

/// Transactions by lane.
struct LaneTxns<'a> {
    store: &'a Store,
    txns: BTreeMap<u16, Txn>,
}

impl<'a> LaneTxns<'a> {
    fn new(store: &'a Store) -> Self {
        Self { store, txns: BTreeMap::new() }
    }

    fn of(&mut self, key: &impl Placed) -> &mut Txn {
        let lane: Lane = key.lane(self.store.lanes());
        self.txns.entry(lane.0).or_insert_with(|| self.store.txn().home(lane))
    }

    async fn commit(self) -> Result<(), CommitError> {
        for txn in self.txns.into_values().filter(|txn| !txn.is_empty()) {
            self.store.commit(txn).await?;
        }
        Ok(())
    }
}

/// Brings the index up to date for some people of a room, at most [`PEOPLE_PER_COMMIT`]. The same again changes nothing;
/// a crash half-way is mended by doing it again.
pub async fn write_people(store: &Store, (room, is_open): (RoomKey, bool), seen: &[Seen]) -> Result<(), RoomError> {
    let users: Vec<UserKey> = seen.iter().map(|seen| seen.user).collect();
    let in_room: Vec<_> = users.iter().map(|user| (room, *user)).collect();
    let old_words = store.multi_get::<RoomPersons>(&in_room).await?;
    let old_people = store.multi_get::<People>(&users).await?;
    let (mut words_first, mut rows_last) = (LaneTxns::new(store), LaneTxns::new(store));
    for ((seen, old_words), old_person) in seen.iter().zip(old_words).zip(old_people) {
        let words = name_words(&seen.localpart, seen.display_name.as_deref());
        write_room_words(words_first.of(&room), room, seen, &old_words.unwrap_or_default().words, &words);
        let open_room = (seen.user, room);
        let opens = is_open && seen.is_in;
        if opens {
            words_first.of(&seen.user).put::<OpenRooms>(&open_room, &());
        } else {
            words_first.of(&seen.user).delete::<OpenRooms>(&open_room);
        }
        let old_open = old_person.as_ref().map(|person| person.open_words.clone()).unwrap_or_default();
        let is_found = opens || (!old_open.is_empty() && is_open_elsewhere(store, seen.user, room).await?);
        let open_words = if is_found { words } else { Vec::new() };
        write_open_words(&mut words_first, seen.user, &old_open, &open_words);
        let person = Person {
            user_id: seen.user_id.clone(),
            display_name: seen.display_name.clone(),
            avatar_url: seen.avatar_url.clone(),
            open_words,
        };
        if old_person.as_ref() != Some(&person) {
            rows_last.of(&seen.user).put::<People>(&seen.user, &person);
        }
    }
    words_first.commit().await?;
    rows_last.commit().await?;
    Ok(())
}

fn write_room_words(txn: &mut Txn, room: RoomKey, seen: &Seen, old: &[String], words: &[String]) {
    let new = if seen.is_in { words } else { &[] };
    for word in old.iter().filter(|word| !new.contains(word)) {
        txn.delete::<RoomPeople>(&(room, word.clone(), seen.user));
    }
    for word in new.iter().filter(|word| !old.contains(word)) {
        txn.put::<RoomPeople>(&(room, word.clone(), seen.user), &());
    }
    if new.is_empty() && !old.is_empty() {
        txn.delete::<RoomPersons>(&(room, seen.user));
    } else if old != new {
        txn.put::<RoomPersons>(&(room, seen.user), &RoomPerson { words: new.to_vec() });
    }
}

fn write_open_words(txns: &mut LaneTxns<'_>, user: UserKey, old: &[String], new: &[String]) {
    let shelf = user.0[0] % SHELVES;
    for word in old.iter().filter(|word| !new.contains(word)) {
        txns.of(&shelf).delete::<PeopleWords>(&(shelf, word.clone(), user));
    }
    for word in new.iter().filter(|word| !old.contains(word)) {
        txns.of(&shelf).put::<PeopleWords>(&(shelf, word.clone(), user), &());
    }
}

/// Whether a user is in an open room other than this one.
async fn is_open_elsewhere(store: &Store, user: UserKey, room: RoomKey) -> Result<bool, StorageError> {
    let rows = store.scan::<OpenRooms, _>(&user, Page::first(2)).await?.rows;
    Ok(rows.iter().any(|((_, other), ())| *other != room))
}
