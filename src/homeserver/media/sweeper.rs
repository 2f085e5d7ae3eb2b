//! Clears away what crashes and broken connections left (parts of uploads, files that no row needs), and what ran out:
//! URIs to which nothing was uploaded, and previews.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::error::MediaError;
use super::handle::Media;
use crate::{Stop, Worker};

const SWEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// How long a claim that was given up waits: a commit of the same request may still be on its way.
const GIVEN_UP_MS_MIN: u64 = 60_000;

/// Sweeps at the start and every ten minutes.
pub(super) struct MediaSweeper {
    media: Media,
}

impl MediaSweeper {
    pub(super) fn new(media: Media) -> Self {
        Self { media }
    }
}

impl Media {
    /// Clears away what was left in the inbox, and the files of which it says that they may be of no use.
    /// Gives how many names there were.
    pub async fn sweep(&self) -> Result<usize, MediaError> {
        let left = self.0.inbox.list_left(GIVEN_UP_MS_MIN).await?;
        // Every row of a file's use has to be readable, whichever lane it was written from.
        if left.iter().any(|left| left.hash.is_some()) && !self.0.env.store.wait_all_applied().await {
            return Ok(0);
        }
        let count = left.len();
        for left in left {
            if let Some(hash) = left.hash {
                self.remove_unused(hash).await?;
            }
            self.0.inbox.forget(left).await?;
        }
        Ok(count)
    }
}

impl Worker for MediaSweeper {
    fn name(&self) -> &'static str {
        "media_sweeper"
    }

    fn follows(&self) -> &'static str {
        "the inbox of media, URIs without an upload and old previews, at the start and every 10 minutes"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        async move {
            loop {
                match self.media.sweep().await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "cleared away what was left of uploads"),
                    Err(error) => tracing::warn!(%error, "what was left of uploads could not be cleared away"),
                }
                if let Err(error) = self.media.sweep_pending().await {
                    tracing::warn!(%error, "URIs to which nothing was uploaded could not be cleared away");
                }
                if let Err(error) = self.media.sweep_previews().await {
                    tracing::warn!(%error, "old previews of URLs could not be removed");
                }
                if stop.run_until_cancelled(tokio::time::sleep(SWEEP_EVERY)).await.is_none() {
                    return;
                }
            }
        }
        .boxed()
    }
}
