//! Refreshing access tokens (C-S API, "Refreshing access tokens").
//!
//! An answer may be lost on its way, so what a client had stays good until it uses what it got: the old refresh token
//! and its access token end with the first use of the new access token or the new refresh token. Who asks again
//! before gets other new tokens in place of the ones that nobody used.

use hearth_protocol::UserKey;
use hearth_storage::Txn;
use hearth_storage::schema::accounts::{RefreshToken, RefreshTokens};
use hearth_storage::schema::users::{AccessTokens, Account, Accounts, Device, Devices};
use ruma::UserId;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::session_draft::SessionDraft;
use super::sessions::{BadDevice, NewDevice, NewSession};
use super::token::{TokenClaim, TokenKind};

/// New tokens of a session.
pub type Refreshed = NewSession;

/// Why there are no new tokens.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// `M_UNKNOWN_TOKEN`: never known, logged out, or replaced by one that was used.
    #[error("unknown refresh token")]
    Unknown,
    /// `M_UNKNOWN_TOKEN` with `soft_logout`: it ran out; the device is still there.
    #[error("the refresh token ran out")]
    Expired,
    /// `M_USER_LOCKED`.
    #[error("the account is locked")]
    Locked,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// A refresh token with all that it hangs on.
struct Known {
    token: RefreshToken,
    account: Account,
    device: Device,
    /// What it led to before, unused.
    successor: Option<([u8; 16], RefreshToken)>,
    /// What led to it, if that is still good.
    predecessor: Option<([u8; 16], RefreshToken)>,
}

impl Users {
    /// Gives new tokens for a refresh token (C-S API, `POST /refresh`).
    pub async fn refresh(&self, token: &str) -> Result<Refreshed, RefreshError> {
        let claim = TokenClaim::read(TokenKind::Refresh, token).ok_or(RefreshError::Unknown)?;
        let store = &self.0.env.store;
        let _turn = self.0.turns.take(&claim.user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let known = self.load_refresh_token(&claim).await?.ok_or(RefreshError::Unknown)?;
            if known.account.is_locked {
                return Err(RefreshError::Locked);
            }
            if known.token.expires_ms.is_some_and(|expires_ms| expires_ms <= self.now_ms()) {
                return Err(RefreshError::Expired);
            }
            let user_id = UserId::parse(&known.account.user_id).map_err(|_| RefreshError::Unknown)?;
            let draft = self.draft_of(&claim, &known)?;
            let txn = self.refresh_txn(&claim, &known, &draft);
            let change = self.0.tokens.begin_change(claim.user);
            let outcome = settle(store.commit(txn).await);
            change.end(outcome.is_ok());
            if let Settled::Done = outcome? {
                return Ok(draft.into_session(user_id));
            }
        }
        Err(StoreFailure::Contended.into())
    }

    fn draft_of(&self, claim: &TokenClaim, known: &Known) -> Result<SessionDraft, RefreshError> {
        let device_id = Some(known.token.device_id.as_str().into());
        let device = NewDevice { device_id, display_name: None, can_refresh: true };
        self.build_session(claim.user, device).map_err(|error| match error {
            BadDevice::Id | BadDevice::Name | BadDevice::TooMany => RefreshError::Unknown,
        })
    }

    fn refresh_txn(&self, claim: &TokenClaim, known: &Known, draft: &SessionDraft) -> Txn {
        let user = claim.user;
        let mut txn = self.0.env.store.txn();
        txn.assert_eq::<Accounts>(&user, &known.account);
        let account = Account { sessions_revision: known.account.sessions_revision + 1, ..known.account.clone() };
        txn.put::<Accounts>(&user, &account);
        for (row, token) in known.successor.iter().chain(&known.predecessor) {
            delete_pair(&mut txn, user, *row, token);
        }
        let row = (user, claim.row());
        let replaced_by = draft.refresh.as_ref().map(|refresh| refresh.claim.row());
        txn.assert_eq::<RefreshTokens>(&row, &known.token);
        txn.put::<RefreshTokens>(&row, &RefreshToken { replaced_by, replaces: None, ..known.token.clone() });
        let device_key = (user, known.token.device_id.clone());
        txn.assert_eq::<Devices>(&device_key, &known.device);
        let device = Device { token: Some(draft.claim.row()), ..known.device.clone() };
        draft.put_tokens(&mut txn, &device, Some(claim.row()));
        txn
    }

    async fn load_refresh_token(&self, claim: &TokenClaim) -> Result<Option<Known>, StoreFailure> {
        let store = &self.0.env.store;
        let user = claim.user;
        let key = (user, claim.row());
        let reads = (store.get::<RefreshTokens>(&key), store.get::<Accounts>(&user));
        let (token, account) = futures_util::future::try_join(reads.0, reads.1).await?;
        let (Some(token), Some(account)) = (token, account) else { return Ok(None) };
        if account.is_deactivated || !bool::from(token.hash.ct_eq(&claim.hash)) {
            return Ok(None);
        }
        let keys: Vec<_> = [token.replaced_by, token.replaces].map(|row| (user, row.unwrap_or_default())).into();
        let device_key = (user, token.device_id.clone());
        let reads = (store.get::<Devices>(&device_key), store.multi_get::<RefreshTokens>(&keys));
        let (device, mut others) = futures_util::future::try_join(reads.0, reads.1).await?;
        let Some(device) = device else { return Ok(None) };
        let predecessor = token.replaces.zip(others.pop().flatten());
        let successor = token.replaced_by.zip(others.pop().flatten());
        Ok(Some(Known { token, account, device, successor, predecessor }))
    }

    /// A new access token is used for the first time: what it replaces ends. A failure is logged only, since the
    /// request has shown a good token, and the next use tries again.
    pub(super) async fn end_replaced_tokens(&self, claim: &TokenClaim, old: [u8; 16]) {
        if let Err(error) = self.try_end_replaced(claim, old).await {
            tracing::warn!(%error, "tokens that were replaced are not ended yet");
        }
    }

    async fn try_end_replaced(&self, claim: &TokenClaim, old: [u8; 16]) -> Result<(), StoreFailure> {
        let store = &self.0.env.store;
        let user = claim.user;
        let (old_key, access_key) = ((user, old), (user, claim.row()));
        let reads = (store.get::<RefreshTokens>(&old_key), store.get::<AccessTokens>(&access_key));
        let (replaced, access) = futures_util::future::try_join(reads.0, reads.1).await?;
        let Some(access) = access else { return Ok(()) };
        let mut txn = store.txn();
        // Whoever refreshes with the old token at this moment rewrites its row, and this use comes too late.
        if let Some(replaced) = &replaced {
            txn.assert_eq::<RefreshTokens>(&old_key, replaced);
            delete_pair(&mut txn, user, old, replaced);
        }
        txn.assert_eq::<AccessTokens>(&access_key, &access);
        txn.put::<AccessTokens>(&access_key, &hearth_storage::schema::users::AccessToken { replaces: None, ..access });
        let change = self.0.tokens.begin_change(user);
        let outcome = settle(store.commit(txn).await);
        change.end(outcome.is_ok());
        outcome.map(drop)
    }
}

/// Deletes a refresh token and the access token that was given out with it.
fn delete_pair(txn: &mut Txn, user: UserKey, row: [u8; 16], token: &RefreshToken) {
    txn.delete::<RefreshTokens>(&(user, row));
    txn.delete::<AccessTokens>(&(user, token.access));
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
