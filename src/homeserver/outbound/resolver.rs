//! From names to addresses that may be connected to.
//!
//! The client connects to the addresses that come from here and asks nobody again, so that a name cannot
//! lead to one address when it is checked and to another when it is used.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::Bounds;

/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 16;

/// Tells the addresses of names.
pub trait Names: Send + Sync {
    /// All addresses of a name.
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The names that the operating system knows.
pub struct SystemNames;

impl Names for SystemNames {
    fn resolve(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) }.boxed()
    }
}

/// All addresses of a name are out of bounds.
#[derive(Debug, thiserror::Error)]
#[error("the address is out of bounds")]
pub(super) struct DeniedAddress;

/// Leaves out addresses that are out of bounds.
pub(super) struct BoundResolver {
    pub(super) names: Arc<dyn Names>,
    pub(super) bounds: Arc<Bounds>,
}

impl Resolve for BoundResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, bounds) = (self.names.resolve(name.as_str()), Arc::clone(&self.bounds));
        async move {
            let mut addresses = found.await?;
            let is_known = !addresses.is_empty();
            addresses.retain(|address| bounds.is_address_allowed(*address));
            addresses.truncate(ADDRESSES_MAX);
            if is_known && addresses.is_empty() {
                return Err(DeniedAddress.into());
            }
            // The port comes from the URL.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        }
        .boxed()
    }
}
