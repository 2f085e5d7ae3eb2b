//! Users of this server by the words of their names, written with the profile itself.

use hearth_protocol::UserKey;
use hearth_storage::schema::people::LocalNames;
use hearth_storage::schema::users::{Accounts, Profiles, UserProfile};
use hearth_storage::{Page, StorageError, Txn};
use ruma::{OwnedUserId, UserId};

use super::handle::Users;
use super::profiles::Profile;
use crate::words::name_words;

/// Over how many shelves the words lie.
const SHELVES: u8 = 8;

/// What others may see of a user of this server.
#[derive(Clone, Debug)]
pub struct Card {
    pub user_id: OwnedUserId,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    /// Locked or deactivated: not to be found.
    pub is_hidden: bool,
}

impl Users {
    /// Some users who have a word that begins so, in the order of the words.
    pub async fn list_named(&self, beginning: &str, rows_max: usize) -> Result<Vec<UserKey>, StorageError> {
        let mut found = Vec::new();
        for shelf in 0..SHELVES {
            let (from, to) = word_range(beginning);
            let page = Page::first(rows_max).from((shelf, from, FIRST)).before((shelf, to, FIRST));
            let rows = self.0.env.store.scan::<LocalNames, _>(&shelf, page).await?.rows;
            found.extend(rows.into_iter().map(|((_, _, user), ())| user));
        }
        Ok(found)
    }

    /// What may be seen of users of this server; none for those who are not.
    pub async fn list_cards(&self, users: &[UserKey]) -> Result<Vec<Option<Card>>, StorageError> {
        let store = &self.0.env.store;
        let accounts = store.multi_get::<Accounts>(users).await?;
        let profiles = store.multi_get::<Profiles>(users).await?;
        let cards = accounts.into_iter().zip(profiles).map(|(account, profile)| {
            let account = account?;
            let profile = Profile::from_row(profile.unwrap_or_default());
            Some(Card {
                user_id: UserId::parse(account.user_id.as_str()).ok()?,
                display_name: profile.display_name().map(str::to_owned),
                avatar_url: profile.avatar_url().map(str::to_owned),
                is_hidden: account.is_locked || account.is_deactivated,
            })
        });
        Ok(cards.collect())
    }
}

/// The least user key.
const FIRST: UserKey = UserKey([0; 16]);

/// Between which words those lie that begin so.
pub fn word_range(beginning: &str) -> (String, String) {
    (beginning.to_owned(), format!("{beginning}{}", char::MAX))
}

/// Changes the words of a user along with the profile.
pub(super) fn stage_names(
    txn: &mut Txn,
    user: UserKey,
    user_id: &str,
    (old, new): (Option<&UserProfile>, &UserProfile),
) {
    let Ok(user_id) = UserId::parse(user_id) else { return };
    let words = |row: &UserProfile| name_words(user_id.localpart(), Profile::from_row(row.clone()).display_name());
    let (old, new) = (old.map(words).unwrap_or_default(), words(new));
    let shelf = user.0[0] % SHELVES;
    for word in old.iter().filter(|word| !new.contains(word)) {
        txn.outbox_delete::<LocalNames>(&(shelf, word.clone(), user));
    }
    for word in new.iter().filter(|word| !old.contains(word)) {
        txn.outbox_put::<LocalNames>(&(shelf, word.clone(), user), &());
    }
}
