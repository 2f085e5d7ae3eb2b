//! Registration tokens as an administrator sees and changes them.

use std::collections::HashMap;

use hearth_storage::StorageError;
use hearth_storage::schema::users::{RegistrationToken, RegistrationTokenUses, RegistrationTokens, TokenUseState};

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::pages::scan_all;
use super::registration_tokens::{RegistrationTokenError, SHELF, TOKENS_MAX, USES_MAX};

/// How many uses are looked at for the list of all tokens.
const ALL_USES_MAX: usize = 10 * USES_MAX;

/// A registration token as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationTokenInfo {
    /// The token.
    pub token: String,
    /// How many accounts it may make; none for any number.
    pub uses_allowed: Option<u32>,
    /// How many registrations with it are under way.
    pub pending: u32,
    /// How many accounts were made with it.
    pub completed: u32,
    /// From when on it is void, in milliseconds since 1970; none for never.
    pub expires_ms: Option<u64>,
    /// Whether somebody could register with it now.
    pub is_valid: bool,
}

/// What is to change of a registration token; what is none stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistrationTokenEdit {
    /// How many accounts it may make; none within for any number.
    pub uses_allowed: Option<Option<u32>>,
    /// From when on it is void, in milliseconds since 1970; none within for never.
    pub expires_ms: Option<Option<u64>>,
}

/// Uses that made no account yet: those under way, and those that came to nothing and have not fallen back.
#[derive(Clone, Copy, Default)]
struct OpenUses {
    pending: u32,
    fallen: u32,
}

impl Users {
    /// All registration tokens.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn list_registration_tokens(&self) -> Result<Vec<RegistrationTokenInfo>, StorageError> {
        let store = &self.0.env.store;
        let tokens = scan_all::<RegistrationTokens, _>(store, &SHELF, TOKENS_MAX).await?;
        let mut open: HashMap<String, OpenUses> = HashMap::new();
        for ((_, token, _), used) in scan_all::<RegistrationTokenUses, _>(store, &SHELF, ALL_USES_MAX).await? {
            self.count_use(open.entry(token).or_default(), &used.state, used.expires_ms);
        }
        let infos = tokens.into_iter().map(|((_, token), row)| {
            let open = open.get(&token).copied().unwrap_or_default();
            self.build_token_info(token, &row, open)
        });
        Ok(infos.collect())
    }

    /// One registration token; none when there is no such one.
    ///
    /// # Errors
    /// When reading fails.
    pub async fn load_registration_token(&self, token: &str) -> Result<Option<RegistrationTokenInfo>, StorageError> {
        let store = &self.0.env.store;
        let key = (SHELF, token.to_owned());
        let Some(row) = store.get::<RegistrationTokens>(&key).await? else { return Ok(None) };
        let mut open = OpenUses::default();
        for (_, used) in scan_all::<RegistrationTokenUses, _>(store, &key, USES_MAX).await? {
            self.count_use(&mut open, &used.state, used.expires_ms);
        }
        Ok(Some(self.build_token_info(key.1, &row, open)))
    }

    /// Changes a registration token. Accounts that were made with it stay.
    ///
    /// # Errors
    /// When there is no such token, or it would expire in the past; nothing is changed then.
    pub async fn update_registration_token(
        &self,
        token: &str,
        edit: RegistrationTokenEdit,
    ) -> Result<RegistrationTokenInfo, RegistrationTokenError> {
        if edit.expires_ms.flatten().is_some_and(|expires_ms| expires_ms <= self.now_ms()) {
            return Err(RegistrationTokenError::Past);
        }
        let store = &self.0.env.store;
        let key = (SHELF, token.to_owned());
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let row = store.get::<RegistrationTokens>(&key).await.map_err(StoreFailure::from)?;
            let row = row.ok_or(RegistrationTokenError::Unknown)?;
            let new = RegistrationToken {
                uses_allowed: edit.uses_allowed.unwrap_or(row.uses_allowed),
                expires_ms: edit.expires_ms.unwrap_or(row.expires_ms),
                ..row.clone()
            };
            let mut txn = store.txn();
            txn.assert_eq::<RegistrationTokens>(&key, &row);
            txn.put::<RegistrationTokens>(&key, &new);
            if let Settled::Done = settle(store.commit(txn).await)? {
                let info = self.load_registration_token(token).await.map_err(StoreFailure::from)?;
                return info.ok_or(RegistrationTokenError::Unknown);
            }
        }
        Err(StoreFailure::Contended.into())
    }

    fn count_use(&self, open: &mut OpenUses, state: &TokenUseState, expires_ms: u64) {
        match state {
            TokenUseState::Done => {}
            _ if expires_ms > self.now_ms() => open.pending += 1,
            _ => open.fallen += 1,
        }
    }

    fn build_token_info(&self, token: String, row: &RegistrationToken, open: OpenUses) -> RegistrationTokenInfo {
        let completed = row.uses.saturating_sub(open.pending).saturating_sub(open.fallen);
        let is_alive = row.expires_ms.is_none_or(|expires_ms| self.now_ms() < expires_ms);
        let is_free = row.uses_allowed.is_none_or(|allowed| completed.saturating_add(open.pending) < allowed);
        RegistrationTokenInfo {
            token,
            uses_allowed: row.uses_allowed,
            pending: open.pending,
            completed,
            expires_ms: row.expires_ms,
            is_valid: is_alive && is_free,
        }
    }
}
