//! What media needs of other servers, given at assembly.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use ruma::ServerName;

use super::error::MediaError;

/// Gets media of other servers.
pub trait RemoteMedia: Send + Sync {
    /// Sees to it that the item is stored here, `wait` at most. [`MediaError::Unknown`] when it cannot be had.
    fn fetch<'a>(
        &'a self,
        server: &'a ServerName,
        media_id: &'a str,
        wait: Duration,
    ) -> BoxFuture<'a, Result<(), MediaError>>;
}

/// There are no other servers.
pub struct NoRemoteMedia;

impl RemoteMedia for NoRemoteMedia {
    fn fetch<'a>(&'a self, _: &'a ServerName, _: &'a str, _: Duration) -> BoxFuture<'a, Result<(), MediaError>> {
        async { Err(MediaError::Unknown) }.boxed()
    }
}
