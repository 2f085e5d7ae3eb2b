//! What rooms need of other servers; the federation implements it, further up.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hearth_protocol::PublicKeys;
use ruma::{OwnedEventId, OwnedServerName, RoomId, ServerName};
use serde_json::value::RawValue;

/// Asking other servers about rooms.
pub trait RemoteRooms: Send + Sync {
    /// Events that others cite and that are not known here, as their bytes came; those that nobody has are left out.
    fn fetch_events<'a>(
        &'a self,
        from: &'a ServerName,
        room: &'a RoomId,
        ids: &'a [OwnedEventId],
    ) -> BoxFuture<'a, Vec<Box<RawValue>>>;

    /// The signing keys of servers, as far as they are to be had.
    fn load_keys<'a>(&'a self, servers: &'a [OwnedServerName]) -> BoxFuture<'a, PublicKeys>;
}

/// A server that speaks to no other.
pub struct NoRemote;

impl RemoteRooms for NoRemote {
    fn fetch_events<'a>(
        &'a self,
        _: &'a ServerName,
        _: &'a RoomId,
        _: &'a [OwnedEventId],
    ) -> BoxFuture<'a, Vec<Box<RawValue>>> {
        async { Vec::new() }.boxed()
    }

    fn load_keys<'a>(&'a self, _: &'a [OwnedServerName]) -> BoxFuture<'a, PublicKeys> {
        async { PublicKeys::default() }.boxed()
    }
}
