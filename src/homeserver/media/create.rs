//! URIs that are given out before their content is there.
//! [Client-Server API, `POST /_matrix/media/v1/create`]
//!
//! [Client-Server API, `POST /_matrix/media/v1/create`]: https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create

use hearth_storage::Page;
use hearth_storage::schema::media::{MediaItem, MediaItems, MediaState, PendingUpload, PendingUploads};
use ruma::OwnedMxcUri;

use super::error::MediaError;
use super::handle::{Media, item_key, settle};
use crate::users::LocalUser;

/// How many more rows than are allowed are looked at: some may have run out.
const ROWS_OVER_MAX: usize = 100;
/// Rows that one step of a sweep looks at.
const ROWS_PER_SWEEP: usize = 500;

/// A URI that waits for its content.
#[derive(Clone, Debug)]
pub struct CreatedMedia {
    /// The URI.
    pub uri: OwnedMxcUri,
    /// From when on nothing may be uploaded to it, in milliseconds since 1970.
    pub expires_ms: u64,
}

impl Media {
    /// Gives out a URI. Those of the user that ran out are cleared away.
    ///
    /// Two requests at the same time may both find the last place free; the limit is against hoarding, not a sum to be right.
    pub async fn create(&self, user: &LocalUser) -> Result<CreatedMedia, MediaError> {
        let (store, now_ms) = (&self.0.env.store, self.now_ms());
        let pending_max = self.0.config.pending_uploads_max;
        let page = Page::first(pending_max.saturating_add(ROWS_OVER_MAX));
        let rows = store.scan::<PendingUploads, _>(&user.key, page).await?.rows;
        let (expired, pending): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| row.expires_ms <= now_ms);
        if pending.len() >= pending_max {
            let first_ms = pending.iter().map(|(_, row)| row.expires_ms).min().unwrap_or(now_ms);
            return Err(MediaError::TooManyPending { retry_after_ms: first_ms.saturating_sub(now_ms) });
        }
        let expires_ms = now_ms.saturating_add(self.0.config.pending_lifetime_s.saturating_mul(1_000));
        let media_id = self.new_media_id();
        let key = item_key(self.server_name(), &media_id);
        let mut txn = store.txn();
        let row_key = (user.key, media_id);
        txn.assert_absent::<PendingUploads>(&row_key);
        txn.put::<PendingUploads>(&row_key, &PendingUpload { created_ms: now_ms, expires_ms });
        txn.outbox_put::<MediaItems>(
            &key,
            &MediaItem {
                uploader: Some(user.user_id.to_string()),
                created_ms: now_ms,
                state: MediaState::Pending { expires_ms },
                is_public: false,
            },
        );
        for (expired, _) in expired.into_iter().take(ROWS_OVER_MAX) {
            txn.outbox_delete::<MediaItems>(&item_key(self.server_name(), &expired.1));
            txn.delete::<PendingUploads>(&expired);
        }
        let committed = store.commit(txn).await?;
        self.is_applied(&committed).await;
        Ok(CreatedMedia { uri: format!("mxc://{key}").into(), expires_ms })
    }

    /// Clears away the URIs that ran out without an upload, of those users too who never ask for another one. Gives how
    /// many there were.
    ///
    /// # Errors
    /// When reading or writing fails; what was cleared stays cleared.
    pub async fn sweep_pending(&self) -> Result<usize, MediaError> {
        let (store, now_ms) = (&self.0.env.store, self.now_ms());
        let (mut swept, mut page) = (0, Page::first(ROWS_PER_SWEEP));
        loop {
            let found = store.scan::<PendingUploads, _>(&(), page.clone()).await?;
            let last = found.rows.last().map(|(key, _)| key.clone());
            for (key, row) in found.rows.into_iter().filter(|(_, row)| row.expires_ms <= now_ms) {
                let mut txn = store.txn();
                txn.assert_eq::<PendingUploads>(&key, &row);
                txn.delete::<PendingUploads>(&key);
                txn.outbox_delete::<MediaItems>(&item_key(self.server_name(), &key.1));
                // A conflict: it was cleared away by a request of the same moment.
                swept += usize::from(settle(store.commit(txn).await)?.is_some());
            }
            match last {
                Some(last) if found.more => page = page.behind(last),
                _ => return Ok(swept),
            }
        }
    }
}
