//! The devices of a user as the user sees them (C-S API, "Device Management").

use hearth_protocol::UserKey;
use hearth_storage::StorageError;
use hearth_storage::schema::accounts::{DeviceSighting, DeviceSightings};
use hearth_storage::schema::users::{Account, Accounts, Device, Devices};
use ruma::{DeviceId, OwnedDeviceId};
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_user::LocalUser;
use super::pages::scan_all;
use super::sessions::{BadDevice, DEVICE_NAME_BYTES_MAX, DEVICES_CEILING, check_device_id};

/// A device of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its id.
    pub device_id: OwnedDeviceId,
    /// The name that the user gave it.
    pub display_name: Option<String>,
    /// When it was seen last, in milliseconds since 1970, to about a minute; making it counts.
    pub last_seen_ms: u64,
    /// Where it was seen last.
    pub last_seen_ip: Option<String>,
    /// What its client called itself then.
    pub user_agent: Option<String>,
}

/// Why a device was not changed.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// The user has no such device.
    #[error("unknown device")]
    Unknown,
    /// The display name is too long.
    #[error("the display name is longer than {DEVICE_NAME_BYTES_MAX} bytes")]
    Name,
    /// The device cannot be made.
    #[error(transparent)]
    Bad(#[from] BadDevice),
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl Users {
    /// All devices of a user, by id.
    pub async fn list_devices(&self, user: &UserKey) -> Result<Vec<DeviceInfo>, StorageError> {
        let store = &self.0.env.store;
        let (devices, sightings) = futures_util::future::try_join(
            scan_all::<Devices, _>(store, user, DEVICES_CEILING as usize),
            scan_all::<DeviceSightings, _>(store, user, DEVICES_CEILING as usize),
        )
        .await?;
        // Both are sorted by device id.
        let mut sightings = sightings.into_iter().peekable();
        let mut list = Vec::with_capacity(devices.len());
        for ((_, id), device) in devices {
            while sightings.next_if(|((_, seen), _)| *seen < id).is_some() {}
            let written = sightings.next_if(|((_, seen), _)| *seen == id).map(|(_, sighting)| sighting);
            let key = (*user, id);
            let sighting = self.0.sightings.lock().find(&key).or(written);
            list.push(build_info(key.1, device, sighting));
        }
        Ok(list)
    }

    /// One device of a user.
    pub async fn load_device(&self, user: &UserKey, device: &DeviceId) -> Result<Option<DeviceInfo>, StorageError> {
        let key = (*user, device.to_string());
        let store = &self.0.env.store;
        let (device, written) =
            futures_util::future::try_join(store.get::<Devices>(&key), store.get::<DeviceSightings>(&key)).await?;
        let sighting = self.0.sightings.lock().find(&key).or(written);
        Ok(device.map(|device| build_info(key.1, device, sighting)))
    }

    /// Gives a device another display name; `None` leaves it as it is.
    pub async fn update_device(
        &self,
        user: &UserKey,
        device: &DeviceId,
        display_name: Option<String>,
    ) -> Result<(), DeviceError> {
        if display_name.as_ref().is_some_and(|name| name.len() > DEVICE_NAME_BYTES_MAX) {
            return Err(DeviceError::Name);
        }
        let store = &self.0.env.store;
        let key = (*user, device.to_string());
        let _turn = self.0.turns.take(&user.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let old = store.get::<Devices>(&key).await.map_err(StoreFailure::from)?.ok_or(DeviceError::Unknown)?;
            if display_name.is_none() || display_name == old.display_name {
                return Ok(());
            }
            let mut txn = store.txn();
            txn.assert_eq::<Devices>(&key, &old);
            txn.put::<Devices>(&key, &Device { display_name: display_name.clone(), ..old });
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(());
            }
        }
        Err(StoreFailure::Contended.into())
    }

    /// Makes a device that nobody is logged in with, or renames it where it is there; says whether it was made. For
    /// application services, which manage the devices of their users (Application Service API, "Device management").
    ///
    /// # Errors
    /// When the id or the name is none, or the user has too many devices.
    pub async fn put_device(
        &self,
        user: &LocalUser,
        device: &DeviceId,
        display_name: Option<String>,
    ) -> Result<bool, DeviceError> {
        match self.update_device(&user.key, device, display_name.clone()).await {
            Err(DeviceError::Unknown) => {}
            outcome => return outcome.map(|()| false),
        }
        check_device_id(device)?;
        let store = &self.0.env.store;
        let key = (user.key, device.to_string());
        let row = Device { display_name, created_ms: self.now_ms(), token: None };
        let _turn = self.0.turns.take(&user.key.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let account = store.get::<Accounts>(&user.key).await.map_err(StoreFailure::from)?;
            let account = account.ok_or(DeviceError::Unknown)?;
            if account.devices >= self.devices_max() {
                return Err(BadDevice::TooMany.into());
            }
            if store.get::<Devices>(&key).await.map_err(StoreFailure::from)?.is_some() {
                return Ok(false); // Another request of the same moment was faster.
            }
            let mut txn = store.txn();
            txn.assert_eq::<Accounts>(&user.key, &account);
            txn.assert_absent::<Devices>(&key);
            let (devices, sessions_revision) = (account.devices + 1, account.sessions_revision + 1);
            txn.put::<Accounts>(&user.key, &Account { devices, sessions_revision, ..account });
            txn.put::<Devices>(&key, &row);
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(true);
            }
        }
        Err(StoreFailure::Contended.into())
    }
}

fn build_info(id: String, device: Device, sighting: Option<DeviceSighting>) -> DeviceInfo {
    DeviceInfo {
        device_id: id.into(),
        display_name: device.display_name,
        last_seen_ms: sighting.as_ref().map_or(device.created_ms, |sighting| sighting.seen_ms),
        user_agent: sighting.as_ref().and_then(|sighting| sighting.user_agent.clone()),
        last_seen_ip: sighting.and_then(|sighting| sighting.ip),
    }
}

#[cfg(test)]
#[path = "devices_tests.rs"]
mod tests;
