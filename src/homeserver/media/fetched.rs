//! Files that this server has got by itself, such as images of web pages: they belong to no user.

use bytes::Bytes;
use hearth_storage::schema::media::{FileUses, MediaItem, MediaItems, MediaState, StoredMedia};

use super::error::MediaError;
use super::handle::{Media, item_key};

impl Media {
    /// Stores bytes under a new URI; gives the item's key.
    pub(super) async fn store_fetched(&self, bytes: &Bytes, content_type: &str) -> Result<String, MediaError> {
        let mut file = self.0.inbox.begin().await?;
        file.write(bytes).await?;
        let file = file.seal().await?;
        let placed = self.place(&file).await?;
        let key = item_key(self.server_name(), &self.new_media_id());
        let stored = StoredMedia {
            hash: file.hash.0,
            bytes: file.bytes,
            content_type: Some(content_type.to_owned()),
            file_name: None,
        };
        let mut txn = self.0.env.store.txn();
        txn.assert_absent::<MediaItems>(&key);
        txn.outbox_put::<FileUses>(&(stored.hash, key.clone(), String::new()), &());
        let item = MediaItem {
            uploader: None,
            created_ms: self.now_ms(),
            state: MediaState::Stored(stored),
            is_public: self.0.config.unauthenticated_access,
        };
        txn.put::<MediaItems>(&key, &item);
        let committed = self.0.env.store.commit(txn).await?;
        let is_applied = self.is_applied(&committed).await;
        self.finish_placed(placed, is_applied).await?;
        Ok(key)
    }
}
