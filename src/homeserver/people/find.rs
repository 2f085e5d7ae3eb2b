//! Finding people: reading the index, and what of it the caller gets.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hearth_protocol::UserKey;
use hearth_storage::schema::people::{People, PeopleWords, RoomPeople};
use hearth_storage::{Page, StorageError};
use ruma::{OwnedUserId, UserId};

use super::handle::Directory;
use super::rows::SHELVES;
use crate::users::{LocalUser, word_range};
use crate::words::{fold, name_words, query_words};

/// People in one answer at the most.
pub const PEOPLE_MAX: usize = 50;
/// Rooms of the caller in which is looked.
const ROOMS_MAX: usize = 10_000;
/// Rows that are read of one room or shelf.
const ROWS_MAX: usize = 100;
/// People who are looked at for one answer.
const CANDIDATES_MAX: usize = 1_000;
/// Longest question, in bytes; of a longer one the beginning counts.
const TERM_BYTES_MAX: usize = 255;

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPerson {
    pub user_id: OwnedUserId,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
}

/// Who was found, the best match first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeoplePage {
    pub people: Vec<FoundPerson>,
    /// Whether there were more.
    pub is_limited: bool,
}

/// What is asked for.
struct Ask {
    /// The whole question, folded.
    whole: String,
    /// Beginnings of words, all of which somebody has to have.
    words: Vec<String>,
    /// The beginning of a user id.
    user_id: Option<String>,
}

impl Ask {
    fn parse(term: &str) -> Option<Self> {
        let mut term = term.trim();
        while term.len() > TERM_BYTES_MAX {
            term = &term[..term.char_indices().next_back()?.0];
        }
        let whole = fold(term);
        if let Some(id) = term.strip_prefix('@') {
            let localpart = fold(id.split(':').next().unwrap_or(id));
            let words = vec![localpart];
            return Some(Self { words, user_id: Some(term.to_lowercase()), whole }).filter(|ask| ask.whole.len() > 1);
        }
        let words = query_words(term);
        (!words.is_empty()).then_some(Self { whole, words, user_id: None })
    }

    /// The word that the fewest have, as far as one can tell.
    fn lead(&self) -> &str {
        self.words.iter().max_by_key(|word| word.len()).map_or("", String::as_str)
    }

    /// How well somebody matches, the least the best; none for who does not match.
    fn rank(&self, person: &FoundPerson) -> Option<(bool, Reverse<usize>)> {
        let words = name_words(person.user_id.localpart(), person.display_name.as_deref());
        let has = |asked: &String| words.iter().any(|word| word.starts_with(asked.as_str()));
        let fits_id = self.user_id.as_ref().is_none_or(|id| person.user_id.as_str().to_lowercase().starts_with(id));
        if !fits_id || !self.words.iter().all(has) {
            return None;
        }
        let is_whole = |name: &str| fold(name) == self.whole;
        let is_exact = is_whole(person.user_id.localpart())
            || is_whole(person.user_id.as_str())
            || person.display_name.as_deref().is_some_and(is_whole);
        let whole_words = self.words.iter().filter(|asked| words.contains(asked)).count();
        Some((!is_exact, Reverse(whole_words)))
    }
}

impl Directory {
    /// Whom the caller finds by a text: every word has to begin a word of the user's name or display name. Those who
    /// are called exactly so come first, then those with whom the caller shares a room. Never the caller, nor who is
    /// ignored, locked or deactivated.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn find(&self, caller: &LocalUser, term: &str, limit: usize) -> Result<PeoplePage, StorageError> {
        let Some(ask) = Ask::parse(term) else { return Ok(PeoplePage::default()) };
        self.catch_up().await;
        let candidates = self.list_candidates(caller, ask.lead()).await?;
        let ignored = self.users.load_ignored(&caller.user_id).await?;
        let mut ranked = Vec::new();
        for (person, is_shared) in self.list_people(candidates).await? {
            if person.user_id == caller.user_id || ignored.contains(&person.user_id) {
                continue;
            }
            if let Some((not_exact, words)) = ask.rank(&person) {
                ranked.push(((not_exact, !is_shared, words, person.user_id.clone()), person));
            }
        }
        ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        let limit = limit.min(PEOPLE_MAX);
        let is_limited = ranked.len() > limit;
        let people = ranked.into_iter().take(limit).map(|(_, person)| person).collect();
        Ok(PeoplePage { people, is_limited })
    }

    /// Who has a word that begins so, and whether the caller shares a room with them.
    async fn list_candidates(&self, caller: &LocalUser, lead: &str) -> Result<BTreeMap<[u8; 16], bool>, StorageError> {
        let (store, (from, to)) = (&self.env.store, word_range(lead));
        let mut found = BTreeMap::new();
        let rooms = self.users.list_rooms(&caller.key).await?;
        let joined = rooms.into_iter().filter(|(_, row)| row.membership.as_str() == "join").take(ROOMS_MAX);
        for (room, _) in joined {
            let page = Page::first(ROWS_MAX).from((room, from.clone(), FIRST)).before((room, to.clone(), FIRST));
            let rows = store.scan::<RoomPeople, _>(&room, page).await?.rows;
            found.extend(rows.into_iter().map(|((_, _, user), ())| (user.0, true)));
            if found.len() >= CANDIDATES_MAX {
                return Ok(found);
            }
        }
        for shelf in 0..SHELVES {
            let page = Page::first(ROWS_MAX).from((shelf, from.clone(), FIRST)).before((shelf, to.clone(), FIRST));
            for ((_, _, user), ()) in store.scan::<PeopleWords, _>(&shelf, page).await?.rows {
                found.entry(user.0).or_insert(false);
            }
        }
        if self.search_all_users {
            for user in self.users.list_named(lead, ROWS_MAX).await? {
                found.entry(user.0).or_insert(false);
            }
        }
        Ok(found)
    }

    /// What is shown of the candidates; those who are hidden are left out.
    async fn list_people(
        &self,
        candidates: BTreeMap<[u8; 16], bool>,
    ) -> Result<Vec<(FoundPerson, bool)>, StorageError> {
        let keys: Vec<UserKey> = candidates.keys().map(|key| UserKey(*key)).collect();
        let cards = self.users.list_cards(&keys).await?;
        let known = self.env.store.multi_get::<People>(&keys).await?;
        let shown = candidates.into_values().zip(cards).zip(known).filter_map(|((is_shared, card), known)| {
            let person = match (card, known) {
                (Some(card), _) if card.is_hidden => return None,
                (Some(card), _) => {
                    FoundPerson { user_id: card.user_id, display_name: card.display_name, avatar_url: card.avatar_url }
                }
                (None, Some(known)) => FoundPerson {
                    user_id: UserId::parse(known.user_id.as_str()).ok()?,
                    display_name: known.display_name,
                    avatar_url: known.avatar_url,
                },
                (None, None) => return None,
            };
            Some((person, is_shared))
        });
        Ok(shown.collect())
    }
}

/// The least user key.
const FIRST: UserKey = UserKey([0; 16]);
