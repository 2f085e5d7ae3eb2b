//! Uploads: from the body of a request to a file on the shelf and a row that names it.
//!
//! The order is what makes a crash harmless: bytes into the inbox, synced; a claim; onto the shelf, synced; the row,
//! committed; the claim withdrawn. Whoever gets the URI back can count on all of it.

use bytes::Bytes;
use futures_util::future::try_join;
use futures_util::{Stream, StreamExt as _};
use hearth_storage::Txn;
use hearth_storage::schema::media::{
    FileUses, MediaItem, MediaItems, MediaState, PendingUploads, StoredMedia, Upload, UploadTotal, UploadTotals,
    Uploads,
};
use ruma::{OwnedMxcUri, ServerName};
use tokio::sync::OwnedRwLockReadGuard;

use super::content_type::check_content_type;
use super::error::MediaError;
use super::file_name::clean_file_name;
use super::handle::{COMMIT_ATTEMPTS_MAX, Media, contended, is_media_id, item_key, settle};
use super::inbox::{Claim, SealedFile};
use crate::users::LocalUser;

/// What an uploader says of the bytes.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// The `Content-Type`; what does not have the form of one counts as none.
    pub content_type: Option<String>,
    /// The file name; folders and control characters are left out.
    pub file_name: Option<String>,
    /// The `Content-Length`, if there is one.
    pub announced_bytes: Option<u64>,
}

/// A file on the shelf whose row is still to be written.
pub(super) struct Placed {
    claim: Claim,
    _lock: OwnedRwLockReadGuard<()>,
}

impl Media {
    /// Stores an upload and gives its new URI.
    /// [Client-Server API, `POST /_matrix/media/v3/upload`]
    ///
    /// [Client-Server API, `POST /_matrix/media/v3/upload`]: https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload
    pub async fn upload<E>(
        &self,
        user: &LocalUser,
        about: Described,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<OwnedMxcUri, MediaError> {
        let file = self.receive(user, &about, body).await?;
        let media_id = self.new_media_id();
        self.record_upload(user, &media_id, &about, file).await?;
        Ok(format!("mxc://{}", item_key(self.server_name(), &media_id)).into())
    }

    /// Stores an upload under a URI that the user was given before.
    /// [Client-Server API, `PUT /_matrix/media/v3/upload/{serverName}/{mediaId}`]
    ///
    /// [Client-Server API, `PUT /_matrix/media/v3/upload/{serverName}/{mediaId}`]: https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid
    pub async fn upload_to<E>(
        &self,
        user: &LocalUser,
        uri: (&ServerName, &str),
        about: Described,
        body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<(), MediaError> {
        let (server, media_id) = uri;
        if server != self.server_name() || !is_media_id(media_id) {
            return Err(MediaError::Unknown);
        }
        self.check_pending(user, media_id).await?;
        let file = self.receive(user, &about, body).await?;
        self.record_upload(user, media_id, &about, file).await
    }

    /// Whether the user may upload to this media id now.
    async fn check_pending(&self, user: &LocalUser, media_id: &str) -> Result<(), MediaError> {
        let item_key = item_key(self.server_name(), media_id);
        let row_key = (user.key, media_id.to_owned());
        let pending = self.0.env.store.get::<PendingUploads>(&row_key);
        let (pending, item) = try_join(pending, self.load_item(&item_key)).await?;
        match (pending, item) {
            (Some(pending), _) if self.now_ms() < pending.expires_ms => Ok(()),
            (None, Some(item)) if item.uploader.as_deref() != Some(user.user_id.as_str()) => Err(MediaError::NotYours),
            (None, Some(MediaItem { state: MediaState::Stored(_), .. })) => Err(MediaError::AlreadyUploaded),
            _ => Err(MediaError::Unknown),
        }
    }

    /// Takes in a body, as much of it as the user may upload.
    async fn receive<E>(
        &self,
        user: &LocalUser,
        about: &Described,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<SealedFile, MediaError> {
        let total = self.0.env.store.get::<UploadTotals>(&user.key).await?.unwrap_or_default();
        self.check_size(total, about.announced_bytes.unwrap_or(0))?;
        let mut file = self.0.inbox.begin().await?;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| MediaError::CutOff)?;
            self.check_size(total, file.bytes() + chunk.len() as u64)?;
            file.write(&chunk).await?;
        }
        if about.announced_bytes.is_some_and(|announced| announced != file.bytes()) {
            return Err(MediaError::CutOff);
        }
        Ok(file.seal().await?)
    }

    /// Whether a user with this much may upload so many bytes more.
    fn check_size(&self, total: UploadTotal, bytes: u64) -> Result<(), MediaError> {
        let bytes_max = self.0.config.upload_bytes_max;
        if bytes > bytes_max {
            return Err(MediaError::TooLarge { bytes_max });
        }
        let fits = self.0.config.user_bytes_max.is_none_or(|quota| total.bytes.saturating_add(bytes) <= quota);
        if fits { Ok(()) } else { Err(MediaError::QuotaReached) }
    }

    /// Puts a file onto the shelf and writes the rows that need it.
    async fn record_upload(
        &self,
        user: &LocalUser,
        media_id: &str,
        about: &Described,
        file: SealedFile,
    ) -> Result<(), MediaError> {
        let stored = StoredMedia {
            hash: file.hash.0,
            bytes: file.bytes,
            content_type: about.content_type.as_deref().and_then(check_content_type),
            file_name: about.file_name.as_deref().and_then(clean_file_name),
        };
        let bytes = file.bytes;
        let placed = self.place(&file).await?;
        let store = &self.0.env.store;
        let row_key = (user.key, media_id.to_owned());
        let _turn = self.0.turns.take(&user.key.0).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let pending = store.get::<PendingUploads>(&row_key);
            let (total, pending) = try_join(store.get::<UploadTotals>(&user.key), pending).await?;
            self.check_size(total.unwrap_or_default(), bytes)?;
            let mut txn = store.txn();
            let now_ms = self.now_ms();
            match &pending {
                Some(pending) => txn.assert_eq::<PendingUploads>(&row_key, pending),
                None => txn.assert_absent::<PendingUploads>(&row_key),
            };
            txn.delete::<PendingUploads>(&row_key);
            txn.assert_absent::<Uploads>(&row_key);
            txn.put::<Uploads>(&row_key, &Upload { bytes, uploaded_ms: now_ms });
            count_upload(&mut txn, user, total, bytes);
            let item = MediaItem {
                uploader: Some(user.user_id.to_string()),
                created_ms: pending.as_ref().map_or(now_ms, |pending| pending.created_ms),
                state: MediaState::Stored(stored.clone()),
                is_public: self.0.config.unauthenticated_access,
            };
            self.put_item(&mut txn, media_id, &item, &stored);
            if let Some(committed) = settle(store.commit(txn).await)? {
                let is_applied = self.is_applied(&committed).await;
                self.finish_placed(placed, is_applied).await?;
                self.record_ended(media_id, bytes);
                return Ok(());
            }
            if store.get::<Uploads>(&row_key).await?.is_some() {
                self.finish_placed(placed, false).await?;
                return Err(MediaError::AlreadyUploaded);
            }
        }
        Err(contended())
    }

    fn put_item(&self, txn: &mut Txn, media_id: &str, item: &MediaItem, stored: &StoredMedia) {
        let key = item_key(self.server_name(), media_id);
        txn.outbox_put::<FileUses>(&(stored.hash, key.clone(), String::new()), &());
        txn.outbox_put::<MediaItems>(&key, item);
    }

    /// Puts a file onto the shelf, where it stays only if a row needs it soon.
    pub(super) async fn place(&self, file: &SealedFile) -> Result<Placed, MediaError> {
        let lock = std::sync::Arc::clone(&self.0.shelf_lock).read_owned().await;
        let claim = self.0.inbox.claim(file.hash).await?;
        self.0.shelf.put(file.hash, file.path()).await?;
        Ok(Placed { claim, _lock: lock })
    }

    /// The row is there: the claim goes. Where that cannot be read yet, the claim stays for the sweeper.
    pub(super) async fn finish_placed(&self, placed: Placed, is_applied: bool) -> Result<(), MediaError> {
        if is_applied {
            placed.claim.settle().await?;
        }
        Ok(())
    }

    fn record_ended(&self, media_id: &str, bytes: u64) {
        self.0.figures.uploads.increment();
        self.0.figures.uploaded_bytes.add(bytes);
        // An error means that nobody waits.
        let _ = self.0.ended_uploads.send(item_key(self.server_name(), media_id));
    }
}

fn count_upload(txn: &mut Txn, user: &LocalUser, total: Option<UploadTotal>, bytes: u64) {
    match &total {
        Some(total) => txn.assert_eq::<UploadTotals>(&user.key, total),
        None => txn.assert_absent::<UploadTotals>(&user.key),
    };
    let total = total.unwrap_or_default();
    txn.put::<UploadTotals>(
        &user.key,
        &UploadTotal { bytes: total.bytes.saturating_add(bytes), items: total.items + 1 },
    );
}
