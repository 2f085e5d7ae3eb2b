//! A session that is about to begin: what the transaction that begins it writes.

use hearth_storage::Txn;
use hearth_storage::schema::accounts::{RefreshToken, RefreshTokens};
use hearth_storage::schema::users::{AccessToken, AccessTokens, Device, Devices};
use ruma::{OwnedDeviceId, OwnedUserId};

use super::sessions::{EndingSession, NewSession};
use super::token::TokenClaim;

/// A session as the transaction that begins it needs it.
pub(super) struct SessionDraft {
    pub(super) device_id: OwnedDeviceId,
    pub(super) display_name: Option<String>,
    pub(super) token: String,
    pub(super) claim: TokenClaim,
    pub(super) created_ms: u64,
    pub(super) lifetime_ms: Option<u64>,
    pub(super) refresh: Option<RefreshDraft>,
}

/// A refresh token that is about to be given out.
pub(super) struct RefreshDraft {
    pub(super) token: String,
    pub(super) claim: TokenClaim,
    /// In milliseconds since 1970.
    pub(super) expires_ms: Option<u64>,
}

impl SessionDraft {
    /// Adds the rows of the session. `old` is the device so far; the account's row is the caller's.
    pub(super) fn put(&self, txn: &mut Txn, old: Option<&EndingSession>) {
        let key = (self.claim.user, self.device_id.to_string());
        let display_name = match old {
            Some(old) => {
                txn.assert_eq::<Devices>(&key, &old.device);
                old.delete_tokens(txn, self.claim.user);
                old.device.display_name.clone()
            }
            None => {
                txn.assert_absent::<Devices>(&key);
                self.display_name.clone()
            }
        };
        let created_ms = old.map_or(self.created_ms, |old| old.device.created_ms);
        self.put_tokens(txn, &Device { display_name, created_ms, token: Some(self.claim.row()) }, None);
    }

    /// Adds the device's row and the tokens; `replaces` is the refresh token that led to them.
    pub(super) fn put_tokens(&self, txn: &mut Txn, device: &Device, replaces: Option<[u8; 16]>) {
        let (user, device_id) = (self.claim.user, self.device_id.to_string());
        txn.put::<Devices>(&(user, device_id.clone()), device);
        let token = AccessToken {
            hash: self.claim.hash,
            device_id: device_id.clone(),
            created_ms: self.created_ms,
            expires_ms: self.lifetime_ms.map(|lifetime_ms| self.created_ms.saturating_add(lifetime_ms)),
            replaces,
        };
        let row = (user, self.claim.row());
        txn.assert_absent::<AccessTokens>(&row);
        txn.put::<AccessTokens>(&row, &token);
        if let Some(refresh) = &self.refresh {
            let token = RefreshToken {
                hash: refresh.claim.hash,
                device_id,
                access: self.claim.row(),
                replaces,
                replaced_by: None,
                expires_ms: refresh.expires_ms,
            };
            let row = (user, refresh.claim.row());
            txn.assert_absent::<RefreshTokens>(&row);
            txn.put::<RefreshTokens>(&row, &token);
        }
    }

    /// Whether the device is logged in by this very session.
    pub(super) fn is_of(&self, device: &Device) -> bool {
        device.token == Some(self.claim.row())
    }

    pub(super) fn into_session(self, user_id: OwnedUserId) -> NewSession {
        NewSession {
            user_id,
            device_id: self.device_id,
            access_token: self.token,
            expires_in_ms: self.lifetime_ms,
            refresh_token: self.refresh.map(|refresh| refresh.token),
        }
    }
}
