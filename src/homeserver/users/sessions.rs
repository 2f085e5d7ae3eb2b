//! How sessions begin and end. Every change of a user's sessions asserts and rewrites the account's row,
//! so that a login and a change of password can never pass each other unseen.

use hearth_protocol::{UserKey, random_string};
use hearth_storage::Txn;
use hearth_storage::schema::accounts::{DeviceSightings, RefreshToken, RefreshTokens};
use hearth_storage::schema::users::{AccessTokens, Account, Accounts, Device, Devices};
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId};
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_user::LocalUser;
use super::pages::scan_all;
use super::session_draft::{RefreshDraft, SessionDraft};
use super::token::{TokenKind, build_token};

/// The longest device id, in bytes (Appendices, "Opaque Identifiers").
pub const DEVICE_ID_BYTES_MAX: usize = 255;
/// The longest display name of a device, in bytes.
pub const DEVICE_NAME_BYTES_MAX: usize = 512;
/// Whatever the settings say: deleting all devices of a user must fit one transaction.
pub(super) const DEVICES_CEILING: u32 = 150;
/// A device has the refresh token that it uses, and at most one that follows it.
const REFRESH_TOKENS_MAX: usize = 2 * DEVICES_CEILING as usize;
/// Length of a device id made here.
const NEW_DEVICE_ID_LEN: usize = 10;

/// The device that somebody logs in with.
#[derive(Clone, Debug, Default)]
pub struct NewDevice {
    /// An existing device of the user, or the id for a new one; made up when left out.
    pub device_id: Option<OwnedDeviceId>,
    /// The name of the device if it is new.
    pub display_name: Option<String>,
    /// The client can refresh its token, so it gets one that lives shortly.
    pub can_refresh: bool,
}

/// A session that has just begun.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Whose.
    pub user_id: OwnedUserId,
    /// On which device.
    pub device_id: OwnedDeviceId,
    /// The secret that the client shows from now on; not kept here.
    pub access_token: String,
    /// How long the token lives, in milliseconds; none for ever.
    pub expires_in_ms: Option<u64>,
    /// What a new access token is to be had for.
    pub refresh_token: Option<String>,
}

/// Why a session cannot begin on this device.
#[derive(Debug, Error)]
pub enum BadDevice {
    /// The id is empty, longer than 255 bytes, or holds control characters.
    #[error("not a device id")]
    Id,
    /// The display name is too long.
    #[error("the display name is longer than {DEVICE_NAME_BYTES_MAX} bytes")]
    Name,
    /// The user has as many devices as allowed.
    #[error("the account has too many devices; log out of some first")]
    TooMany,
}

/// Which devices a change of the account logs out.
#[derive(Clone, Copy, Debug)]
pub(super) enum LogOut<'a> {
    Nobody,
    /// These, as far as they exist.
    These(&'a [OwnedDeviceId]),
    AllBut(&'a DeviceId),
    All,
}

/// A device whose session ends.
pub(super) struct EndingSession {
    pub(super) device_id: String,
    pub(super) device: Device,
    /// Its refresh tokens, by their keys.
    refresh: Vec<([u8; 16], RefreshToken)>,
}

impl EndingSession {
    /// Deletes all tokens of the device.
    pub(super) fn delete_tokens(&self, txn: &mut Txn, user: UserKey) {
        if let Some(token) = self.device.token {
            txn.delete::<AccessTokens>(&(user, token));
        }
        for (row, token) in &self.refresh {
            txn.delete::<RefreshTokens>(&(user, *row));
            if Some(token.access) != self.device.token {
                txn.delete::<AccessTokens>(&(user, token.access));
            }
        }
    }
}

/// Whether this can be the id of a device.
pub(super) fn check_device_id(id: &DeviceId) -> Result<(), BadDevice> {
    let id = id.as_str();
    let is_good = !id.is_empty() && id.len() <= DEVICE_ID_BYTES_MAX && !id.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(BadDevice::Id) }
}

impl Users {
    /// Checks the device and draws a token.
    pub(super) fn build_session(&self, user: UserKey, device: NewDevice) -> Result<SessionDraft, BadDevice> {
        let rng = &*self.0.env.rng;
        let device_id =
            device.device_id.unwrap_or_else(|| random_string(rng, NEW_DEVICE_ID_LEN).to_ascii_uppercase().into());
        check_device_id(&device_id)?;
        if device.display_name.as_ref().is_some_and(|name| name.len() > DEVICE_NAME_BYTES_MAX) {
            return Err(BadDevice::Name);
        }
        let (token, claim) = build_token(TokenKind::Access, user, rng);
        let refresh = device.can_refresh.then(|| self.build_refresh(user));
        let lifetime_s = match refresh {
            Some(_) => Some(self.0.config.refreshable_token_lifetime_s),
            None => self.0.config.token_lifetime_s,
        };
        Ok(SessionDraft {
            device_id,
            display_name: device.display_name,
            token,
            claim,
            created_ms: self.now_ms(),
            lifetime_ms: lifetime_s.map(|lifetime_s| lifetime_s.saturating_mul(1_000)),
            refresh,
        })
    }

    /// Draws a refresh token.
    pub(super) fn build_refresh(&self, user: UserKey) -> RefreshDraft {
        let (token, claim) = build_token(TokenKind::Refresh, user, &*self.0.env.rng);
        let lifetime_ms = self.0.config.refresh_token_lifetime_s.map(|lifetime_s| lifetime_s.saturating_mul(1_000));
        let expires_ms = lifetime_ms.map(|lifetime_ms| self.now_ms().saturating_add(lifetime_ms));
        RefreshDraft { token, claim, expires_ms }
    }

    /// A device that is to be logged in anew, with the refresh tokens that end by it.
    pub(super) async fn load_old_session(
        &self,
        user: UserKey,
        device_id: &DeviceId,
    ) -> Result<Option<EndingSession>, StoreFailure> {
        let store = &self.0.env.store;
        let Some(device) = store.get::<Devices>(&(user, device_id.to_string())).await? else { return Ok(None) };
        let mut ending = vec![EndingSession { device_id: device_id.to_string(), device, refresh: Vec::new() }];
        self.add_refresh_tokens(user, &mut ending).await?;
        Ok(ending.pop())
    }

    /// Finds the refresh tokens of the devices.
    async fn add_refresh_tokens(&self, user: UserKey, ending: &mut [EndingSession]) -> Result<(), StoreFailure> {
        if ending.is_empty() {
            return Ok(());
        }
        let rows = scan_all::<RefreshTokens, _>(&self.0.env.store, &user, REFRESH_TOKENS_MAX).await?;
        for ((_, row), token) in rows {
            if let Some(session) = ending.iter_mut().find(|session| session.device_id == token.device_id) {
                session.refresh.push((row, token));
            }
        }
        Ok(())
    }

    pub(super) fn devices_max(&self) -> u32 {
        self.0.config.devices_max.min(DEVICES_CEILING)
    }

    /// Ends the caller's session and deletes its device (C-S API, `POST /logout`).
    pub async fn logout(&self, user: &LocalUser) -> Result<(), StoreFailure> {
        self.delete_devices(user, std::slice::from_ref(&user.device_id)).await
    }

    /// Ends all sessions of the caller and deletes all devices (C-S API, `POST /logout/all`).
    pub async fn logout_all(&self, user: &LocalUser) -> Result<(), StoreFailure> {
        let devices = self.list_devices(&user.key).await?;
        self.forget_settings_of(user, devices.iter().map(|device| &*device.device_id)).await?;
        self.change_account(user.key, LogOut::All, |_| Ok(()), |_| ()).await.map(drop)
    }

    /// Deletes devices of the caller with their sessions; those that do not exist are passed over.
    pub async fn delete_devices(&self, user: &LocalUser, devices: &[OwnedDeviceId]) -> Result<(), StoreFailure> {
        let devices = &devices[..devices.len().min(DEVICES_CEILING as usize)];
        self.forget_settings_of(user, devices.iter().map(|device| &**device)).await?;
        self.change_account(user.key, LogOut::These(devices), |_| Ok(()), |_| ()).await.map(drop)
    }

    /// Changes an account and ends sessions in one commit. `edit` gets the row; `add` puts further rows of the user.
    /// `Ok(None)` when there is no such account.
    pub(super) async fn change_account<E: From<StoreFailure>>(
        &self,
        user: UserKey,
        log_out: LogOut<'_>,
        edit: impl Fn(&mut Account) -> Result<(), E>,
        add: impl Fn(&mut Txn),
    ) -> Result<Option<Account>, E> {
        let store = &self.0.env.store;
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let Some(account) = store.get::<Accounts>(&user).await.map_err(StoreFailure::from)? else {
                return Ok(None);
            };
            let devices = self.list_logged_out(user, log_out).await?;
            let mut new = account.clone();
            edit(&mut new)?;
            new.devices = new.devices.saturating_sub(u32::try_from(devices.len()).unwrap_or(u32::MAX));
            new.sessions_revision += 1;
            let mut txn = store.txn();
            txn.assert_eq::<Accounts>(&user, &account);
            txn.put::<Accounts>(&user, &new);
            for session in devices {
                session.delete_tokens(&mut txn, user);
                let key = (user, session.device_id);
                txn.delete::<Devices>(&key);
                txn.delete::<DeviceSightings>(&key);
            }
            add(&mut txn);
            let change = self.0.tokens.begin_change(user);
            let outcome = settle(store.commit(txn).await);
            change.end(outcome.is_ok());
            match outcome? {
                Settled::Done => return Ok(Some(new)),
                Settled::Again => {}
            }
        }
        Err(StoreFailure::Contended.into())
    }

    async fn list_logged_out(&self, user: UserKey, log_out: LogOut<'_>) -> Result<Vec<EndingSession>, StoreFailure> {
        let devices = self.list_logged_out_devices(user, log_out).await?;
        let ending =
            devices.into_iter().map(|(device_id, device)| EndingSession { device_id, device, refresh: Vec::new() });
        let mut ending: Vec<_> = ending.collect();
        self.add_refresh_tokens(user, &mut ending).await?;
        Ok(ending)
    }

    async fn list_logged_out_devices(
        &self,
        user: UserKey,
        log_out: LogOut<'_>,
    ) -> Result<Vec<(String, Device)>, StoreFailure> {
        let store = &self.0.env.store;
        let kept = match log_out {
            LogOut::Nobody => return Ok(Vec::new()),
            LogOut::These(devices) => {
                let mut keys: Vec<_> = devices.iter().map(|device| (user, device.to_string())).collect();
                keys.sort_unstable();
                keys.dedup();
                let rows = store.multi_get::<Devices>(&keys).await?;
                return Ok(keys.into_iter().zip(rows).filter_map(|((_, id), row)| Some((id, row?))).collect());
            }
            LogOut::AllBut(kept) => Some(kept),
            LogOut::All => None,
        };
        let rows = scan_all::<Devices, _>(store, &user, DEVICES_CEILING as usize).await?;
        let rows = rows.into_iter().map(|((_, id), row)| (id, row));
        Ok(rows.filter(|(id, _)| kept.is_none_or(|kept| kept.as_str() != id)).collect())
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
