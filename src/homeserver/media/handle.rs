//! The handle of this folder, and what its operations share.

use std::path::Path;
use std::sync::Arc;

use hearth_protocol::random_string;
use hearth_storage::schema::media::{MediaItem, MediaItems};
use hearth_storage::{CommitError, Committed, StorageError};
use ruma::ServerName;
use tokio::sync::{RwLock, broadcast};

use super::config::{MediaConfig, UrlPreviewConfig};
use super::error::MediaError;
use super::inbox::Inbox;
use super::preview::Previews;
use super::remote::RemoteMedia;
use super::shelf::{DiskShelf, Shelf};
use super::sweeper::MediaSweeper;
use super::thumbnail::ThumbnailJobs;
use crate::metrics::{Counter, Metered, Reading};
use crate::outbound::Outbound;
use crate::turns::Turns;
use crate::users::StoreFailure;
use crate::{Env, Worker};

/// Letters and digits of a media id: nobody guesses one.
const MEDIA_ID_LEN: usize = 24;

/// The longest media id that is looked for, in bytes.
const MEDIA_ID_BYTES_MAX: usize = 255;

/// How many uploads may end before those who wait for one have looked.
const ENDED_UPLOADS_MAX: usize = 256;

/// How often a change is read again and built again after others changed the same rows.
pub(super) const COMMIT_ATTEMPTS_MAX: usize = 16;

/// What media are made of.
pub struct MediaSetup<'a> {
    /// The section `[media]`.
    pub config: MediaConfig,
    /// The section `[url_previews]`.
    pub url_previews: UrlPreviewConfig,
    /// Where files lie; it need not exist yet.
    pub folder: &'a Path,
    /// Media of other servers.
    pub remote: Arc<dyn RemoteMedia>,
    /// Who fetches pages for previews.
    pub outbound: Outbound,
}

/// Files and what is known of them; cheap to clone.
#[derive(Clone)]
pub struct Media(pub(super) Arc<Inner>);

/// What the operations share.
pub(super) struct Inner {
    pub(super) env: Env,
    pub(super) config: MediaConfig,
    pub(super) shelf: Arc<dyn Shelf>,
    pub(super) inbox: Inbox,
    /// Held shared from before a file goes onto the shelf until its row is there, and alone while a file is removed.
    pub(super) shelf_lock: Arc<RwLock<()>>,
    /// Told the key of each item that was pending and is stored now.
    pub(super) ended_uploads: broadcast::Sender<String>,
    pub(super) remote: Arc<dyn RemoteMedia>,
    pub(super) thumbnails: ThumbnailJobs,
    pub(super) previews: Previews,
    pub(super) figures: Figures,
    /// Uploads of one user are counted one after the other.
    pub(super) turns: Turns,
}

/// What has happened since the start.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) uploads: Counter,
    pub(super) uploaded_bytes: Counter,
    pub(super) thumbnails: Counter,
}

/// The key of an item: its URI without `mxc://`.
pub(super) fn item_key(server: &ServerName, media_id: &str) -> String {
    format!("{server}/{media_id}")
}

/// Whether this can be a media id (C-S API, "Matrix Content URIs").
pub(super) fn is_media_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MEDIA_ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// What a commit came to, for a loop that reads and builds again after a conflict.
pub(super) fn settle(outcome: Result<Committed, CommitError>) -> Result<Option<Committed>, MediaError> {
    match outcome {
        Ok(committed) => Ok(Some(committed)),
        Err(CommitError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Others changed the same rows each time.
pub(super) fn contended() -> MediaError {
    MediaError::Store(StoreFailure::Contended)
}

impl Media {
    /// Media as they are set up.
    pub fn new(env: &Env, setup: MediaSetup<'_>) -> Self {
        let MediaSetup { config, url_previews, folder, remote, outbound } = setup;
        Self(Arc::new(Inner {
            shelf: Arc::new(DiskShelf::new(folder.join("files"))),
            inbox: Inbox::new(folder.join("inbox"), Arc::clone(&env.rng), Arc::clone(&env.clock)),
            shelf_lock: Arc::default(),
            ended_uploads: broadcast::channel(ENDED_UPLOADS_MAX).0,
            remote,
            thumbnails: ThumbnailJobs::new(&config),
            previews: Previews::new(url_previews, outbound),
            figures: Figures::default(),
            turns: Turns::new(),
            env: env.clone(),
            config,
        }))
    }

    /// The settings.
    pub fn config(&self) -> &MediaConfig {
        &self.0.config
    }

    /// The loops that the server has to run.
    pub fn list_workers(&self) -> Vec<Box<dyn Worker>> {
        vec![Box::new(MediaSweeper::new(self.clone()))]
    }

    /// The time of day, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        self.0.env.clock.now().0
    }

    pub(super) fn server_name(&self) -> &ServerName {
        &self.0.env.server_name
    }

    pub(super) fn new_media_id(&self) -> String {
        random_string(&*self.0.env.rng, MEDIA_ID_LEN)
    }

    pub(super) async fn load_item(&self, key: &String) -> Result<Option<MediaItem>, StorageError> {
        self.0.env.store.get::<MediaItems>(key).await
    }

    /// Waits until what a commit does to other lanes can be read; says whether that came true.
    pub(super) async fn is_applied(&self, committed: &Committed) -> bool {
        self.0.env.store.wait_applied(committed.lane, committed.last).await
    }
}

impl Metered for Media {
    fn readings(&self, out: &mut Vec<Reading>) {
        let figures = &self.0.figures;
        out.push(Reading::counter("hearth_media_uploads_total", "Uploads that were stored.", figures.uploads.value()));
        let bytes = figures.uploaded_bytes.value();
        out.push(Reading::counter("hearth_media_uploaded_bytes_total", "Bytes of uploads that were stored.", bytes));
        let made = figures.thumbnails.value();
        out.push(Reading::counter("hearth_media_thumbnails_total", "Thumbnails that were made.", made));
    }
}
