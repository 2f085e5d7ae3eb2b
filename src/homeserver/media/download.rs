//! What is served of an item, and its bytes in pieces.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use hearth_storage::schema::media::{MediaItem, MediaState, StoredMedia};
use ruma::ServerName;
use tokio::sync::broadcast::error::RecvError;

use super::content_type::UNKNOWN;
use super::error::MediaError;
use super::handle::{Media, is_media_id, item_key};
use super::shelf::{FileHash, off_thread};

/// How much of a file is read at a time; a download holds one such piece.
const READ_BYTES: u64 = 128 * 1024;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A user of this server.
    Authenticated,
    /// Anybody, at the old paths: only what was stored while that was allowed.
    Public,
}

/// Something that can be sent.
#[derive(Clone, Debug)]
pub struct Download {
    /// What its bytes are, by their hash: the same tag means the same bytes.
    pub tag: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// The content type.
    pub content_type: String,
    /// The file name that the uploader gave.
    pub file_name: Option<String>,
    pub(super) hash: FileHash,
}

impl Download {
    pub(super) fn of(hash: [u8; 32], bytes: u64, content_type: String, file_name: Option<String>) -> Self {
        let hash = FileHash(hash);
        Self { tag: hash.hex(), bytes, content_type, file_name, hash }
    }
}

impl Media {
    /// Finds what is behind a URI. Where its content is still to be uploaded, this waits for it, `wait` at most.
    pub async fn require_download(
        &self,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        access: Access,
    ) -> Result<Download, MediaError> {
        let (_, stored) = self.require_stored(server, media_id, wait, access).await?;
        let content_type = stored.content_type.unwrap_or_else(|| UNKNOWN.to_owned());
        Ok(Download::of(stored.hash, stored.bytes, content_type, stored.file_name))
    }

    /// The item's key, and what is stored of it.
    pub(super) async fn require_stored(
        &self,
        server: &ServerName,
        media_id: &str,
        wait: Duration,
        access: Access,
    ) -> Result<(String, StoredMedia), MediaError> {
        if !is_media_id(media_id) {
            return Err(MediaError::Unknown);
        }
        let wait = wait.min(Duration::from_millis(self.0.config.download_wait_ms_max));
        let key = item_key(server, media_id);
        // From before the first look, so that no end of an upload is missed.
        let mut ended = self.0.ended_uploads.subscribe();
        let mut item = self.load_item(&key).await?;
        if item.is_none() && server != self.server_name() {
            self.0.remote.fetch(server, media_id, wait).await?;
            item = self.load_item(&key).await?;
        }
        if let Some(stored) = self.judge(item, access)? {
            return Ok((key, stored));
        }
        let upload = async {
            loop {
                match ended.recv().await {
                    Ok(ended) if ended != key => {}
                    Err(RecvError::Closed) => return Err(MediaError::NotYetUploaded),
                    Ok(_) | Err(RecvError::Lagged(_)) => {
                        let item = self.load_item(&key).await?;
                        if let Some(stored) = self.judge(item, access)? {
                            return Ok(stored);
                        }
                    }
                }
            }
        };
        let stored = tokio::time::timeout(wait, upload).await.unwrap_or(Err(MediaError::NotYetUploaded))?;
        Ok((key, stored))
    }

    /// What there is to serve; none while the content is still to be uploaded.
    fn judge(&self, item: Option<MediaItem>, access: Access) -> Result<Option<StoredMedia>, MediaError> {
        let item = item.ok_or(MediaError::Unknown)?;
        match item.state {
            MediaState::Stored(stored) if item.is_public || access == Access::Authenticated => Ok(Some(stored)),
            MediaState::Pending { expires_ms } if self.now_ms() < expires_ms => match access {
                Access::Public if !self.0.config.unauthenticated_access => Err(MediaError::Unknown),
                _ => Ok(None),
            },
            MediaState::Stored(_) | MediaState::Pending { .. } | MediaState::Removed => Err(MediaError::Unknown),
        }
    }

    /// The bytes of a part of a file, piece by piece. The part must lie within the file.
    pub async fn read(
        &self,
        download: &Download,
        part: Range<u64>,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, MediaError> {
        let file = self.require_file(download.hash).await?;
        Ok(futures_util::stream::try_unfold((file, part), |(file, part)| async move {
            if part.is_empty() {
                return Ok(None);
            }
            let end = part.end.min(part.start + READ_BYTES);
            // Made here, where it is also given back: memory that wanders between threads is not soon used again.
            let room = vec![0; usize::try_from(end - part.start).map_err(io::Error::other)?];
            let (file, piece) = off_thread(move || read_piece(file, part.start, room)).await?;
            Ok(Some((piece, (file, end..part.end))))
        }))
    }

    pub(super) async fn require_file(&self, hash: FileHash) -> Result<File, MediaError> {
        self.0.shelf.open(hash).await?.ok_or_else(|| MediaError::FileMissing(hash.hex()))
    }
}

fn read_piece(file: File, from: u64, mut room: Vec<u8>) -> io::Result<(File, Bytes)> {
    file.read_exact_at(&mut room, from)?;
    Ok((file, room.into()))
}
