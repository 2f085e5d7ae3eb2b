//! Thumbnails: made when they are first asked for, once, by few at a time, and kept.
//! [Client-Server API, "Thumbnails"]
//!
//! [Client-Server API, "Thumbnails"]: https://spec.matrix.org/v1.19/client-server-api/#thumbnails

use std::sync::Arc;
use std::time::Duration;

use hearth_storage::schema::media::{FileUses, MediaItems, MediaState, StoredMedia, Thumbnail, Thumbnails};
use ruma::ServerName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::config::MediaConfig;
use super::decode::{DecodeError, DecodeLimits, Made, make_thumbnail};
use super::download::{Access, Download};
use super::error::MediaError;
use super::handle::{COMMIT_ATTEMPTS_MAX, Media, contended, settle};
use super::shelf::FileHash;
use super::thumbnail_size::{Method, ThumbnailSize};
use super::under_way::UnderWay;

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct WantedThumbnail {
    /// How it becomes smaller.
    pub method: Method,
    /// At least this many pixels.
    pub width: u64,
    /// At least this many pixels.
    pub height: u64,
    /// It may move.
    pub is_animated: bool,
}

/// An item and the name of a thumbnail of it.
type ThumbnailKey = (String, String);

/// Who makes which thumbnail now.
pub(super) struct ThumbnailJobs {
    /// Whoever comes while it is made waits, and then finds it made.
    under_way: UnderWay<ThumbnailKey>,
    /// Those being made.
    turns: Arc<Semaphore>,
    /// Those being made, and those that wait.
    places: Arc<Semaphore>,
    limits: DecodeLimits,
    source_bytes_max: u64,
}

impl ThumbnailJobs {
    pub(super) fn new(config: &MediaConfig) -> Self {
        let jobs_max = config.thumbnail_jobs_max.clamp(1, Semaphore::MAX_PERMITS / 2);
        let waiting_max = config.thumbnail_waiting_max.min(Semaphore::MAX_PERMITS / 2);
        Self {
            under_way: UnderWay::default(),
            turns: Arc::new(Semaphore::new(jobs_max)),
            places: Arc::new(Semaphore::new(jobs_max + waiting_max)),
            limits: DecodeLimits { pixels_max: config.thumbnail_pixels_max },
            source_bytes_max: config.thumbnail_source_bytes_max,
        }
    }

    async fn turn(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), MediaError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| MediaError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| MediaError::Busy)?;
        Ok((place, turn))
    }
}

impl Media {
    /// The thumbnail of an item, or the item itself where it is small enough.
    pub async fn require_thumbnail(
        &self,
        server: &ServerName,
        media_id: &str,
        wanted: WantedThumbnail,
        wait: Duration,
        access: Access,
    ) -> Result<Download, MediaError> {
        let size = ThumbnailSize::round_up(wanted.method, wanted.width, wanted.height, wanted.is_animated)?;
        let (item, stored) = self.require_stored(server, media_id, wait, access).await?;
        let key = (item, size.name());
        if let Some(known) = self.load_thumbnail(&key).await? {
            return Ok(known);
        }
        self.0.thumbnails.under_way.alone(&key, self.make(&key, &size, &stored)).await
    }

    async fn load_thumbnail(&self, key: &ThumbnailKey) -> Result<Option<Download>, MediaError> {
        let row = self.0.env.store.get::<Thumbnails>(key).await?;
        Ok(row.map(|row| download_of(&row)))
    }

    /// Makes a thumbnail, unless somebody has made it meanwhile.
    async fn make(
        &self,
        key: &ThumbnailKey,
        size: &ThumbnailSize,
        stored: &StoredMedia,
    ) -> Result<Download, MediaError> {
        if let Some(known) = self.load_thumbnail(key).await? {
            return Ok(known);
        }
        let jobs = &self.0.thumbnails;
        if stored.bytes > jobs.source_bytes_max {
            return Err(MediaError::ImageTooLarge);
        }
        let turn = jobs.turn().await?;
        let file = self.require_file(FileHash(stored.hash)).await?;
        let (size, limits) = (size.clone(), jobs.limits);
        // The turn goes with the work: whoever gives up waiting frees no place early.
        let work = tokio::task::spawn_blocking(move || {
            let made = make_thumbnail(file, &size, limits);
            drop(turn);
            made
        });
        // A decoder that panics has met a file that it cannot decode.
        let made = work.await.unwrap_or(Err(DecodeError::NotAnImage)).map_err(|error| match error {
            DecodeError::NotAnImage => MediaError::NoThumbnail,
            DecodeError::TooLarge => MediaError::ImageTooLarge,
            DecodeError::Io(error) => MediaError::Io(error),
        })?;
        self.0.figures.thumbnails.increment();
        match made {
            Made::Itself { content_type } => {
                let content_type = content_type.to_owned();
                let row = Thumbnail { hash: stored.hash, bytes: stored.bytes, content_type };
                self.record_thumbnail(key, stored, &row).await?;
                Ok(download_of(&row))
            }
            Made::Encoded { content_type, bytes } => self.keep_thumbnail(key, stored, content_type, &bytes).await,
        }
    }

    async fn keep_thumbnail(
        &self,
        key: &ThumbnailKey,
        stored: &StoredMedia,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<Download, MediaError> {
        let mut file = self.0.inbox.begin().await?;
        file.write(bytes).await?;
        let file = file.seal().await?;
        let placed = self.place(&file).await?;
        let row = Thumbnail { hash: file.hash.0, bytes: file.bytes, content_type: content_type.to_owned() };
        let is_applied = self.record_thumbnail(key, stored, &row).await?;
        self.finish_placed(placed, is_applied).await?;
        Ok(download_of(&row))
    }

    /// Writes a thumbnail's row, unless the item was removed meanwhile; says whether all of it can be read already.
    async fn record_thumbnail(
        &self,
        key: &ThumbnailKey,
        stored: &StoredMedia,
        row: &Thumbnail,
    ) -> Result<bool, MediaError> {
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let item = self.load_item(&key.0).await?.ok_or(MediaError::Unknown)?;
            if item.state != MediaState::Stored(stored.clone()) {
                return Err(MediaError::Unknown);
            }
            let mut txn = self.0.env.store.txn();
            txn.assert_eq::<MediaItems>(&key.0, &item);
            txn.put::<Thumbnails>(key, row);
            txn.outbox_put::<FileUses>(&(row.hash, key.0.clone(), key.1.clone()), &());
            if let Some(committed) = settle(self.0.env.store.commit(txn).await)? {
                return Ok(self.is_applied(&committed).await);
            }
        }
        Err(contended())
    }
}

fn download_of(row: &Thumbnail) -> Download {
    let extension = row.content_type.rsplit('/').next().unwrap_or_default().replace("jpeg", "jpg");
    Download::of(row.hash, row.bytes, row.content_type.clone(), Some(format!("thumbnail.{extension}")))
}
