//! Taking media away: by an administrator, and files that nothing needs any more.

use hearth_protocol::UserKey;
use hearth_storage::Page;
use hearth_storage::schema::media::{
    FileUses, MediaItem, MediaItems, MediaState, Thumbnails, UploadTotal, UploadTotals, Uploads,
};
use ruma::{ServerName, UserId};

use super::error::MediaError;
use super::handle::{COMMIT_ATTEMPTS_MAX, Media, contended, is_media_id, item_key, settle};
use super::inbox::Claim;
use super::shelf::FileHash;

/// How many thumbnails of an item go in one transaction; sizes are few (`thumbnail_size.rs`).
const THUMBNAILS_MAX: usize = 1_000;

/// What is left of an item whose content goes.
#[derive(Clone, Copy)]
enum Remains {
    /// The word that it was removed.
    Word,
    Nothing,
}

impl Media {
    /// Removes an item for good: nobody gets it any more, its URI is not given out again, and its file goes unless
    /// another item has the same bytes.
    pub async fn remove(&self, server: &ServerName, media_id: &str) -> Result<(), MediaError> {
        if !is_media_id(media_id) {
            return Err(MediaError::Unknown);
        }
        let (item, bytes) = self.empty_item(&item_key(server, media_id), Remains::Word).await?;
        self.discount(server, media_id, &item, bytes).await
    }

    /// Removes an item of no user without a trace; no error when there is none.
    pub(super) async fn forget_item(&self, key: &String) -> Result<(), MediaError> {
        match self.empty_item(key, Remains::Nothing).await {
            Ok(_) | Err(MediaError::Unknown) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes what is stored of an item; gives what it was, and its bytes.
    async fn empty_item(&self, key: &String, remains: Remains) -> Result<(MediaItem, u64), MediaError> {
        let store = &self.0.env.store;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let item = self.load_item(key).await?.ok_or(MediaError::Unknown)?;
            let MediaState::Stored(stored) = &item.state else { return Err(MediaError::Unknown) };
            let page = Page::first(THUMBNAILS_MAX);
            let thumbnails = store.scan::<Thumbnails, _>(key, page).await?.rows;
            let mut freed = vec![self.claim(stored.hash).await?];
            let mut txn = store.txn();
            txn.assert_eq::<MediaItems>(key, &item);
            match remains {
                Remains::Word => {
                    txn.put::<MediaItems>(key, &MediaItem { state: MediaState::Removed, ..item.clone() });
                }
                Remains::Nothing => txn.delete::<MediaItems>(key),
            }
            txn.outbox_delete::<FileUses>(&(stored.hash, key.clone(), String::new()));
            for (thumbnail_key, thumbnail) in thumbnails {
                freed.push(self.claim(thumbnail.hash).await?);
                txn.delete::<Thumbnails>(&thumbnail_key);
                txn.outbox_delete::<FileUses>(&(thumbnail.hash, key.clone(), thumbnail_key.1));
            }
            let Some(committed) = settle(store.commit(txn).await)? else { continue };
            if self.is_applied(&committed).await {
                self.remove_freed(freed).await?;
            }
            let bytes = stored.bytes;
            return Ok((item, bytes));
        }
        Err(contended())
    }

    async fn remove_freed(&self, freed: Vec<(FileHash, Claim)>) -> Result<(), MediaError> {
        for (hash, claim) in freed {
            self.remove_unused(hash).await?;
            claim.settle().await?;
        }
        Ok(())
    }

    async fn claim(&self, hash: [u8; 32]) -> Result<(FileHash, Claim), MediaError> {
        let hash = FileHash(hash);
        Ok((hash, self.0.inbox.claim(hash).await?))
    }

    /// Removes a file from the shelf unless a row needs it.
    pub(super) async fn remove_unused(&self, hash: FileHash) -> Result<(), MediaError> {
        let _alone = self.0.shelf_lock.write().await;
        let uses = self.0.env.store.scan::<FileUses, _>(&hash.0, Page::first(1)).await?;
        if uses.rows.is_empty() {
            self.0.shelf.remove(hash).await?;
        }
        Ok(())
    }

    /// Takes a removed item off what its user has uploaded.
    async fn discount(
        &self,
        server: &ServerName,
        media_id: &str,
        item: &MediaItem,
        bytes: u64,
    ) -> Result<(), MediaError> {
        let uploader = item.uploader.as_deref().and_then(|id| UserId::parse(id).ok());
        let Some(uploader) = uploader.filter(|_| server == self.server_name()) else { return Ok(()) };
        let user = UserKey::of(&uploader);
        let (store, row_key) = (&self.0.env.store, (user, media_id.to_owned()));
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let Some(total) = store.get::<UploadTotals>(&user).await? else { return Ok(()) };
            let mut txn = store.txn();
            txn.assert_eq::<UploadTotals>(&user, &total);
            txn.assert_present::<Uploads>(&row_key);
            txn.delete::<Uploads>(&row_key);
            let (bytes, items) = (total.bytes.saturating_sub(bytes), total.items.saturating_sub(1));
            txn.put::<UploadTotals>(&user, &UploadTotal { bytes, items });
            if settle(store.commit(txn).await)?.is_some() {
                return Ok(());
            }
            if store.get::<Uploads>(&row_key).await?.is_none() {
                return Ok(());
            }
        }
        Err(contended())
    }
}
