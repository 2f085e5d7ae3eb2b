//! Filters that clients store once and then name (C-S API, "Filtering").
//!
//! The id of a filter is a hash of it: storing the same filter again writes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearth_storage::StorageError;
use hearth_storage::schema::users::{Filter, Filters, UserTotal, UserTotals};
use ruma::UserId;
use ruma::api::client::filter::FilterDefinition;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::error::{COMMIT_ATTEMPTS_MAX, Settled, StoreFailure, settle};
use super::handle::Users;
use super::local_user::LocalUser;

/// Bytes of the hash that make an id: among a thousand filters of a user, two never meet.
const ID_BYTES: usize = 12;

/// Why a filter was not stored.
#[derive(Debug, Error)]
pub enum FilterError {
    /// Not the form of a filter: `M_BAD_JSON`.
    #[error("not a filter: {0}")]
    BadFilter(String),
    /// `M_TOO_LARGE`.
    #[error("the filter is too long")]
    TooLarge,
    /// The user has as many filters as allowed.
    #[error("there are too many filters")]
    TooMany,
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<StorageError> for FilterError {
    fn from(error: StorageError) -> Self {
        Self::Store(error.into())
    }
}

impl Users {
    /// Stores a filter of the caller and gives its id.
    pub async fn create_filter(&self, user: &LocalUser, filter: &RawValue) -> Result<String, FilterError> {
        if filter.get().len() > self.0.config.filter_bytes_max {
            return Err(FilterError::TooLarge);
        }
        let bad = |error: serde_json::Error| FilterError::BadFilter(error.to_string());
        serde_json::from_str::<FilterDefinition>(filter.get()).map_err(bad)?;
        // Sorted keys and no spaces, so that the same filter has the same id however it is written.
        let json = serde_json::from_str::<serde_json::Value>(filter.get()).map_err(bad)?.to_string();
        let id = URL_SAFE_NO_PAD.encode(&Sha256::digest(&json)[..ID_BYTES]);
        let store = &self.0.env.store;
        let key = (user.key, id);
        let _turn = self.0.turns.take(&user.key.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let (known, total) =
                futures_util::future::try_join(store.get::<Filters>(&key), store.get::<UserTotals>(&user.key)).await?;
            if known.is_some() {
                return Ok(key.1);
            }
            let filters = total.unwrap_or_default().filters + 1;
            if filters > self.0.config.filters_max {
                return Err(FilterError::TooMany);
            }
            let mut txn = store.txn();
            match &total {
                Some(total) => txn.assert_eq::<UserTotals>(&user.key, total),
                None => txn.assert_absent::<UserTotals>(&user.key),
            };
            txn.put::<UserTotals>(&user.key, &UserTotal { filters, ..total.unwrap_or_default() });
            txn.assert_absent::<Filters>(&key);
            txn.put::<Filters>(&key, &Filter { json: json.clone() });
            if let Settled::Done = settle(store.commit(txn).await)? {
                return Ok(key.1);
            }
        }
        Err(StoreFailure::Contended.into())
    }

    /// A filter that was stored, as its JSON.
    pub async fn load_filter(&self, user: &UserId, id: &str) -> Result<Option<Box<RawValue>>, StorageError> {
        if id.len() > 2 * ID_BYTES {
            return Ok(None);
        }
        let Some(user) = self.local_key(user) else { return Ok(None) };
        let row = self.0.env.store.get::<Filters>(&(user, id.to_owned())).await?;
        Ok(row.and_then(|row| RawValue::from_string(row.json).ok()))
    }
}

#[cfg(test)]
#[path = "filters_tests.rs"]
mod tests;
