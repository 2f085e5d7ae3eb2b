//! Logging in with a password.

use hearth_protocol::UserKey;
use hearth_storage::Txn;
use hearth_storage::schema::users::{Account, Accounts};
use ruma::{OwnedUserId, UserId};
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::localpart::build_login_candidates;
use super::password::{PASSWORD_BYTES_MAX, PasswordFailure};
use super::sessions::{BadDevice, NewDevice, NewSession};

/// A login with `m.login.password`.
#[derive(Clone)]
pub struct PasswordLogin {
    /// A user id of this server, or its localpart.
    pub user: String,
    /// As the user typed it.
    pub password: String,
    /// The device to log in with.
    pub device: NewDevice,
}

/// Why a login failed.
#[derive(Debug, Error)]
pub enum LoginError {
    /// No such user, a wrong password, or a deactivated account: `M_FORBIDDEN`, without saying which.
    #[error("wrong user name or password")]
    Forbidden,
    /// The password is right, but the account is locked: `M_USER_LOCKED`.
    #[error("the account is locked")]
    Locked,
    /// The device cannot be used.
    #[error(transparent)]
    Device(#[from] BadDevice),
    /// The password could not be compared; when busy, the client may come back.
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Users {
    /// Begins a session (C-S API, `POST /login`). It takes the same time whether or not the user exists.
    pub async fn login_password(&self, login: PasswordLogin) -> Result<NewSession, LoginError> {
        let (user_id, account) = self.require_password(&login.user, login.password).await?;
        if account.is_locked {
            return Err(LoginError::Locked);
        }
        self.open_session(&user_id, account, login.device, |_| ()).await
    }

    /// Begins a session of a user whom the application service that asks has to itself.
    pub async fn login_for_service(
        &self,
        name: &str,
        device: NewDevice,
        owns: impl Fn(&UserId) -> bool,
    ) -> Result<NewSession, LoginError> {
        let found = self.load_login_account(name).await?;
        match found.filter(|(user_id, account)| owns(user_id) && !account.is_deactivated) {
            None => Err(LoginError::Forbidden),
            Some((_, account)) if account.is_locked => Err(LoginError::Locked),
            Some((user_id, account)) => self.open_session(&user_id, account, device, |_| ()).await,
        }
    }

    /// The user whose password this is.
    pub(super) async fn require_password(
        &self,
        user: &str,
        password: String,
    ) -> Result<(OwnedUserId, Account), LoginError> {
        let found = self.load_login_account(user).await?;
        let phc = found.as_ref().and_then(|(_, account)| account.password.clone());
        let is_possible = password.len() <= PASSWORD_BYTES_MAX;
        let password = if is_possible { password } else { String::new() };
        let is_right = self.0.passwords.verify(password, phc).await?;
        match found {
            Some((user_id, account)) if is_possible && is_right && !account.is_deactivated => Ok((user_id, account)),
            _ => Err(LoginError::Forbidden),
        }
    }

    /// The account that somebody means who logs in as `name`: the id as written, or else in small letters.
    async fn load_login_account(&self, name: &str) -> Result<Option<(OwnedUserId, Account)>, StoreFailure> {
        let ids = build_login_candidates(name, self.server_name());
        let keys: Vec<_> = ids.iter().map(|id| UserKey::of(id)).collect();
        let rows = self.0.env.store.multi_get::<Accounts>(&keys).await?;
        Ok(ids.into_iter().zip(rows).find_map(|(id, row)| Some((id, row?))))
    }

    /// Begins a session of a user who has proved to be one, by what `account` said then. `add` puts further rows of
    /// the user into the same commit; what it asserts and does not hold makes the login fail.
    pub(super) async fn open_session(
        &self,
        user_id: &UserId,
        proved: Account,
        device: NewDevice,
        add: impl Fn(&mut Txn),
    ) -> Result<NewSession, LoginError> {
        let store = &self.0.env.store;
        let user = UserKey::of(user_id);
        let draft = self.build_session(user, device)?;
        let mut account = proved.clone();
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let old = self.load_old_session(user, &draft.device_id).await?;
            if old.as_ref().is_some_and(|old| draft.is_of(&old.device)) {
                return Ok(draft.into_session(user_id.to_owned())); // An earlier attempt has come through after all.
            }
            if old.is_none() && account.devices >= self.devices_max() {
                return Err(BadDevice::TooMany.into());
            }
            let new = Account {
                devices: account.devices + u32::from(old.is_none()),
                sessions_revision: account.sessions_revision + 1,
                ..account.clone()
            };
            let mut txn = store.txn();
            txn.assert_eq::<Accounts>(&user, &account);
            txn.put::<Accounts>(&user, &new);
            draft.put(&mut txn, old.as_ref());
            add(&mut txn);
            // A device that was logged in loses its old token.
            let change = self.0.tokens.begin_change(user);
            let outcome = settle(store.commit(txn).await);
            change.end(outcome.is_ok());
            match outcome? {
                Settled::Done => return Ok(draft.into_session(user_id.to_owned())),
                Settled::Again => {
                    account =
                        store.get::<Accounts>(&user).await.map_err(StoreFailure::from)?.ok_or(LoginError::Forbidden)?;
                    if account.password != proved.password || account.is_deactivated || account.is_locked {
                        return Err(LoginError::Forbidden);
                    }
                }
            }
        }
        Err(StoreFailure::Contended.into())
    }
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
